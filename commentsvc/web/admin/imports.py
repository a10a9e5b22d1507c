"""An import by upload, for a site's owner: its progress, the report, and the decision to import or to cancel."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.admin import import_jobs
from commentsvc.serving.request_bodies import UPLOAD_LARGEST
from commentsvc.web import headers
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, settings, writing
from commentsvc.web.request_values import form_number

blueprint = Blueprint("imports", __name__, url_prefix=cookies.ADMIN)


@blueprint.get("/sites/<site:site_id>/import")
def page(site_id: int) -> ResponseReturnValue:
    """Show the form, or how far the import is."""
    admin = AdminContext.for_site(site_id, owner=True)
    html = render_template(
        "admin/import.html",
        admin=admin,
        job=import_jobs.of_site(database(), site_id),
        megabytes=UPLOAD_LARGEST >> 20,
    )
    return headers.no_store(make_response(html))


@blueprint.post("/sites/<site:site_id>/import/start")
def start(site_id: int) -> ResponseReturnValue:
    """Have the checked file imported."""
    admin = AdminContext.for_site(site_id, owner=True)
    person_id = admin.person.id
    with writing() as session:
        import_jobs.confirm(session, site_id, form_number("job"), commenter_id=person_id, at=now())
    return _back(site_id)


@blueprint.post("/sites/<site:site_id>/import/cancel")
def cancel(site_id: int) -> ResponseReturnValue:
    """Delete the file and forget the import."""
    AdminContext.for_site(site_id, owner=True)
    with writing() as session:
        file = import_jobs.cancel(session, site_id, form_number("job"))
    if file:
        import_jobs.path_of(settings().data_dir, file).unlink(missing_ok=True)
    return _back(site_id)


def _back(site_id: int) -> Response:
    return make_response(redirect(url_for("imports.page", site_id=site_id), 303))
