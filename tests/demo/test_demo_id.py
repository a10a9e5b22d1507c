"""Demo ID: a login to try, on this machine and nowhere else."""

from __future__ import annotations

import html
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from commentsvc.config import Settings
from commentsvc.demo import demo_id, provider
from commentsvc.demo.demo_id import PEOPLE
from commentsvc.demo.provider import DemoOnlyError
from commentsvc.demo.stand_ins import STAND_INS, Client, Someone, StandIn
from commentsvc.errors import ProviderError
from commentsvc.integrations.oauth import catalogue
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.integrations.oauth.flow import Flow
from commentsvc.serving.server import Bind
from tests.support import processes
from tests.support.accessibility import violations
from tests.test_settings import BARE

CALLBACK = "http://127.0.0.1:8600/login/callback"
CLIENTS = {
    one.key: Client("commentsvc-demo", "of-this-run-alone", f"{CALLBACK}/{one.key}") for one in STAND_INS
}
CLIENT = CLIENTS["wordpress"]
"""The one of the tests that concern all stand-ins alike."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with provider.running(Bind("127.0.0.1", processes.free_port()), CLIENTS) as origin:
        yield origin


@pytest.fixture
def issuer(origin: str) -> str:
    return f"{origin}/wordpress"


def row_of(origin: str, stand_in: StandIn) -> Provider:
    """The service's own row, as the settings that the demonstration sets make it."""
    variables = stand_in.variables(f"{origin}/{stand_in.key}", CLIENTS[stand_in.key])
    (row,) = catalogue.offered(Settings.from_env(BARE | variables))
    return row


@pytest.fixture
def row(origin: str) -> Provider:
    return row_of(origin, STAND_INS[0])


def ask(issuer: str, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, Any, str]:
    """Return status, headers and text."""
    connection = HTTPConnection("127.0.0.1", urlsplit(issuer).port or 0, timeout=10)
    sent = {"Host": urlsplit(issuer).netloc, "Content-Type": "application/x-www-form-urlencoded"} | headers
    try:
        connection.request(
            "POST" if form is not None else "GET", urlsplit(issuer).path + path, urlencode(form or {}), sent
        )
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def question(url: str) -> tuple[str, dict[str, str]]:
    """Return the page that a login comes to, and what its first form carries."""
    parts = urlsplit(url)
    status, _, text = ask(f"{parts.scheme}://{parts.netloc}", f"{parts.path}?{parts.query}")
    assert status == 200, text
    form = text.partition("</form>")[0]
    result = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    return text, {name: html.unescape(value) for name, value in result}


def answer(row: Provider, url: str, **choice: str) -> dict[str, str]:
    """Choose somebody; return what the browser brings back."""
    parts = urlsplit(url)
    status, headers, text = ask(f"{parts.scheme}://{parts.netloc}", parts.path, question(url)[1] | choice)
    assert status == 303, text
    assert headers["Location"].startswith(f"{CALLBACK}/{row.key}?")
    return dict(parse_qsl(urlsplit(headers["Location"]).query))


def log_in(row: Provider, **choice: str) -> tuple[str, str]:
    """Return subject and name of whoever the service takes the visitor for."""
    flow, callback = Flow(), f"{CALLBACK}/{row.key}"
    url, attempt = flow.begin(row, callback)
    profile = flow.finish(row, callback, attempt, answer(row, url, **choice))
    assert profile.issuer == row.issuer
    assert (profile.link, profile.picture) == (None, None)  # which would lead to real people
    return profile.subject, profile.name


