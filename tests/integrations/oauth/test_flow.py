"""Logging in at every provider, as its vendor documents it and as nobody should answer."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey

from commentsvc.errors import ProviderError
from commentsvc.integrations.oauth import transport
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.integrations.oauth.flow import Flow, OAuthState
from commentsvc.integrations.oauth.profile import Profile
from tests.support import provider_fakes as fakes
from tests.support.provider_fakes import CALLBACK, HTML, PICTURE, Reply, Vendors, as_html, as_json, consent


@pytest.fixture(scope="module")
def running() -> Iterator[Vendors]:
    with fakes.running() as vendors:
        yield vendors


@pytest.fixture
def vendors(running: Vendors) -> Vendors:
    running.reset()
    return running


@pytest.fixture
def flow() -> Flow:
    return Flow()


def there_and_back(flow: Flow, row: Provider, **meddling: str | None) -> tuple[OAuthState, dict[str, str]]:
    """Go to the provider and come back; `meddling` changes what is brought back."""
    url, attempt = flow.begin(row, CALLBACK + row.key)
    return attempt, fakes.changed(consent(url), meddling)


def log_in(flow: Flow, row: Provider, **meddling: str | None) -> Profile:
    attempt, answer = there_and_back(flow, row, **meddling)
    return flow.finish(row, CALLBACK + row.key, attempt, answer)


def refusal(flow: Flow, row: Provider, **meddling: str | None) -> str:
    """The sentence with which a login fails."""
    with pytest.raises(ProviderError) as caught:
        log_in(flow, row, **meddling)
    return str(caught.value)


class TestVendors:
    def expect(self, vendor: Any, profile: Profile, **expected: object) -> None:
        results = {name: value for name, value in vars(profile).items() if value is not None}
        assert results == {"issuer": vendor.base, "name": "Ada Lovelace", "picture": PICTURE} | expected

    @pytest.mark.parametrize(
        "key", ["oidc_test", "oidc_authelia", "oidc_post", "google", "gitlab", "wordpress"]
    )
    def test_openid_connect(self, vendors: Vendors, flow: Flow, key: str) -> None:
        profile = log_in(flow, vendors[key].row())
        self.expect(vendors[key], profile, subject="248289761001", email="ada@mail.example")

    def test_x(self, vendors: Vendors, flow: Flow) -> None:
        profile = log_in(flow, vendors["x"].row())
        self.expect(
            vendors["x"], profile, issuer="https://x.com", subject="2244994945", link="https://x.com/ada"
        )

    def test_facebook(self, vendors: Vendors, flow: Flow) -> None:
        vendors["facebook"].told = {"email": "zuck@fb.example"}
        profile = log_in(flow, vendors["facebook"].row())
        self.expect(
            vendors["facebook"], profile, issuer="https://www.facebook.com", subject="10158354585751622"
        )

    def test_facebook_without_a_picture_of_her_own(self, vendors: Vendors, flow: Flow) -> None:
        vendors["facebook"].told = {"picture": {"data": {"is_silhouette": True, "url": PICTURE}}}
        assert log_in(flow, vendors["facebook"].row()).picture is None

    def test_github_by_number_even_without_a_name(self, vendors: Vendors, flow: Flow) -> None:
        profile = log_in(flow, vendors["github"].row())
        expected = {"issuer": "https://github.com", "subject": "583231", "name": "ada"}
        self.expect(vendors["github"], profile, **expected, link="https://github.com/ada")

    def test_discord(self, vendors: Vendors, flow: Flow) -> None:
        profile = log_in(flow, vendors["discord"].row())
        picture = "https://cdn.discordapp.com/avatars/80351110224678912/8342729.png?size=128"
        expected = {"issuer": "https://discord.com", "subject": "80351110224678912", "picture": picture}
        self.expect(vendors["discord"], profile, **expected)

    def test_wordpress_as_it_was(self, vendors: Vendors, flow: Flow) -> None:
        profile = log_in(flow, vendors["wordpress_legacy"].row())
        expected = {"issuer": "https://wordpress.com", "subject": "78972699", "email": "ada@mail.example"}
        self.expect(vendors["wordpress_legacy"], profile, **expected, link="https://gravatar.com/ada")

    def test_microsoft_by_tenant_and_without_its_email(self, vendors: Vendors, flow: Flow) -> None:
        microsoft = vendors["microsoft"]
        microsoft.claims = {"email_verified": True}
        profile = log_in(flow, microsoft.row())
        assert profile == Profile(f"{microsoft.base}/{microsoft.TENANT}/v2.0", "248289761001", "Ada Lovelace")

    def test_linkedin_without_pkce_and_nonce(self, vendors: Vendors, flow: Flow) -> None:
        profile = log_in(flow, vendors["linkedin"].row())
        self.expect(vendors["linkedin"], profile, subject="248289761001", email="ada@mail.example")

    def test_apple_whose_name_comes_once(self, vendors: Vendors, flow: Flow) -> None:
        apple = vendors["apple"]
        first, second = log_in(flow, apple.row()), log_in(flow, apple.row())
        assert first == Profile(
            apple.base, "248289761001", "Ada Lovelace", email="ada@privaterelay.appleid.com"
        )
        assert second == replace(first, name="")

    @pytest.mark.parametrize("user", ["", "null", "[]", '{"name": 1}', '{"name": {"firstName": 1}}', "{"])
    def test_apple_with_a_name_that_is_none(self, vendors: Vendors, flow: Flow, user: str) -> None:
        assert log_in(flow, vendors["apple"].row(), user=user).subject == "248289761001"

    def test_apples_form_cannot_say_who_somebody_is(self, vendors: Vendors, flow: Flow) -> None:
        user = '{"name": {"firstName": "Eve"}, "email": "eve@mail.example", "sub": "1"}'
        profile = log_in(flow, vendors["apple"].row(), user=user)
        assert (profile.subject, profile.email) == ("248289761001", "ada@privaterelay.appleid.com")

    @pytest.mark.parametrize("key", ["oidc_test", "x", "github", "apple"])
    def test_nobody_is_asked_for_more_than_needed(self, vendors: Vendors, flow: Flow, key: str) -> None:
        url, attempt = flow.begin(vendors[key].row(), CALLBACK + key)
        query = parse_qs(urlsplit(url).query)
        assert attempt.verifier not in url
        assert "client_secret" not in query
        assert query["state"] == [attempt.state]


class TestAnswers:
    """What the browser brings back from the provider."""

    def test_another_state(self, vendors: Vendors, flow: Flow) -> None:
        text = refusal(flow, vendors["oidc_test"].row(), state="another-state-of-the-same-length")
        assert text == "This answer belongs to another login. Please try again."

    @pytest.mark.parametrize("state", [None, "", "ü", "\x00"])
    def test_no_state(self, vendors: Vendors, flow: Flow, state: str | None) -> None:
        assert "another login" in refusal(flow, vendors["github"].row(), state=state)

    def test_another_issuer(self, vendors: Vendors, flow: Flow) -> None:
        text = refusal(flow, vendors["oidc_test"].row(), iss="https://evil.example")
        assert text == "This answer comes from another provider. Please try again."

    def test_no_issuer_from_one_that_always_says_it(self, vendors: Vendors, flow: Flow) -> None:
        assert "another provider" in refusal(flow, vendors["oidc_test"].row(), iss=None)

    def test_an_issuer_of_its_own_from_one_without_discovery(self, vendors: Vendors, flow: Flow) -> None:
        assert log_in(flow, vendors["github"].row(), iss="https://github.com/login/oauth").subject == "583231"

    def test_somebody_says_no(self, vendors: Vendors, flow: Flow) -> None:
        vendors["oidc_test"].answer = {"code": None, "error": "access_denied"}
        assert refusal(flow, vendors["oidc_test"].row()) == "You did not allow the login with Example ID."

    def test_another_error(self, vendors: Vendors, flow: Flow) -> None:
        vendors["x"].answer = {"code": None, "error": "temporarily_unavailable"}
        assert refusal(flow, vendors["x"].row()) == "X refused the login (temporarily_unavailable)."

    @pytest.mark.parametrize("error", ["Call 0900 123 now", "<b>x</b>", "a\x00", "ü", ""])
    def test_an_error_is_a_word_and_never_a_message(self, vendors: Vendors, flow: Flow, error: str) -> None:
        vendors["x"].answer = {"code": None, "error": error}
        assert refusal(flow, vendors["x"].row()) == "X refused the login."

    @pytest.mark.parametrize("code", [None, ""])
    def test_no_code(self, vendors: Vendors, flow: Flow, code: str | None) -> None:
        assert "do not understand" in refusal(flow, vendors["github"].row(), code=code)

    def test_a_code_works_once(self, vendors: Vendors, flow: Flow) -> None:
        row = vendors["oidc_test"].row()
        attempt, answer = there_and_back(flow, row)
        flow.finish(row, CALLBACK + row.key, attempt, answer)
        with pytest.raises(ProviderError, match="did not accept"):
            flow.finish(row, CALLBACK + row.key, attempt, answer)

    @pytest.mark.parametrize("key", ["oidc_test", "github", "x"])
    def test_a_stolen_code_is_worth_nothing_in_another_login(
        self, vendors: Vendors, flow: Flow, key: str
    ) -> None:
        row = vendors[key].row()
        _, stolen = there_and_back(flow, row)
        attempt, answer = there_and_back(flow, row)
        with pytest.raises(ProviderError, match="did not accept"):
            flow.finish(row, CALLBACK + row.key, attempt, answer | {"code": stolen["code"]})

    def test_a_code_for_another_redirect_uri(self, vendors: Vendors, flow: Flow) -> None:
        row = vendors["github"].row()
        attempt, answer = there_and_back(flow, row)
        with pytest.raises(ProviderError, match="did not accept"):
            flow.finish(row, CALLBACK + "elsewhere", attempt, answer)

    @pytest.mark.parametrize("key", ["oidc_test", "oidc_authelia", "x", "github", "apple"])
    def test_a_wrong_secret(self, vendors: Vendors, flow: Flow, key: str) -> None:
        other = fakes.ECKey.generate_key("P-256").as_pem(private=True).decode()
        options = {**vendors[key].row().options, "private_key": other} if key == "apple" else {}
        row = replace(vendors[key].row(), client_secret="not the secret", options=options)
        assert "did not accept" in refusal(flow, row)


LIES: dict[str, dict[str, Any]] = {
    "wrong issuer": {"iss": "https://evil.example"},
    "issuer with a slash more": {"iss": "http://127.0.0.1/"},
    "no issuer": {"iss": None},
    "wrong audience": {"aud": "somebody-else"},
    "no audience": {"aud": None},
    "audience in an object": {"aud": {fakes.CLIENT_ID: True}},
    "foreign authorized party": {"aud": [fakes.CLIENT_ID, "else"], "azp": "else"},
    "ours for somebody else": {"aud": [fakes.CLIENT_ID], "azp": "else"},
    "several audiences and nobody authorized": {"aud": [fakes.CLIENT_ID, "else"]},
    "audience of others, ours authorized": {"aud": ["else"], "azp": fakes.CLIENT_ID},
    "wrong nonce": {"nonce": "n-0S6_WzA2Mj"},
    "no nonce": {"nonce": None},
    "nonce in a list": {"nonce": []},
    "expired": {"exp": 1_700_000_000},
    "no expiry": {"exp": None},
    "expiry in words": {"exp": "tomorrow"},
    "expiry true": {"exp": True},
    "issued tomorrow": {"iat": 4_000_000_000},
    "never issued": {"iat": None},
}


class TestIdTokens:
    @pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
    def test_a_lie_is_refused(self, vendors: Vendors, flow: Flow, lie: dict[str, Any]) -> None:
        vendors["google"].claims = lie
        assert "meant for somebody else or is too old" in refusal(flow, vendors["google"].row())

    @pytest.mark.parametrize(
        "subject", [None, "", " ", True, ["1"], {"id": 1}, 1.5, "x" * 301, "a\x00b", "a\nb"]
    )
    def test_a_subject_that_is_none_is_refused(self, vendors: Vendors, flow: Flow, subject: object) -> None:
        vendors["google"].claims = {"sub": subject}
        text = refusal(flow, vendors["google"].row())
        assert re.search(r"did not say who you are|do not understand|different people", text)

    def test_several_audiences_with_ours_authorized(self, vendors: Vendors, flow: Flow) -> None:
        vendors["google"].claims = {"aud": [fakes.CLIENT_ID, "else"], "azp": fakes.CLIENT_ID}
        assert log_in(flow, vendors["google"].row()).subject == "248289761001"

    @pytest.mark.parametrize("algorithm", ["none", "HS256"])
    def test_no_signature_that_anybody_could_make(self, vendors: Vendors, flow: Flow, algorithm: str) -> None:
        vendors["oidc_test"].algorithm = algorithm  # the metadata offer both
        assert "not signed" in refusal(flow, vendors["oidc_test"].row())

    @pytest.mark.filterwarnings("ignore:Key size should be")
    def test_a_shared_secret_among_the_keys_changes_nothing(self, vendors: Vendors, flow: Flow) -> None:
        vendors["google"].algorithm = "HS256"
        vendors["google"].instead["/keys"] = as_json({"keys": [{"kty": "oct", "k": "a3NlY3JldA"}]})
        assert "not signed" in refusal(flow, vendors["google"].row())

    def test_a_key_that_is_not_the_providers(self, vendors: Vendors, flow: Flow) -> None:
        vendors["google"].signs = fakes.rsa("unknown")
        assert "not signed" in refusal(flow, vendors["google"].row())

    def test_a_key_that_only_has_the_right_name(self, vendors: Vendors, flow: Flow) -> None:
        vendors["google"].shows = [fakes.rsa("second")]
        vendors["google"].signs = fakes.RSAKey.import_key(
            fakes.rsa("unknown").as_pem(private=True), {"kid": "second"}
        )
        assert "not signed" in refusal(flow, vendors["google"].row())

    def test_keys_in_the_token_itself_are_not_believed(self, vendors: Vendors, flow: Flow) -> None:
        google = vendors["google"]
        own = fakes.rsa("unknown")
        header = {"alg": "RS256", "jwk": own.as_dict(private=False), "jku": f"{google.base}/keys"}
        google.signed = lambda claims: fakes.jwt.encode(header, dict(claims), own)
        assert "not signed" in refusal(flow, google.row())

    @pytest.mark.parametrize("kid", ["third", "first"])
    def test_keys_may_change(self, vendors: Vendors, flow: Flow, kid: str) -> None:
        google = vendors["google"]
        log_in(flow, google.row())
        google.signs = fakes.RSAKey.import_key(fakes.rsa("new").as_pem(private=True), {"kid": kid})
        google.shows = [google.signs, fakes.rsa("second")]
        assert log_in(flow, google.row()).subject == "248289761001"

    def test_the_keys_are_asked_for_once_an_hour(self, vendors: Vendors, flow: Flow) -> None:
        for _ in range(3):
            log_in(flow, vendors["google"].row())
        paths = [request.path for request in vendors["google"].asked]
        assert paths.count("/keys") == paths.count("/.well-known/openid-configuration") == 1

    @pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
    @pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519", "ES256"])
    def test_other_algorithms_with_a_key_pair(self, vendors: Vendors, flow: Flow, algorithm: str) -> None:
        curve = ECKey.generate_key("P-256", {"kid": "curve"})
        vendors["google"].algorithm = algorithm
        vendors["google"].signs = curve if algorithm == "ES256" else fakes.edwards_key()
        vendors["google"].shows = [vendors["google"].signs]
        assert log_in(flow, vendors["google"].row()).subject == "248289761001"

    @pytest.mark.parametrize("token", ["", "a.b.c", "a" * 5000, 7, ["x"], None, "a.b", "...", "ü.ü.ü"])
    def test_what_is_no_token(self, vendors: Vendors, flow: Flow, token: object) -> None:
        vendors["google"].granted = {"id_token": token}
        refusal(flow, vendors["google"].row())

    def test_another_login_of_the_same_person(self, vendors: Vendors, flow: Flow) -> None:
        """A token of an earlier login, put into this one, has the other one's nonce."""
        google = vendors["google"]
        google.granted = {"id_token": google.id_token({"nonce": "of-the-earlier-login"})}
        assert "(nonce)" in refusal(flow, google.row())

    def test_microsofts_tenant_must_be_the_issuers(self, vendors: Vendors, flow: Flow) -> None:
        for tenant in ("another-tenant", "x/../9188040d", "", None, 7):
            vendors["microsoft"].claims = {"tid": tenant}
            assert "(issuer)" in refusal(flow, vendors["microsoft"].row())

    def test_the_same_person_of_two_tenants_is_two(self, vendors: Vendors, flow: Flow) -> None:
        microsoft = vendors["microsoft"]
        here = log_in(flow, microsoft.row())
        microsoft.claims = {"tid": "11111111-2222", "iss": f"{microsoft.base}/11111111-2222/v2.0"}
        assert log_in(flow, microsoft.row()).issuer != here.issuer


