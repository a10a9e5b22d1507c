"""Response headers: what our pages may load, who may frame them, what may be cached."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from flask import Response, g

from commentsvc.config import Settings
from commentsvc.web.context import settings

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
}
_NOBODY, _SELF = "'none'", "'self'"


def allow_framing(origins: Iterable[str]) -> None:
    """Allow pages of these origins to frame this response; by default nobody may."""
    g.frame_ancestors = " ".join(origins)


def allow_inline(directive: str, source: str) -> None:
    """Allow this response an inline style (`style-src`) or script (`script-src`) by `source`, the hash of its text."""
    g.setdefault("inline", {})[directive, source] = None  # once each, in order


def no_store(response: Response) -> Response:
    """Mark a response that is for one person only."""
    response.headers["Cache-Control"] = "no-store"
    return response


def leave_to_opener(response: Response) -> Response:
    """Let the frame that opened this window close it again."""
    response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


def cacheable_by_all(response: Response, cdn_seconds: int) -> Response:
    """Mark a response that is the same for everybody: browsers revalidate it always, a CDN as often as configured."""
    if cdn_seconds:
        shared = f"max-age=0, s-maxage={cdn_seconds}, stale-while-revalidate={cdn_seconds}"
        response.headers["Cache-Control"] = f"public, {shared}"
    else:
        response.headers["Cache-Control"] = "public, no-cache"
    return response


def apply(response: Response) -> Response:
    """Add the usual headers to a response, except those it already has."""
    present = {name.lower() for name, _ in response.headers}
    ancestors, inline = g.get("frame_ancestors", _NOBODY), tuple(g.get("inline", ()))
    for name, value in _usual(ancestors, _own_pages(settings()), inline):
        if name.lower() not in present:
            response.headers.add(name, value)
    return response


def _own_pages(settings: Settings) -> str:
    """Return what stands for our own pages in a policy: below a path, not the other applications of the host."""
    return f"{settings.base_url}/" if settings.base_path else _SELF


@lru_cache(64)
def _usual(
    ancestors: str, own_pages: str, inline: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Return the headers of a response that these origins may frame; `inline` has directives and hashes."""
    directives = [
        " ".join([name, value.replace(_SELF, own_pages), *(source for of, source in inline if of == name)])
        for name, value in POLICY.items()
    ]
    directives.append(f"frame-ancestors {ancestors}")
    usual = {
        "Content-Security-Policy": "; ".join(directives),
        "X-Content-Type-Options": "nosniff",
        # "no-referrer" would turn a form's Origin into "null".
        "Referrer-Policy": "strict-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cache-Control": "no-store",
    }
    if ancestors == _NOBODY:
        usual["Cross-Origin-Opener-Policy"] = "same-origin"
    else:
        # A host page that isolates itself can still show the frame.
        usual["Cross-Origin-Embedder-Policy"] = "require-corp"
        usual["Cross-Origin-Resource-Policy"] = "cross-origin"
    return tuple(usual.items())