class TestStandIns:
    """Each answers the service as the provider does that it stands in for: the service has no way of its own for it."""

    @pytest.mark.parametrize("stand_in", STAND_INS, ids=lambda one: one.key)
    def test_a_login(self, origin: str, stand_in: StandIn) -> None:
        row = row_of(origin, stand_in)
        marta = PEOPLE[0]
        known = next(one for one in catalogue.ROWS if one.key == stand_in.key)
        assert (row.label, row.pkce, row.scope) == (known.label, known.pkce, known.scope)
        subject = marta.key if stand_in.openid else str(marta.number)
        assert log_in(row, person=marta.key) == (subject, marta.name)

    @pytest.mark.parametrize("stand_in", STAND_INS, ids=lambda one: one.key)
    def test_the_page_says_whom_it_stands_in_for(self, origin: str, stand_in: StandIn) -> None:
        row = row_of(origin, stand_in)
        text, _ = question(Flow().begin(row, f"{CALLBACK}/{row.key}")[0])
        sentence = f"This stands in for {stand_in.label}; nothing leaves this machine."
        assert sentence in re.sub("<[^>]+>", "", text)

    @pytest.mark.parametrize("stand_in", STAND_INS, ids=lambda one: one.key)
    def test_every_address_is_on_this_machine(self, origin: str, stand_in: StandIn) -> None:
        endpoints = Flow().endpoints(row_of(origin, stand_in))
        for url in (endpoints.authorize, endpoints.token, endpoints.profile, endpoints.keys or origin):
            assert url.startswith(f"{origin}/") or url == origin

    def test_facebook_wants_a_proof_of_the_secret(self, origin: str) -> None:
        row = replace(row_of(origin, STAND_INS[2]), prove_secret=False)
        with pytest.raises(ProviderError):
            log_in(row, person="lin")

    def test_a_code_of_one_is_no_code_of_another(self, origin: str) -> None:
        github, mastodon = row_of(origin, STAND_INS[3]), row_of(origin, STAND_INS[5])
        url, attempt = Flow().begin(github, f"{CALLBACK}/github")
        result = answer(github, url, person="lin")
        with pytest.raises(ProviderError, match="did not accept"):
            Flow().finish(mastodon, f"{CALLBACK}/mastodon", replace(attempt, provider="mastodon"), result)


class TestPeople:
    @pytest.mark.parametrize("someone", PEOPLE, ids=lambda someone: someone.key)
    def test_each_of_the_four(self, row: Provider, someone: Someone) -> None:
        assert log_in(row, person=someone.key) == (someone.key, someone.name)

    def test_the_page_shows_them(self, row: Provider) -> None:
        text, _ = question(Flow().begin(row, CLIENT.redirect_uri)[0])
        assert all(someone.name in text and someone.about in text for someone in PEOPLE)
        assert 'type="password"' not in text

    def test_somebody_else(self, row: Provider) -> None:
        first = log_in(row, name="  Ada   Lovelace ")
        assert first[1] == "Ada Lovelace"
        assert log_in(row, name="ada lovelace") == (first[0], "ada lovelace")
        assert log_in(row, name="Ada Byron")[0] != first[0]

    @pytest.mark.parametrize("name", ["marta", "typed-1", "<b>x</b>", "x" * 500, "\ud7ff\u202e", "ü"])
    def test_a_name_of_any_kind_is_nobody_of_the_four(self, row: Provider, name: str) -> None:
        subject, shown = log_in(row, name=name)
        assert re.fullmatch(r"typed-[0-9a-f]{16}", subject)
        assert len(shown) <= demo_id.NAME_LONGEST

    @pytest.mark.parametrize("choice", [{"person": "nobody"}, {"name": "  "}, {}, {"person": "root"}])
    def test_who_would_rather_not(self, row: Provider, choice: dict[str, str]) -> None:
        with pytest.raises(ProviderError, match=r"You did not allow the login with WordPress\.com"):
            log_in(row, **choice)


BAD_QUESTIONS = [
    {"client_id": "another"},
    {"redirect_uri": "https://evil.example/"},
    {"redirect_uri": CLIENT.redirect_uri + "/../evil"},
    {"response_type": "token"},
    {"state": ""},
    {"code_challenge": ""},
    {"code_challenge": "short"},
    {"code_challenge_method": "plain"},
    {"code_challenge_method": ""},
]


