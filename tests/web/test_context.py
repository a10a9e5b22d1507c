"""What views share: one transaction, committed once or not at all, and the name that sign-in pages show."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import db
from commentsvc.errors import InvalidFieldsError
from commentsvc.models import Commenter
from commentsvc.web.context import database, writing
from tests.conftest import BASE_URL
from tests.support.guest_client import add_site

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def stored() -> int:
    """Count what another connection sees."""
    with Session(db.engine) as other:
        return other.scalar(select(func.count()).select_from(Commenter)) or 0


@ENGINES
def test_leaving_the_block_commits(app: Flask) -> None:
    def returns_within() -> str:
        with writing() as session:
            session.add(Commenter(name="Grace"))
            return "done"

    with app.app_context():
        with writing() as session:
            session.add(Commenter(name="Ada"))
        assert stored() == 1
        assert returns_within() == "done"
        assert stored() == 2


@ENGINES
@pytest.mark.parametrize(
    "error", [InvalidFieldsError({"name": "Too long"}), ValueError(), KeyboardInterrupt()]
)
def test_an_error_undoes_everything_and_goes_on(app: Flask, error: BaseException) -> None:
    def fails() -> None:
        with writing() as session:
            session.add(Commenter(name="Ada"))
            session.flush()
            raise error

    with app.app_context():
        with pytest.raises(type(error)):
            fails()
        database().commit()
        assert stored() == 0


def test_after_an_error_nobody_waits_for_the_lock(app: Flask) -> None:
    def write() -> None:
        with app.app_context(), writing() as session:
            session.add(Commenter(name="Grace"))

    with app.app_context():
        with pytest.raises(ValueError, match="no"), writing():
            raise ValueError("no")
        other = threading.Thread(target=write)
        other.start()
        other.join(timeout=4)
        assert not other.is_alive()
        assert stored() == 1


def test_signing_in_says_whose_it_is(app: Flask) -> None:
    """The site, or the service's host where there are several, whose names are nobody's business."""
    host = BASE_URL.partition("://")[2]
    for name, origin in ((host, None), ("Blog", "https://blog.example"), (host, "https://other.example")):
        if origin:
            add_site(app, name if name == "Blog" else "Another blog", origin)
        for path in ("/account", "/admin"):
            page = app.test_client().get(path, base_url=BASE_URL).text
            assert f"<strong><bdi>{name}</bdi></strong>" in page, (path, origin)
            assert f"<bdi>{host}</bdi></a>" in page
