"""Serves scripts and styles under names that change with their content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, request, send_from_directory

from commentsvc.serving.page_cache.policy import CachePolicy, mark_cacheable
from commentsvc.web.context import settings

blueprint = Blueprint("static_files", __name__)

FOLDER = Path(__file__).resolve().parent.parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_BLANK = 'const WRITTEN = "";'
"""The line of a loader into which the service writes its own URL."""


@cache
def version() -> str:
    """Return a hash of all files together, so that modules of one version find each other."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def url(name: str) -> str:
    """Return the path of a file in `static/`, below the base path."""
    return f"/static/{version()}/{name}"


@blueprint.get("/static/<wanted>/<path:name>")
def static(wanted: str, name: str) -> Response:
    """A file: cached for ever under its current version, briefly under an older one that is still requested."""
    response = _file(name)
    if wanted != version():
        response.headers["Cache-Control"] = "public, max-age=60"
        return response
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    mark_cacheable(CachePolicy(permanent=True))
    return response


@blueprint.get("/embed.js", defaults={"name": "embed.js"})
@blueprint.get("/latest.js", defaults={"name": "latest.js"})
def loader(name: str) -> Response:
    """A script that pages include; short-lived, because its name never changes.

    It contains our URL, because a module, an inlined copy or a copy on another server cannot detect it.
    """
    text = (FOLDER / name).read_text()
    body = text.replace(_BLANK, f"const WRITTEN = {json.dumps(settings().base_url)};", 1).encode()
    response = Response(body, mimetype=_TYPES[".js"])
    response.add_etag()
    _open_to_all(response)
    response.make_conditional(request, accept_ranges=True, complete_length=len(body))
    response.headers["Cache-Control"] = "public, max-age=600, stale-while-revalidate=86400"
    mark_cacheable(CachePolicy(permanent=True))
    return response


def _file(name: str) -> Response:
    response = send_from_directory(FOLDER, name, mimetype=_TYPES.get(Path(name).suffix), etag=True)
    _open_to_all(response)
    response.make_conditional(request)
    return response


def _open_to_all(response: Response) -> None:
    """Allow pages of any origin to load this, including cross-origin isolated ones."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    # Without this a frame could not start it as a worker.
    response.headers["Cross-Origin-Embedder-Policy"] = "require-corp"