class TestRefusals:
    @pytest.mark.parametrize("wrong", BAD_QUESTIONS, ids=str)
    def test_a_question_that_is_not_as_it_must_be(self, row: Provider, wrong: dict[str, str]) -> None:
        url, _ = Flow().begin(row, CLIENT.redirect_uri)
        asked = dict(parse_qsl(urlsplit(url).query)) | wrong
        for status, headers, _ in (
            ask(row.issuer, f"/authorize?{urlencode(asked)}"),
            ask(row.issuer, "/authorize", asked | {"person": "marta"}),
        ):
            assert status == 400
            assert "Location" not in headers

    def exchange(self, row: Provider, **wrong: str) -> tuple[int, dict[str, Any]]:
        """Exchange a code that is good, with something that is not."""
        url, attempt = Flow().begin(row, CLIENT.redirect_uri)
        form = {
            "grant_type": "authorization_code",
            "code": answer(row, url, person="lin")["code"],
            "redirect_uri": CLIENT.redirect_uri,
            "code_verifier": attempt.verifier,
            "client_id": CLIENT.id,
            "client_secret": CLIENT.secret,
        }
        status, _, text = ask(row.issuer, "/token", form | wrong)
        return status, json.loads(text)

    def test_an_exchange_as_it_must_be(self, row: Provider) -> None:
        status, found = self.exchange(row)
        assert (status, set(found)) == (200, {"access_token", "token_type", "expires_in", "id_token"})

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            ({"code": "unknown"}, "invalid_grant"),
            ({"code_verifier": "x" * 43}, "invalid_grant"),
            ({"code_verifier": ""}, "invalid_grant"),
            ({"redirect_uri": "https://evil.example/"}, "invalid_grant"),
            ({"grant_type": "password"}, "invalid_grant"),
            ({"client_secret": "another"}, "invalid_client"),
            ({"client_secret": ""}, "invalid_client"),
            ({"client_id": "ü"}, "invalid_client"),
        ],
    )
    def test_an_exchange_that_is_not(self, row: Provider, wrong: dict[str, str], error: str) -> None:
        assert self.exchange(row, **wrong) == (400, {"error": error})

    def test_a_code_counts_once_and_not_for_long(
        self, row: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flow = Flow()
        url, attempt = flow.begin(row, CLIENT.redirect_uri)
        result = answer(row, url, person="lin")
        flow.finish(row, CLIENT.redirect_uri, attempt, result)
        with pytest.raises(ProviderError, match="did not accept"):
            flow.finish(row, CLIENT.redirect_uri, attempt, result)
        monkeypatch.setattr(demo_id, "CODE_LIFE", -1)
        with pytest.raises(ProviderError, match="did not accept"):
            log_in(row, person="lin")

    @pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer x", "Basic x"])
    def test_userinfo_without_a_token(self, issuer: str, authorization: str) -> None:
        status, _, text = ask(issuer, "/userinfo", Authorization=authorization)
        assert (status, json.loads(text)) == (401, {"error": "invalid_token"})

    def test_it_keeps_no_more_than_it_can(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(demo_id, "_MOST", 3)
        small = demo_id.DemoId(STAND_INS[0], "http://localhost:1", CLIENT, demo_id.new_key())
        asked = {
            "client_id": CLIENT.id,
            "redirect_uri": CLIENT.redirect_uri,
            "response_type": "code",
            "state": "s",
            "code_challenge": "c" * 43,
            "code_challenge_method": "S256",
            "person": "lin",
        }
        for _ in range(10):
            small.agree(asked)
        assert len(small._codes) == 3

    def test_what_comes_in_the_address_is_text_on_the_page(self, row: Provider) -> None:
        url, _ = Flow().begin(row, CLIENT.redirect_uri)
        asked = dict(parse_qsl(urlsplit(url).query)) | {"state": '"><script>alert(1)</script>'}
        _, headers, text = ask(row.issuer, f"/authorize?{urlencode(asked)}")
        assert "<script" not in text
        assert "default-src 'none'" in headers["Content-Security-Policy"]


class TestLoopback:
    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "demo.example", "127.0.0.2", ""])
    def test_it_listens_nowhere_else(self, host: str) -> None:
        with (
            pytest.raises(DemoOnlyError, match="lets anybody in as anybody"),
            provider.running(Bind(host, 8602), CLIENTS),
        ):
            pass

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost", "localhost:1"])
    @pytest.mark.parametrize("form", [None, {}])
    def test_it_answers_to_one_name(self, issuer: str, host: str, form: dict[str, str] | None) -> None:
        """A website's owner can give the name of the website to this machine."""
        assert ask(issuer, "/.well-known/openid-configuration", form, Host=host)[0] == 421

    @pytest.mark.parametrize("path", ["/", "/../demo_id.py", "/demo-id.html", "/style.css"])
    def test_it_has_no_other_pages(self, origin: str, path: str) -> None:
        for where in (origin, f"{origin}/github", f"{origin}/nobody"):
            assert ask(where, path)[0] == 404
            assert ask(where, path, {})[0] == 404

    def test_only_openid_connect_has_discovery(self, origin: str) -> None:
        for path in ("/.well-known/openid-configuration", "/keys"):
            assert [ask(f"{origin}/{one.key}", path)[0] == 200 for one in STAND_INS] == [
                one.openid for one in STAND_INS
            ]

    def test_a_form_too_large_is_not_read(self, issuer: str) -> None:
        assert ask(issuer, "/token", {"code": "x" * 20_000})[0] == 400

    def test_only_the_public_key_is_told(self, issuer: str) -> None:
        (key,) = json.loads(ask(issuer, "/keys")[2])["keys"]
        assert (key["alg"], set(key) & {"d", "p", "q"}) == ("RS256", set())

    @pytest.mark.parametrize("module", [provider, demo_id])
    def test_it_cannot_be_started_by_itself(self, module: ModuleType) -> None:
        assert "__main__" not in inspect.getsource(module)


