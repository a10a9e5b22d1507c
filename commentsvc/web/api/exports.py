"""Exports of a site's comments."""

from __future__ import annotations

from flask import Response

from commentsvc.errors import NotFoundError
from commentsvc.web import exported_file
from commentsvc.web.api.calls import Call
from commentsvc.web.api.shapes import OneOf

FORMATS = ("archive", "wxr", "json", "csv")
MEDIA_TYPES = ("application/zip", "application/xml", "application/json", "text/csv")
FORMAT = OneOf(FORMATS, about="`archive` has everything; docs/moving.md says what the others carry.")


def export(call: Call) -> Response:
    """Send all of a site's comments."""
    from commentsvc.domain.transfer import export_formats  # here, because few processes ever need it

    call.require_owner()
    chosen = export_formats.named(call.query["format"])
    if chosen is None:
        raise NotFoundError("There is no such format.")
    return exported_file.response(call.site, chosen)
