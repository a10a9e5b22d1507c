"""However a login ends, whatever it was for: the words fit, and there is a way back to where it was begun."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts, invitations, login_tickets
from commentsvc.domain.sites import sites
from commentsvc.errors import (
    LoginRefusedError,
    ProviderError,
    ProviderUnavailableError,
)
from commentsvc.integrations import signing
from commentsvc.integrations.oauth.profile import Profile
from commentsvc.models import Role, Site, Ticket, now
from commentsvc.web.auth import login_outcomes, login_words
from commentsvc.web.auth.login_outcomes import Start
from commentsvc.web.auth.login_words import LoginOutcome, Purpose
from tests.conftest import BLOG
from tests.support.browser_client import BrowserClient
from tests.support.login_client import ARTICLE, LoginClient
from tests.support.member_client import Vouching
from tests.support.outside_session import outside_session

TOKEN = "t" * 43
RECEIPT = "R" * 24
STARTS = {
    Purpose.FRAME: Start(Purpose.FRAME),
    Purpose.TAB: Start(Purpose.TAB, {"url": ARTICLE}),
    Purpose.THREAD: Start(Purpose.THREAD, {"url": ARTICLE, "id": "one"}),
    Purpose.PERSON: Start(Purpose.PERSON, page="settings"),
    Purpose.RECEIPT: Start(Purpose.RECEIPT, receipt=RECEIPT),
    Purpose.LINK: Start(Purpose.LINK),
    Purpose.ADMIN: Start(Purpose.ADMIN),
    Purpose.INVITE: Start(Purpose.INVITE, invitation=TOKEN),
}
BACK = {
    Purpose.FRAME: "",
    Purpose.TAB: ARTICLE,
    Purpose.THREAD: f"/thread?url={quote(ARTICLE, safe='')}&id=one",
    Purpose.PERSON: "/account/settings",
    Purpose.RECEIPT: f"/receipt/{RECEIPT}",
    Purpose.LINK: "/account/settings",
    Purpose.ADMIN: "/admin",
    Purpose.INVITE: f"/admin/invite/{TOKEN}",
}
PURPOSES = pytest.mark.parametrize("purpose", list(Purpose))
CLOSE = "You can close this window"


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app) as session:
        yield session


@pytest.fixture(autouse=True)
def site(session: Session) -> Site:
    begin_write(session)
    site = sites.add(session, "Blog", [BLOG], owner_id=accounts.operator(session).id)
    session.commit()
    return site


@pytest.fixture
def provider(app: Flask) -> Vouching:
    return Vouching.at(app)


def way_back(answer: TestResponse | str) -> str:
    """The address of the page's one link; empty for none."""
    text = answer if isinstance(answer, str) else answer.text
    result = re.findall(r'<a class="button" href="([^"]*)">', text)
    assert len(result) <= 1
    return html.unescape(result[0]) if result else ""


def expect(answer: TestResponse, purpose: Purpose, invitation: str = TOKEN) -> None:
    """The page is no dead end, and speaks of closing a window only where there is one of its own."""
    assert answer.status_code >= 400
    assert way_back(answer) == BACK[purpose].replace(TOKEN, invitation)
    assert (CLOSE in answer.text) is (purpose is Purpose.FRAME)
    assert answer.headers["Cache-Control"] == "no-store"


class TestTheTable:
    def test_has_every_cell(self) -> None:
        for table in (login_words.HEADINGS, login_words.ADVICE):
            assert set(table) == set(LoginOutcome)
        for outcome, row in login_words.ADVICE.items():
            assert set(row) == set(Purpose), outcome
        assert set(login_outcomes.WAYS_BACK) == {*Purpose, None}

    @pytest.mark.parametrize("outcome", list(LoginOutcome))
    @PURPOSES
    def test_each_cell_says_what_to_do_and_leads_back(
        self, app: Flask, outcome: LoginOutcome, purpose: Purpose
    ) -> None:
        with app.test_request_context():
            text = login_outcomes.page(outcome, STARTS[purpose], "What happened.", status=400).get_data(
                as_text=True
            )
        assert f"<h1>{login_words.HEADINGS[outcome]}</h1>" in text
        assert '<p role="alert">What happened.</p>' in text
        assert html.escape(login_words.ADVICE[outcome][purpose], quote=False) in html.unescape(text)
        assert way_back(text) == BACK[purpose]
        assert (CLOSE in text) is (purpose is Purpose.FRAME)

    @pytest.mark.parametrize("outcome", list(LoginOutcome))
    def test_where_the_purpose_is_lost_there_is_a_way_too(self, app: Flask, outcome: LoginOutcome) -> None:
        with app.test_request_context():
            text = login_outcomes.page(outcome, Start(), "What happened.").get_data(as_text=True)
        assert way_back(text) == "/account"
        assert CLOSE not in text

    @pytest.mark.parametrize("url", ["https://evil.example/", "javascript:alert(1)", "//evil.example", ""])
    @pytest.mark.parametrize("purpose", [Purpose.TAB, Purpose.THREAD])
    def test_leads_to_no_website_that_is_not_registered(self, app: Flask, purpose: Purpose, url: str) -> None:
        with app.test_request_context():
            answer = login_outcomes.page(LoginOutcome.NOT_OURS, Start(purpose, {"url": url}))
        assert way_back(answer.get_data(as_text=True)) == "/account"


