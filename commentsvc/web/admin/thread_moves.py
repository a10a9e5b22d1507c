"""Renaming, merging and moving threads in the admin view, and undoing that."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc import match_keys
from commentsvc.domain.accounts import accounts
from commentsvc.domain.fields import LARGEST_SITE
from commentsvc.domain.thread_admin import merging, moving, renaming, thread_controls
from commentsvc.domain.threads import duplicates
from commentsvc.errors import InvalidFieldsError, KeyTakenError, NotFoundError
from commentsvc.messages import gettext, ngettext
from commentsvc.models import Action, Role, Site, Thread
from commentsvc.text import numbers
from commentsvc.web.admin import thread_context
from commentsvc.web.admin.context import AdminContext, person
from commentsvc.web.admin.thread_context import ROOT
from commentsvc.web.context import database, now, writing
from commentsvc.web.request_values import form_number, query_number

blueprint = Blueprint("thread_moves", __name__, url_prefix=ROOT)

THREAD = "/<int:thread_id>"
_UNDO = {merging.KIND: merging.unmerge, renaming.KIND: renaming.undo, moving.KIND: moving.undo}


@blueprint.route(f"{THREAD}/address", methods=["GET", "POST"])
def rename(thread_id: int) -> ResponseReturnValue:
    """Give a thread another address."""
    if request.method == "GET":
        return _address(thread_id)
    url, page_id = request.form.get("url", ""), request.form.get("page_id", "")
    try:
        with writing() as session:
            admin, thread = thread_context.find(thread_id)
            action = renaming.rename(
                session, thread, url=url, page_id=page_id, moderator_id=admin.person.id, at=now()
            )
    except InvalidFieldsError as error:
        return _address(thread_id, error.fields)
    except KeyTakenError as error:
        return _address(thread_id, {"url": str(error)}, taken=error.thread_id)
    return thread_context.done(
        thread_id, gettext("Renamed.") if action else gettext("Nothing was changed."), action
    )


@blueprint.get(f"{THREAD}/merge")
def preview(thread_id: int) -> ResponseReturnValue:
    """Ask for the other thread, or show what a merge would do."""
    return _preview(thread_id, request.args.get("into", ""))


@blueprint.post(f"{THREAD}/merge")
def merge(thread_id: int) -> ResponseReturnValue:
    """Merge a thread into another one."""
    into = request.form.get("into", "")
    try:
        with writing() as session:
            admin, thread = thread_context.find(thread_id)
            target = thread_controls.wanted(session, admin.site, into)
            count = thread.approved_count
            action = merging.merge(session, thread, target, moderator_id=admin.person.id, at=now())
    except InvalidFieldsError as error:
        return _preview(thread_id, into, error.fields)
    text = ngettext(
        "Merged: %(number)s comment moved here.", "Merged: %(number)s comments moved here.", count
    ) % {"number": numbers.number(count)}
    return thread_context.done(action.facts["target"]["id"], text, action)


@blueprint.get(f"{THREAD}/move")
def move_preview(thread_id: int) -> ResponseReturnValue:
    """Ask for the other site, or show what the move would do."""
    to = query_number("to", LARGEST_SITE)
    return _move(thread_id, AdminContext.for_site(to, owner=True).site if to is not None else None)


@blueprint.post(f"{THREAD}/move")
def move(thread_id: int) -> ResponseReturnValue:
    """Move a thread to another site; only an owner of both can."""
    to = form_number("to", LARGEST_SITE) or 0
    try:
        with writing() as session:
            admin, thread = thread_context.find(thread_id, owner=True)
            site = AdminContext.for_site(to, owner=True).site
            action = moving.move(session, thread, site, moderator_id=admin.person.id, at=now())
    except InvalidFieldsError as error:
        return _move(thread_id, site, error.fields)
    return thread_context.done(thread_id, gettext("Moved to %(site)s.") % {"site": site.name}, action)


@blueprint.get("/sites/<site:site_id>/split")
def split(site_id: int) -> ResponseReturnValue:
    """Threads of a site that probably belong to one article."""
    admin = AdminContext.for_site(site_id)
    return render_template(
        "admin/split.html", **thread_context.context(admin), groups=duplicates.find(database(), site_id)
    )


@blueprint.post("/actions/<int:action_id>/undo")
def undo(action_id: int) -> ResponseReturnValue:
    """Undo a rename, merge or move."""
    try:
        with writing() as session:
            action = session.get(Action, action_id)
            if action is None or action.kind not in _UNDO:
                raise NotFoundError
            moved = action.kind == moving.KIND
            AdminContext.for_site(action.site_id, owner=moved)
            if moved:
                AdminContext.for_site(action.facts["site_id"], owner=True)
            thread = _UNDO[action.kind](session, action, at=now())
    except InvalidFieldsError as error:
        raise NotFoundError(str(error)) from None
    return thread_context.done(thread.id, gettext("Undone."))


def _address(
    thread_id: int, errors: dict[str, str] | None = None, *, taken: int | None = None
) -> ResponseReturnValue:
    admin, thread = thread_context.find(thread_id)
    named = match_keys.page_id(thread.key)
    html = render_template(
        "admin/thread_address.html",
        **thread_context.context(admin),
        thread=thread,
        url=request.form.get("url", thread.url),
        page_id=request.form.get("page_id", named),
        errors=errors or {},
        taken=taken,
    )
    return make_response(html, 422 if errors else 200)


def _preview(thread_id: int, into: str, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    admin, thread = thread_context.find(thread_id)
    errors = dict(errors or {})
    target: Thread | None = None
    if into and not errors:
        try:
            target = thread_controls.wanted(database(), admin.site, into)
            merging.require_mergeable(thread, target)
        except InvalidFieldsError as error:
            errors, target = error.fields, None
    html = render_template(
        "admin/thread_merge.html",
        **thread_context.context(admin),
        thread=thread,
        target=target,
        into=into,
        errors=errors,
    )
    return make_response(html, 422 if errors else 200)


def _move(thread_id: int, site: Site | None, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    admin, thread = thread_context.find(thread_id, owner=True)
    errors = dict(errors or {})
    if site is not None and not errors:
        try:
            moving.require_movable(database(), thread, site)
        except InvalidFieldsError as error:
            errors = error.fields
    html = render_template(
        "admin/thread_move.html",
        **thread_context.context(admin),
        thread=thread,
        site=site if not errors else None,
        choices=_other_sites(thread.site_id),
        errors=errors,
    )
    return make_response(html, 422 if errors else 200)


def _other_sites(site_id: int) -> list[Site]:
    """Return the other sites that this person owns."""
    mine = accounts.sites_of(database(), person())
    return [
        site
        for site in mine
        if site.id != site_id and accounts.role_on(database(), person().id, site.id) is Role.OWNER
    ]
