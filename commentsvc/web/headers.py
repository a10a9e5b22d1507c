"""Response headers: what our pages may load, who may frame them, what may be kept."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response, g

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
}


def allow_framing(origins: Iterable[str]) -> None:
    """Let pages of these origins show this answer in a frame; nobody may otherwise."""
    g.frame_ancestors = " ".join(origins)


def keep_nothing(response: Response) -> Response:
    """Mark an answer that is for one person's eyes."""
    response.headers["Cache-Control"] = "no-store"
    return response


def keep_with_everybody(response: Response, cdn_seconds: int) -> Response:
    """Mark an answer that is the same for everybody: a browser asks about it each time, a CDN as often as set."""
    if cdn_seconds:
        shared = f"max-age=0, s-maxage={cdn_seconds}, stale-while-revalidate={cdn_seconds}"
        response.headers["Cache-Control"] = f"public, {shared}"
    else:
        response.headers["Cache-Control"] = "public, no-cache"
    return response


def apply(response: Response) -> Response:
    """Put the headers on every answer."""
    ancestors = g.get("frame_ancestors", "'none'")
    directives = [f"{name} {value}" for name, value in {**POLICY, "frame-ancestors": ancestors}.items()]
    headers = response.headers
    headers.setdefault("Content-Security-Policy", "; ".join(directives))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    # "no-referrer" would turn a form's Origin into "null".
    headers.setdefault("Referrer-Policy", "strict-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
    headers.setdefault("Cache-Control", "no-store")
    if ancestors == "'none'":
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    else:
        # A host page that isolates itself can still show the frame.
        headers.setdefault("Cross-Origin-Embedder-Policy", "require-corp")
        headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
    return response
