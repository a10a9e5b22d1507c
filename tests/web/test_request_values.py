"""Whatever a request holds is answered as a fault of the request, on every route there is, by whoever sends it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

import commentsvc.web
from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts, login_sessions
from commentsvc.models import Commenter, now
from tests.conftest import BASE_URL
from tests.support.browser_client import BrowserClient, PageToken
from tests.support.guest_client import ARTICLE, GuestClient, add_site

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
UNFIT = {
    "NUL": "%00",
    "NUL within": "1%00",
    "half a character": "%ED%A0%80",
    "no UTF-8": "%ff%fe",
    "10 to the 18": str(10**18),
    "10 to the 19": str(10**19),
    "2 to the 63": str(2**63),
    "below zero": "-1",
    "very many digits": "9" * 5000,
    "other digits": quote("\u0663"),
}
SOURCES = Path(commentsvc.web.__file__).parent
_READ = re.compile(
    r"""(?:\.get|getlist|number|row_argument|_matching)\((?:\w+, )?"([a-z_]+)"|^    (\w+) = \w+Field\(""",
    re.MULTILINE,
)


def names_in(source: str) -> set[str]:
    return {name for found in _READ.findall(source) for name in found if name}


NAMES = sorted(
    set[str]().union(*(names_in(file.read_text()) for file in SOURCES.rglob("*.py")))
    | {
        "q",
        "article",
        "author",
        "provider",
        "network",
        "since",
        "until",
        "reason",
        "who",
        "pick",
        "after",
        "open",
    }
)
"""Every argument and field that some view reads."""
ENDING = ("/sign-out", "/leave", "/delete", "/end-others", "/end")
"""They end the session of whoever sends them, and so come last."""
OURS = {"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"}


def rules(app: Flask) -> list[Rule]:
    """Every route, those that end a session last."""
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule.endswith(ENDING))


def path_of(rule: Rule, value: str) -> str:
    return re.sub(r"<[^>]*>", value, rule.rule)


class Sender:
    """Sends requests as they are: as nobody, as a reader who is logged in, or as a site's owner."""

    def __init__(self, app: Flask, site_id: int, *, who: str) -> None:
        self.visitor = BrowserClient(app)
        self.client = self.visitor.client
        self.headers: dict[str, str] = dict(OURS)
        self.csrf = PageToken("", "")
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            if who == "reader":
                self.headers["Authorization"] = f"Bearer {self._log_in(session, site_id)}"
            session.commit()
            if who == "owner":
                self.visitor.sign_in(session, accounts.operator(session))
        if who == "owner":
            self.csrf = self.visitor.token("/admin/sign-in/any")

    def send(self, method: str, path: str, query: str = "", body: str = "", kind: str = "") -> TestResponse:
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "HTTP_HOST": BASE_URL.partition("//")[2]}
        data = f"{urlencode(self.csrf._asdict())}&{body}" if body and not kind else body
        return self.client.open(
            path,
            method=method,
            base_url=BASE_URL,
            query_string=query,
            data=data if method == "POST" else None,
            headers=self.headers,
            content_type=(kind or "application/x-www-form-urlencoded") if method == "POST" else None,
            environ_overrides=environ,
        )

    @staticmethod
    def _log_in(session: Session, site_id: int) -> str:
        person = Commenter(name="Ada")
        session.add(person)
        session.flush()
        return login_sessions.open_for(
            session,
            commenter_id=person.id,
            identity_id=None,
            purpose=login_sessions.READER,
            site_id=site_id,
            browser="",
            at=now(),
        )


@pytest.fixture
def site_id(app: Flask) -> int:
    number = add_site(app)
    GuestClient(app).posted("Hello")
    return number


@pytest.fixture(params=["nobody", "reader", "owner"])
def sender(request: pytest.FixtureRequest, app: Flask, site_id: int) -> Sender:
    return Sender(app, site_id, who=request.param)


def methods(rule: Rule) -> Iterator[str]:
    yield from sorted((rule.methods or set()) & {"GET", "POST"})


@ENGINES
def test_no_path_is_a_fault_of_the_server(app: Flask, sender: Sender) -> None:
    for rule in rules(app):
        if not rule.arguments - set(rule.defaults or ()):
            continue
        for kind, value in UNFIT.items():
            for method in methods(rule):
                answer = sender.send(method, path_of(rule, value), body="text=x")
                assert answer.status_code < 500, (method, rule.rule, kind)
                if "%" in value and kind != "other digits":
                    assert answer.status_code in {404, 400}, (method, rule.rule, kind)


@ENGINES
def test_no_query_and_no_field_is_a_fault_of_the_server(app: Flask, sender: Sender) -> None:
    thread = f"url={quote(ARTICLE)}"
    for rule in rules(app):
        path = path_of(rule, "1")
        for kind, value in UNFIT.items():
            all_names = "&".join(f"{name}={value}" for name in NAMES if name != "url")
            for method in methods(rule):
                for query, body in (
                    (f"{thread}&{all_names}", thread),
                    (f"url={value}", f"{thread}&{all_names}"),
                ):
                    answer = sender.send(method, path, query, body)
                    assert answer.status_code < 500, (method, rule.rule, kind, query[:40])


@ENGINES
def test_no_single_query_argument_or_field_is_a_fault_of_the_server(app: Flask, sender: Sender) -> None:
    thread = f"url={quote(ARTICLE)}"
    for rule in rules(app):
        module = inspect.getmodule(app.view_functions[rule.endpoint])
        for name in sorted(names_in(inspect.getsource(module))) if module else ():
            for method in methods(rule):
                given = f"{name}=a%00&{thread}"
                answer = sender.send(method, path_of(rule, "1"), given, given)
                assert answer.status_code < 500, (method, rule.rule, name)


@ENGINES
@pytest.mark.parametrize(
    "body", [r'{"url": "\u0000", "text": "\ud800"}', '{"id": 1e400}', "[" * 5000, "\x00"]
)
def test_no_json_body_is_a_fault_of_the_server(app: Flask, sender: Sender, body: str) -> None:
    for rule in rules(app):
        if "POST" in (rule.methods or ()):
            answer = sender.send("POST", path_of(rule, "1"), body=body, kind="application/json")
            assert answer.status_code < 500, rule.rule


@ENGINES
@pytest.mark.parametrize(
    "value", ["\x01", "\x7f", "\xff", "\xed\xa0\x80", "1" * 5000, "\u0663".encode().decode("latin-1")]
)
def test_no_header_and_no_cookie_is_a_fault_of_the_server(app: Flask, site_id: int, value: str) -> None:
    sender = Sender(app, site_id, who="nobody")
    names = (
        "Authorization",
        "X-Author-Key",
        "X-CSRFToken",
        "User-Agent",
        "If-None-Match",
        "Accept",
        "Referer",
    )
    sent = {f"HTTP_{name.upper().replace('-', '_')}": f"Bearer {value}" if name == "Authorization" else value
            for name in names}  # fmt: skip
    cookies = "; ".join(
        f"{name}={value}" for name in ("commentsvc_admin", "commentsvc_login", "__Host-reader")
    )
    for rule in rules(app):
        for method in methods(rule):
            answer = sender.client.open(
                path_of(rule, "1"), method=method, base_url=BASE_URL, query_string={"url": ARTICLE},
                headers=OURS, environ_overrides=sent | {"HTTP_COOKIE": cookies},
            )  # fmt: skip
            assert answer.status_code < 500, (method, rule.rule)


def test_a_number_in_other_digits_is_no_comments_number(app: Flask, site_id: int) -> None:
    client = app.test_client()
    assert client.get("/comment/1", base_url=BASE_URL).status_code == 302
    for path in (
        f"/comment/{quote(chr(0x661))}",
        "/comment/1%00",
        "/comment/+1",
        "/comment/-1",
        f"/comment/{10**19}",
    ):
        assert client.get(path, base_url=BASE_URL).status_code == 404, path


def test_a_text_that_was_typed_with_a_nul_is_kept_but_for_it(app: Flask, site_id: int) -> None:
    answer = GuestClient(app).post("Hello\x00 World", name="An\x00na")
    assert answer.status_code == 200
    assert "Hello World" in answer.text
    assert "\x00" not in answer.text


def test_a_field_of_nothing_but_nul_is_empty(app: Flask, site_id: int) -> None:
    for name in ("text", "name", "email"):
        answer = GuestClient(app).post(**{"text": "Hello", name: "\x00\x00"})
        assert answer.status_code == 422
        assert name in (answer.json or {})["errors"]
