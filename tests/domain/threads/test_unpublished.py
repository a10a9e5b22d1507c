"""A thread of which nothing is public looks, to everybody, like one that is not there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write, db
from commentsvc.domain.moderation import decisions
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Kind, Policy, Site, Status, Thread
from tests.conftest import BASE_URL, BLOG
from tests.support import wxr
from tests.support.guest_client import GuestClient, add_site
from tests.support.member_client import enter, person
from tests.support.outside_session import outside_session

SECRET = "Why we let Ben go"
HELD, NONE = f"{BLOG}/?p=16", f"{BLOG}/?p=61"
ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
_TOKEN = re.compile(r'(name="token" value="|"token":\s*")[^"]+|("visit":\s*)\[[\d, ]*\]')


@pytest.fixture
def site_id(app: Flask) -> int:
    """A site with a thread in which one comment waits."""
    site_id = add_site(app, policy=Policy.HOLD_ALL)
    GuestClient(app, HELD).posted("Really?", title=SECRET)
    with app.app_context(), Session(db.engine) as session:
        assert session.scalars(select(Thread.title)).all() == [SECRET]
    return site_id


def told(answer: TestResponse, url: str) -> tuple[Any, ...]:
    """All that an answer says, but for the number in the address that was asked for, tokens and the time."""
    number = url.rpartition("=")[2]
    body = _TOKEN.sub(r"\1\2…", answer.text).replace(f"p={number}", "p=N").replace(f"p%3D{number}", "p%3DN")
    headers = sorted(
        (key, value) for key, value in answer.headers if key not in {"Content-Length", "Date", "ETag"}
    )
    return answer.status, headers, body


QUESTIONS = [
    (path, more)
    for path in ("/embed", "/thread")
    for more in (
        {},
        {"order": "newest"},
        {"after": "0-1"},
        {"after": "damaged"},
        {"after": "9" * 17 + "-1"},
        {"fragment": "1"},
        {"after": "0-1", "fragment": "1"},
        {"comment": "1"},
        {"reply": "1"},
        {"replies": "1"},
        {"replies": "1", "fragment": "1"},
    )
] + [("/embed/own", {}), ("/counts", {})]


@ENGINES
@pytest.mark.parametrize(("path", "more"), QUESTIONS, ids=str)
def test_every_answer_is_that_of_a_thread_that_is_not_there(
    app: Flask, site_id: int, path: str, more: dict[str, str]
) -> None:
    answers = [told(GuestClient(app, url).get(path, **more), url) for url in (HELD, NONE)]
    assert answers[0] == answers[1]
    assert SECRET not in str(answers[0])


@ENGINES
@pytest.mark.parametrize("status", [Status.HELD, Status.SPAM, Status.TRASH])
def test_a_thread_that_lost_its_last_public_comment_hides_its_title_again(
    app: Flask, site_id: int, status: Status
) -> None:
    for wanted in (Status.APPROVED, status):
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            decisions.decide(session, session.scalars(select(Comment)).one(), wanted)
            session.commit()
        shown = SECRET in GuestClient(app, HELD).get("/thread").text
        assert shown is (wanted is Status.APPROVED)
    assert told(GuestClient(app, HELD).get("/thread"), HELD) == told(
        GuestClient(app, NONE).get("/thread"), NONE
    )


def test_the_address_of_a_held_comment_is_that_of_one_that_is_not_there(app: Flask, site_id: int) -> None:
    held, none = (app.test_client().get(f"/comment/{number}", base_url=BASE_URL) for number in (1, 4711))
    assert (held.status, held.text) == (none.status, none.text)
    assert "Location" not in held.headers


def test_a_refused_comment_says_no_more(app: Flask, site_id: int) -> None:
    for door in ("/embed", "/thread"):
        for fields in ({"text": ""}, {"parent": "1"}):
            answers = [
                told(GuestClient(app, url).post(door=door, json=False, **{"text": "Hello", **fields}), url)
                for url in (HELD, NONE)
            ]
            assert answers[0] == answers[1]
            assert SECRET not in str(answers)


def test_who_wrote_what_is_held_there_learns_no_title(app: Flask, site_id: int) -> None:
    with outside_session(app) as session:
        begin_write(session)
        member = person(session)
        begin_write(session)
        session.scalars(select(Comment)).one().commenter_id = member.commenter_id
        session.commit()
        begin_write(session)
        visitor = enter(app, session, member, session.get_one(Site, site_id))
        for path in ("/account", "/account/data.json"):
            page = visitor.page(path)
            assert "Really?" in page
            assert SECRET not in page
        begin_write(session)
        decisions.decide(session, session.scalars(select(Comment)).one(), Status.APPROVED)
        session.commit()
        for path in ("/account", "/account/data.json"):
            assert SECRET in visitor.page(path)


def test_what_another_website_mentioned_makes_the_title_public(app: Flask, site_id: int) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        comment = session.scalars(select(Comment)).one()
        comment.kind = Kind.PINGBACK
        session.flush()
        decisions.decide(session, comment, Status.APPROVED)
        session.commit()
    page = GuestClient(app, HELD).get("/thread").text
    assert "Mentioned elsewhere" in page
    assert SECRET in page


@pytest.mark.parametrize(
    "hidden",
    [
        {"status": "draft"},
        {"status": "private"},
        {"status": "future"},
        {"status": "pending"},
        {"post_password": "x"},
    ],
    ids=str,
)
def test_an_import_leaves_the_title_of_a_hidden_article_where_it_is(
    session: Session, site: Site, hidden: dict[str, str]
) -> None:
    wxr.load(session, site, wxr.item(wxr.comment(), link=HELD, title=SECRET, **hidden))
    thread = threads.find(session, threads.address_on(site, HELD))
    assert thread is not None
    assert thread.title is None
    begin_write(session)
    decisions.decide(session, session.scalars(select(Comment)).one(), Status.APPROVED)
    session.commit()
    assert session.scalars(select(Thread.title)).all() == [None]
