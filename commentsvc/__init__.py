"""Self-hosted comments for any page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from commentsvc.config import Settings

__all__ = ["create_app"]


def create_app(settings: Settings | None = None) -> Flask:
    """Return the service as a WSGI application; `settings` default to the process's environment."""
    from commentsvc import app  # here, or importing any part of the package would load all of it

    return app.create_app(settings)