class TestProfiles:
    def test_userinfo_of_another_person(self, vendors: Vendors, flow: Flow) -> None:
        vendors["oidc_test"].told = {"sub": "somebody-else"}
        assert "different people" in refusal(flow, vendors["oidc_test"].row())

    def test_userinfo_of_nobody(self, vendors: Vendors, flow: Flow) -> None:
        vendors["oidc_test"].told = {"sub": None}
        assert "different people" in refusal(flow, vendors["oidc_test"].row())

    def test_the_signed_name_counts(self, vendors: Vendors, flow: Flow) -> None:
        vendors["oidc_test"].told = {"name": "Eve", "email": "eve@mail.example"}
        profile = log_in(flow, vendors["oidc_test"].row())
        assert (profile.name, profile.email) == ("Ada Lovelace", "ada@mail.example")

    def test_a_name_that_the_token_leaves_out_is_asked_for(self, vendors: Vendors, flow: Flow) -> None:
        vendors["google"].tells_profile_in_token = False
        assert log_in(flow, vendors["google"].row()).name == "Ada Lovelace"

    @pytest.mark.parametrize("verified", [False, None, "false", "TRUE", 1, "yes", [True]])
    def test_an_email_counts_only_where_verified(
        self, vendors: Vendors, flow: Flow, verified: object
    ) -> None:
        vendors["google"].claims = {"email_verified": verified}
        assert log_in(flow, vendors["google"].row()).email is None

    @pytest.mark.parametrize(
        "picture", ["javascript:alert(1)", "data:image/png,", "file:///etc/passwd", 7, "[", ""]
    )
    def test_a_picture_is_an_address_of_the_web(self, vendors: Vendors, flow: Flow, picture: object) -> None:
        vendors["google"].claims = {"picture": picture}
        assert log_in(flow, vendors["google"].row()).picture is None

    @pytest.mark.parametrize("lives", [60, 30, 1])
    def test_a_token_that_lives_for_a_minute(self, vendors: Vendors, flow: Flow, lives: int) -> None:
        """As in Keycloak's own realm."""
        vendors["oidc_test"].granted = {"expires_in": lives}
        assert log_in(flow, vendors["oidc_test"].row()).subject == "248289761001"

    @pytest.mark.parametrize("subject", ["\ud800", "5\x00", "5\u2028"])
    def test_a_subject_can_be_stored(self, vendors: Vendors, flow: Flow, subject: str) -> None:
        vendors["github"].told = {"id": subject}
        assert "did not say who you are" in refusal(flow, vendors["github"].row())

    @pytest.mark.parametrize("told", [{"id": None}, {"id": True}, {"id": {}}, {"id": []}, {"id": ""}])
    def test_nobody_is_not_a_person(self, vendors: Vendors, flow: Flow, told: dict[str, object]) -> None:
        vendors["github"].told = told
        assert "did not say who you are" in refusal(flow, vendors["github"].row())

    @pytest.mark.parametrize("data", [None, [], "2244994945", {}])
    def test_x_without_its_wrapper(self, vendors: Vendors, flow: Flow, data: object) -> None:
        vendors["x"].told = {"data": data}
        refusal(flow, vendors["x"].row())

    def test_facebook_insists_on_the_proof(self, vendors: Vendors, flow: Flow) -> None:
        refusal(flow, replace(vendors["facebook"].row(), prove_secret=False))