@pytest.fixture(scope="module")
def article(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the demonstration's article."""
    ports = [processes.free_port() for _ in range(3)]
    names = ("--port", "--blog-port", "--login-port")
    options = [word for name, port in zip(names, ports, strict=True) for word in (name, str(port))]
    output = tmp_path_factory.mktemp("demo") / "output"
    with processes.running(output, {}, "-m", "commentsvc", "demo", *options) as process:
        assert "“Demo ID” stands in for" in process.until_said("Ctrl+C")
        yield f"http://localhost:{ports[1]}/first-frost/"


class TestNewcomer:
    def test_sees_the_marks_of_the_well_known_providers(self, article: str, page: Page) -> None:
        page.goto(article)
        frame = page.frame_locator("comment-thread iframe")
        frame.locator("#text").click()
        marks = frame.get_by_role("group", name="Log in").get_by_role("button")
        expect(marks).to_have_count(6)
        names = [mark.get_attribute("title") for mark in marks.all()]
        assert names == ["WordPress.com", "X", "Facebook", "GitHub", "Google", "Mastodon"]

    @pytest.mark.parametrize("label", [one.label for one in STAND_INS])
    def test_logs_in_and_comments(self, article: str, page: Page, label: str) -> None:
        page.goto(article)
        frame = page.frame_locator("comment-thread iframe")
        frame.locator("#text").click()
        with page.context.expect_page() as opened:
            frame.get_by_role("button", name=f"Log in with {label}").click()
        window = opened.value
        expect(window.get_by_role("heading", name="Who are you today?")).to_be_visible()
        assert violations(window) == []
        window.get_by_role("button", name="Osei Larbi").click()
        expect(frame.get_by_text(f"You are commenting using your {label} account.")).to_be_visible()
        frame.locator("#text").fill(f"From the night bus, by {label}.")
        frame.get_by_role("button", name="Post Comment").click()
        posted = frame.locator(".comment", has_text=f"From the night bus, by {label}.")
        expect(posted.locator(".name", has_text="Osei Larbi")).to_be_visible()

    def test_types_a_name_and_presses_enter(self, article: str, page: Page) -> None:
        page.goto(article)
        frame = page.frame_locator("comment-thread iframe")
        frame.locator("#text").click()
        with page.context.expect_page() as opened:
            frame.get_by_role("button", name="Log in with GitHub").click()
        name = opened.value.get_by_label("Or be somebody else")
        name.fill("Ada")
        name.press("Enter")
        expect(frame.get_by_text("Ada:", exact=True)).to_be_visible()
