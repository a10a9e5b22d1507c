"""Surge protection in the admin view: ease it, hold everything, or turn it off for a site."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.admin import site_rules
from commentsvc.domain.surge import episodes
from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Pressure
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.auth import cookies
from commentsvc.web.context import now, writing

blueprint = Blueprint("surge", __name__, url_prefix=cookies.ADMIN)

SITE = "/sites/<site:site_id>"
_BY_HAND = {"ease": episodes.ease, "hold": episodes.hold_all}
_DONE = {
    "ease": gettext_noop("Comments are no longer held because of this."),
    "hold": gettext_noop("All comments there are held now."),
}


@blueprint.post(f"{SITE}/pressure/<int:pressure_id>")
def change(site_id: int, pressure_id: int) -> ResponseReturnValue:
    """Let comments appear until the surge ends, or hold all of them."""
    with writing() as session:
        admin = AdminContext.for_site(site_id)
        row = session.get(Pressure, pressure_id, with_for_update=True)
        if row is None or row.site_id != site_id:
            raise NotFoundError
        wanted = request.form.get("do", "")
        if wanted not in _BY_HAND:
            abort(400)
        episodes.record_fall(session, row, now())
        if row.ended_at is None:
            _BY_HAND[wanted](session, row, moderator_id=admin.person.id, at=now())
            text = gettext(_DONE[wanted])
        else:
            text = gettext("This surge is already over.")
    cookies.set_notice(text)
    return redirect(url_for("queue.listing", site=site_id), 303)


@blueprint.post(f"{SITE}/rules/valve")
def switch(site_id: int) -> ResponseReturnValue:
    """Turn surge protection on, or off permanently."""
    with writing() as session:
        admin = AdminContext.for_site(site_id, owner=True)
        on = request.form.get("do") == "on"
        site_rules.set_surge_protection(session, admin.site, on, moderator_id=admin.person.id, at=now())
    cookies.set_notice(gettext("Surge protection is on.") if on else gettext("Surge protection is off."))
    return redirect(url_for("rules.edit", site_id=site_id), 303)
