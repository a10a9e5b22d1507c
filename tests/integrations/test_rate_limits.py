"""Limits: whom they tell apart, where they count, and what happens when counting fails."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.errors import TooManyError
from commentsvc.integrations import rate_limits, signing
from commentsvc.integrations.rate_limits import Counters, Limiter
from commentsvc.models import Ban, BanKind, Policy, Site
from commentsvc.text import markup
from commentsvc.web.context import services_of
from tests.conftest import BASE_URL, dispose, environment
from tests.support.guest_client import JSON, GuestClient, add_site
from tests.support.processes import free_port

SECRET = "a secret of the tests"


@pytest.fixture(params=["memory", "redis"])
def counters(request: pytest.FixtureRequest) -> Counters:
    return Counters("" if request.param == "memory" else request.getfixturevalue("redis_url"), secret=SECRET)


@pytest.fixture
def limited(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Callable[..., Flask]]:
    """Make the application with limits of the test's own; all that a test makes have one database."""
    made: list[Flask] = []
    shutil.copy(migrated_sqlite, tmp_path / "comments.sqlite")

    def make(**limits: str) -> Flask:
        variables = {f"COMMENTSVC_{name}": value for name, value in limits.items()}
        made.append(create_app(Settings.from_env(environment(tmp_path, **variables))))
        return made[-1]

    yield make
    for app in made:
        dispose(app)


def reader_from(
    app: Flask, address: str, url: str = "https://blog.example/article", **forwarded: str
) -> GuestClient:
    reader = GuestClient(app, url)
    reader.client.environ_base["REMOTE_ADDR"] = address
    for name, value in forwarded.items():
        reader.client.environ_base[f"HTTP_{name}"] = value
    return reader


def test_one_too_many_is_told_when_to_come_back(counters: Counters) -> None:
    limit = counters.limiter("posts", "2/minute;5/hour")
    for _ in range(2):
        limit.hit("anna")
    with pytest.raises(TooManyError) as caught:
        limit.hit("anna")
    assert 50 < caught.value.retry_after <= 60
    limit.hit("ben")


def test_limits_of_other_names_count_apart(counters: Counters) -> None:
    for name in ("person", "thread"):
        counters.limiter(name, "1/hour").hit("7")
    with pytest.raises(TooManyError):
        counters.limiter("person", "1/hour").hit("7")


def test_processes_count_together_in_redis(redis_url: str, limited: Callable[..., Flask]) -> None:
    here, there = (limited(POST_LIMIT="3/hour", REDIS_URL=redis_url) for _ in range(2))
    add_site(here)
    answers = [GuestClient(app).post(f"Number {n}") for n, app in enumerate((here, there, here, there))]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


def test_redis_learns_nobodys_address(redis_url: str, redis_server: Any) -> None:
    Counters(redis_url, secret=SECRET).limiter("network", "2/hour").hit("203.0.113.0/24")
    (key,) = redis_server.keys()
    assert key.startswith(b"commentsvc:")
    assert b"203.0.113" not in key
    assert 0 < redis_server.ttl(key) <= 2 * 3600