BAD: dict[str, fakes.Play | Reply] = {
    "down": fakes.hang_up,
    "500": as_json({}, 500),
    "429": as_html("Slow down", 429),
    "HTML": as_html(HTML),
    "HTML that says JSON": Reply(200, HTML.encode(), {"Content-Type": "application/json"}),
    "nothing": Reply(200),
    "a list": as_json([]),
    "a number": as_json(7),
    "null": as_json(None),
    "a redirect": Reply(302, headers={"Location": "http://127.0.0.1:9/"}),
    "nothing in no type": Reply(204),
    "bytes": Reply(200, b"\xff\xfe\x00", {"Content-Type": "application/json"}),
    "a deep nest": Reply(200, b"[" * 100_000, {"Content-Type": "application/json"}),
    "a long number": Reply(200, b'{"id": ' + b"9" * 6000 + b"}", {"Content-Type": "application/json"}),
    "without end": fakes.endless,
}


class TestBadDays:
    @pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
    @pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/profile", "/keys"])
    def test_is_a_sentence(self, vendors: Vendors, flow: Flow, path: str, bad: fakes.Play | Reply) -> None:
        vendors["oidc_test"].instead[path] = bad
        assert refusal(flow, vendors["oidc_test"].row()).startswith(("Example ID ", "The provider's "))

    @pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
    @pytest.mark.parametrize("path", ["/token", "/profile"])
    def test_is_a_sentence_without_openid(
        self, vendors: Vendors, flow: Flow, path: str, bad: fakes.Play | Reply
    ) -> None:
        vendors["github"].instead[path] = bad
        assert refusal(flow, vendors["github"].row()).startswith(("GitHub ", "The provider "))

    @pytest.mark.parametrize("slow", [fakes.late(5), fakes.drip], ids=["late", "drip"])
    @pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/profile"])
    def test_nobody_waits_long(
        self,
        vendors: Vendors,
        flow: Flow,
        path: str,
        slow: fakes.Play,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(transport, "SECONDS", 0.3)
        vendors["oidc_test"].instead[path] = slow
        assert "not available right now" in refusal(flow, vendors["oidc_test"].row())

    def test_after_a_bad_day_it_works_again(self, vendors: Vendors, flow: Flow) -> None:
        vendors["oidc_test"].instead["/.well-known/openid-configuration"] = as_json({}, 503)
        refusal(flow, vendors["oidc_test"].row())
        vendors["oidc_test"].instead.clear()
        assert log_in(flow, vendors["oidc_test"].row()).name == "Ada Lovelace"

    def test_what_was_wrong_is_not_kept(self, vendors: Vendors, flow: Flow) -> None:
        vendors["google"].metadata = {"issuer": "https://evil.example"}
        assert "set up wrongly" in refusal(flow, vendors["google"].row())
        vendors["google"].metadata = {"jwks_uri": 7}
        assert "not available" in refusal(flow, vendors["google"].row())
        vendors["google"].metadata = {}
        vendors["google"].instead["/keys"] = as_json({"keys": []})
        assert "keys cannot be read" in refusal(flow, vendors["google"].row())
        vendors["google"].instead.clear()
        assert log_in(flow, vendors["google"].row()).name == "Ada Lovelace"

    @pytest.mark.parametrize(
        "metadata",
        [
            {"issuer": "https://evil.example"},
            {"issuer": None},
            {"issuer": 7},
            {"authorization_endpoint": None},
            {"authorization_endpoint": "javascript:alert(1)"},
            {"authorization_endpoint": "/authorize"},
            {"token_endpoint": ["http://127.0.0.1/token"]},
            {"token_endpoint": "file:///etc/passwd"},
            {"jwks_uri": None},
            {"jwks_uri": ""},
            {"userinfo_endpoint": {"a": "b"}},
            {"userinfo_endpoint": "http://["},
        ],
        ids=str,
    )
    def test_metadata_are_not_believed_blindly(
        self, vendors: Vendors, flow: Flow, metadata: dict[str, object]
    ) -> None:
        vendors["oidc_test"].metadata = metadata
        with pytest.raises(ProviderError, match=r"set up wrongly|not available"):
            flow.begin(vendors["oidc_test"].row(), CALLBACK + "oidc_test")

    def test_a_secure_issuer_has_secure_endpoints(self, vendors: Vendors, flow: Flow) -> None:
        row = replace(vendors["oidc_test"].row(), issuer="https://id.example")
        results = {
            "issuer": "https://id.example",
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "http://id.example/token",
            "jwks_uri": "https://id.example/keys",
        }
        flow.metadata.get = lambda url, *, kept=0: results  # type: ignore[method-assign]
        with pytest.raises(ProviderError, match="not available"):
            flow.begin(row, CALLBACK + "oidc_test")

    @pytest.mark.parametrize(
        "token",
        [{"access_token": None}, {"access_token": "a\r\nb: c"}, {"access_token": "ü€"}, {"access_token": 7}],
    )
    def test_a_token_that_cannot_be_sent(
        self, vendors: Vendors, flow: Flow, token: dict[str, object]
    ) -> None:
        for key in ("github", "facebook", "oidc_test"):
            vendors[key].granted = token
            refusal(flow, vendors[key].row())

    def test_the_environment_has_no_say(
        self, vendors: Vendors, flow: Flow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert log_in(flow, vendors["oidc_test"].row()).name == "Ada Lovelace"

    def test_apples_key_that_is_none(self, vendors: Vendors, flow: Flow) -> None:
        row = vendors["apple"].row()
        with pytest.raises(ProviderError):
            log_in(flow, replace(row, options={**row.options, "private_key": "no key"}))

    def test_the_log_has_no_secret(
        self, vendors: Vendors, flow: Flow, caplog: pytest.LogCaptureFixture
    ) -> None:
        for bad in BAD.values():
            vendors["github"].instead["/token"] = bad
            attempt, answer = there_and_back(flow, vendors["github"].row())
            with pytest.raises(ProviderError):
                flow.finish(vendors["github"].row(), CALLBACK + "github", attempt, answer)
            for secret in (fakes.CLIENT_SECRET, attempt.verifier, attempt.state, answer["code"]):
                assert secret not in caplog.text


class TestAfterAFailure:
    @pytest.mark.parametrize("wrong", ["token_endpoint", "jwks_uri", "userinfo_endpoint"])
    def test_a_wrong_discovery_document_is_asked_for_anew(
        self, vendors: Vendors, flow: Flow, wrong: str
    ) -> None:
        vendor = vendors["oidc_test"]
        vendor.metadata = {wrong: f"{vendor.base}/nowhere"}
        refusal(flow, vendor.row())
        vendor.metadata = {}
        assert log_in(flow, vendor.row()).subject == "248289761001"

    def test_a_person_who_says_no_costs_nothing(self, vendors: Vendors, flow: Flow) -> None:
        vendor = vendors["oidc_test"]
        vendor.answer = {"code": None, "error": "access_denied"}
        refusal(flow, vendor.row())
        vendor.answer = {}
        vendor.instead["/.well-known/openid-configuration"] = fakes.hang_up
        assert log_in(flow, vendor.row()).subject == "248289761001"


class TestNotBefore:
    @pytest.mark.parametrize("seconds", [120, 3600, 10**9])
    def test_a_token_of_the_future_is_refused(self, vendors: Vendors, flow: Flow, seconds: int) -> None:
        vendors["oidc_test"].claims = {"nbf": int(time.time()) + seconds}
        assert "too old (time)" in refusal(flow, vendors["oidc_test"].row())

    @pytest.mark.parametrize("value", ["soon", True, [], {}, "1"])
    def test_what_is_no_time_is_refused(self, vendors: Vendors, flow: Flow, value: object) -> None:
        vendors["oidc_test"].claims = {"nbf": value}
        assert "(time)" in refusal(flow, vendors["oidc_test"].row())

    @pytest.mark.parametrize("seconds", [-3600, 0, 30])
    def test_clocks_may_differ_by_a_minute(self, vendors: Vendors, flow: Flow, seconds: int) -> None:
        vendors["oidc_test"].claims = {"nbf": int(time.time()) + seconds}
        assert log_in(flow, vendors["oidc_test"].row()).subject == "248289761001"
