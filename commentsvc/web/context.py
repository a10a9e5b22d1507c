"""What every door needs at hand: the settings, the database session, the clock, the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.db.session import db
from commentsvc.domain import hash_keys
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.integrations.rate_limits import Limiter, PostLimits
from commentsvc.models import now

if TYPE_CHECKING:
    from commentsvc.integrations.oauth.flow import Flow

__all__ = [
    "database",
    "flow",
    "hash_key",
    "now",
    "post_limits",
    "preview_limiter",
    "providers",
    "report_limiter",
    "settings",
]


def settings() -> Settings:
    """Return the running service's settings."""
    return cast(Settings, current_app.extensions["commentsvc.settings"])


def hash_key() -> bytes:
    """Return the key of hashes that must last, read from the database once in a process."""
    kept = current_app.extensions
    if "commentsvc.hash_key" not in kept:
        kept["commentsvc.hash_key"] = hash_keys.load(db.engine)
    return cast(bytes, kept["commentsvc.hash_key"])


def post_limits() -> PostLimits:
    """Return the limits that a new comment meets."""
    return cast(PostLimits, current_app.extensions["commentsvc.post_limits"])


def preview_limiter() -> Limiter:
    """Return the counter of texts that are rendered to be looked at."""
    return cast(Limiter, current_app.extensions["commentsvc.preview_limiter"])


def report_limiter() -> Limiter:
    """Return the counter of readers' reports."""
    return cast(Limiter, current_app.extensions["commentsvc.report_limiter"])


def database() -> Session:
    """Return this request's database session."""
    return db.session()


def providers() -> dict[str, Provider]:
    """Return the login providers of this service, by key, in the order in which they are offered."""
    return cast("dict[str, Provider]", current_app.extensions["commentsvc.providers"])


def flow() -> Flow:
    """Return what speaks with the providers."""
    kept = current_app.extensions
    if "commentsvc.flow" not in kept:
        from commentsvc.integrations.oauth.flow import Flow  # a fifth of the memory, and of the time to start

        kept["commentsvc.flow"] = Flow()
    return cast("Flow", kept["commentsvc.flow"])
