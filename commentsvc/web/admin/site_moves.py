"""Moving all threads of a website to another URL: a preview, then the move."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.thread_admin import import_follow, remapping
from commentsvc.domain.thread_admin.remapping import RemapPlan
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.messages import ngettext
from commentsvc.models import Action
from commentsvc.text import numbers
from commentsvc.web.admin import thread_context
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.admin.thread_context import ROOT
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, writing

blueprint = Blueprint("site_moves", __name__, url_prefix=ROOT)

SITE = "/sites/<site:site_id>/remap"
SHOWN = 200
"""Threads listed in a preview."""


@blueprint.get(SITE)
def dry_run(site_id: int) -> ResponseReturnValue:
    """Ask for the two addresses, or show what would change."""
    admin = AdminContext.for_site(site_id, owner=True)
    old, new = request.args.get("old", ""), request.args.get("new", "")
    try:
        planned = remapping.plan(database(), admin.site, old=old, new=new) if old or new else None
    except InvalidFieldsError as error:
        return _page(admin, old, new, errors=error.fields)
    return _page(admin, old, new, planned)


@blueprint.post(SITE)
def apply(site_id: int) -> ResponseReturnValue:
    """Move the threads, and offer to undo that."""
    old, new = request.form.get("old", ""), request.form.get("new", "")
    try:
        with writing() as session:
            admin = AdminContext.for_site(site_id, owner=True)
            planned = remapping.plan(session, admin.site, old=old, new=new)
            action = remapping.apply(session, admin.site, planned, moderator_id=admin.person.id, at=now())
    except InvalidFieldsError as error:
        return _page(AdminContext.for_site(site_id, owner=True), old, new, errors=error.fields)
    cookies.set_notice(_moved(planned, len(action.facts["threads"])), remap=action.id)
    return redirect(url_for("site_moves.dry_run", site_id=site_id), 303)


def _moved(planned: RemapPlan, number: int) -> str:
    sentence = ngettext(
        "Moved %(number)s thread from %(old)s to %(new)s.",
        "Moved %(number)s threads from %(old)s to %(new)s.",
        number,
    )
    return sentence % {"number": numbers.number(number), "old": planned.old, "new": planned.new}


@blueprint.post("/remaps/<int:action_id>/undo")
def undo(action_id: int) -> ResponseReturnValue:
    """Restore the threads' addresses after a move of all, or after an import that followed its articles."""
    try:
        with writing() as session:
            action = session.get(Action, action_id)
            if action is None or action.kind not in {remapping.KIND, import_follow.KIND}:
                raise NotFoundError
            site_id, is_remap = action.site_id, action.kind == remapping.KIND
            AdminContext.for_site(site_id, owner=True)
            undo_ = remapping.undo if is_remap else import_follow.undo
            number = undo_(session, action, at=now())
    except InvalidFieldsError as error:
        raise NotFoundError(str(error)) from None
    cookies.set_notice(
        ngettext("Undone: %(number)s thread is back.", "Undone: %(number)s threads are back.", number)
        % {"number": number}
    )
    page = "site_moves.dry_run" if is_remap else "action_log.listing"
    return redirect(url_for(page, site_id=site_id), 303)


def _page(
    admin: AdminContext,
    old: str,
    new: str,
    planned: RemapPlan | None = None,
    *,
    errors: dict[str, str] | None = None,
) -> ResponseReturnValue:
    html = render_template(
        "admin/remap.html",
        **thread_context.context(admin),
        old=old,
        new=new,
        planned=planned,
        shown=SHOWN,
        errors=errors or {},
    )
    return make_response(html, 422 if errors else 200)
