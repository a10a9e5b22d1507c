"""/privacy says what the running service stores, and whom it calls."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.models import Site
from tests.conftest import BASE_URL
from tests.support.guest_client import add_site
from tests.support.member_client import Vouching
from tests.support.subscribers import postman


def words(app: Flask) -> str:
    answer = app.test_client().get("/privacy", base_url=BASE_URL)
    assert answer.status_code == 200
    return answer.text


def test_a_bare_service_calls_nobody_but_the_article(app: Flask) -> None:
    text = words(app)
    assert "A hash of its network" in text
    for name in ("Akismet", "mail server", "GitHub", "Mastodon"):
        assert name not in text


def test_what_is_switched_on_is_named(app: Flask) -> None:
    site_id = add_site(app)
    Vouching.at(app)
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.get_one(Site, site_id).akismet_key = "key"
        session.commit()
    with postman(app, COMMENTSVC_KEEP_NETWORK_DAYS="7"):
        text = words(app)
    expected = (
        "rest.akismet.com",
        "The mail server localhost",
        "GitHub",
        "kept for 7 days",
        "by its private link",
    )
    for name in expected:
        assert name in text
