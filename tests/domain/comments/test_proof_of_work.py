"""The work a browser does under pressure: taken once, for one comment in one thread, and of no other making."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count, islice
from typing import Any
from unittest.mock import patch

import pytest
from flask import Flask
from itsdangerous import TimestampSigner
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.comments import proof_of_work
from commentsvc.domain.surge.episodes import CALM, SurgeStep
from commentsvc.integrations import signing
from commentsvc.models import Comment, Pressure, Status, now
from tests.conftest import SECRET
from tests.support.guest_client import GuestClient, add_site


@pytest.fixture(autouse=True)
def easy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python takes longer than a browser; tests ask for less."""
    monkeypatch.setattr(proof_of_work, "BITS", 8)


def fits(seed: str, key: str, number: int, bits: int) -> bool:
    """Whether a number is one of those that are looked for."""
    challenge = hashlib.sha256(f"{seed}~{key}".encode()).hexdigest()
    return not int.from_bytes(hashlib.sha256(f"{challenge}{number}".encode()).digest()) >> (256 - bits)


def solve(asked: dict[str, Any], key: str) -> str:
    """What frame/work.js does."""
    result = (number for number in count() if fits(asked["seed"], key, number, asked["bits"]))
    return f"{asked['seed']}~{','.join(map(str, islice(result, asked['parts'])))}"


def unfit(seed: str, after: str) -> str:
    """The next number that is not looked for."""
    return next(
        str(number) for number in count(int(after) + 1) if not fits(seed, "k1", number, proof_of_work.BITS)
    )


@pytest.fixture
def site_id(app: Flask) -> int:
    return add_site(app)


def press(app: Flask, site_id: int, step: SurgeStep, *, ago: timedelta = timedelta(0)) -> None:
    at = now() - ago
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.add(Pressure(site_id=site_id, step=step, reason="Many came.", began_at=at, hot_at=at))
        session.commit()


@pytest.fixture
def reader(app: Flask, site_id: int) -> GuestClient:
    """A reader of a site where browsers have to work."""
    press(app, site_id, SurgeStep.WORK)
    return GuestClient(app)


def stored(app: Flask) -> list[tuple[str, Status]]:
    with app.app_context(), Session(db.engine) as session:
        return [(row.source, row.status) for row in session.scalars(select(Comment).order_by(Comment.id))]


def plain(reader: GuestClient, text: str = "Hello", **fields: Any) -> Any:
    return reader.post(text, website="", **fields)


class TestAsking:
    def test_only_while_it_helps(self, app: Flask, site_id: int) -> None:
        reader = GuestClient(app)
        assert reader.own()["work"] is None
        for step, asked in ((SurgeStep.LINKS, False), (SurgeStep.WORK, True), (SurgeStep.ALL, False)):
            with app.app_context(), Session(db.engine) as session:
                begin_write(session)
                session.query(Pressure).delete()
                session.commit()
            press(app, site_id, step)
            assert (reader.own()["work"] is not None) is asked, step

    def test_it_ends_by_the_clock(self, app: Flask, site_id: int) -> None:
        press(app, site_id, SurgeStep.WORK, ago=CALM)
        reader = GuestClient(app)
        assert reader.own()["work"] is None
        assert plain(reader).status_code == 200

    def test_a_script_that_did_not_know_is_told_and_nothing_is_stored(
        self, app: Flask, reader: GuestClient
    ) -> None:
        answer = plain(reader, key="k1")
        assert answer.status_code == 428
        asked = (answer.json or {})["work"]
        assert set(asked) == {"seed", "bits", "parts"}
        assert stored(app) == []
        again = plain(reader, key="k1", work=solve(asked, "k1"))
        assert (again.status_code, (again.json or {})["held"]) == (200, False)

    def test_nobody_without_script_is_refused(self, app: Flask, reader: GuestClient) -> None:
        answer = plain(reader, door="/thread", json=False)
        assert answer.status_code == 303
        assert "receipt=" in answer.location
        assert stored(app) == [("Hello", Status.HELD)]

    def test_a_browser_that_cannot_goes_to_the_queue(self, app: Flask, reader: GuestClient) -> None:
        answer = plain(reader, key="k1", work=proof_of_work.NONE)
        assert (answer.status_code, (answer.json or {})["held"]) == (200, True)


