"""The sites of a token, and their threads as moderators see them, to close and to open again."""

from __future__ import annotations

from typing import Any

from flask import Response

from commentsvc.domain.accounts import api_tokens
from commentsvc.domain.thread_admin import thread_controls
from commentsvc.domain.threads import threads
from commentsvc.errors import NotFoundError
from commentsvc.models import Role, Thread
from commentsvc.web.api import answers
from commentsvc.web.api.answers import moment
from commentsvc.web.api.calls import Call
from commentsvc.web.api.public_reading import AFTER_ID
from commentsvc.web.api.shapes import (
    Flag,
    ListOf,
    Moment,
    OneOf,
    OrNull,
    Record,
    RowNumber,
    Shape,
    Text,
    Whole,
)
from commentsvc.web.context import database, now, writing

SITE = Record(
    "Site",
    {
        "id": Whole(1),
        "name": Text(),
        "origins": ListOf(Text()),
        "role": OneOf(tuple(Role), about="The role with which the token acts."),
    },
)
SITES = Record("Sites", {"sites": ListOf(SITE)})
THREAD = Record(
    "ModeratedThread",
    {
        "id": RowNumber(),
        "url": Text(about="The address of the article."),
        "title": OrNull(Text()),
        "comments": Whole(0, about="The number of approved comments."),
        "is_open": Flag(),
        "closed_at": OrNull(Moment(), about="When it closes or closed; null leaves it to the site's rule."),
        "slow_seconds": OrNull(Whole(1), about="How long one person must wait between two comments."),
        "created_at": Moment(),
    },
)
THREADS = Record("ModeratedThreads", {"threads": ListOf(THREAD)})
CHANGE = Record("ThreadChange", {"closed_at": OrNull(Moment())})
QUERY: dict[str, Shape] = {
    "q": Text(longest=200, shortest=1, about="A part of the title or address."),
    "after": AFTER_ID,
}


def list_sites(call: Call) -> Response:
    """Return the sites on which the token acts."""
    shown = [
        {
            "id": site.id,
            "name": site.name,
            "origins": [item.origin for item in site.origins],
            "role": role.value,
        }
        for site, role in api_tokens.sites_of(database(), call.token)
    ]
    return answers.answer({"sites": shown})


def list_threads(call: Call) -> Response:
    """Return a page of the site's threads, the latest first."""
    page = thread_controls.listing(
        database(), call.site_id, search=call.query.get("q", ""), before=call.query.get("after")
    )
    return answers.answer({"threads": [_shown(row.thread) for row in page.rows]}, next_after=page.next_before)


def get_thread(call: Call) -> Response:
    """Return a thread with its tag."""
    return _answer(_of_site(call))


def change_thread(call: Call) -> Response:
    """Close a thread, at once or at a time, or open it again."""
    with writing() as session:
        thread = _of_site(call)
        call.require_match(_tag(thread))
        thread_controls.close(
            session, thread, on=call.body["closed_at"], moderator_id=call.maker_id, at=now()
        )
    return _answer(_of_site(call))


def _of_site(call: Call) -> Thread:
    thread = database().get(Thread, call.path["thread_id"])
    if thread is None or thread.site_id != call.site_id:
        raise NotFoundError("There is no such thread on this site.")
    return thread


def _answer(thread: Thread) -> Response:
    return answers.answer(_shown(thread), tag=_tag(thread))


def _tag(thread: Thread) -> str:
    return answers.tag_of(thread.id, thread.title, moment(thread.closed_at), thread.slow_seconds)


def _shown(thread: Thread) -> dict[str, Any]:
    return {
        "id": str(thread.id),
        "url": thread.url,
        "title": thread.title,
        "comments": thread.approved_count,
        "is_open": threads.closed_reason(thread.site, thread, at=now()) is None,
        "closed_at": moment(thread.closed_at),
        "slow_seconds": thread.slow_seconds,
        "created_at": moment(thread.created_at),
    }
