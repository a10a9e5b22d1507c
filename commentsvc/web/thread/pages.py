"""Reading a thread: in the frame, on a standalone page, and in fragments for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from commentsvc.domain.authors import Author
from commentsvc.domain.comments import guest_claims, own_comments
from commentsvc.domain.reading import held_comments, latest_comments, old_anchors, thread_news, thread_pages
from commentsvc.domain.reading.thread_news import ThreadNews, Visit
from commentsvc.domain.social.visits import note, seconds_until_due
from commentsvc.domain.threads import comment_counts, threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.domain.threads.versions import VersionStamp
from commentsvc.domain.votes import votes
from commentsvc.domain.votes.votes import VoteState
from commentsvc.errors import BadAddressError, CommentsvcError, UnknownOriginError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Likes, Order, Status, Thread
from commentsvc.serving.page_cache.policy import CachePolicy, mark_cacheable
from commentsvc.web import access, headers
from commentsvc.web.auth import reader
from commentsvc.web.context import database, now, services, settings, writing
from commentsvc.web.request_values import query_number
from commentsvc.web.thread import present_page, receipt_links, subscribing
from commentsvc.web.thread.rendering import FormState, form_identity, render_comment, render_page
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest

blueprint = Blueprint("thread", __name__)

POSTED = gettext_noop("Your comment is posted.")
_CONTEXT = frozenset({"asked", "posted", "reply"})
"""URL parameters that make a page personal."""


@blueprint.get(EMBED)
def frame() -> ResponseReturnValue:
    """The thread inside an article's page."""
    thread_request = ThreadRequest.read(EMBED, request.args)
    try:
        return _thread(thread_request)
    except UnknownOriginError as error:
        return _reader_note(404, "unknown_origin", origin=error.origin)
    except BadAddressError as error:
        return _reader_note(400, "bad_address", message=str(error))


@blueprint.get(STANDALONE)
def page() -> ResponseReturnValue:
    """The thread on a standalone page: first-party, and readable without scripts."""
    return _thread(ThreadRequest.read(STANDALONE, request.args))


@blueprint.get(f"{EMBED}/posted/<token>", defaults={"mode": EMBED})
@blueprint.get(f"{STANDALONE}/posted/<token>", defaults={"mode": STANDALONE})
def posted(mode: str, token: str) -> ResponseReturnValue:
    """The thread after a guest has posted without script, with their comment and the private link to it."""
    comment = receipt_links.comment_of(token)
    thread_request = ThreadRequest.read(mode, request.args)
    address = thread_request.address()
    order = thread_request.order_on(address.site)
    page = thread_pages.page(database(), address, order=order, focus_id=comment.id)
    response = render_page(
        thread_request,
        address,
        page,
        at=now(),
        own=held_comments.own_held(database(), page.thread, comment_id=comment.id),
        notice=_notice(is_posted=comment.status is Status.APPROVED),
        receipt=receipt_links.link(token),
        holder=reader.current(None) if mode == STANDALONE else None,
    )
    return receipt_links.private(response)


@blueprint.get(f"{EMBED}/own", defaults={"mode": EMBED})
@blueprint.get(f"{STANDALONE}/own", defaults={"mode": STANDALONE})
def reader_state(mode: str) -> ResponseReturnValue:
    """The reader's own state in a thread: who they are, a new form token, which comments are theirs, what is new."""
    thread_request = ThreadRequest.read(mode, request.args)
    address = thread_request.address()
    holder = reader.in_thread(mode, address.site)
    key = access.author_key_hash(request.headers.get("X-Author-Key"))
    thread = threads.find(database(), address)
    person_id = holder.commenter_id if holder else None
    held = held_comments.own_held(
        database(), thread, author_key_hash=key, commenter_id=person_id, approved_since=_oldest_page()
    )
    claimable = guest_claims.count_of_browser(database(), address.site.id, key) if holder and key else 0
    mine = own_comments.in_thread(
        database(),
        address.site,
        thread,
        commenter_id=person_id,
        author_key_hash=key,
        at=now(),
    )
    _note_visit(address, thread)
    visit = Visit.read(request.args.get("visit", ""), at=now())
    news = thread_news.news(database(), thread, visit, author_key_hash=key, commenter_id=person_id)
    return headers.no_store(
        jsonify(
            **form_identity(address, holder),
            claim=render_template("thread/claim_offer.html", number=claimable) if claimable else "",
            held=[
                {"id": view.id, "html": render_comment(thread_request, view, address.site)} for view in held
            ],
            mine=mine,
            visit=visit.milliseconds(),
            news=_shown_news(news) if news else None,
            **_votes(address, thread, person_id, key),
        )
    )


