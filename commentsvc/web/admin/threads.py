"""A site's articles in the admin view: the list, one thread, and its pinned and featured comments."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from commentsvc import durations
from commentsvc.domain import fields
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import queue
from commentsvc.domain.thread_admin import pins, thread_controls
from commentsvc.domain.threads import threads
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Comment, TitleSource
from commentsvc.web.admin import thread_context
from commentsvc.web.admin.context import AdminContext, for_comment, person
from commentsvc.web.admin.thread_context import ROOT
from commentsvc.web.context import database, now, writing
from commentsvc.web.request_values import query_number

blueprint = Blueprint("threads", __name__, url_prefix=ROOT)

THREAD = "/<int:thread_id>"
COMMENT = "/comments/<int:comment_id>"
SEARCH_LONGEST = 200
_MARKS = {"pin": pins.pin, "unpin": pins.unpin, "feature": pins.feature, "unfeature": pins.unfeature}
_MARKED = {
    "pin": gettext_noop("Pinned."),
    "unpin": gettext_noop("No longer pinned."),
    "feature": gettext_noop("Featured."),
    "unfeature": gettext_noop("No longer featured."),
}


@blueprint.get("")
def listing() -> ResponseReturnValue:
    """A site's threads, newest first; without a site in the URL, the first site."""
    admin = _desk()
    search = request.args.get("q", "")[:SEARCH_LONGEST].strip()
    page = thread_controls.listing(database(), admin.site.id, search=search, before=query_number("before"))
    return render_template(
        "admin/threads.html",
        **thread_context.context(admin),
        listing=page,
        search=search,
        before=request.args.get("before"),
        closed=lambda thread: threads.closed_reason(admin.site, thread, at=now()),
    )


@blueprint.get(THREAD)
def detail(thread_id: int) -> ResponseReturnValue:
    """A thread, and everything that can be done with it."""
    return _page(thread_id)


@blueprint.post(f"{THREAD}/closing")
def closing(thread_id: int) -> ResponseReturnValue:
    """Close the thread now or on a date, or open it again."""
    wanted = request.form.get("closing", "")
    try:
        on = {"open": None, "now": now()}[wanted] if wanted != "date" else _day(request.form.get("day", ""))
    except KeyError:
        return _page(thread_id, {"closing": gettext("Please choose an option")})
    except InvalidFieldsError as error:
        return _page(thread_id, error.fields)
    with writing() as session:
        admin, thread = thread_context.find(thread_id)
        thread_controls.close(session, thread, on=on, moderator_id=admin.person.id, at=now())
    return thread_context.done(
        thread_id, threads.closed_reason(admin.site, thread, at=now()) or gettext("Open for comments.")
    )


@blueprint.post(f"{THREAD}/pace")
def pace(thread_id: int) -> ResponseReturnValue:
    """Start or end slow mode."""
    typed = request.form.get("seconds", "").strip()
    try:
        with writing() as session:
            admin, thread = thread_context.find(thread_id)
            seconds = fields.whole_number(typed or "0")
            if seconds is None:
                raise InvalidFieldsError({"seconds": gettext("Please enter a number of seconds")})
            wanted = seconds or None
            thread_controls.slow(session, thread, wanted, moderator_id=admin.person.id, at=now())
    except InvalidFieldsError as error:
        return _page(thread_id, error.fields)
    return thread_context.done(thread_id, _pace(wanted))


def _pace(seconds: int | None) -> str:
    if seconds is None:
        return gettext("Slow mode is off.")
    return durations.slow_mode(seconds)


@blueprint.post(f"{THREAD}/title")
def title(thread_id: int) -> ResponseReturnValue:
    """Set the article's title, or leave it to the article's page."""
    with writing() as session:
        admin, thread = thread_context.find(thread_id)
        typed = request.form.get("title", "")
        thread_controls.rename_title(session, thread, typed, moderator_id=admin.person.id, at=now())
    words = (
        gettext("Saved.")
        if thread.title_source is TitleSource.MODERATOR
        else gettext("The article's page provides the title.")
    )
    return thread_context.done(thread_id, words)


@blueprint.get(COMMENT)
def comment(comment_id: int) -> ResponseReturnValue:
    """One comment, to pin or feature it."""
    return _marks(comment_id)


@blueprint.post(f"{COMMENT}/mark")
def mark(comment_id: int) -> ResponseReturnValue:
    """Pin or feature a comment, or remove the mark."""
    wanted = request.form.get("mark", "")
    try:
        with writing() as session:
            admin, marked = for_comment(comment_id)
            if wanted not in _MARKS:
                raise InvalidFieldsError({"mark": gettext("Please choose an option")})
            _MARKS[wanted](session, marked, moderator_id=admin.person.id, at=now())
    except InvalidFieldsError as error:
        return _marks(comment_id, error.fields)
    return thread_context.done(marked.thread_id, gettext(_MARKED[wanted]))


def _desk() -> AdminContext:
    site_id = query_number("site", fields.LARGEST_SITE)
    if site_id is None:
        mine = accounts.sites_of(database(), person())
        if not mine:
            raise NotFoundError(gettext("You do not moderate any site here."))
        site_id = mine[0].id
    return AdminContext.for_site(site_id)


def _page(thread_id: int, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    admin, thread = thread_context.find(thread_id)
    marked = select(Comment).where(Comment.thread_id == thread_id, Comment.pinned)
    html = render_template(
        "admin/thread.html",
        **thread_context.context(admin),
        thread=thread,
        closed=threads.closed_reason(admin.site, thread, at=now()),
        announced=threads.announcement(admin.site, thread, at=now()),
        waiting=thread_controls.waiting_in(database(), admin.site.id).get(thread_id, 0),
        aliases=thread_controls.aliases(database(), thread_id),
        pinned=list(database().scalars(marked)),
        tomorrow=(now() + timedelta(days=1)).date().isoformat(),
        errors=errors or {},
        typed=request.form,
    )
    return make_response(html, 422 if errors else 200)


def _marks(comment_id: int, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    admin, marked = for_comment(comment_id)
    html = render_template(
        "admin/marks.html",
        **thread_context.context(admin),
        comment=marked,
        entry=queue.load_entry(database(), comment_id),
        errors=errors or {},
    )
    return make_response(html, 422 if errors else 200)


def _day(typed: str) -> datetime:
    """Return the start of a day, UTC; raises InvalidFieldsError on `day`."""
    try:
        return datetime.combine(date.fromisoformat(typed.strip()), time(tzinfo=UTC))
    except ValueError:
        raise InvalidFieldsError({"day": gettext("Please enter a date, such as 2027-01-31")}) from None
