"""What every door needs at hand: the settings, the database session, the clock, the limiter."""

from __future__ import annotations

from typing import cast

from flask import current_app
from sqlalchemy.orm import Session

from commentsvc.adapters.limits import Limiter
from commentsvc.config import Settings
from commentsvc.db import db
from commentsvc.models import now

__all__ = ["database", "limiter", "now", "settings"]


def settings() -> Settings:
    """Return the running service's settings."""
    return cast(Settings, current_app.extensions["commentsvc.settings"])


def limiter() -> Limiter:
    """Return the counter of posts."""
    return cast(Limiter, current_app.extensions["commentsvc.limiter"])


def database() -> Session:
    """Return this request's database session."""
    return cast(Session, db.session)
