"""The moderator's view: the queue, and what can be done with a comment."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc.db import begin_write
from commentsvc.domain import accounts, answers, bulk, comments, fields, queue, revisions, threads, undoing
from commentsvc.domain.fields import Guest
from commentsvc.errors import (
    CommentsvcError,
    DuplicateCommentError,
    InvalidFieldsError,
    NotFoundError,
    ThreadClosedError,
)
from commentsvc.models import Comment, Kind, Status, Thread
from commentsvc.web import faults, sessions
from commentsvc.web.context import database, now, providers, settings
from commentsvc.web.desk import LARGEST_ROW, Desk, Place, guard, number, person
from commentsvc.web.forms import EditForm, ReplyForm

blueprint = Blueprint("admin", __name__, url_prefix=sessions.ADMIN)
blueprint.before_request(guard)

COMMENT = f"/comments/<int(max={LARGEST_ROW}):comment_id>"
RESTORE = "restore"
KEEP = "keep"
_DONE = {
    Status.APPROVED: "Approved.",
    Status.HELD: "Held for a decision.",
    Status.SPAM: "Marked as spam.",
    Status.TRASH: "Moved to the trash.",
}


@blueprint.app_template_filter("ago")
def ago(at: datetime) -> str:
    """12 minutes ago; from the second day on, the date."""
    passed = now() - at
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(days=1):
        minutes = passed // timedelta(minutes=1)
        many, unit = (minutes, "minute") if minutes < 60 else (minutes // 60, "hour")
        return f"{many} {unit}{'' if many == 1 else 's'} ago"
    return f"{at:%-d %B %Y}"


@blueprint.get("")
def home() -> ResponseReturnValue:
    """The queue of one site: the one asked for, or the first."""
    place = Place.read()
    site_id = place.site_id
    if site_id is None:
        mine = accounts.sites_of(database(), person())
        if not mine:
            return render_template("admin/no_site.html", desk=None)
        site_id = mine[0].id
    desk, session = Desk.at(site_id), database()
    page = queue.page(session, site_id, place.status, place.filters, after=place.after)
    opened = next((entry for entry in page.entries if entry.id == place.open), None)
    article = place.filters.article
    return render_template(
        "admin/queue.html",
        desk=desk,
        place=place,
        page=page,
        opened=opened and queue.surroundings(session, opened),
        article=session.get(Thread, article) if article else None,
        writers={"guest": "Guests"} | {key: row.label for key, row in providers().items()},
        checks=_checks(page, place.filters.reason),
        newest=queue.newest(session),
        undoable=undoing.last_undoable(session, site_id, desk.person.id),
        notice=sessions.take_notice(),
    )


@blueprint.get(COMMENT)
def one(comment_id: int) -> ResponseReturnValue:
    """A comment in full, and every decision on it."""
    desk, _ = _find(comment_id)
    entry = queue.one(database(), comment_id)
    return render_template(
        "admin/comment.html",
        desk=desk,
        place=Place.read(),
        entry=entry,
        around=queue.surroundings(database(), entry),
        history=queue.history(database(), comment_id),
        notice=sessions.take_notice(),
    )


@blueprint.post(f"{COMMENT}/decision")
def decide(comment_id: int) -> ResponseReturnValue:
    """Give a comment the status that the pressed button names, unless somebody was faster."""
    session = database()
    begin_write(session)
    desk, comment = _find(comment_id)
    if request.form.get("verdict") == KEEP:
        outcome = bulk.keep(session, desk.site.id, [comment_id], moderator_id=desk.person.id, at=now())
        said = "Kept."
    else:
        status, seen = _wanted_status(comment_id), _seen()
        if seen is not None and comment.status is not seen:
            if comment.status is not status:
                return _overtaken(desk, comment, status)
            sessions.leave_notice(f"{_who(bulk.overtaken(session, comment))} was faster: {_DONE[status]}")
            return Place.read().back(desk.site.id, number("next", LARGEST_ROW))
        outcome = bulk.decide(
            session, desk.site.id, {comment_id: seen}, status, moderator_id=desk.person.id, at=now()
        )
        if outcome.overtaken:  # in this very moment
            return _overtaken(desk, comment, status)
        said = _DONE[status]
    session.commit()
    sessions.leave_notice(said, undo=_undo(desk, outcome.action_id))
    return Place.read().back(desk.site.id, number("next", LARGEST_ROW))


@blueprint.route(f"{COMMENT}/edit", methods=["GET", "POST"])
def edit(comment_id: int) -> ResponseReturnValue:
    """Change a comment's text and what its guest typed about themselves."""
    desk, comment = _find(comment_id)
    form = EditForm(data=_stored(comment))
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            said, action_id = _save(form, comment_id)
            sessions.leave_notice(said, undo=_undo(desk, action_id))
            return Place.read().back(desk.site.id, comment_id)
        except InvalidFieldsError as error:
            database().rollback()
            errors = error.fields
    html = render_template(
        "admin/edit.html",
        desk=desk,
        place=Place.read(),
        form=form,
        errors=errors,
        format=comment.format,
        entry=queue.one(database(), comment_id),
    )
    return make_response(html, 422 if errors else 200)


