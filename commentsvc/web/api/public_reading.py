"""What everybody may read, the same bytes for all: threads, approved comments and their numbers."""

from __future__ import annotations

from flask import Response

from commentsvc.domain import article_urls
from commentsvc.domain.fields import ROW_PATTERN
from commentsvc.domain.reading import public_lists
from commentsvc.domain.sites import sites
from commentsvc.domain.threads import comment_counts, threads
from commentsvc.models import Site
from commentsvc.web.api import answers, representations
from commentsvc.web.api.calls import Call
from commentsvc.web.api.shapes import ListOf, MapOf, Record, RowNumber, Text, Whole
from commentsvc.web.context import database

MOST_URLS = 200
LIMIT = Whole(1, 200, 50, about="How many at most.")
AFTER = Text(
    longest=40,
    pattern=f"-?[0-9]{{1,16}}-{ROW_PATTERN}",
    about="Where the page begins, from the Link of the one before.",
)
AFTER_ID = RowNumber(about="Where the page begins, from the Link of the one before.")
URL = Text(longest=2000, shortest=1)
OF_SITE = Text(longest=2000, shortest=1, about="An address of the website, such as https://blog.example.")
OF_ARTICLE = Text(longest=2000, shortest=1, about="The address of an article.")
PAGE_ID = Text(
    longest=threads.ID_LONGEST, about="The id that the article's page gives its thread, if it gives one."
)
URLS = ListOf(URL, 1, MOST_URLS, about="The addresses of articles, each as a parameter `url`.")
COUNTS = Record("Counts", {"counts": MapOf(Whole(0), about="The number of approved comments by address.")})


def counts(call: Call) -> Response:
    """Return the number of comments of each article; 0 for an address that is none."""
    return answers.public(
        {"counts": comment_counts.by_url(database(), list(dict.fromkeys(call.query["url"])))}
    )


def list_threads(call: Call) -> Response:
    """Return the threads of a site."""
    rows, next_after = public_lists.threads_of(
        database(),
        _site(call.query["site"]).id,
        after=call.query.get("after"),
        limit=call.query.get("limit", LIMIT.default),
    )
    return answers.public({"threads": [representations.thread(row) for row in rows]}, next_after=next_after)


def find_thread(call: Call) -> Response:
    """Return the thread of an article."""
    url = call.query["url"]
    address = threads.address_on(_site(url), url, page_id=call.query.get("thread_id", ""))
    found = threads.find(database(), address)
    return answers.public(
        representations.thread(public_lists.public_thread(database(), found.id if found else 0))
    )


def get_thread(call: Call) -> Response:
    """Return a thread."""
    row = public_lists.public_thread(database(), call.path["thread_id"])
    return answers.public(representations.thread(row))


def thread_comments(call: Call) -> Response:
    """Return a thread's comments."""
    page = public_lists.of_thread(
        database(),
        call.path["thread_id"],
        after=call.query.get("after"),
        limit=call.query.get("limit", LIMIT.default),
    )
    return _comments(page)


def latest_comments(call: Call) -> Response:
    """Return a site's comments."""
    page = public_lists.of_site(
        database(),
        _site(call.query["site"]).id,
        after=call.query.get("after"),
        limit=call.query.get("limit", LIMIT.default),
    )
    return _comments(page)


def get_comment(call: Call) -> Response:
    """Return a comment."""
    listed = public_lists.one(database(), call.path["comment_id"])
    return answers.public(representations.comment(listed))


def _comments(page: public_lists.CommentList) -> Response:
    return answers.public(
        {"comments": [representations.comment(listed) for listed in page.comments]},
        next_after=page.next_after,
    )


def _site(url: str) -> Site:
    return sites.by_origin(database(), article_urls.page_origin(url))
