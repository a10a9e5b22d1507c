"""A site's comments to take away, for its owner: sent while they are read from the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from commentsvc.db.session import db
from commentsvc.errors import NotFoundError, TooManyError
from commentsvc.models import Site
from commentsvc.serving.wsgi_bridge import STREAMS
from commentsvc.web import headers
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.auth import cookies
from commentsvc.web.context import export_slot, now

if TYPE_CHECKING:
    from commentsvc.domain.transfer.export_formats import ExportFormat

blueprint = Blueprint("exports", __name__, url_prefix=cookies.ADMIN)


@blueprint.get("/sites/<site:site_id>/export")
def page(site_id: int) -> ResponseReturnValue:
    """Offer every format, and say what it cannot carry."""
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
        raise NotFoundError("There is no such format.")
    slot = export_slot()
    if not slot.acquire(blocking=False):
        raise TooManyError(retry_after=60)
    response = Response(_pieces(db.engine, admin.site.id, chosen), mimetype=chosen.media_type)
    response.call_on_close(slot.release)
    file_name = f"{_plain(admin.site.name)}-{now():%Y-%m-%d}{chosen.ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "same-origin"
    request.environ[STREAMS] = True
    return headers.no_store(response)


def _pieces(engine: Engine, site_id: int, chosen: ExportFormat) -> Iterator[bytes]:
    """Yield the export from a session of its own, because that of the request ends before the response."""
    with Session(engine) as session:
        yield from chosen.write(session, session.get_one(Site, site_id), now())


def _plain(name: str) -> str:
    """Return a site's name as part of a file's."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-") or "comments"
