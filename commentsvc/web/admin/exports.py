"""Exports of a site's comments, for its owner."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext
from commentsvc.web import exported_file
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.auth import cookies

blueprint = Blueprint("exports", __name__, url_prefix=cookies.ADMIN)


@blueprint.get("/sites/<site:site_id>/export")
def page(site_id: int) -> ResponseReturnValue:
    """Offer every format, and say what it leaves out."""
    from commentsvc.domain.transfer import export_formats  # here, because few processes ever need it

    admin = AdminContext.for_site(site_id, owner=True)
    return render_template("admin/export.html", admin=admin, formats=export_formats.FORMATS)


@blueprint.get("/sites/<site:site_id>/export/<name>")
def download(site_id: int, name: str) -> ResponseReturnValue:
    """Send the site's comments in a format."""
    from commentsvc.domain.transfer import export_formats  # as above

    admin = AdminContext.for_site(site_id, owner=True)
    chosen = export_formats.named(name)
    if chosen is None:
        raise NotFoundError(gettext("There is no such format."))
    return exported_file.response(admin.site, chosen)
