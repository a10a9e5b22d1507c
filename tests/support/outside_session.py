"""A database session beside the requests of a test's client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from commentsvc.db.session import db


@contextmanager
def outside_session(app: Flask, **options: Any) -> Iterator[Session]:
    """Open a session outside any application context: `g` must not survive from one request to the next."""
    with app.app_context():
        engine = db.engine
    with Session(engine, **options) as session:
        yield session
