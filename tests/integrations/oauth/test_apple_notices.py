"""Apple's notices: its keys, our audience, its events, and everything that looks like one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from commentsvc.errors import InvalidNoticeError, ProviderUnavailableError
from commentsvc.integrations.oauth import apple_notices
from commentsvc.integrations.oauth.metadata import Metadata
from commentsvc.integrations.oauth.received_notice import ReceivedNotice
from commentsvc.models import NoticeKind
from tests.support import provider_fakes as fakes
from tests.support.provider_fakes import Apple, Reply, Request
from tests.support.provider_notices import ADA_AT_APPLE, apple_token


@pytest.fixture(scope="module")
def running() -> Iterator[fakes.Vendors]:
    with fakes.running() as vendors:
        yield vendors


@pytest.fixture
def apple(running: fakes.Vendors) -> Apple:
    running.reset()
    vendor = running["apple"]
    assert isinstance(vendor, Apple)
    return vendor


def read(
    apple: Apple, token: str, *, metadata: Metadata | None = None, **options: str
) -> ReceivedNotice | None:
    row = apple.row()
    row = replace(row, options={**row.options, **options})
    return apple_notices.read(token, row, metadata or Metadata(), at=time.time())


def reason(apple: Apple, token: str, **options: str) -> str:
    with pytest.raises(InvalidNoticeError) as caught:
        read(apple, token, **options)
    return caught.value.reason


def count_fetches(apple: Apple, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    fetched: list[int] = []
    genuine = apple.jwks

    def jwks(request: Request) -> Reply:
        fetched.append(1)
        return genuine(request)

    monkeypatch.setattr(apple, "jwks", jwks)
    return fetched


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("consent-revoked", NoticeKind.WITHDRAWAL),
        ("account-delete", NoticeKind.DELETION),
        ("account-deleted", NoticeKind.DELETION),
    ],
)
def test_each_event_says_what_to_do(apple: Apple, event: str, kind: NoticeKind) -> None:
    assert read(apple, apple_token(apple, event, jti="one")) == ReceivedNotice(kind, ADA_AT_APPLE, "one")


@pytest.mark.parametrize("event", ["email-enabled", "email-disabled", "something-new"])
def test_the_others_need_nothing_done(apple: Apple, event: str) -> None:
    assert read(apple, apple_token(apple, event)) is None


def test_an_event_may_be_an_object_too(apple: Apple) -> None:
    token = apple_token(apple, events={"type": "consent-revoked", "sub": ADA_AT_APPLE})
    assert read(apple, token) is not None


def test_it_need_not_say_when_it_expires(apple: Apple) -> None:
    assert read(apple, apple_token(apple, exp=None)) is not None


def test_the_primary_app_id_is_us_if_the_operator_says_so(apple: Apple) -> None:
    token = apple_token(apple, aud="example.app")
    assert "COMMENTSVC_APPLE_APP_ID" in reason(apple, token)
    assert read(apple, token, app_id="example.app") is not None
    assert read(apple, apple_token(apple), app_id="example.app") is not None
    assert reason(apple, apple_token(apple, aud="example.other"), app_id="example.app")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://accounts.google.com"},
        {"iss": None},
        {"aud": "another.app"},
        {"aud": None},
        {"aud": []},
        {"aud": [fakes.CLIENT_ID, "another.app"]},
        {"aud": {"a": 1}},
        {"iat": -90_000},
        {"iat": 600},
        {"iat": None},
        {"exp": -600},
        {"exp": "soon"},
        {"jti": None},
        {"jti": ""},
        {"events": None},
        {"events": "[]"},
        {"events": "not JSON"},
        {"events": json.dumps({"sub": ADA_AT_APPLE})},
        {"events": json.dumps({"type": "consent-revoked"})},
        {"events": json.dumps({"type": ["consent-revoked"], "sub": ADA_AT_APPLE})},
        {"events": 7},
    ],
    ids=str,
)
def test_what_is_not_for_us_or_says_nothing_is_refused(apple: Apple, changes: dict[str, Any]) -> None:
    """Numbers are seconds from now."""
    now = int(time.time())
    moved = {
        name: now + value if name in {"iat", "exp"} and isinstance(value, int) else value
        for name, value in changes.items()
    }
    assert reason(apple, apple_token(apple, **moved))


def test_an_id_token_of_ours_is_no_notice(apple: Apple) -> None:
    assert reason(apple, apple.id_token({"nonce": "n"}))


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_no_weaker_algorithm_is_accepted(apple: Apple, algorithm: str) -> None:
    apple.algorithm = algorithm
    assert reason(apple, apple_token(apple))


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "..", "e30.e30.", "a.b.c.d.e", "\u00e9.\u00e9.\u00e9", "[" * 7000, "x" * 9000]
)
def test_what_is_no_token_is_refused(apple: Apple, token: str) -> None:
    assert reason(apple, token)


def test_a_deeply_nested_header_is_refused(apple: Apple) -> None:
    from tests.support.provider_notices import base64url

    assert reason(apple, f"{base64url(b'[' * 5000)}.e30.e30")


def test_a_key_of_somebody_elses_is_refused(apple: Apple) -> None:
    apple.signs = fakes.rsa("thief")
    assert reason(apple, apple_token(apple))


def test_new_keys_are_fetched_but_not_for_every_stranger(
    apple: Apple, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched, metadata = count_fetches(apple, monkeypatch), Metadata()
    assert read(apple, apple_token(apple), metadata=metadata)
    assert read(apple, apple_token(apple), metadata=metadata)
    assert len(fetched) == 1
    monkeypatch.setattr(apple_notices, "KEYS_KEPT", 0)
    apple.signs, apple.shows = fakes.rsa("next"), [fakes.rsa("next")]
    assert read(apple, apple_token(apple), metadata=metadata)
    assert len(fetched) == 2
    monkeypatch.undo()
    fetched = count_fetches(apple, monkeypatch)
    apple.signs = fakes.rsa("thief")
    for _ in range(3):
        with pytest.raises(InvalidNoticeError):
            read(apple, apple_token(apple), metadata=metadata)
    assert fetched == []


def test_apple_may_be_away(apple: Apple, monkeypatch: pytest.MonkeyPatch) -> None:
    token = apple_token(apple)
    monkeypatch.setattr(apple, "jwks", lambda request: fakes.as_html("Sorry", 503))
    with pytest.raises(ProviderUnavailableError):
        read(apple, token)