def _note_visit(address: ThreadAddress, thread: Thread | None) -> None:
    """Let answers from elsewhere be asked for: what only a reader's visit makes due.

    The page is shown whatever becomes of this: while the service moves, or its database cannot be written to.
    """
    if not address.preview_origin and services().visits.is_news(database(), address, thread, at=now()):
        with suppress(CommentsvcError, SQLAlchemyError), writing() as session:
            note(session, address, thread, at=now())


def _votes(
    address: ThreadAddress, thread: Thread | None, commenter_id: int | None, author_key_hash: str | None
) -> dict[str, Sequence[VoteState]]:
    """Return what the reader has voted on; nothing, and no query, where nobody can."""
    if address.likes is Likes.OFF:
        return {}
    voter = Author(commenter_id=commenter_id, author_key_hash=author_key_hash)
    return {"votes": votes.of_reader(database(), address.site, thread, voter)}


def _shown_news(news: ThreadNews) -> dict[str, Any]:
    html = render_template("thread/news.html", news=news, most=thread_news.LATEST)
    return {"html": html, "comments": news.comments}


@blueprint.get("/embed/same")
def present_thread() -> ResponseReturnValue:
    """Whether the page around the frame, which has changed, still shows this thread's article."""
    other = present_page.other_article(ThreadRequest.read(EMBED, request.args).address(), request.args)
    return headers.no_store(jsonify(same=other is None))


@blueprint.get("/comment/<int:comment_id>")
def permalink(comment_id: int) -> ResponseReturnValue:
    """A comment's permanent link: redirects to its article."""
    _, thread = thread_pages.where_is(database(), comment_id)
    return redirect(f"{thread.url}{old_anchors.own(comment_id)}")


def _oldest_page() -> datetime | None:
    """Return the earliest time at which a page in the CDN may have been rendered; None without a CDN."""
    seconds = settings().cdn_seconds
    return now() - timedelta(seconds=2 * seconds) if seconds else None


def _thread(thread_request: ThreadRequest) -> Response:
    at, args = now(), request.args
    address = thread_request.address()
    if "replies" in args:
        return _conversation(thread_request, address, at)
    if "live" in args:
        return _changes(thread_request, address, at)
    order = thread_request.order_on(address.site)
    if old_anchors.is_anchor(args.get("comment", "")):
        return _at_comment(thread_request, address, args["comment"])
    focus_id = query_number("comment")
    page = thread_pages.page(database(), address, order=order, after=args.get("after"), focus_id=focus_id)
    if focus_id and page.thread and old_anchors.restored(database(), page.thread.id, focus_id):
        return _at_comment(thread_request, address, old_anchors.own(focus_id))
    if "fragment" in args:
        return _cacheable(
            _fragment(address, thread_request=thread_request, page=page), address, page.thread, at
        )
    holder = reader.current(None) if thread_request.mode == STANDALONE else None
    as_guest = args.get("as") == "guest"
    form_state = FormState()
    if reply := query_number("reply"):
        form_state = FormState(parent=thread_pages.comment_to_answer(database(), address, reply))
    commenter_id = holder.commenter_id if holder and not as_guest else None
    held = held_comments.own_held(database(), page.thread, commenter_id=commenter_id)
    response = render_page(
        thread_request,
        address,
        page,
        at=at,
        form_state=form_state,
        own=held,
        notice=_notice(is_posted="posted" in args),
        holder=holder,
        as_guest=as_guest,
    )
    if holder or _CONTEXT & set(args):
        return headers.no_store(response)
    return _cacheable(response, address, page.thread, at)


