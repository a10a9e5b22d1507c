"""Members ask for mail: they confirm an address once, find it in their export, and take it along when they go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin.author_ref import AuthorKind, AuthorRef
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import guest_claims
from commentsvc.domain.fields import Guest
from commentsvc.domain.maintenance import erasure, personal_export
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.notifications import suppression
from commentsvc.domain.sites import sites
from commentsvc.domain.subscriptions import fan_out
from commentsvc.models import (
    Comment,
    Delivery,
    Policy,
    Site,
    Subscription,
    Suppression,
    SuppressionReason,
    now,
)
from tests.conftest import BASE_URL, BLOG
from tests.support.guest_client import GuestClient
from tests.support.member_client import MemberClient, enter, person
from tests.support.subscribers import Postman, link, postman, press, subscribe

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
ADA = "ada@mail.example"


@pytest.fixture
def post(app: Flask) -> Iterator[Postman]:
    with postman(app) as one:
        yield one


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session outside any application context."""
    with app.app_context():
        engine = db.engine
    with Session(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def site(session: Session, post: Postman) -> Site:
    begin_write(session)
    site = sites.add(session, "Blog", [BLOG], owner_id=accounts.operator(session).id)
    site.policy = Policy.OPEN
    session.commit()
    return site


@pytest.fixture
def member(app: Flask, session: Session, site: Site) -> MemberClient:
    return enter(app, session, person(session), site)


def comment(member: MemberClient, article: str, **fields: str) -> tuple[int, str]:
    """Post on the thread's own page with the box ticked; return the status and the words of the answer."""
    url = f"{BLOG}/{article}"
    html = member.page(f"/thread?url={quote(url)}")
    hidden = dict(re.findall(r'<input type="hidden" name="(token|csrf_token)" value="([^"]*)"', html))
    data = {"url": url, "text": f"About {article}", "identity": "member", "notify": "1", **hidden, **fields}
    answer = member.visitor.post("/thread/comments", data, token=None)
    return answer.status_code, answer.text


@ENGINES
def test_an_address_is_confirmed_once_for_the_account(
    app: Flask, post: Postman, site: Site, member: MemberClient
) -> None:
    status, words = comment(member, "one")
    assert status == 422
    assert "Please enter your email address here" in words
    assert comment(member, "one", notify_email=ADA)[0] == 303
    (asking,) = post.work()
    shown = app.test_client().get(link(asking, "confirm"), base_url=BASE_URL).text
    assert "Confirm only if the account is yours." in shown  # the owner of the address may be somebody else
    assert press(app, link(asking, "confirm")).status_code == 200
    assert comment(member, "two")[0] == 303  # without an address: the confirmed one
    assert post.work() == []
    assert [row.is_active for row in post.rows()] == [True, True]
    assert comment(member, "three", notify_email="other@mail.example")[0] == 303
    assert [mail["To"] for mail in post.work()] == ["other@mail.example"]
    assert ADA in member.page("/account/settings")


def test_a_guest_who_types_the_address_gets_nothing_from_that(
    app: Flask, post: Postman, site: Site, member: MemberClient
) -> None:
    comment(member, "one", notify_email=ADA)
    (asking,) = post.work()
    press(app, link(asking, "confirm"))
    GuestClient(app, f"{BLOG}/two").posted("As if I were Ada", email=ADA, notify="1")
    assert [row.is_active for row in post.rows()] == [True, False]


@ENGINES
@pytest.mark.parametrize("first", ["guest", "member"])
@pytest.mark.parametrize("article", ["one", "two"])
def test_a_member_gets_no_hold_of_an_address_that_somebody_else_confirms(
    app: Flask, post: Postman, site: Site, member: MemberClient, first: str, article: str
) -> None:
    def ask_as_member() -> None:
        assert comment(member, article, notify_email=ADA)[0] == 303

    if first == "member" and article == "one":
        ask_as_member()
    GuestClient(app, f"{BLOG}/one").posted("I am Ada", email=ADA, notify="1")
    if first == "guest" or article == "two":
        ask_as_member()
    (asking,) = post.work()
    page = press(app, link(asking, "confirm"), shown=max(row.id for row in post.rows()))
    assert page.status_code == 200
    assert ADA not in member.page("/account/settings")
    assert [row.commenter_id for row in post.rows() if row.is_active] == [None]
    assert comment(member, "three", notify_email=ADA)[0] == 303
    assert not post.rows()[-1].is_active


@ENGINES
def test_answers_are_mailed_to_a_guest_who_has_put_the_comment_under_an_account(
    app: Flask, post: Postman, session: Session, site: Site, member: MemberClient
) -> None:
    number = subscribe(app, post, ADA, "replies", author_key="a" * 48)
    begin_write(session)
    author = Author(Guest(), commenter_id=member.commenter_id)
    guest_claims.claim(session, session.get_one(Comment, number), author, at=now())
    session.commit()
    GuestClient(app).posted("An answer", name="Ben", email="ben@mail.example", parent=str(number))
    assert [mail["To"] for mail in post.work(now() + fan_out.DELAY)] == [ADA]


@ENGINES
def test_the_export_has_it_and_the_erasure_takes_it(
    app: Flask, post: Postman, session: Session, site: Site, member: MemberClient
) -> None:
    comment(member, "one", notify_email=ADA)
    (asking,) = post.work()
    press(app, link(asking, "confirm"))
    _suppress(session, post.rows()[0].address_hash)
    data = personal_export.person(session, member.commenter_id, at=now())
    (entry,) = data["mail"]
    assert (entry["address"], entry["about"], entry["article"]) == (ADA, "thread", f"{BLOG}/one")
    assert entry["confirmed_at"]
    assert [one["reason"] for one in data["mail_not_sent"]] == ["asked"]
    GuestClient(app, f"{BLOG}/one").posted("An answer")
    post.work()  # its delivery waits
    erasure.erase(session, member.commenter_id, Texts.REMOVE)
    assert _left(session) == [0, 0, 0]


@ENGINES
def test_erasing_a_guest_by_address_takes_it(app: Flask, post: Postman, session: Session, site: Site) -> None:
    subscribe(app, post, ADA)
    _suppress(session, post.rows()[0].address_hash)
    erasure.erase_guest(session, AuthorRef(AuthorKind.EMAIL, ADA.upper()))
    assert _left(session) == [0, 0, 0]


def _suppress(session: Session, address_hash: str) -> None:
    begin_write(session)
    suppression.suppress(session, address_hash, SuppressionReason.ASKED, at=now())
    session.commit()


def _left(session: Session) -> list[int]:
    session.rollback()
    theirs = select(func.count()).where(Delivery.recipient_hash.is_not(None))
    counts = [select(func.count(Subscription.id)), select(func.count(Suppression.id)), theirs]
    return [session.scalar(query) or 0 for query in counts]
