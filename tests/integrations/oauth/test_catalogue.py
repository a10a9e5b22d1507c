"""Settings become rows of providers, and what would fail at the first login fails at the start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import pytest

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.errors import SettingsError
from commentsvc.integrations.oauth import catalogue
from commentsvc.integrations.oauth.catalogue import BASIC, POST, ROWS, Provider
from commentsvc.web.context import services_of
from tests.conftest import dispose, environment
from tests.support import provider_fakes
from tests.test_settings import BARE

ROOT = Path(__file__).resolve().parents[3]
APPLES = provider_fakes.apples_key().as_pem(private=True).decode()


def settings(**variables: str) -> Settings:
    return Settings.from_env(BARE | {f"COMMENTSVC_{name}": value for name, value in variables.items()})


def offered(**variables: str) -> list[Provider]:
    """The rows that these variables turn on, each with a client id and secret of its own."""
    return catalogue.offered(settings(**variables))


def pair(*keys: str) -> dict[str, str]:
    """Client id and secret for each of these."""
    return {f"{key}_CLIENT_{part}": f"{part} of {key}" for key in keys for part in ("ID", "SECRET")}


def faults(**variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        offered(**variables)
    return caught.value.faults


def test_no_provider_is_on_by_itself() -> None:
    assert offered() == []


@pytest.mark.parametrize("key", [row.key for row in ROWS if row.key != "mastodon"])
def test_client_id_and_secret_turn_a_provider_on(key: str) -> None:
    (row,) = offered(**pair(key.upper()))
    own = next(row for row in ROWS if row.key == key)
    assert (row.client_id, row.client_secret) == (f"ID of {key.upper()}", f"SECRET of {key.upper()}")
    assert (row.label, row.issuer, row.scope) == (own.label, own.issuer, own.scope)


def test_they_are_offered_in_the_order_of_the_settings() -> None:
    keys = ["GITHUB", "OIDC_B", "GOOGLE", "OIDC_A", "FACEBOOK"]
    issuers = {f"OIDC_{name}_ISSUER": f"https://{name}.example" for name in "AB"}
    rows = offered(**pair(*keys), **issuers, MASTODON="on")
    assert [row.key.upper() for row in rows] == [*keys, "MASTODON"]


class TestTheOrderOfTheMarks:
    SEVERAL: ClassVar[dict[str, str]] = {
        **pair("FACEBOOK", "GITHUB", "OIDC_MYCOMPANY", "GOOGLE"),
        "OIDC_MYCOMPANY_ISSUER": "https://id.example",
        "MASTODON": "on",
    }

    @pytest.mark.parametrize(
        ("order", "keys"),
        [
            ("github, google, mycompany", "github google oidc_mycompany facebook mastodon"),
            ("Mastodon,OIDC_MYCOMPANY", "mastodon oidc_mycompany facebook github google"),
            ("x, google,", "google facebook github oidc_mycompany mastodon"),
            ("", "facebook github oidc_mycompany google mastodon"),
        ],
    )
    def test_is_set_in_one_variable(self, order: str, keys: str) -> None:
        rows = offered(**self.SEVERAL, PROVIDERS_ORDER=order)
        assert [row.key for row in rows] == keys.split()

    @pytest.mark.parametrize("name", ["gitbuh", "othercompany", "oidc_", "\x00", "github google"])
    def test_names_no_unknown_provider(self, name: str) -> None:
        (fault,) = faults(**self.SEVERAL, PROVIDERS_ORDER=f"github, {name}")
        assert fault.startswith(
            f"COMMENTSVC_PROVIDERS_ORDER: no provider is called {name!r}. Known: mycompany, "
        )

    def test_names_none_twice(self) -> None:
        with pytest.raises(SettingsError, match="'github' occurs twice"):
            settings(PROVIDERS_ORDER="github, GitHub")

    def test_is_read_though_another_provider_is_wrong(self) -> None:
        result = faults(**pair("MYSPACE"), PROVIDERS_ORDER="nobody")
        assert len(result) == 2


def test_several_issuers_each_with_a_label() -> None:
    rows = offered(
        **pair("OIDC_STAFF", "OIDC_BOOK_CLUB", "OIDC"),
        OIDC_STAFF_ISSUER="https://id.example/realms/staff",
        OIDC_STAFF_LABEL="Staff",
        OIDC_BOOK_CLUB_ISSUER="https://books.example/",
        OIDC_BOOK_CLUB_SCOPE="openid",
        OIDC_ISSUER="http://localhost:8602",
    )
    assert [(row.key, row.label) for row in rows] == [
        ("oidc_staff", "Staff"),
        ("oidc_book_club", "Book Club"),
        ("oidc", "Single Sign-On"),
    ]
    assert [row.issuer for row in rows] == [
        "https://id.example/realms/staff",
        "https://books.example/",
        "http://localhost:8602",
    ]
    assert [row.scope for row in rows] == ["openid profile email", "openid", "openid profile email"]


def test_a_provider_of_ones_own_is_known_by_its_name() -> None:
    rows = offered(
        **pair("OIDC_STAFF", "GITLAB", "GITHUB"),
        OIDC_STAFF_ISSUER="https://id.example",
        GITLAB_ISSUER="https://git.example",
        GITLAB_LABEL="Our GitLab",
    )
    assert {row.key: row.is_own for row in rows} == {"oidc_staff": True, "gitlab": True, "github": False}


def test_a_gitlab_of_ones_own() -> None:
    (row,) = offered(**pair("GITLAB"), GITLAB_ISSUER="https://git.example", GITLAB_LABEL="Our GitLab")
    assert (row.issuer, row.label) == ("https://git.example", "Our GitLab")


def test_mastodon_is_a_switch() -> None:
    assert [row.key for row in offered(MASTODON="on")] == ["mastodon"]
    assert offered(MASTODON="off") == []


def test_mastodon_takes_no_client_id() -> None:
    (fault,) = faults(**pair("MASTODON"))
    assert "COMMENTSVC_MASTODON=on" in fault
    assert "COMMENTSVC_MASTODON_ISSUER" in fault


class TestServersOfOnesOwn:
    GITHUB: ClassVar = {
        "GITHUB_ISSUER": "https://git.example",
        "GITHUB_AUTHORIZE_URL": "https://git.example/login/oauth/authorize",
        "GITHUB_TOKEN_URL": "https://git.example/login/oauth/access_token",
        "GITHUB_PROFILE_URL": "https://git.example/api/v3/user",
    }

    def test_a_github_enterprise(self) -> None:
        (row,) = offered(**pair("GITHUB"), **self.GITHUB)
        assert [row.issuer, row.authorize_url, row.token_url, row.profile_url] == [*self.GITHUB.values()]
        assert not row.openid

    @pytest.mark.parametrize("name", GITHUB)
    def test_all_four_addresses_or_none(self, name: str) -> None:
        some = {key: value for key, value in self.GITHUB.items() if key != name}
        (fault,) = faults(**pair("GITHUB"), **some)
        assert f"COMMENTSVC_GITHUB_{name.removeprefix('GITHUB_')} must be set too" in fault

    def test_its_accounts_are_not_those_of_the_well_known_one(self) -> None:
        (fault,) = faults(**pair("GITHUB"), **self.GITHUB | {"GITHUB_ISSUER": "https://github.com/"})
        assert "address of your own server" in fault

    @pytest.mark.parametrize("name", GITHUB)
    @pytest.mark.parametrize(
        "url", ["http://git.example/a", "ftp://git.example", "git.example", "https://u@git.example"]
    )
    def test_codes_and_tokens_travel_over_https(self, name: str, url: str) -> None:
        (fault,) = faults(**pair("GITHUB"), **self.GITHUB | {name: url})
        assert fault.startswith(f"COMMENTSVC_{name}: ")

    @pytest.mark.parametrize("key", ["GOOGLE", "APPLE", "OIDC_A"])
    def test_others_find_their_addresses_by_themselves(self, key: str) -> None:
        issuer = {"OIDC_A_ISSUER": "https://id.example"} if key == "OIDC_A" else {}
        (fault,) = faults(**pair(key), **issuer, **{f"{key}_TOKEN_URL": "https://id.example/token"})
        assert fault.startswith(f"COMMENTSVC_{key}_TOKEN_URL is not used by ")

    def test_one_mastodon_server(self) -> None:
        (row,) = offered(**pair("MASTODON"), MASTODON_ISSUER="https://social.example/")
        assert row.issuer == "https://social.example"
        assert row.profile_url == "https://social.example/api/v1/accounts/verify_credentials"
        assert not row.asks_server
        (every,) = offered(MASTODON="on")
        assert every.asks_server

    def test_one_mastodon_server_or_all(self) -> None:
        (fault,) = faults(**pair("MASTODON"), MASTODON_ISSUER="https://social.example", MASTODON="on")
        assert "set one of them" in fault


@pytest.mark.parametrize("key", ["MYSPACE", "OIDCX", "OIDC_", "SSO", "LOCAL", "OIDC_" + "A" * 36])
def test_an_unknown_provider_is_refused(key: str) -> None:
    (fault,) = faults(**pair(key), **{f"{key}_ISSUER": "https://id.example"})
    assert fault.startswith(f"No provider is called {key.lower()!r}. Known: wordpress, ")


def test_the_service_does_not_start_with_an_unknown_provider(tmp_path: Path) -> None:
    variables = {f"COMMENTSVC_{name}": value for name, value in pair("MYSPACE").items()}
    with pytest.raises(SettingsError, match="myspace"):
        create_app(Settings.from_env(environment(tmp_path, **variables)))


def test_the_service_starts_with_all_of_them(tmp_path: Path) -> None:
    variables = pair(*(row.key.upper() for row in ROWS if row.key != "mastodon"))
    named = {f"COMMENTSVC_{name}": value for name, value in variables.items()}
    app = create_app(Settings.from_env(environment(tmp_path, **named, COMMENTSVC_MASTODON="on")))
    assert list(services_of(app).providers) == [row.key for row in ROWS]
    dispose(app)


def test_every_fault_of_every_provider_is_told() -> None:
    result = faults(**pair("MYSPACE", "OIDC_A", "GITHUB"), GITHUB_ISSUER="https://git.example")
    assert len(result) == 3
    assert "COMMENTSVC_OIDC_A_ISSUER is not set." in result


@pytest.mark.parametrize("part", ["CLIENT_ID", "CLIENT_SECRET"])
def test_half_a_provider_is_refused(part: str) -> None:
    with pytest.raises(SettingsError, match=f"COMMENTSVC_GITHUB_{part} is not set"):
        settings(**{name: value for name, value in pair("GITHUB").items() if not name.endswith(part)})


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example",
        "http://10.0.0.5:8080/realms/staff",
        "http://localhost.example",
        "ftp://id.example",
        "id.example",
        "https://",
        "https://[",
        "https://user@id.example",
        "https://id.example?a=b",
    ],
)
def test_an_issuer_is_asked_over_https(issuer: str) -> None:
    (fault,) = faults(**pair("OIDC_A"), OIDC_A_ISSUER=issuer)
    assert fault.startswith("COMMENTSVC_OIDC_A_ISSUER")


@pytest.mark.parametrize(
    "host", ["localhost:8602", "127.0.0.1:9000", "127.1.2.3", "[::1]:80", "id.localhost"]
)
def test_or_on_this_machine(host: str) -> None:
    (row,) = offered(**pair("OIDC_A"), OIDC_A_ISSUER=f"http://{host}/a")
    assert row.issuer == f"http://{host}/a"


class TestApple:
    ALL: ClassVar = {"APPLE_CLIENT_ID": "blog.example", "APPLE_TEAM_ID": "TEAM", "APPLE_KEY_ID": "KEY"}

    def test_the_primary_app_id_needs_no_key_and_replaces_no_secret(self) -> None:
        (row,) = offered(APPLE_CLIENT_ID="blog.example", APPLE_CLIENT_SECRET="s", APPLE_APP_ID="blog.app")
        assert row.options == {"app_id": "blog.app"}
        assert faults(APPLE_CLIENT_ID="blog.example", APPLE_APP_ID="blog.app")

    @pytest.mark.parametrize("key", [APPLES, APPLES.replace("\n", "\\n")], ids=["lines", "one line"])
    def test_a_private_key_stands_in_for_the_secret(self, key: str) -> None:
        (row,) = offered(**self.ALL, APPLE_PRIVATE_KEY=key)
        assert row.client_secret == ""
        assert "PRIVATE" not in repr(row)

    def test_team_and_key_are_named(self) -> None:
        result = faults(APPLE_CLIENT_ID="blog.example", APPLE_PRIVATE_KEY=APPLES)
        assert result == ("COMMENTSVC_APPLE_TEAM_ID is not set.", "COMMENTSVC_APPLE_KEY_ID is not set.")

    @pytest.mark.parametrize(
        "key",
        [
            "no key",
            APPLES.replace("A", "B"),
            provider_fakes.apples_key().as_pem(private=False).decode(),
            provider_fakes.ECKey.generate_key("P-384").as_pem(private=True).decode(),
            provider_fakes.rsa("first").as_pem(private=True).decode(),
        ],
        ids=["words", "damaged", "public", "other curve", "RSA"],
    )
    def test_a_key_that_cannot_sign_is_refused(self, key: str) -> None:
        (fault,) = faults(**self.ALL, APPLE_PRIVATE_KEY=key)
        assert fault.startswith("COMMENTSVC_APPLE_PRIVATE_KEY: Apple is set up wrongly")
        assert key not in fault

    def test_others_have_no_key(self) -> None:
        (fault,) = faults(**pair("GITHUB"), GITHUB_TEAM_ID="TEAM")
        assert fault == "COMMENTSVC_GITHUB_TEAM_ID is a setting of Apple's alone."


class TestRows:
    def test_each_is_complete(self) -> None:
        for row in ROWS:
            addresses = [row.authorize_url, row.token_url]
            assert row.openid or all(url.startswith("https://") for url in addresses), row.key
            assert row.openid or row.profile_url or row.keys_url, row.key
            assert row.token_auth in {BASIC, POST}, row.key
            assert re.fullmatch(r"[a-z_]{1,40}", row.key)

    def test_keys_are_one_of_a_kind(self) -> None:
        assert len({row.key for row in ROWS}) == len(ROWS)

    def test_two_providers_never_share_their_people(self) -> None:
        issuers = [row.issuer for row in ROWS]
        assert len(set(issuers)) == len(issuers)

    def test_a_secret_is_not_shown(self) -> None:
        (row,) = offered(**pair("GITHUB"))
        assert "SECRET of GITHUB" not in repr(row)
        assert "SECRET of GITHUB" not in repr(settings(**pair("GITHUB")))

    def test_a_provider_that_is_gone_still_has_a_name(self) -> None:
        assert catalogue.label_of("github") == "GitHub"
        assert catalogue.label_of("oidc_book_club") == "Book Club"

    def test_the_documentation_names_each(self) -> None:
        text = (ROOT / "docs" / "login.md").read_text()
        assert [row.label for row in ROWS if row.label not in text] == []
        variables = [f"COMMENTSVC_{row.key.upper()}" for row in ROWS]
        assert [name for name in [*variables, "COMMENTSVC_OIDC_"] if name not in text] == []
        assert "docs/login.md" in (ROOT / "README.md").read_text()
