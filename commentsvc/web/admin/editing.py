"""Moderators edit a comment, or reply to it."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc.domain.admin import edits, queue, replies
from commentsvc.domain.comments import comment_text
from commentsvc.domain.threads import threads
from commentsvc.errors import (
    CommentsvcError,
    DuplicateCommentError,
    InvalidFieldsError,
    ThreadClosedError,
)
from commentsvc.messages import gettext
from commentsvc.models import Comment, Status
from commentsvc.web import error_pages
from commentsvc.web.admin.context import COMMENT, QueuePosition, for_comment, undo_button
from commentsvc.web.admin_forms import EditForm, ReplyForm
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, settings, writing

blueprint = Blueprint("editing", __name__, url_prefix=cookies.ADMIN)


@blueprint.route(f"{COMMENT}/edit", methods=["GET", "POST"])
def edit(comment_id: int) -> ResponseReturnValue:
    """Change a comment's text, and the details of its guest."""
    admin, comment = for_comment(comment_id)
    form = EditForm(data=_stored(comment))
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            text, action_id = _save(form, comment_id)
            cookies.set_notice(text, undo=undo_button(admin, action_id))
            return QueuePosition.read().back(admin.site.id, comment_id)
        except InvalidFieldsError as error:
            errors = error.fields
    html = render_template(
        "admin/edit.html",
        admin=admin,
        place=QueuePosition.read(),
        form=form,
        errors=errors,
        format=comment.format,
        entry=queue.load_entry(database(), comment_id),
    )
    return make_response(html, 422 if errors else 200)


@blueprint.post(f"{COMMENT}/waiting-edit")
def decide_on_waiting(comment_id: int) -> ResponseReturnValue:
    """Publish or drop an author's edit that was held."""
    publishes = request.form.get("do") == "publish"
    decide = edits.publish_waiting if publishes else edits.drop_waiting
    with writing() as session:
        admin, comment = for_comment(comment_id)
        seen = request.form.get("seen", "")
        action = decide(session, comment, seen=seen, moderator_id=admin.person.id, at=now())
    if action is None:
        cookies.set_notice(
            gettext("Nothing was done: the author, or somebody else, has changed this edit meanwhile.")
        )
    elif publishes:
        cookies.set_notice(gettext("The edit is published."), undo=undo_button(admin, action.id))
    else:
        cookies.set_notice(gettext("The edit is dropped; the comment stays as it was."))
    return QueuePosition.read().back(admin.site.id, comment_id)


@blueprint.route(f"{COMMENT}/reply", methods=["GET", "POST"])
def reply(comment_id: int) -> ResponseReturnValue:
    """Reply to a comment under one's own name, with one's role."""
    admin, comment = for_comment(comment_id)
    replies.require_answerable(comment)
    form, errors, status = ReplyForm(), {}, 200
    if request.method == "POST":
        try:
            answer, action_id = _answer(form, comment_id)
            shown = answer.status is Status.APPROVED
            text = gettext("Your reply is published.") if shown else gettext("Your reply is held.")
            cookies.set_notice(text, view=answer.id if shown else None, undo=undo_button(admin, action_id))
            return QueuePosition.read().back(admin.site.id, comment_id)
        except (InvalidFieldsError, DuplicateCommentError, ThreadClosedError) as error:
            errors, status = _comment_context(error), error_pages.status_of(error)
    html = render_template(
        "admin/reply.html",
        admin=admin,
        place=QueuePosition.read(),
        form=form,
        errors=errors,
        entry=queue.load_entry(database(), comment_id),
        closed=threads.closed_reason(admin.site, comment.thread, at=now()),
    )
    return make_response(html, status)


def _stored(comment: Comment) -> dict[str, str | None]:
    return {
        "text": comment.source,
        "name": comment.guest_name,
        "email": comment.guest_email,
        "website": comment.guest_website,
    }


def _save(form: EditForm, comment_id: int) -> tuple[str, int | None]:
    """Store what was typed; return a message and the action."""
    typed = {name: form[name].data or "" for name in ("text", "name", "email", "website")}
    draft, guest = edits.checked(
        database().get_one(Comment, comment_id), typed, longest=settings().max_comment_length
    )
    with writing() as session:
        admin, comment = for_comment(comment_id)
        before = comment.status
        if not edits.changes(comment, draft, guest):
            return gettext("Nothing was changed."), None
        action = edits.edit(session, comment, draft, at=now(), guest=guest, moderator_id=admin.person.id)
    if comment.status is not before:
        text = gettext("Saved, and held: the two sanitisers disagreed about this text. Please read it.")
        return text, action.id
    return gettext("Saved."), action.id


def _answer(form: ReplyForm, comment_id: int) -> tuple[Comment, int]:
    """Post the reply; it also approves a held comment, if the page said so."""
    draft = comment_text.from_source(form.text.data or "", longest=settings().max_comment_length)
    with writing() as session:
        admin, comment = for_comment(comment_id)
        replies.require_answerable(comment)
        answer, action = replies.post(
            session,
            admin.site,
            comment,
            draft,
            approve=bool(form.approve.data),
            moderator_id=admin.person.id,
            role=admin.role,
            at=now(),
        )
    return answer, action.id


def _comment_context(error: CommentsvcError) -> dict[str, str]:
    return error.fields if isinstance(error, InvalidFieldsError) else {"text": str(error)}