def _notice(*, is_posted: bool) -> str | None:
    """Return what to say after a post without script."""
    posted = gettext(POSTED) if is_posted else ""
    asked = gettext(subscribing.ASKED) if "asked" in request.args else ""
    return f"{posted} {asked}".strip() or None


def _at_comment(thread_request: ThreadRequest, address: ThreadAddress, anchor: str) -> Response:
    """Redirect from an anchor on the article's page, which may be that of another system, to the comment."""
    thread = threads.find(database(), address)
    number = old_anchors.comment_id(database(), thread.id, anchor) if thread else None
    if "fragment" in request.args:
        link = thread_request.link(comment=number, fragment=1)
        # A browser reports any 404 as an error of the page, and links may well lead to what is gone.
        return headers.no_store(make_response(redirect(link) if number else ("", 204)))
    link = thread_request.link(comment=number)
    return headers.no_store(make_response(redirect(f"{link}#comment-{number}" if number else link)))


def _conversation(thread_request: ThreadRequest, address: ThreadAddress, at: datetime) -> Response:
    root_id = query_number("replies") or 0
    thread = threads.find(
        database(), address
    )  # first, so that its version is not newer than the data read below
    conversation = thread_pages.more_replies(database(), address, root_id, after=query_number("after") or 0)
    if "fragment" in request.args:
        return _cacheable(
            _fragment(address, thread_request=thread_request, conversation=conversation), address, thread, at
        )
    page = thread_pages.ThreadPage(thread, Order.OLDEST)
    return _cacheable(
        render_page(thread_request, address, page, at=at, conversation=conversation), address, thread, at
    )


def _changes(thread_request: ThreadRequest, address: ThreadAddress, at: datetime) -> Response:
    """Return what a page that is open needs to follow the thread.

    It has nothing that changes with a release: after a deployment, all open pages would otherwise load it anew.
    """
    thread = threads.find(database(), address)  # first, for its version
    html = render_template(
        "thread/changes.html",
        thread_request=thread_request,
        count=thread.approved_count if thread else 0,
        foreign=comment_counts.foreign(database(), address.site, thread),
        changes=latest_comments.changes_in(database(), thread),
        most=latest_comments.WINDOW,
        closed=threads.closed_reason(address.site, thread, at=at),
        likes=address.likes,
    )
    return _cacheable(make_response(html), address, thread, at)


def _fragment(address: ThreadAddress, **context: object) -> Response:
    return make_response(render_template("thread/more.html", closed=None, likes=address.likes, **context))


def _cacheable(response: Response, address: ThreadAddress, thread: Thread | None, at: datetime) -> Response:
    """Mark a response as cacheable for everybody, as of `at`: here while it is valid, elsewhere as configured."""
    stamp = VersionStamp.read(address, thread)  # first: noting the visit reads the thread again
    changes = threads.changes_at(address.site, thread, after=at)
    _note_visit(address, thread)
    seconds = seconds_until_due(database(), address, thread, at=at)
    mark_cacheable(
        CachePolicy(
            stamp,
            seconds=min((changes - at).total_seconds(), seconds) if changes else seconds,
            varying_token=access.token_shown(),
        )
    )
    if request.path == STANDALONE:
        response.vary.update(("Cookie", "Accept-Language"))
    return headers.cacheable_by_all(response, settings().cdn_seconds)


def _reader_note(status: int, kind: str, **facts: str) -> Response:
    """Instead of a thread, show what its owner has to do."""
    headers.allow_framing(["*"])
    html = render_template("thread/note.html", kind=kind, base_url=settings().base_url, **facts)
    return headers.no_store(make_response(html, status))
