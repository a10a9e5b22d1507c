"""A network's hash changes with the month: what is meant to last over the turn does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import ban_list
from commentsvc.domain.moderation import reports
from commentsvc.models import Ban, BanKind, Comment, Report, Status, Thread
from commentsvc.web import access
from commentsvc.web.thread import posting, reporting
from tests.conftest import BASE_URL
from tests.support.guest_client import ARTICLE, JSON, GuestClient, add_site

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
LAST = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
NEXT = datetime(2026, 12, 1, 0, 1, tzinfo=UTC)
LONG_AFTER = datetime(2028, 2, 10, tzinfo=UTC)


class Clock:
    """The time as the doors that know networks have it."""

    def __init__(self) -> None:
        self.now = LAST

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    for module in (access, posting, reporting):
        monkeypatch.setattr(module, "now", clock)
    return clock  # type: ignore[return-value]


def reader_from(app: Flask, address: str) -> GuestClient:
    reader = GuestClient(app)
    reader.client.environ_base["REMOTE_ADDR"] = address
    return reader


def ban_network(app: Flask, comment_id: int, at: datetime) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        comment = session.get_one(Comment, comment_id)
        chosen = [target for target in ban_list.possible_bans(comment) if target.kind is BanKind.NETWORK]
        owner = accounts.operator(session).id
        ban_list.add(session, comment.site_id, chosen, reason="x", until=None, moderator_id=owner, at=at)
        session.commit()


@ENGINES
@pytest.mark.parametrize("banned_at", [LAST, NEXT, LONG_AFTER])
def test_a_network_that_is_banned_for_good_stays_out(app: Flask, clock: Clock, banned_at: datetime) -> None:
    add_site(app)
    number = reader_from(app, "203.0.113.5").posted("Buy this")
    ban_network(app, number, banned_at)
    for at in (NEXT, LONG_AFTER):
        clock.now = at
        refused = reader_from(app, "203.0.113.77").post(f"Buy that in {at:%Y}")
        assert refused.status_code == 403
        assert reader_from(app, "203.0.114.5").post(f"Hello in {at:%Y}").status_code == 200


def test_a_comment_of_the_turn_itself_gives_its_own_month_to_the_ban(
    app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_site(app)
    reader = reader_from(app, "203.0.113.5")
    form = reader.form(token=reader.token())
    examine = posting.comments.examine

    def slowly(*given: object, **more: object) -> object:
        clock.now = NEXT  # midnight comes between the checks and the row
        return examine(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(posting.comments, "examine", slowly)
    answer = reader.send(form)
    assert answer.status_code == 200
    ban_network(app, int((answer.json or {})["id"]), NEXT)
    clock.now = LONG_AFTER
    assert reader_from(app, "203.0.113.77").post("Buy that").status_code == 403


def test_a_site_without_such_a_ban_is_asked_for_no_months(app: Flask) -> None:
    add_site(app)
    results: list[str] = []

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        results.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        GuestClient(app).posted("Hello")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert not [one for one in results if "ban.month" in one]


def report(app: Flask, comment_id: int, address: str, key: str = "") -> TestResponse:
    reader = reader_from(app, address)
    return reader.client.post(
        f"/embed/comments/{comment_id}/report",
        base_url=BASE_URL,
        data={"token": reader.token(), "reason": "spam", "author_key": key, **reader.asked},
        headers={"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin", **JSON},
    )


@ENGINES
@pytest.mark.parametrize("keys", [("", ""), ("k" * 32, "m" * 32)], ids=["no key", "new keys"])
def test_a_network_has_one_voice_about_a_comment_over_the_turn(
    app: Flask, clock: Clock, keys: tuple[str, str]
) -> None:
    add_site(app, reports_to_hold=2)
    number = GuestClient(app).posted("Hello")
    for at, key in zip((LAST, NEXT), keys, strict=True):
        clock.now = at
        assert report(app, number, "203.0.113.5", key).status_code == 200
    with app.app_context(), Session(db.engine) as session:
        assert len(reports.counted_reports(session, number)) == 1
        assert session.get_one(Comment, number).status is Status.APPROVED
        assert len(session.scalars(select(Report)).all()) == len(set(keys))
    assert report(app, number, "198.51.100.5", "n" * 32).status_code == 200
    with app.app_context(), Session(db.engine) as session:
        assert session.get_one(Comment, number).status is Status.HELD


@ENGINES
def test_slow_mode_knows_a_network_over_the_turn(app: Flask, clock: Clock) -> None:
    add_site(app)
    reader_from(app, "203.0.113.5").posted("Hello")
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.scalars(select(Thread)).one().slow_seconds = 3600
        session.commit()
    clock.now = NEXT
    again = reader_from(app, "203.0.113.6").post("Once more")
    assert again.status_code == 429
    assert reader_from(app, "198.51.100.1").post("Somebody else").status_code == 200
    clock.now = NEXT + timedelta(hours=1)
    assert reader_from(app, "203.0.113.6").post("Once more").status_code == 200


def test_a_ban_of_a_typed_network_has_no_month(app: Flask) -> None:
    site_id = add_site(app)
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        target = ban_list.parse_typed(BanKind.NETWORK, "::ffff:127.0.0.1")
        owner = accounts.operator(session).id
        ban_list.add(session, site_id, [target], reason="x", until=None, moderator_id=owner, at=LAST)
        session.commit()
        assert session.scalars(select(Ban.month)).one() is None
    assert GuestClient(app, ARTICLE).post("Hello").status_code == 403