class TestTaking:
    def test_work_that_was_asked_for(self, app: Flask, reader: GuestClient) -> None:
        given = solve(reader.own()["work"], "k1")
        assert plain(reader, key="k1", work=given).status_code == 200
        assert stored(app) == [("Hello", Status.APPROVED)]

    def test_once_only(self, app: Flask, reader: GuestClient) -> None:
        given = solve(reader.own()["work"], "k1")
        first = plain(reader, "First", key="k1", work=given)
        again = plain(reader, "Second", key="k1", work=given)
        assert (again.json or {})["id"] == (first.json or {})["id"]
        assert plain(reader, "Second", key="k2", work=given).status_code == 428
        assert plain(reader, "Second", key="", work=given).status_code == 428
        assert stored(app) == [("First", Status.APPROVED)]

    def test_not_of_another_thread(self, app: Flask, reader: GuestClient) -> None:
        other = GuestClient(app, "https://blog.example/other")
        assert plain(reader, key="k1", work=solve(other.own()["work"], "k1")).status_code == 428
        by_id = GuestClient(app, id="another")
        assert plain(reader, key="k1", work=solve(by_id.own()["work"], "k1")).status_code == 428

    def test_not_of_another_site(self, app: Flask, reader: GuestClient) -> None:
        press(app, add_site(app, "Other", "https://other.example"), SurgeStep.WORK)
        other = GuestClient(app, "https://other.example/article")
        assert plain(reader, key="k1", work=solve(other.own()["work"], "k1")).status_code == 428

    def test_not_with_a_seed_of_ones_own(self, reader: GuestClient) -> None:
        asked = reader.own()["work"]
        value = (signing.unsign(SECRET, "work", asked["seed"], max_age=60) or ("",))[0]
        for seed in (
            "x" * 40,
            signing.sign("another secret", "work", value),
            signing.sign(SECRET, "form", value),
            str(reader.own()["token"]),
            asked["seed"][:-1] + ("a" if asked["seed"][-1] != "a" else "b"),
        ):
            assert plain(reader, key="k1", work=solve({**asked, "seed": seed}, "k1")).status_code == 428

    def test_not_with_an_old_seed(self, reader: GuestClient) -> None:
        with patch.object(
            TimestampSigner, "get_timestamp", return_value=int(time.time() - proof_of_work.LIFE - 2)
        ):
            asked = reader.own()["work"]
        assert plain(reader, key="k1", work=solve(asked, "k1")).status_code == 428

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda seed, numbers: f"{seed}~{','.join([numbers[0]] * len(numbers))}",
            lambda seed, numbers: f"{seed}~{','.join(reversed(numbers))}",
            lambda seed, numbers: f"{seed}~{','.join(numbers[:-1])}",
            lambda seed, numbers: f"{seed}~{','.join([*numbers[:-1], unfit(seed, numbers[-1])])}",
            lambda seed, numbers: f"{seed}~{','.join(['٣', *numbers[1:]])}",
            lambda seed, _: seed,
            lambda *_: "~" * 300,
            lambda *_: "9" * 200_000,
            lambda *_: "\0",
        ],
    )  # fmt: skip
    def test_not_with_other_numbers(
        self, reader: GuestClient, spoil: Callable[[str, list[str]], str]
    ) -> None:
        seed, _, numbers = solve(reader.own()["work"], "k1").partition("~")
        assert plain(reader, key="k1", work=spoil(seed, numbers.split(","))).status_code == 428

    def test_it_opens_no_other_door(self, app: Flask, reader: GuestClient) -> None:
        answer = plain(reader, "See https://a.example/", key="k1", work=solve(reader.own()["work"], "k1"))
        assert (answer.json or {})["held"] is True
        assert plain(reader, subject="x", key="k2").status_code == 200
        assert [status for _, status in stored(app)] == [Status.HELD, Status.SPAM]
