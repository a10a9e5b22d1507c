"""Limits: whom they tell apart, where they count, and what happens when counting fails."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import BASE_URL, dispose, environment
from flask import Flask
from guest import JSON, Reader, add_site
from processes import free_port
from werkzeug.test import TestResponse

from commentsvc import create_app
from commentsvc.adapters import limits, markup
from commentsvc.adapters.limits import Counters, Limiter
from commentsvc.config import Settings
from commentsvc.errors import TooManyError

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
) -> Reader:
    reader = Reader(app, url)
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
    answers = [Reader(app).post(f"Number {n}") for n, app in enumerate((here, there, here, there))]
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
    reader = Reader(app)
    assert [reader.post(f"Number {n}").status_code for n in range(3)] == [200] * 3
    said = capsys.readouterr().err
    assert said.count("WARNING commentsvc.adapters.limits: counting failed, nothing is limited") == 1
    assert len(said.splitlines()) <= 2, "and one of the messenger's"
    assert "pass-word" not in said


def test_a_redis_that_comes_back_is_asked_again(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counters = Counters(redis_url, secret=SECRET)
    limit = counters.limiter("posts", "1/hour")
    with monkeypatch.context() as away:
        away.setattr(counters._strategy, "hit", lambda *_: 1 / 0)
        limit.hit("anna")
    limit.hit("anna")
    later = time.monotonic() + limits.REST
    monkeypatch.setattr(limits.time, "monotonic", lambda: later)
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
    app.extensions["commentsvc.preview_limiter"] = Limiter("2/hour")
    answers = [preview(app, f"203.0.113.{n}") for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 3000 < int(answers[2].headers["Retry-After"]) <= 3600
    assert answers[2].json == {"message": "That was a lot in a short time. Please try again in 60 minutes."}
    assert preview(app, "203.0.114.1").status_code == 200


def test_what_is_refused_for_a_fault_takes_no_turn(limited: Callable[..., Flask]) -> None:
    app = limited(POST_LIMIT="1/hour")
    app.extensions["commentsvc.preview_limiter"] = Limiter("1/hour")
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
    app.extensions["commentsvc.preview_limiter"] = Limiter("1/hour")
    add_site(app)
    rendered: list[str] = []
    render = markup.render_markdown
    monkeypatch.setattr(markup, "render_markdown", lambda text: rendered.append(text) or render(text))  # type: ignore[func-returns-value]
    reader = reader_from(app, "203.0.113.1")
    assert [reader.post(text).status_code for text in ("One", "[]()", "Two")] == [200, 422, 429]
    assert [preview(app, "203.0.113.1", text).status_code for text in ("Three", "Four")] == [200, 429]
    assert rendered == ["One", "[]()", "Three"]
