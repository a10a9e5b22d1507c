"""What providers tell about our registration without a login."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from commentsvc.errors import ProviderError
from commentsvc.integrations.oauth import registration
from commentsvc.integrations.oauth.registration import ClientRegistration, ProviderVerdict
from tests.support import provider_fakes as fakes
from tests.support.provider_fakes import CALLBACK, Reply, Vendors, as_html, as_json

ACCEPTED, REFUSED, UNKNOWN = ProviderVerdict.ACCEPTED, ProviderVerdict.REFUSED, ProviderVerdict.UNKNOWN


@pytest.fixture(scope="module")
def running() -> Iterator[Vendors]:
    with fakes.running() as vendors:
        yield vendors


@pytest.fixture
def vendors(running: Vendors) -> Vendors:
    running.reset()
    return running


def asked(vendors: Vendors, key: str, **changes: str) -> ClientRegistration:
    return registration.ask(replace(vendors[key].row(), **changes), CALLBACK + key)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["oidc_test", "oidc_authelia", "oidc_post", "google", "x", "discord"])
def test_a_right_secret_is_accepted_and_a_wrong_one_refused(vendors: Vendors, key: str) -> None:
    assert asked(vendors, key).client is ACCEPTED
    wrong = asked(vendors, key, client_secret="wrong")
    assert (wrong.client, wrong.said) == (REFUSED, "invalid_client")


@pytest.mark.parametrize(
    ("word", "client", "address"),
    [
        ("bad_verification_code", ACCEPTED, UNKNOWN),
        ("incorrect_client_credentials", REFUSED, UNKNOWN),
        ("redirect_uri_mismatch", ACCEPTED, REFUSED),
        ("temporarily_unavailable", UNKNOWN, UNKNOWN),
    ],
)
def test_githubs_words_are_understood(
    vendors: Vendors, word: str, client: ProviderVerdict, address: ProviderVerdict
) -> None:
    vendors["github"].instead["/token"] = as_json({"error": word})
    result = asked(vendors, "github")
    assert (result.client, result.address) == (client, address)


@pytest.mark.parametrize(
    "strange", [as_html("no"), as_json([]), as_json({"error": {"code": 190}}, 400), Reply(500)], ids=str
)
def test_nothing_is_told_from_an_answer_of_another_kind(vendors: Vendors, strange: Reply) -> None:
    vendors["facebook"].instead["/token"] = strange
    assert asked(vendors, "facebook").client is UNKNOWN


def test_a_redirect_address_is_known_where_the_provider_sends_a_browser_back(vendors: Vendors) -> None:
    vendors["oidc_test"].answer = {"error": "login_required", "code": None}
    assert asked(vendors, "oidc_test").address is ACCEPTED
    assert vendors["oidc_test"].asked[-1].query["prompt"] == "none"


def test_a_redirect_address_is_refused_where_the_provider_says_400(vendors: Vendors) -> None:
    vendors["oidc_test"].redirect_uri = "https://elsewhere.example/login/callback/oidc_test"
    assert asked(vendors, "oidc_test").address is REFUSED


@pytest.mark.parametrize(
    "page", [as_html("Log in"), as_html("busy", 503), Reply(302, headers={"Location": "/login"})], ids=str
)
def test_any_other_page_tells_nothing_of_the_redirect_address(vendors: Vendors, page: Reply) -> None:
    vendors["oidc_test"].instead["/authorize"] = page
    assert asked(vendors, "oidc_test").address is UNKNOWN


def test_the_date_of_the_answer_is_an_outside_clock(vendors: Vendors) -> None:
    assert asked(vendors, "oidc_test").date.endswith(" GMT")


def test_a_provider_that_hangs_up_is_an_error(vendors: Vendors) -> None:
    vendors["github"].instead["/token"] = fakes.hang_up
    with pytest.raises(ProviderError, match="GitHub does not answer"):
        asked(vendors, "github")
