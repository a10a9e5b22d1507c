"""Meta's signed requests: ours, forged, old, and what is none."""

from __future__ import annotations

import time
from typing import Any

import pytest

from commentsvc.errors import InvalidNoticeError
from commentsvc.integrations.oauth import signed_request
from commentsvc.integrations.oauth.received_notice import ReceivedNotice
from commentsvc.models import NoticeKind
from tests.support.provider_fakes import CLIENT_SECRET
from tests.support.provider_notices import ADA_AT_FACEBOOK, base64url
from tests.support.provider_notices import signed_request as signed

# The example of Meta's documents, with its app secret.
DOCUMENTED = (
    "vlXgu64BQGFSQrY0ZcJBZASMvYvTHu9GQ0YM9rjPSso.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsIjAiOiJwYXlsb2FkIn0"
)


def read(text: str, *, secret: str = CLIENT_SECRET, at: float | None = None) -> ReceivedNotice:
    return signed_request.read(text, secret, NoticeKind.DELETION, at=time.time() if at is None else at)


def reason(text: str, **how: Any) -> str:
    with pytest.raises(InvalidNoticeError) as caught:
        read(text, **how)
    assert str(caught.value) == "This is not a valid notice of a login provider."
    return caught.value.reason


def test_one_of_ours_says_whom_it_is_about() -> None:
    result = read(signed(issued_at=1_764_000_000), at=1_764_000_010)
    assert result == ReceivedNotice(NoticeKind.DELETION, ADA_AT_FACEBOOK, "1764000000.000")


def test_the_signature_is_that_of_metas_documents() -> None:
    """It has no person in it, so it is refused for that, after its signature was found right."""
    assert reason(DOCUMENTED, secret="secret") == "it is not a signed request"
    assert reason(DOCUMENTED, secret="secret2") == "it is not signed with the app's secret"


def test_a_number_is_the_same_person_as_its_digits() -> None:
    assert read(signed(user_id=int(ADA_AT_FACEBOOK))).subject == ADA_AT_FACEBOOK


def test_padding_makes_no_difference() -> None:
    signature, payload = signed().split(".")
    assert read(f"{signature}=.{payload}") == read(f"{signature}.{payload}")


@pytest.mark.parametrize(
    "text",
    [
        signed("another app's secret"),
        signed(digest="sha1"),
        signed(digest="sha512"),
        "." + signed().partition(".")[2],
        signed().partition(".")[0] + "." + base64url(b'{"algorithm": "HMAC-SHA256"}'),
        signed() + "x",
    ],
    ids=["another app", "sha1", "sha512", "unsigned", "another payload", "changed"],
)
def test_what_another_has_signed_is_refused(text: str) -> None:
    assert reason(text) == "it is not signed with the app's secret"


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a", "\u00e9.\u00e9", "!!!.!!!", "x" * 5000, "AAAA" * 20],
)
def test_what_is_no_signed_request_is_refused(text: str) -> None:
    assert reason(text)


@pytest.mark.parametrize("algorithm", ["none", "HMAC-SHA1", "hmac-sha256", "", None, ["HMAC-SHA256"]])
def test_no_other_algorithm_is_accepted(algorithm: object) -> None:
    assert reason(signed(algorithm=algorithm)) == "it names another algorithm"


@pytest.mark.parametrize("issued", [0, None, "1764000000", True, float("1e300"), -1])
def test_it_needs_a_time(issued: object) -> None:
    assert reason(signed(issued_at=issued)) == "it is too old, or from the future"


@pytest.mark.parametrize(
    ("age", "accepted"), [(0, True), (86_000, True), (87_000, False), (-30, True), (-90, False)]
)
def test_it_must_be_of_today(age: int, accepted: bool) -> None:
    text = signed(issued_at=int(time.time()) - age)
    if accepted:
        assert read(text)
    else:
        assert reason(text) == "it is too old, or from the future"


@pytest.mark.parametrize("user", [None, "", "  ", {"id": "1"}, "1\x002", "x" * 301, True])
def test_it_needs_a_person(user: object) -> None:
    assert reason(signed(user_id=user)) == "it is not a signed request"
