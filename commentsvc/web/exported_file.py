"""The response with a site's exported comments: sent while they are read from the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flask import Response, request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from commentsvc.db.session import db
from commentsvc.errors import TooManyError
from commentsvc.models import Site
from commentsvc.serving.wsgi_bridge import STREAMS
from commentsvc.web import headers
from commentsvc.web.context import now, services

if TYPE_CHECKING:
    from commentsvc.domain.transfer.export_formats import ExportFormat


def response(site: Site, chosen: ExportFormat) -> Response:
    """Return a site's comments in a format; raises TooManyError while another export is sent."""
    slot = services().export_slot
    if not slot.acquire(blocking=False):
        raise TooManyError(retry_after=60)
    response = Response(_pieces(db.engine, site.id, chosen), mimetype=chosen.media_type)
    response.call_on_close(slot.release)
    file_name = f"{_plain(site.name)}-{now():%Y-%m-%d}{chosen.ending}"
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
