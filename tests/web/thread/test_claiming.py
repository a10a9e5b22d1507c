"""In the frame: a person who has logged in takes what this browser wrote as a guest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write, db
from commentsvc.models import Ban, BanKind, Comment, Identity, Site
from tests.conftest import BASE_URL, BLOG
from tests.support.guest_client import ARTICLE, Elements, GuestClient, add_site, contents
from tests.support.member_client import frame_session, person, stored

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
KEY = "a-key-that-only-this-browser-holds"


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with app.app_context():
        engine = db.engine
    with Session(engine) as session:
        yield session


@pytest.fixture
def site(app: Flask, session: Session) -> Site:
    return session.get_one(Site, add_site(app))


@pytest.fixture
def ada(session: Session, site: Site) -> Identity:
    return person(session)


class Frame:
    """The frame of an article, in which somebody is logged in whose browser holds no cookie."""

    def __init__(self, app: Flask, session: Session, identity: Identity, site: Site) -> None:
        self.app = app
        self.bearer = frame_session(session, identity, site)[1]
        self.client = app.test_client()

    def own(self, key: str = KEY) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.bearer}", "X-Author-Key": key}
        query = urlencode({"url": ARTICLE})
        answer = self.client.get(f"/embed/own?{query}", base_url=BASE_URL, headers=headers)
        return dict(answer.json or {})

    def claim(self, *ids: int, key: str = KEY, origin: str = BASE_URL, **fields: str) -> TestResponse:
        sent = {
            "url": ARTICLE,
            "token": self.own()["token"],
            "author_key": key,
            "comment": [str(one) for one in ids],
            **fields,
        }
        headers = {"Authorization": f"Bearer {self.bearer}", "Origin": origin, "Accept": "application/json"}
        return self.client.post("/embed/comments/claim", base_url=BASE_URL, data=sent, headers=headers)


@pytest.fixture
def frame(app: Flask, session: Session, ada: Identity, site: Site) -> Frame:
    return Frame(app, session, ada, site)


def write(app: Flask, text: str, *, key: str = KEY, url: str = ARTICLE) -> int:
    return GuestClient(app, url).posted(text, author_key=key)


@both_engines
def test_they_take_what_they_tick_and_nothing_else(
    app: Flask, session: Session, ada: Identity, frame: Frame
) -> None:
    mine, other, there = (
        write(app, "Mine"),
        write(app, "My sister's"),
        write(app, "There", url=f"{BLOG}/other"),
    )
    assert "You wrote 3 comments here as a guest." in frame.own()["claim"]
    listed = Elements((frame.claim().json or {})["html"])
    boxes = listed.all("input", name="comment")
    assert [box["value"] for box in boxes] == [str(there), str(other), str(mine)]
    assert not any("checked" in box for box in boxes)
    assert f"{BLOG}/other" in listed.text
    assert "My sister's" in listed.text
    taken = frame.claim(mine, there)
    assert "2 comments are under your account now" in (taken.json or {})["html"]
    owners = [stored(session, number).commenter_id for number in (mine, other, there)]
    assert owners == [ada.commenter_id, None, ada.commenter_id]
    comment = stored(session, mine)
    assert (comment.guest_name, comment.guest_email, comment.receipt_hash) == (None, None, None)
    assert stored(session, other).guest_name == "Anna"
    assert "You wrote one comment here as a guest." in frame.own()["claim"]
    assert frame.claim(mine).status_code == 404


def test_who_has_written_nothing_as_a_guest_is_offered_nothing(app: Flask, frame: Frame) -> None:
    write(app, "Somebody's", key=KEY[::-1])
    assert frame.own()["claim"] == ""
    assert GuestClient(app).own(KEY)["claim"] == ""
    assert "There is nothing more here" in (frame.claim().json or {})["html"]


@both_engines
def test_nobody_takes_what_another_browser_wrote(app: Flask, frame: Frame) -> None:
    theirs = write(app, "Somebody's", key=KEY[::-1])
    before = contents(app)["comment"]
    for key in (KEY, "", "short", "k" * 300):
        assert frame.claim(theirs, key=key).status_code == 404
    assert contents(app)["comment"] == before


def test_nor_what_they_wrote_on_another_site(app: Flask, frame: Frame) -> None:
    add_site(app, "Other", "https://other.example")
    there = write(app, "There", url="https://other.example/article")
    assert frame.own()["claim"] == ""
    assert frame.claim(there).status_code == 404


def test_nor_without_a_session_of_this_site(
    app: Flask, session: Session, ada: Identity, frame: Frame
) -> None:
    mine = write(app, "Mine")
    before = contents(app)["comment"]
    frame.bearer = "x" * 43
    assert frame.claim(mine).status_code == 403
    elsewhere = session.get_one(Site, add_site(app, "Other", "https://other.example"))
    frame.bearer = frame_session(session, ada, elsewhere)[1]
    assert frame.claim(mine).status_code == 403
    assert contents(app)["comment"] == before


def test_nor_in_a_form_that_was_made_for_another_person(app: Flask, session: Session, site: Site) -> None:
    mine = write(app, "Mine")
    eve = Frame(app, session, person(session, name="Eve", subject="2"), site)
    token = eve.own()["token"]
    ada = Frame(app, session, person(session), site)
    assert ada.claim(mine, token=token).status_code == 409
    assert ada.claim(mine, token="").status_code == 409
    assert stored(session, mine).commenter_id is None


@pytest.mark.parametrize("origin", ["", "null", BLOG])
def test_nor_from_another_page(app: Flask, session: Session, frame: Frame, origin: str) -> None:
    mine = write(app, "Mine")
    assert frame.claim(mine, origin=origin).status_code == 403
    assert stored(session, mine).commenter_id is None


def test_nor_who_is_banned_there(app: Flask, session: Session, ada: Identity, frame: Frame) -> None:
    mine = write(app, "Mine")
    begin_write(session)
    key_hash = session.get_one(Comment, mine).author_key_hash or ""
    session.add(Ban(site_id=1, kind=BanKind.AUTHOR, value=key_hash, label="Anna", reason=""))
    session.commit()
    assert frame.claim(mine).status_code == 403
    assert stored(session, mine).commenter_id is None


@pytest.mark.parametrize("odd", ["", "x", "-1", "9" * 30, "1.5", "\x00"])
def test_an_odd_number_takes_nothing(app: Flask, session: Session, frame: Frame, odd: str) -> None:
    mine = write(app, "Mine")
    assert frame.claim(comment=odd).status_code in {200, 404}
    assert stored(session, mine).commenter_id is None
