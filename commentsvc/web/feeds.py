"""Feeds of comments: of a thread, of a site, and of the answers to one person or comment, at secret addresses."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from html import escape
from urllib.parse import urlsplit

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc import messages
from commentsvc.domain import article_urls
from commentsvc.domain.accounts import answer_feeds
from commentsvc.domain.comments import receipts
from commentsvc.domain.reading import latest_comments
from commentsvc.domain.reading.conversations import CommentView
from commentsvc.domain.reading.latest_comments import LatestComment
from commentsvc.domain.sites import sites
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.versions import VersionStamp
from commentsvc.errors import NotFoundError
from commentsvc.languages import ENGLISH
from commentsvc.messages import gettext
from commentsvc.models import AnswerFeed, Comment, Commenter, Site, Thread
from commentsvc.serving.page_cache.policy import CachePolicy, mark_cacheable
from commentsvc.text import feed_documents
from commentsvc.text.feed_documents import FeedDocument, FeedEntry
from commentsvc.web import access, headers, page_language
from commentsvc.web.context import database, hash_key, limiter, settings
from commentsvc.web.thread_request import STANDALONE, ThreadRequest

blueprint = Blueprint("feeds", __name__, url_prefix="/feeds")

GUESSES = "60/minute;600/hour"
"""Requests with an unknown token, per network."""
_SITE_SECONDS = 1.0
"""How long a site's feed is served before it is read again: no version tells of changes in any of its threads."""


@blueprint.get("/thread.atom", defaults={"form": "atom"})
@blueprint.get("/thread.json", defaults={"form": "json"})
def of_thread(form: str) -> ResponseReturnValue:
    """The latest comments of one thread."""
    thread_request = ThreadRequest.read(STANDALONE, request.args)
    address = thread_request.address()
    page_language.use_sites(address.site)
    _require_feeds(address.site)
    thread = threads.find(database(), address)  # first, so that its version is not newer than what is read
    latest = latest_comments.in_thread(database(), thread)
    title = thread.title if thread and latest and thread.title else address.url
    document = FeedDocument(
        id=_tag(address.site.created_at, f"thread-{thread.id}") if thread else address.url,
        title=gettext("Comments on %(article)s") % {"article": title},
        home_url=thread.url if thread else address.url,
        url=f"{settings().origin}{thread_request.feed_path(form)}",
        updated=_updated(latest, thread or address.site),
        entries=_entries(latest, address.site),
    )
    mark_cacheable(CachePolicy(VersionStamp.read(address, thread)))
    return _public(document, form)


@blueprint.get("/site.atom", defaults={"form": "atom"})
@blueprint.get("/site.json", defaults={"form": "json"})
def of_site(form: str) -> ResponseReturnValue:
    """The latest comments of a site, which is named by one of its origins."""
    origin = article_urls.page_origin(request.args.get("origin", ""))
    site = sites.by_origin(database(), origin)
    _require_feeds(site)
    page_language.use_sites(site)
    latest = latest_comments.on_site(database(), site)
    document = FeedDocument(
        id=_tag(site.created_at, "comments"),
        title=gettext("Comments on %(article)s") % {"article": site.name},
        home_url=f"{origin}/",
        url=settings().origin + url_for("feeds.of_site", form=form, origin=origin),
        updated=_updated(latest, site),
        entries=_entries(latest, site),
    )
    mark_cacheable(CachePolicy(seconds=_SITE_SECONDS))
    return _public(document, form)


@blueprint.get("/answers/<token>.atom", defaults={"form": "atom"})
@blueprint.get("/answers/<token>.json", defaults={"form": "json"})
def of_answers(token: str, form: str) -> ResponseReturnValue:
    """The answers to the person whose secret address this is; it is in no cache and no log."""
    _require_no_guessing()
    owner = answer_feeds.find(database(), token)
    if owner is None:
        raise _unknown()
    person = database().get_one(Commenter, owner.commenter_id)
    messages.use(person.language or ENGLISH)
    latest = latest_comments.answers_to(database(), owner.commenter_id)
    document = FeedDocument(
        id=_tag(owner.created_at, f"answers-{owner.id}"),
        title=gettext("Answers to your comments"),
        home_url=settings().origin + url_for("account.home"),
        url="",
        updated=_updated(latest, owner),
        entries=[entry for item in latest for entry in _entries([item], item.thread.site)],
    )
    return _private(document, form)


