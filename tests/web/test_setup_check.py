"""What the service tells the doctor, and that it tells nobody else anything."""

from __future__ import annotations

import secrets
from dataclasses import fields
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc import installed_code
from commentsvc.config import Settings
from commentsvc.db.session import db
from commentsvc.domain.maintenance import setup_check
from commentsvc.domain.maintenance.setup_check import SetupAnswer
from commentsvc.integrations import signing
from commentsvc.models import now
from commentsvc.web import setup_check as view
from commentsvc.web.context import services_of
from tests.conftest import SECRET, environment


def ask(
    app: Flask, settings: Settings, token: str, nonce: str, peer: str = "127.0.0.1", **headers: str
) -> TestResponse:
    data = setup_check.hashes(settings, installed_code.fingerprint(), nonce)
    return app.test_client().post(
        "/doctor", data=data, headers={view.HEADER: token, **headers}, environ_base={"REMOTE_ADDR": peer}
    )


def answer_of(app: Flask, settings: Settings, **more: str) -> SetupAnswer:
    nonce, token = setup_check.new_question(SECRET)
    answer = SetupAnswer.read(SECRET, nonce, ask(app, settings, token, nonce, **more).text)
    assert answer
    return answer


def test_the_same_settings_and_code_are_equal(app: Flask, settings: Settings) -> None:
    answer = answer_of(app, settings)
    assert (answer.different, answer.has_other_code) == ([], False)
    names = {f"COMMENTSVC_{item.name.upper()}" for item in fields(Settings) if "doc" in item.metadata}
    assert set(answer.lines) == (names - {"COMMENTSVC_SECRET_KEY"}) | {"code"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("COMMENTSVC_BASE_URL", "https://comments.example"),
        ("COMMENTSVC_SMTP_URL", "smtp://mail.example"),
        ("COMMENTSVC_TRUSTED_PROXIES", "10.0.0.1"),
        ("COMMENTSVC_CACHE_MB", "25"),
    ],
)
def test_a_setting_that_differs_is_named_without_its_value(
    app: Flask, settings: Settings, variable: str, value: str
) -> None:
    other = Settings.from_env(environment(settings.data_dir, **{variable: value}))
    nonce, token = setup_check.new_question(SECRET)
    response = ask(app, other, token, nonce)
    answer = SetupAnswer.read(SECRET, nonce, response.text)
    assert answer
    assert answer.different == [variable]
    assert set(answer.lines.values()) == {"equal", "different"}


def test_a_provider_that_differs_is_named(app: Flask, settings: Settings) -> None:
    github = {"COMMENTSVC_GITHUB_CLIENT_ID": "a", "COMMENTSVC_GITHUB_CLIENT_SECRET": "b"}
    other = Settings.from_env(environment(settings.data_dir, **github))
    assert answer_of(app, other).different == ["COMMENTSVC_GITHUB_…"]
    services_of(app).settings = other
    assert answer_of(app, settings).different == ["COMMENTSVC_GITHUB_…"]
    secret = Settings.from_env(
        environment(settings.data_dir, **github | {"COMMENTSVC_GITHUB_CLIENT_SECRET": "c"})
    )
    assert answer_of(app, secret).different == ["COMMENTSVC_GITHUB_…"]
    assert answer_of(app, other).different == []


def test_other_code_is_told(app: Flask, settings: Settings) -> None:
    services_of(app).code = "of yesterday"
    assert answer_of(app, settings).has_other_code


def test_it_says_by_which_way_the_request_came(app: Flask, settings: Settings) -> None:
    trusting = Settings.from_env(environment(settings.data_dir, COMMENTSVC_TRUSTED_PROXIES="10.0.0.1"))
    services_of(app).settings = trusting
    by_proxy = answer_of(app, trusting, peer="10.0.0.1", **{"X-Forwarded-For": "198.51.100.1"})
    assert (by_proxy.by_trusted_proxy, by_proxy.forwarded) == (True, True)
    by_another = answer_of(app, trusting, peer="10.0.0.2", **{"X-Forwarded-For": "198.51.100.1"})
    assert (by_another.by_trusted_proxy, by_another.forwarded) == (False, True)
    directly = answer_of(app, trusting, peer="10.0.0.2")
    assert (directly.by_trusted_proxy, directly.forwarded) == (False, False)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_the_nonce_is_in_the_database_that_answers(app: Flask, settings: Settings) -> None:
    nonce, token = setup_check.new_question(SECRET)
    with app.app_context(), Session(db.engine) as session:
        assert not setup_check.is_spent(session, nonce)
        session.rollback()
        assert ask(app, settings, token, nonce).status_code == 200
        assert setup_check.is_spent(session, nonce)
        assert ask(app, settings, token, nonce).status_code == 404


