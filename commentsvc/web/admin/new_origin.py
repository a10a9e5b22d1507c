"""One page that adds an origin to a site, to which the panel on a page that shows no comments leads its owner."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import separate_origins, sites
from commentsvc.errors import BadAddressError, InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import Role, Site
from commentsvc.origins import origin_of
from commentsvc.web.admin.context import AdminContext, person
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, settings, writing
from commentsvc.web.request_values import form_number

blueprint = Blueprint("new_origin", __name__, url_prefix=cookies.ADMIN)


@blueprint.get("/origins")
def page() -> ResponseReturnValue:
    """Show the origin, and the person's sites; nothing is added before they press the button."""
    owned = _owned_sites()
    return _form(_origin(request.args), owned)


@blueprint.post("/origins")
def add() -> ResponseReturnValue:
    """Add the origin to the chosen site."""
    owned = _owned_sites()
    origin = _origin(request.form)
    site_id = form_number("site")
    if site_id is None:
        raise BadAddressError(gettext("Please choose a site."))
    try:
        with writing() as session:
            site = AdminContext.for_site(site_id, owner=True).site
            separate_origins.require_separate([origin], settings().base_url)
            sites.set_origins(session, site, [*(item.origin for item in site.origins), origin])
    except InvalidFieldsError as error:
        return _form(origin, owned, error=error.fields["origins"])
    except IntegrityError:  # another owner took it at the same moment
        return _form(
            origin,
            owned,
            error=gettext("%(origin)s has just been taken by another site.") % {"origin": origin},
        )
    cookies.set_notice(
        gettext("Pages at %(origin)s show the comments of %(site)s now.")
        % {"origin": origin, "site": site.name}
    )
    return redirect(url_for("site_settings.edit", site_id=site_id), 303)


def _origin(given: Mapping[str, str]) -> str:
    """Return the origin that is to be added; raises NotFoundError if it is none."""
    try:
        return origin_of(given.get("origin", ""))
    except BadAddressError as error:
        raise NotFoundError(str(error)) from None


def _owned_sites() -> list[Site]:
    """Return the sites that the person owns; raises NotFoundError if there are none."""
    own = accounts.sites_of(database(), person())
    owned = [site for site in own if accounts.role_on(database(), person().id, site.id) is Role.OWNER]
    if not owned:
        raise NotFoundError(gettext("Only an owner of a site can add an origin to it."))
    return owned


def _form(origin: str, owned: list[Site], *, error: str = "") -> ResponseReturnValue:
    admin = AdminContext.for_site(owned[0].id, owner=True)
    html = render_template("admin/new_origin.html", admin=admin, origin=origin, owned=owned, error=error)
    return make_response(html, 422 if error else 200)