@blueprint.get("/answers/<int:comment_id>/<token>.atom", defaults={"form": "atom"})
@blueprint.get("/answers/<int:comment_id>/<token>.json", defaults={"form": "json"})
def of_receipt(comment_id: int, token: str, form: str) -> ResponseReturnValue:
    """The answers to a guest's comment, for whoever has the address that the comment's private page shows."""
    _require_no_guessing()
    comment = database().get(Comment, comment_id)
    opens = receipts.feed_token(hash_key(), comment.receipt_hash) if comment and comment.receipt_hash else ""
    if comment is None or not secrets.compare_digest(opens.encode(), token.encode()):
        raise _unknown()
    thread = comment.thread
    _require_feeds(thread.site)
    page_language.use_sites(thread.site)
    latest = latest_comments.answers_to_comment(database(), comment_id)
    document = FeedDocument(
        id=_tag(thread.site.created_at, f"answers-to-comment-{comment_id}"),
        title=gettext("Answers to your comment on %(article)s") % {"article": thread.title or thread.url},
        home_url=thread.url,
        url="",
        updated=_updated(latest, comment),
        entries=_entries(latest, thread.site),
    )
    return _private(document, form)


def _require_no_guessing() -> None:
    limiter("feed guesses").require_room(access.network())


def _unknown() -> NotFoundError:
    """Count a guess, and return the error for it."""
    limiter("feed guesses").count(access.network())
    return NotFoundError(gettext("This feed does not exist. Its owner may have renewed its address."))


def _private(document: FeedDocument, form: str) -> Response:
    """Return a feed whose address is a secret: in no cache and no search engine, and told to no other site."""
    response = _response(document, form)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store, private"
    response.add_etag()
    response.make_conditional(request)
    return response


def _require_feeds(site: Site) -> None:
    if not site.comment_feeds:
        raise NotFoundError(gettext("This site offers no feeds."))


def _public(document: FeedDocument, form: str) -> Response:
    """Return a feed that every program and every page may read."""
    response = _response(document, form)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return headers.cacheable_by_all(response, settings().cdn_seconds)


def _response(document: FeedDocument, form: str) -> Response:
    if form == "atom":
        response = Response(
            feed_documents.atom(document), content_type=f"{feed_documents.ATOM_TYPE}; charset=utf-8"
        )
    else:
        response = Response(feed_documents.json_feed(document), content_type=feed_documents.JSON_TYPE)
    response.headers["Last-Modified"] = format_datetime(document.updated, usegmt=True)
    return response


def _entries(latest: Sequence[LatestComment], site: Site) -> list[FeedEntry]:
    return [_entry(item, site) for item in latest]


def _entry(item: LatestComment, site: Site) -> FeedEntry:
    comment, article = item.comment, item.thread.url
    is_reply = comment.parent_id is not None
    return FeedEntry(
        id=_tag(site.created_at, f"comment-{comment.id}"),
        url=_permalink(comment.id),
        title=gettext("%(name)s on %(article)s")
        % {"name": comment.name, "article": item.thread.title or article},
        author=comment.name,
        website=comment.website,
        html=_content(comment),
        published=comment.created_at,
        updated=_changed(item),
        article_url=article,
        in_reply_to=_tag(site.created_at, f"comment-{comment.parent_id}") if is_reply else article,
        in_reply_to_url=_permalink(comment.parent_id) if comment.parent_id is not None else article,
    )


def _content(comment: CommentView) -> str:
    """Return what a feed has of a comment: of one with a content warning, only that."""
    html = f"<p>{escape(comment.warning)}</p>" if comment.warning else str(comment.html)
    if comment.origin_url is None:
        return html
    return f'{html}<p><a href="{escape(comment.origin_url)}">{escape(comment.via)}</a></p>'


def _tag(begun: datetime, name: str) -> str:
    """Return a URI (RFC 4151) that does not depend on any article's address; `begun` never changes."""
    return f"tag:{urlsplit(settings().base_url).hostname},{begun:%Y-%m-%d}:{name}"


def _permalink(comment_id: int) -> str:
    return settings().origin + url_for("thread.permalink", comment_id=comment_id)


def _changed(item: LatestComment) -> datetime:
    return item.comment.edited_at or item.comment.created_at


def _updated(latest: Sequence[LatestComment], begun: Site | Thread | Comment | AnswerFeed) -> datetime:
    """Return when what is in a feed last changed; of an empty one, when it could begin."""
    return max((_changed(item) for item in latest), default=begun.created_at)