@blueprint.route(f"{COMMENT}/reply", methods=["GET", "POST"])
def reply(comment_id: int) -> ResponseReturnValue:
    """Answer a comment, in one's own name and with one's role."""
    desk, comment = _find(comment_id)
    _require_answerable(comment)
    form, errors, status = ReplyForm(), {}, 200
    if request.method == "POST":
        try:
            answer, action_id = _answer(form, comment_id)
            shown = answer.status is Status.APPROVED
            text = "Your reply is published." if shown else "Your reply is held."
            sessions.leave_notice(text, view=answer.id if shown else None, undo=_undo(desk, action_id))
            return Place.read().back(desk.site.id, comment_id)
        except (InvalidFieldsError, DuplicateCommentError, ThreadClosedError) as error:
            database().rollback()
            errors, status = _beside(error), faults.status_of(error)
    html = render_template(
        "admin/reply.html",
        desk=desk,
        place=Place.read(),
        form=form,
        errors=errors,
        entry=queue.one(database(), comment_id),
        closed=threads.closed_reason(desk.site, comment.thread, at=now()),
    )
    return make_response(html, status)


def _find(comment_id: int) -> tuple[Desk, Comment]:
    """Return a comment and its site's desk; to people without a role there, it does not exist."""
    comment = database().get(Comment, comment_id)
    if comment is None:
        raise NotFoundError("There is no such page, or it is not yours to see.")
    return Desk.at(comment.site_id), comment


def _undo(desk: Desk, action_id: int | None) -> dict[str, int] | None:
    """What a notice needs for its button."""
    return {"action_id": action_id, "site_id": desk.site.id} if action_id else None


def _wanted_status(comment_id: int) -> Status:
    verdict = request.form.get("verdict", "")
    if verdict == RESTORE:
        return queue.status_before_removal(database(), comment_id)
    if verdict not in set(Status):
        abort(400)
    return Status(verdict)


def _checks(page: queue.QueuePage, chosen: str | None) -> list[str]:
    """Why the comments of a page stand where they do, by the names of the checks: what can be filtered by."""
    found = {check for entry in page.entries if entry.ruling for check in entry.ruling.checks}
    return sorted(found | ({chosen} if chosen else set()))


def _seen() -> Status | None:
    """The status with which the page had shown the comment."""
    shown = request.form.get("seen", "")
    return Status(shown) if shown in set(Status) else None


def _overtaken(desk: Desk, comment: Comment, status: Status) -> ResponseReturnValue:
    """Show what somebody else decided meanwhile, and ask."""
    session = database()
    who = _who(bulk.overtaken(session, comment))
    comment_id = comment.id
    session.rollback()
    html = render_template(
        "admin/overtaken.html",
        desk=Desk.at(desk.site.id),
        place=Place.read(),
        entry=queue.one(session, comment_id),
        who=who,
        wanted=status,
        next=number("next", LARGEST_ROW),
    )
    return make_response(html, 409)


def _who(overtaken: bulk.Overtaken) -> str:
    return overtaken.by or "Something other than a moderator"


def _stored(comment: Comment) -> dict[str, str | None]:
    return {
        "text": comment.source,
        "name": comment.guest_name,
        "email": comment.guest_email,
        "website": comment.guest_website,
    }


def _save(form: EditForm, comment_id: int) -> tuple[str, int | None]:
    """Store what was typed; return what happened, in a sentence, and the action."""
    session = database()
    draft, guest = _checked(form, session.get_one(Comment, comment_id))
    begin_write(session)
    desk, comment = _find(comment_id)
    before = comment.status
    was = Guest(comment.guest_name, comment.guest_email, comment.guest_website)
    if draft.source == comment.source and guest in {None, was}:
        return "Nothing was changed.", None
    action = revisions.edit(session, comment, draft, at=now(), guest=guest, moderator_id=desk.person.id)
    session.commit()
    if comment.status is not before:
        said = "Saved, and held: the two sanitisers disagreed about this text. Please read it."
        return said, action.id
    return "Saved.", action.id


def _checked(form: EditForm, comment: Comment) -> tuple[comments.Draft, Guest | None]:
    """Check everything typed. A moderator may remove a detail the site asks for: its guest may have wished so."""
    found: dict[str, str] = {}
    draft, details = None, {}
    # An imported text may be longer than what people may type here.
    longest = max(settings().max_comment_length, len(comment.source))
    try:
        draft = comments.draft(form.text.data or "", longest=longest, text_format=comment.format)
    except InvalidFieldsError as error:
        found |= error.fields
    if comment.commenter_id is None:
        for check in (fields.name, fields.email, fields.website):
            typed = form[check.__name__].data or ""
            try:
                details[check.__name__] = check(typed) if typed.strip() else None
            except InvalidFieldsError as error:
                found |= error.fields
    if found or draft is None:
        raise InvalidFieldsError(found)
    return draft, Guest(**details) if comment.commenter_id is None else None


def _require_answerable(comment: Comment) -> None:
    if comment.status in {Status.SPAM, Status.TRASH} or comment.kind is not Kind.COMMENT:
        raise NotFoundError(
            "This comment cannot be answered: it is spam, in the trash, or no comment at all."
        )


def _answer(form: ReplyForm, comment_id: int) -> tuple[Comment, int]:
    """Post the reply; a comment that waits is approved with it, where the page had said so."""
    draft = comments.draft(form.text.data or "", longest=settings().max_comment_length)
    session = database()
    begin_write(session)
    desk, comment = _find(comment_id)
    _require_answerable(comment)
    answer, action = answers.post(
        session,
        desk.site,
        comment,
        draft,
        approve=bool(form.approve.data),
        moderator_id=desk.person.id,
        role=desk.role,
        at=now(),
    )
    session.commit()
    return answer, action.id


def _beside(error: CommentsvcError) -> dict[str, str]:
    return error.fields if isinstance(error, InvalidFieldsError) else {"text": str(error)}