def strangers(app: Flask) -> dict[str, str]:
    """Tokens that are not good, or not any more."""
    nonce, good = setup_check.new_question(SECRET)
    used_nonce, used = setup_check.new_question(SECRET)
    assert ask(app, services_of(app).settings, used, used_nonce).status_code == 200
    return {
        "none": "",
        "nonsense": "x" * 5000,
        "changed": good[:-2] + ("AA" if good[-2:] != "AA" else "BB"),
        "another key": signing.sign(SECRET[::-1], "setup check", nonce),
        "another purpose": signing.sign(SECRET, "form", nonce),
        "used": used,
    }


def test_strangers_get_what_any_unknown_address_answers(app: Flask, settings: Settings) -> None:
    client = app.test_client()
    for why, token in strangers(app).items():
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            for accept in ("text/html", "application/json"):
                headers = {view.HEADER: token, "Accept": accept}
                unknown = client.open("/nowhere", method=method, headers=headers, data={"a": "b"})
                answer = client.open("/doctor", method=method, headers=headers, data={"a": "b"})
                assert answer.status_code == unknown.status_code == 404, (why, method)
                assert answer.data == unknown.data, (why, method)
                assert list(answer.headers) == list(unknown.headers), (why, method)


@pytest.mark.parametrize(("minutes", "status"), [(-2, 404), (-0.5, 200), (0.5, 200), (2, 404)])
def test_a_question_is_good_for_a_minute_whichever_clock_is_ahead(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch, minutes: float, status: int
) -> None:
    nonce, token = setup_check.new_question(SECRET)
    monkeypatch.setattr(view, "now", lambda: now() + timedelta(minutes=minutes))
    assert ask(app, settings, token, nonce).status_code == status


def test_a_question_works_once_even_after_a_minute_that_its_signer_was_ahead(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nonce, token = setup_check.new_question(SECRET)
    for shift, status in ((-0.9, 200), (0, 404), (0.9, 404)):
        monkeypatch.setattr(view, "now", lambda shift=shift: now() + timedelta(minutes=shift))
        others = setup_check.new_question(SECRET)
        assert ask(app, settings, others[1], others[0]).status_code == 200  # deletes what has expired
        assert ask(app, settings, token, nonce).status_code == status


def test_only_signed_questions_are_counted_and_too_many_are_refused(app: Flask, settings: Settings) -> None:
    for _ in range(70):
        assert app.test_client().post("/doctor").status_code == 404
    statuses = [ask(app, settings, token, nonce).status_code for nonce, token in map(_question, range(61))]
    assert statuses == [200] * 60 + [429]


def _question(_number: int) -> tuple[str, str]:
    return setup_check.new_question(SECRET)


def test_an_answer_that_another_key_signed_is_none(app: Flask, settings: Settings) -> None:
    nonce, token = setup_check.new_question(SECRET)
    text = ask(app, settings, token, nonce).text
    assert SetupAnswer.read(SECRET, nonce, text)
    assert SetupAnswer.read(SECRET, "another nonce", text) is None
    assert SetupAnswer.read(SECRET[::-1], nonce, text) is None
    assert SetupAnswer.read(SECRET, nonce, "<html>") is None


def test_hashes_are_of_no_use_for_another_nonce_and_show_nothing(settings: Settings) -> None:
    one, other = (setup_check.hashes(settings, "code", secrets.token_hex()) for _ in range(2))
    assert set(one) == set(other)
    assert not set(one.values()) & set(other.values())
    assert all(len(value) == 64 for value in one.values())
