"""Every change must come from a page of ours, known by its exact `Origin` and by nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from tests.conftest import BASE_URL, BLOG
from tests.support.browser_client import BrowserClient, PageToken
from tests.support.member_client import enter, person
from tests.support.outside_session import outside_session

FROM_NO_PAGE = {
    "/login/callback/<key>",
    "/login/facebook/deletion",
    "/login/facebook/deauthorize",
    "/login/apple/notices",
    "/doctor",
    "/mail/stop/<token>",
    "/mail/stop-site/<token>",
    "/webmention",
}
"""What no page of ours sends: a login's answer, kept for the browser that began it, notices, the doctor's question, the
button of a mail program, and what other websites send, which is verified at its source."""
ENDING = {"/admin/sign-out", "/account/leave", "/account/delete"}
BY_PROGRAMS = "/api/v1/"
"""What programs call with a token in a header, which no page can send by itself, and never with a cookie:
tests/web/api/test_tokens.py."""
FOREIGN = {
    "none": None,
    "of a sandboxed frame, a data: page or a redirect": "null",
    "a registered site": BLOG,
    "another site": "https://evil.example",
    "the same host with another port": "http://127.0.0.1:8601",
    "the same host without a port": "http://127.0.0.1",
    "the same host with another scheme": BASE_URL.replace("http:", "https:"),
    "the same host in capitals with a slash": BASE_URL.upper() + "/",
    "a name that begins like ours": BASE_URL + ".evil.example",
    "two": f"{BASE_URL}, {BASE_URL}",
    "empty": "",
}


class Insiders:
    """An owner in the admin view and a member on their own page: what is refused to them is refused for its origin."""

    def __init__(self, app: Flask, session: Session) -> None:
        begin_write(session)
        owner = accounts.operator(session)
        site = sites.add(session, "Blog", [BLOG], owner_id=owner.id)
        session.commit()
        self._owner = BrowserClient(app).sign_in(session, owner)
        self._member = enter(app, session, person(session), site).visitor
        self._tokens = {id(self._owner): self._owner.token("/admin")}
        self._tokens[id(self._member)] = self._member.token("/account")

    def post(self, path: str, headers: dict[str, str]) -> TestResponse:
        """Send a form with the right CSRF token."""
        visitor = self._member if path.startswith("/account") else self._owner
        token = self._tokens.get(id(visitor), PageToken("", ""))
        data = token._asdict() | {"url": f"{BLOG}/a"}
        return visitor.client.post(path, base_url=BASE_URL, data=data, headers=headers)

    def forget_tokens(self) -> None:
        """Send no CSRF token from now on."""
        self._tokens.clear()


@pytest.fixture
def insiders(app: Flask) -> Iterator[Insiders]:
    with outside_session(app) as session:
        yield Insiders(app, session)


def changing(app: Flask) -> list[tuple[str, str]]:
    """Every route that takes another method than reading, and an address of it."""
    results = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(BY_PROGRAMS):
            continue
        if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"} and rule.rule not in FROM_NO_PAGE:
            number = {name: 1 for name in rule.arguments if re.search(f"<(int|site):{name}>", rule.rule)}
            values = dict.fromkeys(rule.arguments, "x" * 43) | number | dict(rule.defaults or {})
            path = app.url_map.bind("127.0.0.1").build(rule.endpoint, values, method="POST")
            results.append((rule.rule, path))
    assert len(results) > 40
    return results


@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN.keys())
def test_every_change_from_elsewhere_is_refused(insiders: Insiders, app: Flask, origin: str | None) -> None:
    for rule, path in changing(app):
        headers = {"Sec-Fetch-Site": "same-origin"} | ({} if origin is None else {"Origin": origin})
        answer = insiders.post(path, headers)
        assert answer.status_code == 403, (rule, answer.status)
        assert "did not come from a page of this service" in answer.text, rule


@pytest.mark.parametrize("said", ["cross-site", "same-site", "none", "same-origin", None])
def test_what_a_browser_says_of_the_window_changes_nothing_for_a_page_of_ours(
    insiders: Insiders, app: Flask, said: str | None
) -> None:
    """WebKit says cross-site of a form of ours that opens a new window."""
    for rule, path in changing(app):
        if rule in ENDING:
            continue  # whoever tries the others would be gone
        headers = {"Origin": BASE_URL} | ({"Sec-Fetch-Site": said} if said else {})
        answer = insiders.post(path, headers)
        assert "did not come from a page of this service" not in answer.text, rule
