"""The moderation queue, a comment in full, and the decision on it."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import bulk_decisions, queue, undoing
from commentsvc.domain.admin.bulk_decisions import AlreadyDecided
from commentsvc.domain.admin.queue_filters import Tab
from commentsvc.messages import gettext, gettext_noop, ngettext
from commentsvc.models import Status, Thread
from commentsvc.text import dates
from commentsvc.web.admin.context import (
    COMMENT,
    AdminContext,
    QueuePosition,
    for_comment,
    person,
    undo_button,
)
from commentsvc.web.auth import cookies, reader
from commentsvc.web.context import database, now, providers, settings, writing
from commentsvc.web.request_values import query_number

blueprint = Blueprint("queue", __name__, url_prefix=cookies.ADMIN)

RESTORE = "restore"
KEEP = "keep"
_DONE = {
    Status.APPROVED: gettext_noop("Approved."),
    Status.HELD: gettext_noop("Held for a decision."),
    Status.SPAM: gettext_noop("Marked as spam."),
    Status.TRASH: gettext_noop("Moved to the trash."),
}


@blueprint.app_template_filter("ago")
def ago(at: datetime) -> str:
    """Return a time such as "12 minutes ago"; the date after a day."""
    passed = now() - at
    if passed < timedelta(minutes=1):
        return gettext("just now")
    minutes = passed // timedelta(minutes=1)
    if minutes < 60:
        return ngettext("%(number)s minute ago", "%(number)s minutes ago", minutes) % {"number": minutes}
    if passed < timedelta(days=1):
        hours = minutes // 60
        return ngettext("%(number)s hour ago", "%(number)s hours ago", hours) % {"number": hours}
    return dates.date(at)


@blueprint.get("")
def listing() -> ResponseReturnValue:
    """The queue of a site; without one in the URL, the first site."""
    place = QueuePosition.read()
    site_id = place.site_id
    if site_id is None:
        mine = accounts.sites_of(database(), person())
        if not mine:
            return render_template("admin/no_site.html", admin=None, notice=cookies.pop_notice())
        site_id = mine[0].id
    admin, session = AdminContext.for_site(site_id), database()
    page = queue.page(session, site_id, place.status, place.filters, after=place.after)
    opened = next((entry for entry in page.entries if entry.id == place.open), None)
    article = place.filters.article
    return render_template(
        "admin/queue.html",
        admin=admin,
        place=place,
        page=page,
        opened=opened and queue.surroundings(session, opened),
        article=session.get(Thread, article) if article else None,
        writers={"guest": gettext("Guests")} | {key: reader.label_of(key) for key in providers()},
        label_of=reader.label_of,
        checks=_checks(page, place.filters.reason),
        newest=queue.newest(session),
        undoable=undoing.last_undoable(session, site_id, admin.person.id),
        days={Tab.SPAM: settings().keep_spam_days, Tab.TRASH: settings().keep_trash_days},
        notice=cookies.pop_notice(),
    )


@blueprint.get(COMMENT)
def detail(comment_id: int) -> ResponseReturnValue:
    """A comment in full, with every decision on it."""
    admin, _ = for_comment(comment_id)
    entry = queue.load_entry(database(), comment_id)
    return render_template(
        "admin/comment.html",
        admin=admin,
        place=QueuePosition.read(),
        entry=entry,
        around=queue.surroundings(database(), entry),
        history=queue.history(database(), comment_id),
        former=queue.former_texts(database(), comment_id),
        notice=cookies.pop_notice(),
    )


@blueprint.post(f"{COMMENT}/decision")
def decide(comment_id: int) -> ResponseReturnValue:
    """Give a comment the status that the pressed button names, unless somebody else has decided meanwhile."""
    status, text = None, gettext("Kept.")
    with writing() as session:
        admin, _ = for_comment(comment_id)
        if request.form.get("verdict") == KEEP:
            outcome = bulk_decisions.dismiss_reports(
                session, admin.site.id, [comment_id], moderator_id=admin.person.id, at=now()
            )
        else:
            status = _wanted_status(comment_id)
            text = gettext(_DONE[status])
            outcome = bulk_decisions.decide(
                session, admin.site.id, {comment_id: _seen()}, status, moderator_id=admin.person.id, at=now()
            )
    for earlier in outcome.already_decided:
        if earlier.status is not status:
            return _overtaken(admin, earlier, status)
        text = gettext("Already decided by %(name)s: %(done)s") % {"name": _who(earlier), "done": text}
    cookies.set_notice(text, undo=undo_button(admin, outcome.action_id))
    return QueuePosition.read().back(admin.site.id, query_number("next"))


def _wanted_status(comment_id: int) -> Status:
    verdict = request.form.get("verdict", "")
    if verdict == RESTORE:
        return queue.status_before_removal(database(), comment_id)
    if verdict not in set(Status):
        abort(400)
    return Status(verdict)


def _checks(page: queue.QueuePage, chosen: str | None) -> list[str]:
    """Return the checks that decided on a page's comments, to filter by."""
    checks = {check for entry in page.entries if entry.decision for check in entry.decision.checks}
    return sorted(checks | ({chosen} if chosen else set()))


def _seen() -> Status | None:
    """Return the status that the page showed."""
    shown = request.form.get("seen", "")
    return Status(shown) if shown in set(Status) else None


def _overtaken(admin: AdminContext, earlier: AlreadyDecided, status: Status | None) -> ResponseReturnValue:
    """Show what somebody else decided meanwhile, and ask."""
    html = render_template(
        "admin/overtaken.html",
        admin=AdminContext.for_site(admin.site.id),
        place=QueuePosition.read(),
        entry=queue.load_entry(database(), earlier.comment_id),
        who=_who(earlier),
        wanted=status,
        next=query_number("next"),
    )
    return make_response(html, 409)


def _who(earlier: AlreadyDecided) -> str:
    return earlier.by or gettext("Something other than a moderator")
