"""Signed values, and the keyed hashes that are stored: the same as any other program would reckon them."""

from __future__ import annotations

import hmac

import pytest
from itsdangerous import URLSafeTimedSerializer

from commentsvc.integrations import signing


@pytest.mark.parametrize("secret", ["short", "s" * 64, "longer than one block " * 4, "schlüssel"])
@pytest.mark.parametrize("value", ["", "anna", "é" * 200])
def test_a_keyed_hash_is_an_hmac(secret: str, value: str) -> None:
    expected = hmac.digest(secret.encode(), f"author\0{value}".encode(), "sha256").hex()
    assert signing.keyed_hash(secret, "author", value) == expected


def test_what_is_signed_comes_back_for_its_purpose_and_secret_alone() -> None:
    token = signing.sign("secret", "form", "1 blog.example/a")
    for _ in range(2):
        result = signing.unsign("secret", "form", token, max_age=60)
        assert result is not None
        assert result[0] == "1 blog.example/a"
        assert signing.unsign("secret", "receipt", token, max_age=60) is None
        assert signing.unsign("another", "form", token, max_age=60) is None
        assert signing.unsign("secret", "form", f"{token}x", max_age=60) is None
        assert signing.unsign("secret", "form", token, max_age=-1) is None


def test_tokens_are_those_of_the_library() -> None:
    """Those that were given out before an update stay good."""
    theirs = URLSafeTimedSerializer("secret", salt="commentsvc.form")
    result = signing.unsign("secret", "form", str(theirs.dumps("here")), max_age=60)
    assert result is not None
    assert result[0] == "here"
    assert theirs.loads(signing.sign("secret", "form", "here")) == "here"


def test_a_token_of_an_earlier_release_stays_good() -> None:
    """The value in it is not compressed, as the library would have it."""
    earlier = (
        "ImFubmFhbm5hYW5uYWFubmFhbm5hYW5uYWFubmFhbm5hYW5uYWFubmFhbm5hYW5uYSI"
        ".awyy7w.NF-wjiIMGmbmZgjRwBnzBcT2x14"
    )
    result = signing.unsign("secret", "form", earlier, max_age=10**10)
    assert result is not None
    assert result[0] == "anna" * 12
