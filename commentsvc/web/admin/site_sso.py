"""A site's own sign-in: turned on with a secret that is shown once, or off."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.accounts import single_sign_on
from commentsvc.messages import gettext
from commentsvc.web import headers
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.auth import cookies
from commentsvc.web.context import settings, writing

blueprint = Blueprint("site_sso", __name__, url_prefix=cookies.ADMIN)


@blueprint.route("/sites/<site:site_id>/sign-in", methods=["GET", "POST"])
def edit(site_id: int) -> ResponseReturnValue:
    """Show the state; create a new secret, or delete the current one."""
    secret = None
    if request.method == "POST":
        switched_off = request.form.get("do") == "off"
        with writing() as session:
            site = AdminContext.for_site(site_id, owner=True).site
            if switched_off:
                single_sign_on.switch_off(session, site)
            else:
                secret = single_sign_on.new_secret(session, site)
        if switched_off:
            cookies.set_notice(gettext("The site's own sign-in is off."))
            return redirect(url_for("site_sso.edit", site_id=site_id), 303)
    html = render_template(
        "admin/sso.html",
        admin=AdminContext.for_site(site_id, owner=True),
        secret=secret,
        audience=settings().base_url,
        notice=cookies.pop_notice(),
    )
    return headers.no_store(make_response(html))
