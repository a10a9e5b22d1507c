"""Where a thread is found, in the admin view: renamed, merged with another, and all of it undone."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc.db import begin_write
from commentsvc.domain import merging, renaming, splits, thread_admin
from commentsvc.errors import InvalidFieldsError, KeyTakenError, NotFoundError
from commentsvc.models import Action, Thread
from commentsvc.web import thread_desk
from commentsvc.web.context import database, now
from commentsvc.web.desk import LARGEST_ROW, LARGEST_SITE, Desk, guard
from commentsvc.web.thread_desk import ROOT

blueprint = Blueprint("thread_moves", __name__, url_prefix=ROOT)
blueprint.before_request(guard)

THREAD = f"/<int(max={LARGEST_ROW}):thread_id>"
_UNDO = {merging.KIND: merging.unmerge, renaming.KIND: renaming.undo}


@blueprint.route(f"{THREAD}/address", methods=["GET", "POST"])
def rename(thread_id: int) -> ResponseReturnValue:
    """Give a thread another address."""
    if request.method == "GET":
        return _address(thread_id)
    session = database()
    begin_write(session)
    desk, thread = thread_desk.find(thread_id)
    url, page_id = request.form.get("url", ""), request.form.get("page_id", "")
    try:
        action = renaming.rename(
            session, thread, url=url, page_id=page_id, moderator_id=desk.person.id, at=now()
        )
    except InvalidFieldsError as error:
        session.rollback()
        return _address(thread_id, error.fields)
    except KeyTakenError as error:
        session.rollback()
        return _address(thread_id, {"url": str(error)}, taken=error.thread_id)
    session.commit()
    return thread_desk.done(thread_id, "Renamed." if action else "Nothing was changed.", action)


@blueprint.get(f"{THREAD}/merge")
def preview(thread_id: int) -> ResponseReturnValue:
    """Ask for the other thread, or show what merging the two would do."""
    return _preview(thread_id, request.args.get("into", ""))


@blueprint.post(f"{THREAD}/merge")
def merge(thread_id: int) -> ResponseReturnValue:
    """Merge a thread into another one."""
    into = request.form.get("into", "")
    session = database()
    begin_write(session)
    desk, thread = thread_desk.find(thread_id)
    try:
        target = thread_admin.wanted(session, desk.site, into)
        count = thread.approved_count
        action = merging.merge(session, thread, target, moderator_id=desk.person.id, at=now())
    except InvalidFieldsError as error:
        session.rollback()
        return _preview(thread_id, into, error.fields)
    target_id = action.facts["target"]["id"]
    session.commit()
    comments = "1 comment" if count == 1 else f"{count:,} comments"
    return thread_desk.done(target_id, f"Merged: {comments} came here.", action)


@blueprint.get(f"/sites/<int(max={LARGEST_SITE}):site_id>/split")
def split(site_id: int) -> ResponseReturnValue:
    """Threads of a site that are probably of one article."""
    desk = Desk.at(site_id)
    return render_template(
        "admin/split.html", **thread_desk.context(desk), groups=splits.find(database(), site_id)
    )


@blueprint.post(f"/actions/<int(max={LARGEST_ROW}):action_id>/undo")
def undo(action_id: int) -> ResponseReturnValue:
    """Undo what was done with threads."""
    session = database()
    begin_write(session)
    action = session.get(Action, action_id)
    if action is None or action.kind not in _UNDO:
        raise NotFoundError("There is no such page, or it is not yours to see.")
    Desk.at(action.site_id)
    try:
        thread = _UNDO[action.kind](session, action, at=now())
    except InvalidFieldsError as error:
        session.rollback()
        raise NotFoundError(str(error)) from None
    thread_id = thread.id
    session.commit()
    return thread_desk.done(thread_id, "Undone.")


def _address(
    thread_id: int, errors: dict[str, str] | None = None, *, taken: int | None = None
) -> ResponseReturnValue:
    desk, thread = thread_desk.find(thread_id)
    named = thread.key.removeprefix("id:") if thread.key.startswith("id:") else ""
    html = render_template(
        "admin/thread_address.html",
        **thread_desk.context(desk),
        thread=thread,
        url=request.form.get("url", thread.url),
        page_id=request.form.get("page_id", named),
        errors=errors or {},
        taken=taken,
    )
    return make_response(html, 422 if errors else 200)


def _preview(thread_id: int, into: str, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    desk, thread = thread_desk.find(thread_id)
    errors = dict(errors or {})
    target: Thread | None = None
    if into and not errors:
        try:
            target = thread_admin.wanted(database(), desk.site, into)
            merging.require_mergeable(thread, target)
        except InvalidFieldsError as error:
            errors, target = error.fields, None
    html = render_template(
        "admin/thread_merge.html",
        **thread_desk.context(desk),
        thread=thread,
        target=target,
        into=into,
        errors=errors,
    )
    return make_response(html, 422 if errors else 200)