def test_without_redis_everybody_is_let_through_and_the_log_says_so_once(
    limited: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = f"redis://:pass-word@127.0.0.1:{free_port()}/0"
    app = limited(POST_LIMIT="1/hour", REDIS_URL=nowhere, LOG_LEVEL="WARNING")
    add_site(app)
    reader = GuestClient(app)
    assert [reader.post(f"Number {n}").status_code for n in range(3)] == [200] * 3
    sentence = capsys.readouterr().err
    assert (
        sentence.count("WARNING commentsvc.integrations.rate_limits: rate limits failed, nothing is limited")
        == 1
    )
    assert len(sentence.splitlines()) <= 2, "and one of the messenger's"
    assert "pass-word" not in sentence


def test_a_redis_that_comes_back_is_asked_again(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counters = Counters(redis_url, secret=SECRET)
    limit = counters.limiter("posts", "1/hour")
    with monkeypatch.context() as away:
        away.setattr(counters._strategy, "hit", lambda *_: 1 / 0)
        limit.hit("anna")
    limit.hit("anna")
    later = time.monotonic() + rate_limits.REST
    monkeypatch.setattr(rate_limits.time, "monotonic", lambda: later)
    limit.hit("anna")
    with pytest.raises(TooManyError):
        limit.hit("anna")


def test_guests_are_limited_by_browser_wherever_they_are(limited: Callable[..., Flask]) -> None:
    app = limited(PERSON_LIMIT="2/hour")
    add_site(app)
    statuses = [
        reader_from(app, f"203.0.{n}.1").post(f"Number {n}", author_key="k" * 32).status_code
        for n in range(3)
    ]
    assert statuses == [200, 200, 429]
    assert reader_from(app, "203.0.3.1").post("Mine", author_key="m" * 32).status_code == 200
    assert [reader_from(app, "203.0.3.1").post(f"No key {n}").status_code for n in range(3)] == [200] * 3


def test_a_thread_is_limited_for_all_and_its_neighbour_is_not(limited: Callable[..., Flask]) -> None:
    app = limited(THREAD_LIMIT="2/hour")
    add_site(app)
    statuses = [reader_from(app, f"203.0.{n}.1").post(f"Number {n}").status_code for n in range(3)]
    assert statuses == [200, 200, 429]
    assert reader_from(app, "203.0.2.1", "https://blog.example/another").post("Here").status_code == 200


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("203.0.113.1", "203.0.113.254", True),
        ("203.0.113.1", "203.0.114.1", False),
        ("2001:db8:1::1", "2001:db8:1:ffff::2", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
    ],
)
def test_a_network_is_limited_as_one(
    limited: Callable[..., Flask], one: str, other: str, together: bool
) -> None:
    app = limited(POST_LIMIT="1/hour")
    add_site(app)
    assert reader_from(app, one).post("First").status_code == 200
    assert reader_from(app, other).post("Second").status_code == (429 if together else 200)


@pytest.mark.parametrize(("trusted", "second"), [("", 429), ("192.0.2.0/24", 200)])
def test_a_forwarded_address_counts_only_from_a_trusted_proxy(
    limited: Callable[..., Flask], trusted: str, second: int
) -> None:
    app = limited(POST_LIMIT="1/hour", TRUSTED_PROXIES=trusted)
    add_site(app)
    behind = [
        reader_from(app, "192.0.2.1", X_FORWARDED_FOR=address) for address in ("203.0.113.1", "198.51.100.1")
    ]
    assert behind[0].post("First").status_code == 200
    assert behind[1].post("Second").status_code == second


def preview(app: Flask, address: str, text: str = "Words") -> TestResponse:
    return app.test_client().post(
        "/embed/preview",
        base_url=BASE_URL,
        data={"text": text},
        headers={"Origin": BASE_URL, **JSON},
        environ_base={"REMOTE_ADDR": address},
    )


def test_a_network_that_previews_too_much_is_told_so(limited: Callable[..., Flask]) -> None:
    app = limited()
    services_of(app).limiters["previews"] = Limiter("2/hour")
    answers = [preview(app, f"203.0.113.{n}") for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 3000 < int(answers[2].headers["Retry-After"]) <= 3600
    assert answers[2].json == {"message": "That was a lot in a short time. Please try again in 60 minutes."}
    assert preview(app, "203.0.114.1").status_code == 200


def test_what_is_refused_for_a_fault_takes_no_turn(limited: Callable[..., Flask]) -> None:
    app = limited(POST_LIMIT="1/hour")
    services_of(app).limiters["previews"] = Limiter("1/hour")
    add_site(app)
    reader = reader_from(app, "203.0.113.1")
    for fault in ({"text": ""}, {"text": "x" * 10_001}, {"email": "anna"}):
        assert reader.send(reader.form(token=reader.token(), **fault)).status_code == 422
    assert reader.post("Hello").status_code == 200
    for text in ("", "x" * 10_001):
        assert preview(app, "203.0.113.1", text).status_code == 422
    assert preview(app, "203.0.113.1").status_code == 200


def test_nothing_is_rendered_for_somebody_beyond_a_limit(
    limited: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = limited(POST_LIMIT="2/hour")
    services_of(app).limiters["previews"] = Limiter("1/hour")
    add_site(app)
    rendered: list[str] = []
    render = markup.render_markdown
    monkeypatch.setattr(markup, "render_markdown", lambda text: rendered.append(text) or render(text))  # type: ignore[func-returns-value]
    reader = reader_from(app, "203.0.113.1")
    assert [reader.post(text).status_code for text in ("One", "&#8203;", "Two")] == [200, 422, 429]
    assert [preview(app, "203.0.113.1", text).status_code for text in ("Three", "Four")] == [200, 429]
    assert rendered == ["One", "&#8203;", "Three"]


REFUSED = {
    "a duplicate": {"text": "First"},
    "an invalid field": {"email": "anna"},
    "an empty text": {"text": ""},
    "a stale form": {"token": "old"},
    "an answer to nothing": {"parent": "4711"},
    "a text that shows nothing": {"text": "&#8203;"},
}
"""Posts that are refused, as the fields that differ."""


@pytest.mark.parametrize("store", ["memory", "redis"])
def test_what_is_refused_takes_no_turn_of_the_thread(
    limited: Callable[..., Flask], store: str, request: pytest.FixtureRequest
) -> None:
    more = {"REDIS_URL": request.getfixturevalue("redis_url")} if store == "redis" else {}
    app = limited(THREAD_LIMIT="2/minute;2/hour", **more)
    add_site(app)
    assert reader_from(app, "203.0.1.1").post("First").status_code == 200
    for number, (kind, fields) in enumerate(REFUSED.items()):
        answer = reader_from(app, f"198.51.{number}.1").post(**{"text": f"Refused {number}", **fields})
        assert 400 <= answer.status_code < 500, kind
        assert answer.status_code != 429, kind
    for number in range(4):
        assert preview(app, f"198.51.{100 + number}.1").status_code == 200
    assert reader_from(app, "203.0.2.1").post("Second").status_code == 200
    refused = reader_from(app, "203.0.3.1").post("Third")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 3600


def test_nobody_who_is_banned_or_comes_too_late_takes_a_turn_of_the_thread(
    limited: Callable[..., Flask],
) -> None:
    app = limited(THREAD_LIMIT="1/hour")
    site_id = add_site(app)
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.add(
            Ban(site_id=site_id, kind=BanKind.NETWORK, value="198.51.100.0/24", label="x", reason="x")
        )
        session.commit()
    assert [reader_from(app, "198.51.100.1").post(f"Buy {n}").status_code for n in range(3)] == [403] * 3
    set_policy(app, Policy.CLOSED)
    assert reader_from(app, "203.0.1.1").post("Too late").status_code == 403
    set_policy(app, Policy.OPEN)
    assert reader_from(app, "203.0.2.1").post("Hello").status_code == 200


def set_policy(app: Flask, policy: Policy) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.scalars(select(Site)).one().policy = policy
        session.commit()


def test_a_form_that_comes_again_is_answered_as_before_and_takes_one_turn(
    limited: Callable[..., Flask],
) -> None:
    app = limited(THREAD_LIMIT="2/hour")
    add_site(app)
    reader = reader_from(app, "203.0.1.1")
    numbers = {reader.posted("Hello", key="a-key-of-its-own") for _ in range(3)}
    assert len(numbers) == 1
    assert reader_from(app, "203.0.2.1").post("Second").status_code == 200
    assert reader_from(app, "203.0.3.1").post("Third").status_code == 429
    assert reader.posted("Hello", key="a-key-of-its-own") in numbers, "though the thread is full"
    assert reader.post("Other words", key="another-key").status_code == 429


def test_what_a_person_tries_beyond_their_limit_keeps_nobody_of_their_network_out(
    limited: Callable[..., Flask],
) -> None:
    app = limited(POST_LIMIT="5/hour", PERSON_LIMIT="2/hour")
    add_site(app)
    busy = reader_from(app, "203.0.1.1")
    statuses = [busy.post(f"Number {n}", author_key="k" * 32).status_code for n in range(12)]
    assert statuses == [200, 200] + [429] * 10
    assert reader_from(app, "203.0.1.2").post("Mine", author_key="m" * 32).status_code == 200


def test_posts_that_are_refused_still_use_up_their_senders_own_limits(limited: Callable[..., Flask]) -> None:
    app = limited(POST_LIMIT="3/hour")
    add_site(app)
    sender = reader_from(app, "203.0.1.1")
    assert sender.post("Hello").status_code == 200
    assert [sender.post("Hello").status_code for _ in range(3)] == [409, 409, 429]


def test_a_refusal_for_a_minute_uses_up_nothing_of_the_hour(counters: Counters) -> None:
    limit = counters.limiter("posts", "5/hour;2/minute")
    for _ in range(2):
        limit.hit("anna")
    for _ in range(10):
        with pytest.raises(TooManyError) as caught:
            limit.hit("anna")
        assert caught.value.retry_after <= 60
    key = signing.keyed_hash(SECRET, "limit posts", "anna")
    assert counters._strategy.get_window_stats(limit.items[-1], "posts", key).remaining == 3


def test_asking_for_room_counts_nothing(counters: Counters) -> None:
    limit = counters.limiter("posts", "1/hour")
    for _ in range(3):
        limit.require_room("anna")
    limit.count("anna")
    with pytest.raises(TooManyError):
        limit.require_room("anna")
    limit.count("anna")  # what has happened raises nothing


@pytest.mark.parametrize("store", ["memory", "redis"])
def test_those_who_post_at_once_go_beyond_a_threads_limit_by_no_more_than_they_are(
    limited: Callable[..., Flask], store: str, request: pytest.FixtureRequest
) -> None:
    more = {"REDIS_URL": request.getfixturevalue("redis_url")} if store == "redis" else {}
    app = limited(THREAD_LIMIT="3/hour", **more)
    add_site(app)
    readers = [reader_from(app, f"203.0.{number}.1") for number in range(16)]
    forms = [reader.form(f"Number {n}", token=reader.token()) for n, reader in enumerate(readers)]
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(reader.send, form) for reader, form in zip(readers, forms, strict=True)]
        statuses = [one.result().status_code for one in sent]
    assert set(statuses) == {200, 429}
    assert 3 <= statuses.count(200) <= 3 + 4