class TestRealLogins:
    """The same through the service's own addresses."""

    @pytest.fixture
    def invitation(self, session: Session, site: Site) -> str:
        begin_write(session)
        token = invitations.invite(session, session.get_one(Site, site.id), Role.MODERATOR, at=now())
        session.commit()
        return token

    @pytest.fixture
    def fields(self, invitation: str) -> dict[Purpose, dict[str, str]]:
        """What the form of each purpose sends beside it."""
        return {
            Purpose.FRAME: {"url": ARTICLE},
            Purpose.TAB: {"url": ARTICLE},
            Purpose.THREAD: {"url": ARTICLE, "id": "one"},
            Purpose.PERSON: {"page": "settings"},
            Purpose.RECEIPT: {"receipt": RECEIPT},
            Purpose.LINK: {},
            Purpose.ADMIN: {},
            Purpose.INVITE: {"invitation": invitation},
        }

    @pytest.mark.parametrize(
        "error",
        [
            LoginRefusedError("You did not allow the login with GitHub."),
            ProviderUnavailableError("GitHub is not available right now."),
            ProviderError("GitHub refused the login (server_error)."),
        ],
        ids=["refused", "unavailable", "invalid"],
    )
    @PURPOSES
    def test_at_the_provider(
        self,
        app: Flask,
        provider: Vouching,
        fields: dict[Purpose, dict[str, str]],
        purpose: Purpose,
        error: ProviderError,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def finish(*_: object) -> Profile:
            raise error

        monkeypatch.setattr(provider, "finish", finish)
        answer = provider.go(BrowserClient(app), purpose=purpose, **fields[purpose])
        assert str(error) in answer.text
        expect(answer, purpose, fields[Purpose.INVITE]["invitation"])

    @PURPOSES
    def test_that_cannot_begin(
        self,
        app: Flask,
        provider: Vouching,
        fields: dict[Purpose, dict[str, str]],
        purpose: Purpose,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def begin(*_: object, **__: object) -> None:
            raise ProviderUnavailableError("GitHub is not available right now.")

        monkeypatch.setattr(provider, "begin", begin)
        sent = {"provider": "github", "purpose": purpose, **fields[purpose]}
        answer = BrowserClient(app).post("/login/start", sent, token=None)
        assert answer.status_code == 503
        expect(answer, purpose, fields[Purpose.INVITE]["invitation"])

    @PURPOSES
    def test_with_a_provider_that_is_gone(
        self, app: Flask, fields: dict[Purpose, dict[str, str]], purpose: Purpose
    ) -> None:
        sent = {"provider": "gone", "purpose": purpose, **fields[purpose]}
        answer = BrowserClient(app).post("/login/start", sent, token=None)
        assert answer.status_code == 404
        expect(answer, purpose, fields[Purpose.INVITE]["invitation"])

    @PURPOSES
    def test_that_are_too_many(
        self, app: Flask, provider: Vouching, fields: dict[Purpose, dict[str, str]], purpose: Purpose
    ) -> None:
        visitor = BrowserClient(app)
        sent = {"provider": "github", "purpose": purpose, **fields[purpose]}
        for _ in range(31):
            answer = visitor.post("/login/start", sent, token=None)
        assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
        expect(answer, purpose, fields[Purpose.INVITE]["invitation"])

    @PURPOSES
    def test_that_no_page_of_ours_began(
        self, app: Flask, provider: Vouching, fields: dict[Purpose, dict[str, str]], purpose: Purpose
    ) -> None:
        sent = {"provider": "github", "purpose": purpose, **fields[purpose]}
        answer = BrowserClient(app).post("/login/start", sent, token=None, origin="null")
        assert answer.status_code == 403
        expect(answer, purpose, fields[Purpose.INVITE]["invitation"])

    @PURPOSES
    def test_whose_cookie_is_lost(
        self, app: Flask, provider: Vouching, fields: dict[Purpose, dict[str, str]], purpose: Purpose
    ) -> None:
        sent = {"provider": "github", "purpose": purpose, **fields[purpose]}
        BrowserClient(app).post("/login/start", sent, token=None)
        path = f"/login/callback/github?code=c&state={provider.begun[-1].state}"
        answer = BrowserClient(app).get(path)
        assert "another browser, or too long ago" in answer.text
        if purpose is Purpose.INVITE:  # it is a secret, which no ticket keeps
            assert way_back(answer) == "/admin"
        elif purpose is Purpose.RECEIPT:  # as well
            assert way_back(answer) == "/account"
        else:
            expect(answer, purpose)

    @PURPOSES
    def test_that_took_too_long(
        self,
        app: Flask,
        session: Session,
        provider: Vouching,
        fields: dict[Purpose, dict[str, str]],
        purpose: Purpose,
    ) -> None:
        visitor = BrowserClient(app)
        visitor.post(
            "/login/start", {"provider": "github", "purpose": purpose, **fields[purpose]}, token=None
        )
        begin_write(session)
        ticket = session.scalars(select(Ticket).where(Ticket.purpose == login_tickets.LOGIN)).one()
        ticket.expires_at -= login_tickets.LIFE
        session.commit()
        answer = visitor.get(f"/login/callback/github?code=c&state={provider.begun[-1].state}")
        assert "took too long" in answer.text
        expect(answer, purpose, fields[Purpose.INVITE]["invitation"])

    def test_of_nobody_knows_what(self, app: Flask, session: Session, provider: Vouching) -> None:
        answer = BrowserClient(app).get("/login/callback/github?code=c&state=unknown")
        assert (answer.status_code, way_back(answer)) == (400, "/account")

    def test_by_an_invitation_that_was_used(
        self, app: Flask, session: Session, provider: Vouching, invitation: str
    ) -> None:
        begin_write(session)
        session.execute(delete(Ticket).where(Ticket.purpose == invitations.INVITE))
        session.commit()
        answer = provider.go(BrowserClient(app), purpose="invite", invitation=invitation)
        assert "This invitation is used or expired." in answer.text
        assert "Ask whoever sent it to you for a new one." in answer.text

    def test_by_somebody_who_moderates_nothing(self, app: Flask, provider: Vouching) -> None:
        answer = provider.go(BrowserClient(app), purpose="admin")
        assert "Ask an owner of the website for an invitation" in answer.text
        expect(answer, Purpose.ADMIN)


class TestWithdrawing:
    def test_a_login_finished_late_says_that_it_was_cancelled(self, app: Flask, provider: Vouching) -> None:
        ada = LoginClient(app)
        ada.start("github")
        assert ada.post("/login/cancel", {"verifier": ada.verifier, "url": ARTICLE}).status_code == 200
        answer = ada.get(f"/login/callback/github?code=c&state={provider.begun[-1].state}", jar=ada.windows)
        assert "This login was cancelled" in answer.text
        assert "You are logged in" not in answer.text
        assert ada.redeem().get_json()["stage"] == "failed"
        assert ada.own()["member"] is None

    def test_a_window_that_comes_late_is_told_so(self, app: Flask, provider: Vouching) -> None:
        """The frame gave up before its window had reached the service."""
        ada, verifier = LoginClient(app), "e" * 64
        ada.post("/login/cancel", {"verifier": verifier, "url": ARTICLE})
        challenge = signing.challenge_of(verifier)
        answer = ada.start("github", challenge=challenge)
        assert "This login was cancelled" in answer.text
        assert provider.begun == []

    def test_a_login_redeemed_just_before_ends(self, app: Flask, provider: Vouching) -> None:
        ada = LoginClient(app)
        ada.start("github")
        ada.get(f"/login/callback/github?code=c&state={provider.begun[-1].state}", jar=ada.windows)
        assert ada.redeem().get_json()["stage"] == "done"
        assert ada.own()["member"] is not None
        ada.post("/login/cancel", {"verifier": ada.verifier, "url": ARTICLE})
        assert ada.own()["member"] is None

    def test_nobody_withdraws_without_the_verifier(self, app: Flask, provider: Vouching) -> None:
        ada, eve = LoginClient(app), LoginClient(app)
        ada.start("github")
        challenge = signing.challenge_of(ada.verifier)
        for verifier in (challenge, "", "0" * 64):
            eve.post("/login/cancel", {"verifier": verifier, "url": ARTICLE})
        ada.get(f"/login/callback/github?code=c&state={provider.begun[-1].state}", jar=ada.windows)
        assert ada.redeem().get_json()["stage"] == "done"


class TestAsking:
    def test_a_frame_is_told_whether_its_window_has_come(self, app: Flask, provider: Vouching) -> None:
        ada = LoginClient(app)
        assert ada.redeem("f" * 64).get_json() == {"stage": "pending"}
        ada.start("github")
        assert ada.redeem().get_json() == {"stage": "pending", "begun": True}

    def test_whoever_only_asks_writes_nothing(self, app: Flask, session: Session, provider: Vouching) -> None:
        """The answer comes although another holds the database's one lock for writing."""
        ada = LoginClient(app)
        ada.start("github")
        begin_write(session)
        assert ada.redeem().status_code == 202
        assert ada.redeem("f" * 64).status_code == 202
        session.rollback()

    def test_a_network_may_ask_often_but_not_without_end(self, app: Flask, provider: Vouching) -> None:
        ada = LoginClient(app)
        ada.start("github")
        assert {ada.redeem().status_code for _ in range(600)} == {202}
        assert ada.redeem().status_code == 429
