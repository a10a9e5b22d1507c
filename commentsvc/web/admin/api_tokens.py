"""A site's API tokens, for its owners: the list, a new one, whose text is shown once, and revoking one."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.accounts import accounts, api_tokens
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import ApiToken, Role, Site, TokenScope
from commentsvc.web import headers
from commentsvc.web.admin.context import AdminContext, person
from commentsvc.web.admin.people_forms import NO_EXPIRY, ApiTokenForm
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, writing
from commentsvc.web.forms import require_valid

blueprint = Blueprint("api_tokens", __name__, url_prefix=cookies.ADMIN)

PAGE = "/sites/<site:site_id>/api-tokens"


@blueprint.route(PAGE, methods=["GET", "POST"])
def listing(site_id: int) -> ResponseReturnValue:
    """All tokens of a site, and a form to create one."""
    admin = AdminContext.for_site(site_id, owner=True)
    form, text, errors = _form(admin), None, {}
    if request.method == "POST":
        try:
            text = _create(form, site_id)
            form = _form(AdminContext.for_site(site_id, owner=True), is_new=True)
        except InvalidFieldsError as error:
            errors = error.fields
    html = render_template(
        "admin/api_tokens.html",
        admin=AdminContext.for_site(site_id, owner=True),
        form=form,
        errors=errors,
        text=text,
        tokens=api_tokens.tokens_on(database(), [site_id]),
        is_owner=lambda token: accounts.role_on(database(), token.commenter_id, site_id) is Role.OWNER,
        now=now(),
        notice=cookies.pop_notice(),
    )
    return headers.no_store(make_response(html, 422 if errors else 200))


@blueprint.post(f"{PAGE}/<int:token_id>/revoke")
def revoke(site_id: int, token_id: int) -> ResponseReturnValue:
    """Revoke a token, on all its sites."""
    with writing() as session:
        admin = AdminContext.for_site(site_id, owner=True)
        token = session.get(ApiToken, token_id)
        if token is None or site_id not in {site.id for site in token.sites}:
            raise NotFoundError
        name = token.name
        api_tokens.revoke(session, token, moderator_id=admin.person.id, at=now())
    cookies.set_notice(gettext("The token %(name)s is revoked.") % {"name": name})
    return redirect(url_for("api_tokens.listing", site_id=site_id), 303)


def _form(admin: AdminContext, *, is_new: bool = False) -> ApiTokenForm:
    """Return the form; with `is_new` without what was sent."""
    form = ApiTokenForm(None) if is_new else ApiTokenForm()
    form.sites.choices = [(str(site.id), site.name) for site in _owned(admin)]
    if is_new or request.method == "GET":
        form.sites.data = [str(admin.site.id)]
    return form


def _owned(admin: AdminContext) -> list[Site]:
    """Return the sites that this person owns, this one first."""
    role_on = accounts.role_on
    others = [
        site
        for site in admin.sites
        if site.id != admin.site.id and role_on(database(), admin.person.id, site.id) is Role.OWNER
    ]
    return [admin.site, *others]


def _create(form: ApiTokenForm, site_id: int) -> str:
    require_valid(form)
    with writing() as session:
        AdminContext.for_site(site_id, owner=True)
        _, text = api_tokens.create(
            session,
            form.name.data or "",
            [TokenScope(scope) for scope in form.scopes.data or []],
            [int(number) for number in form.sites.data or []],
            maker_id=person().id,
            days=None if form.days.data == NO_EXPIRY else int(form.days.data),
            at=now(),
        )
    return text
