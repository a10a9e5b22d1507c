"""/metrics: who may read it, what it says, and that a scrape costs the same however many comments there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, text

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain.maintenance import work_rounds
from commentsvc.integrations.prometheus import MetricFamily, exposition
from commentsvc.models import Comment, Delivery, DeliveryKind, DeliveryState, Pressure, Status, now
from tests.conftest import BLOG, dispose, environment
from tests.support.guest_client import GuestClient, add_site
from tests.support.outside_session import outside_session

TOKEN = "a-token-that-nobody-guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
_LABEL = r'[a-z]+="([^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"[a-z_]+(\{{{_LABEL}(,{_LABEL})*\}})? -?[0-9.e+-]+")
_LARGE = r"(comment|delivery|notice)\b"
ALL_ROWS = rf"Seq Scan on {_LARGE}|SCAN {_LARGE}(?! USING INDEX ix_comment_reported)"
BOTH = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The service with a token."""
    app = create_app(replace(settings, metrics_token=TOKEN))
    yield app
    dispose(app)


@pytest.fixture
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database from now on."""
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, values: Any, *_: object) -> None:
        asked.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    yield asked
    event.remove(Engine, "before_cursor_execute", note)


def scrape(app: Flask) -> dict[str, float]:
    """Return the samples of a scrape; a line that is none fails."""
    answer = app.test_client().get("/metrics", headers=BEARER)
    assert answer.status_code == 200, answer.text
    lines = [line for line in answer.text.splitlines() if not line.startswith("# ")]
    assert [line for line in lines if not SAMPLE.fullmatch(line)] == []
    samples = dict(line.rsplit(" ", 1) for line in lines)
    assert len(samples) == len(lines), "a sample occurs twice"
    return {name: float(value) for name, value in samples.items()}


def test_only_who_has_the_token_reads_the_metrics(app: Flask, statements: list[tuple[str, Any]]) -> None:
    for header in (
        "",
        TOKEN,
        "Bearer",
        "Bearer x",
        f"bearer {TOKEN}",
        f"Bearer {TOKEN} ",
        f"Basic {TOKEN}",
        "Bearer é",
    ):
        answer = app.test_client().get("/metrics", headers={"Authorization": header} if header else {})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), header
        assert "commentsvc_" not in answer.text
    assert app.test_client().get(f"/metrics?token={TOKEN}").status_code == 401
    assert statements == []
    answer = app.test_client().get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_token_in_the_settings_there_is_no_such_page(tmp_path: Path) -> None:
    app = create_app(Settings.from_env(environment(tmp_path)))
    for headers in ({}, BEARER, {"Authorization": "Bearer "}):
        assert app.test_client().get("/metrics", headers=headers).status_code == 404
    dispose(app)


def test_a_weak_token_is_refused(tmp_path: Path) -> None:
    for token in ("short", "with a space in the middle", "x" * 201):
        with pytest.raises(Exception, match="COMMENTSVC_METRICS_TOKEN"):
            Settings.from_env(environment(tmp_path, COMMENTSVC_METRICS_TOKEN=token))


@BOTH
def test_a_scrape_says_what_waits_and_what_failed(app: Flask) -> None:
    name = 'Ada\'s "blog" \\ here'
    site_id = add_site(app, name)
    quiet = add_site(app, "Quiet", "https://quiet.example")
    guest = GuestClient(app)
    held, reported = guest.posted("One", name="Ada"), guest.posted("Two", name="Ada")
    at = now()
    with outside_session(app) as session:
        begin_write(session)
        session.get_one(Comment, held).status = Status.HELD
        session.get_one(Comment, held).created_at = at - timedelta(hours=2)
        session.get_one(Comment, reported).status, session.get_one(Comment, reported).reports = (
            Status.APPROVED,
            1,
        )
        session.query(Delivery).delete()
        session.add_all(
            Delivery(site_id=site_id, kind=kind, state=state, next_attempt_at=due, closed_at=closed)
            for kind, state, due, closed in (
                (DeliveryKind.REPLY, DeliveryState.WAITING, at - timedelta(minutes=10), None),
                (DeliveryKind.REPLY, DeliveryState.WAITING, at + timedelta(days=1), None),
                (None, DeliveryState.WAITING, at, None),
                (DeliveryKind.REPLY, DeliveryState.FAILED, None, at - timedelta(minutes=5)),
                (DeliveryKind.REPLY, DeliveryState.SENT, None, at - timedelta(minutes=5)),
                (DeliveryKind.REPLY, DeliveryState.FAILED, None, at - timedelta(hours=2)),
            )
        )
        session.add(Pressure(site_id=site_id, step=2, reason="Too many", hot_at=at, began_at=at))
        session.add(Pressure(site_id=quiet, step=3, reason="Over", hot_at=at, began_at=at, ended_at=at))
        session.commit()
        work_rounds.record(session.get_bind().engine, at=at)
    samples = scrape(app)
    site = 'site="Ada\'s \\"blog\\" \\\\ here"'
    assert samples[f'commentsvc_queue_comments{{{site},list="held"}}'] == 1
    assert samples[f'commentsvc_queue_comments{{{site},list="reported"}}'] == 1
    assert samples['commentsvc_queue_comments{site="Quiet",list="held"}'] == 0
    assert 7200 <= samples[f"commentsvc_queue_oldest_seconds{{{site}}}"] < 7800
    assert samples['commentsvc_queue_oldest_seconds{site="Quiet"}'] == 0
    assert samples['commentsvc_outbox_waiting{kind="reply"}'] == 2
    assert samples['commentsvc_outbox_waiting{kind="other"}'] == 1
    assert 600 <= samples["commentsvc_outbox_late_seconds"] < 1200
    assert samples['commentsvc_outbox_finished{kind="reply",state="failed"}'] == 1
    assert samples['commentsvc_outbox_finished{kind="reply",state="sent"}'] == 1
    assert samples[f"commentsvc_pressure_level{{{site}}}"] == 2
    assert samples['commentsvc_pressure_level{site="Quiet"}'] == 0
    assert samples["commentsvc_background_work_timestamp_seconds"] == pytest.approx(at.timestamp(), abs=1)
    assert samples["commentsvc_database_bytes"] > 100_000
    assert [value for key, value in samples.items() if key.startswith("commentsvc_build_info{version=")] == [
        1
    ]
    assert BLOG not in str(samples)


@BOTH
def test_no_query_of_a_scrape_reads_all_comments(
    app: Flask, engine_name: str, statements: list[tuple[str, Any]]
) -> None:
    add_site(app)
    first = GuestClient(app).posted("One", name="Ada")
    names = [
        one.name for one in Comment.__table__.columns if one.name not in {"id", "status", "receipt_hash"}
    ]
    columns = ", ".join(names)
    explain = "EXPLAIN QUERY PLAN" if engine_name == "sqlite" else "EXPLAIN"
    with outside_session(app) as session:
        begin_write(session)
        session.execute(text("UPDATE comment SET idempotency_key = NULL"))
        for status, count in (("approved", 4000), ("held", 40)):
            numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
            copies = f"INSERT INTO comment (status, {columns}) {numbers} SELECT '{status}', {columns} FROM n, comment"
            session.execute(text(f"{copies} WHERE id = {first}"))
        delivery = "site_id, kind, state, attempts, closed_at, created_at"
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "
        rows = "SELECT 1, 'reply', 'sent', 1, '2020-01-01 00:00:00', '2020-01-01 00:00:00' FROM n"
        session.execute(text(f"INSERT INTO delivery ({delivery}) {numbers} {rows}"))
        session.execute(text("DELETE FROM notice"))
        session.execute(
            text(
                "INSERT INTO notice (comment_id, created_at, done_up_to, done_at)"
                " SELECT id, created_at, '', created_at FROM comment"
            )
        )
        session.commit()
        session.execute(text("ANALYZE"))
        session.commit()
        statements.clear()
        scrape(app)
        asked = [one for one in statements if one[0].startswith("SELECT")]
        assert len(asked) >= 9
        for statement, values in asked:
            plan = "\n".join(
                str(row[-1]) for row in session.connection().exec_driver_sql(f"{explain} {statement}", values)
            )
            assert not re.search(ALL_ROWS, plan), plan


def test_nothing_that_somebody_writes_breaks_a_line() -> None:
    family = MetricFamily("one", "Says\nwhat \\ it is.", [((("site", 'a"\n\\b{},='),), 1.5), ((), 2)])
    assert exposition([family]) == (
        '# HELP one Says\\nwhat \\\\ it is.\n# TYPE one gauge\none{site="a\\"\\n\\\\b{},="} 1.5\none 2\n'
    )
