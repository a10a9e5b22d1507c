"""The hand-over: from the frame to the provider and back, into one reader's hands and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.moderation import decisions
from commentsvc.domain.sites import sites
from commentsvc.integrations.oauth import transport
from commentsvc.models import (
    Comment,
    Commenter,
    Identity,
    LoginSession,
    Membership,
    Policy,
    Role,
    Site,
    Status,
    Ticket,
    now,
)
from commentsvc.web.auth import provider_calls
from commentsvc.web.context import services_of
from tests.conftest import BASE_URL, BLOG, SECRET, dispose, environment
from tests.support import provider_fakes as fakes
from tests.support.login_client import ARTICLE, LoginClient, onward
from tests.support.outside_session import outside_session
from tests.support.provider_fakes import Vendors, as_json, consent

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
OTHER = "https://other.example"
OTHERS = f"{OTHER}/article"
ELSEWHERE = "This login began in another browser, or too long ago."


@pytest.fixture(scope="module")
def running() -> Iterator[Vendors]:
    with fakes.running() as vendors:
        yield vendors


@pytest.fixture
def vendors(running: Vendors) -> Vendors:
    running.reset()
    return running


@pytest.fixture
def app(settings: Settings, vendors: Vendors) -> Iterator[Flask]:
    """The service, with every provider there is."""
    app = create_app(settings)
    for vendor in vendors.by_key.values():
        services_of(app).providers[vendor.key] = vendor.row()
    yield app
    dispose(app)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app) as session:
        yield session


@pytest.fixture(autouse=True)
def site(session: Session) -> Site:
    """A blog whose comments appear at once, and another one."""
    begin_write(session)
    owner = accounts.operator(session)
    site = sites.add(session, "Blog", [BLOG], owner_id=owner.id)
    other = sites.add(session, "Other", [OTHER], owner_id=owner.id)
    site.policy = other.policy = Policy.OPEN
    session.commit()
    return site


@pytest.fixture
def ada(app: Flask) -> LoginClient:
    return LoginClient(app)


@pytest.fixture
def eve(app: Flask) -> LoginClient:
    """Somebody who means no good, with a browser of her own."""
    return LoginClient(app)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the clock of the login views and of whatever reads sessions."""

    def move(**by: float) -> None:
        def moved() -> datetime:
            return now() + timedelta(**by)

        for place in ("login", "reader"):
            monkeypatch.setattr(f"commentsvc.web.auth.{place}.now", moved)

    return move


def count(session: Session, what: type) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(what)) or 0


def people(session: Session) -> int:
    """How many have logged in; the operator has not."""
    return count(session, Identity) - 1


def message(answer: TestResponse) -> str:
    """The sentence a fault is told in."""
    if answer.is_json:
        return str(answer.get_json()["message"])
    match = re.search(r'<p role="alert">(.*?)</p>|<p>(.*?)</p>', answer.text, re.DOTALL)
    assert match is not None, answer.text
    return match[1] or match[2]


def stage(answer: TestResponse) -> str:
    return str(answer.get_json().get("stage"))


@ENGINES
class TestTheWholeWay:
    def test_from_the_frame_and_back(self, ada: LoginClient, session: Session) -> None:
        assert ada.own()["member"] is None
        url = ada.leave_for()
        assert stage(waiting := ada.redeem()) == "pending"
        assert waiting.status_code == 202
        done = ada.come_back(url)
        assert (done.status_code, done.location) == (303, "/login/done?lang=en")
        answer = ada.redeem()
        assert answer.get_json() == {"stage": "done", "message": ""}
        member = ada.own()["member"]
        assert (member["name"], member["provider"], member["label"]) == (
            "Ada Lovelace",
            "oidc_test",
            "Example ID",
        )
        posted = ada.comment("As myself")
        assert posted.status_code == 200, posted.text
        assert "Ada Lovelace" in posted.get_json()["html"]
        assert (people(session), count(session, LoginSession)) == (1, 1)

    @pytest.mark.parametrize("key", [kind.key for kind in fakes.KINDS])
    def test_with_every_provider(
        self, ada: LoginClient, key: str, session: Session, engine_name: str
    ) -> None:
        ada.log_in(key)
        assert ada.own()["member"]["provider"] == key
        assert people(session) == 1

    def test_in_the_language_of_the_frame(self, ada: LoginClient, eve: LoginClient) -> None:
        arabic, german = '<html lang="ar" dir="rtl"', {"Accept-Language": "de"}
        going = ada.start(lang="ar")
        assert arabic in going.text
        there = ada.come_back(onward(going)).location
        assert arabic in ada.get(there, jar=ada.windows, **german).text
        refused = eve.come_back(eve.leave_for(lang="ar"), {"state": "unknown"})
        assert '<html lang="en"' in refused.text
        for purpose in ("frame", "tab", "thread", "person"):
            url = eve.leave_for("github", purpose, lang="ar")
            state = parse_qs(urlsplit(url).query)["state"][0]
            answer = eve.come_back(url, {"error": "access_denied", "state": state})
            assert answer.status_code == 400
            assert arabic in answer.text, purpose
            again = eve.come_back(url, {"error": "access_denied", "state": state})
            assert arabic in again.text, f"{purpose}, by its ticket"

    def test_the_second_time_she_is_the_same(self, ada: LoginClient, app: Flask, session: Session) -> None:
        ada.log_in()
        at_home = LoginClient(app).log_in()
        ada.comment("From work")
        at_home.comment("From home")
        session.rollback()
        assert len({comment.commenter_id for comment in session.scalars(select(Comment))}) == 1
        assert (people(session), count(session, LoginSession)) == (1, 2)

    def test_the_form_tokens_of_two_answers_at_once_both_count(self, ada: LoginClient) -> None:
        """The cookie of the login has their secret: if each answer set one, the browser would keep only the last."""
        ada.log_in()
        both = [ada.get(f"/embed/own?{urlencode({'url': ARTICLE})}") for _ in range(2)]
        assert not any("Set-Cookie" in answer.headers for answer in both)
        data = {"url": ARTICLE, "door": "frame", "csrf_token": both[0].get_json()["csrf"]}
        assert ada.post("/login/leave", data).get_json() == {"left": True}

    def test_logging_out_ends_it_everywhere(self, ada: LoginClient, session: Session) -> None:
        ada.log_in()
        data = {"url": ARTICLE, "door": "frame", "csrf_token": ada.own()["csrf"]}
        assert ada.post("/login/leave", data).get_json() == {"left": True}
        assert ada.own()["member"] is None
        assert count(session, LoginSession) == 0

    def test_what_is_stored_opens_nothing(self, ada: LoginClient, session: Session) -> None:
        """Of token, verifier and state there are hashes only; of the provider's tokens nothing."""
        url = ada.leave_for()
        result = consent(url)
        ada.come_back(url, result)
        token = ada.redeem(want="bearer").get_json()["bearer"]
        session.rollback()
        rows = [
            vars(row) for kind in (Ticket, LoginSession, Identity) for row in session.scalars(select(kind))
        ]
        for secret in (token, ada.verifier, result["state"], result["code"], "ada@mail.example"):
            assert secret not in str(rows)


class TestCookies:
    def test_a_window_keeps_its_login_to_itself(self, ada: LoginClient) -> None:
        (cookie,) = ada.start().headers.getlist("Set-Cookie")
        assert re.fullmatch(r"commentsvc_login=[^;]+; HttpOnly; Path=/; SameSite=Lax", cookie)

    def test_a_frame_keeps_a_partitioned_one(self, ada: LoginClient) -> None:
        ada.come_back(ada.leave_for())
        (cookie,) = ada.redeem().headers.getlist("Set-Cookie")
        for part in (
            "__Host-reader=",
            "; Secure;",
            "; HttpOnly;",
            "; Path=/;",
            "; SameSite=None",
            "; Partitioned",
        ):
            assert part in cookie
        assert "Domain" not in cookie

    def test_by_https_both_are_secure(self, settings: Settings, tmp_path: Any, vendors: Vendors) -> None:
        variables = environment(tmp_path / "secure", COMMENTSVC_BASE_URL="https://comments.example")
        app = create_app(
            Settings.from_env(
                variables | {"COMMENTSVC_DATABASE_URL": f"sqlite:///{tmp_path}/comments.sqlite"}
            )
        )
        services_of(app).providers["oidc_test"] = vendors["oidc_test"].row()
        answer = app.test_client().post(
            "/login/start",
            base_url="https://comments.example",
            data={"provider": "oidc_test", "purpose": "frame", "url": ARTICLE},
            headers={"Origin": "https://comments.example"},
        )
        dispose(app)
        (cookie,) = answer.headers.getlist("Set-Cookie")
        assert re.fullmatch(r"__Host-login=[^;]+; Secure; HttpOnly; Path=/; SameSite=Lax", cookie)

    def test_no_answer_on_the_way_is_kept(self, ada: LoginClient) -> None:
        answers = [started := ada.start(), ada.come_back(onward(started)), ada.redeem(), ada.redeem("wrong")]
        assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}

    @pytest.mark.parametrize("purpose", ["frame", "tab", "thread"])
    def test_many_logins_and_long_addresses_fit_a_cookie(self, app: Flask, purpose: str) -> None:
        ada = LoginClient(app, article=f"{ARTICLE}/{'long/' * 340}")
        for _ in range(6):
            answer = ada.start(purpose=purpose, canonical=ada.article)
            (cookie,) = answer.headers.getlist("Set-Cookie")
            assert len(cookie) < 4093
        assert ada.come_back(onward(answer)).status_code == 303

    def test_an_address_that_fits_none_is_said_to_be_too_long(self, app: Flask) -> None:
        ada = LoginClient(app, article=f"{ARTICLE}/{'long/' * 380}")
        answer = ada.start(purpose="thread", id="ü" * 300)
        assert (answer.status_code, "too long" in answer.text) == (400, True)

    def test_four_logins_at_once(self, ada: LoginClient) -> None:
        for url, verifier in [(ada.leave_for(), ada.verifier) for _ in range(4)]:
            assert ada.come_back(url).location == "/login/done?lang=en"
            assert stage(ada.redeem(verifier)) == "done"


class TestWhoMayBegin:
    """Only a page of ours; else a link could lead a victim into a login that somebody else redeems."""

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": BLOG},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": ""},
            {"Origin": BASE_URL + "/"},
            {"Origin": BASE_URL.replace("http:", "https:")},
            {"Origin": BASE_URL + "0"},
            {"Origin": f"{BASE_URL}, {BASE_URL}"},
            {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("path", ["/login/start", "/login/redeem", "/login/leave"])
    def test_nobody_else(
        self, ada: LoginClient, session: Session, path: str, headers: dict[str, str]
    ) -> None:
        data = {"provider": "oidc_test", "purpose": "frame", "url": ARTICLE, "challenge": "0" * 64}
        answer = ada.post(path, data, **headers)
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers
        assert count(session, Ticket) == 0

    @pytest.mark.parametrize("path", ["/login/start", "/login/redeem", "/login/leave"])
    def test_nobody_without_an_origin(self, app: Flask, path: str) -> None:
        data = {"provider": "oidc_test", "purpose": "frame", "url": ARTICLE}
        assert app.test_client().post(path, base_url=BASE_URL, data=data).status_code == 403

    @pytest.mark.parametrize("path", ["/login/start", "/login/redeem", "/login/leave"])
    def test_nobody_by_a_link(self, app: Flask, path: str) -> None:
        headers = {"Origin": BASE_URL}
        assert app.test_client().get(path, base_url=BASE_URL, headers=headers).status_code == 405

    def test_not_too_often(self, ada: LoginClient, session: Session) -> None:
        answers = [ada.start().status_code for _ in range(31)]
        assert answers == [200] * 30 + [429]

    @pytest.mark.parametrize("challenge", ["x", "0" * 63, "0" * 65, "G" * 64, "A" * 64])
    def test_not_with_a_damaged_challenge(self, ada: LoginClient, challenge: str) -> None:
        assert ada.start(challenge=challenge).status_code == 400

    def test_not_twice_with_one_challenge(self, ada: LoginClient, eve: LoginClient) -> None:
        """Who sees a challenge go by cannot put a login of their own in its place."""
        challenge = "ab" * 32
        ada.leave_for(challenge=challenge)
        assert eve.start(challenge=challenge).status_code == 400

    @pytest.mark.parametrize("purpose", ["", "root", "FRAME", "frame "])
    def test_not_for_another_purpose(self, ada: LoginClient, purpose: str) -> None:
        assert ada.start(purpose=purpose).status_code == 400

    @pytest.mark.parametrize("provider", ["", "myspace", "local", "sso", "../oidc_test"])
    def test_not_with_another_provider(self, ada: LoginClient, provider: str) -> None:
        assert ada.start(provider).status_code == 404

    @pytest.mark.parametrize(
        "url", ["", "https://evil.example/", "javascript:alert(1)", f"{BLOG}@evil.example/"]
    )
    @pytest.mark.parametrize("purpose", ["frame", "tab", "thread"])
    def test_not_for_an_unknown_site(self, ada: LoginClient, purpose: str, url: str) -> None:
        assert ada.start(purpose=purpose, url=url).status_code in {400, 404}


class TestFixation:
    """Eve wants Ada to log in, and the session for herself; or Ada to write in Eve's name."""

    def test_a_login_that_eve_began_cannot_be_finished_by_ada(
        self, ada: LoginClient, eve: LoginClient, session: Session
    ) -> None:
        """What stops it: the state is in the cookie of the browser that began, and Ada's has none of it."""
        link = eve.leave_for()
        answer = ada.come_back(link)
        assert answer.status_code == 400
        assert message(answer).startswith(ELSEWHERE)
        assert stage(eve.redeem()) == "pending"
        assert people(session) == 0

    def test_nor_where_the_provider_posts(self, ada: LoginClient, eve: LoginClient, session: Session) -> None:
        """The post comes without cookies and its answer is kept; only Ada's browser is told how to fetch it."""
        link = eve.leave_for("apple")
        result = consent(link)
        assert ada.come_back(link, result).status_code == 400
        assert message(eve.get(f"/login/callback/apple?state={result['state']}", jar=eve.windows))
        assert stage(eve.redeem()) == "failed"
        assert people(session) == 0

    def test_nor_does_a_guess_fetch_the_answer(self, eve: LoginClient, session: Session) -> None:
        link = eve.leave_for("apple")
        result = consent(link)
        eve.bring("/login/callback/apple", result)
        path = f"/login/callback/apple?state={result['state']}&proof="
        assert eve.get(path, jar=eve.windows).status_code == 400
        assert people(session) == 0

    def test_eve_with_adas_verifier_needs_adas_login(self, ada: LoginClient, eve: LoginClient) -> None:
        """A verifier is worth nothing before its login is done, and no page of ours gives one away."""
        ada.leave_for()
        assert stage(eve.redeem(ada.verifier)) == "pending"

    def test_ada_is_not_led_into_eves_account(
        self, ada: LoginClient, eve: LoginClient, session: Session
    ) -> None:
        """Eve's own answer, sent to Ada as a link, comes to a browser that began nothing."""
        link = eve.leave_for()
        result = consent(link)
        assert ada.come_back(link, result).status_code == 400
        assert ada.own()["member"] is None

    def test_even_when_ada_has_a_login_under_way(self, ada: LoginClient, eve: LoginClient) -> None:
        ada.leave_for()
        link = eve.leave_for()
        assert ada.come_back(link).status_code == 400
        assert stage(ada.redeem()) == "pending"

    def test_eves_code_with_adas_state(self, ada: LoginClient, eve: LoginClient) -> None:
        """PKCE and the nonce tie a code to the login it was made in."""
        mine, hers = ada.leave_for(), eve.leave_for()
        answer = ada.come_back(mine, consent(mine) | {"code": consent(hers)["code"]})
        assert message(answer) == "Example ID did not accept this login. Please try again."
        assert stage(failed := ada.redeem()) == "failed"
        assert "did not accept" in message(failed)

    def test_adas_code_with_eves_state(self, ada: LoginClient, eve: LoginClient, session: Session) -> None:
        mine, hers = ada.leave_for(), eve.leave_for()
        eve.come_back(hers, consent(hers) | {"code": consent(mine)["code"]})
        assert stage(eve.redeem()) == "failed"
        assert people(session) == 0

    def test_another_providers_answer(self, ada: LoginClient) -> None:
        link = ada.leave_for("google")
        result = consent(link)
        path = f"/login/callback/oidc_test?code={result['code']}&state={result['state']}"
        answer = ada.get(path, jar=ada.windows)
        assert message(answer).startswith(ELSEWHERE)

    def test_a_signed_cookie_cannot_be_made(self, ada: LoginClient, eve: LoginClient) -> None:
        link = eve.leave_for()
        ada.windows.set_cookie("commentsvc_login", f"eyJsb2dpbnMiOnt9fQ.{SECRET}", domain="127.0.0.1")
        assert ada.come_back(link).status_code == 400


class TestReplays:
    def test_an_answer_counts_once(self, ada: LoginClient, session: Session) -> None:
        link = ada.leave_for()
        result = consent(link)
        assert ada.come_back(link, result).status_code == 303
        assert message(ada.come_back(link, result)).startswith(ELSEWHERE)
        assert stage(ada.redeem()) == "done"
        assert count(session, LoginSession) == 1

    def test_a_cookie_brought_back_from_before_changes_nothing(self, ada: LoginClient) -> None:
        link = ada.leave_for()
        result = consent(link)
        before = ada.windows.get_cookie("commentsvc_login", domain="127.0.0.1")
        assert before is not None
        ada.come_back(link, result)
        ada.windows.set_cookie("commentsvc_login", before.value, domain="127.0.0.1")
        assert ada.come_back(link, result).status_code == 400
        assert stage(ada.redeem()) == "done"

    def test_nor_with_a_new_code(self, ada: LoginClient) -> None:
        link = ada.leave_for()
        before = ada.windows.get_cookie("commentsvc_login", domain="127.0.0.1")
        assert before is not None
        ada.come_back(link)
        ada.windows.set_cookie("commentsvc_login", before.value, domain="127.0.0.1")
        assert "finished before" in message(ada.come_back(link))

    def test_apples_answer_is_kept_once(self, ada: LoginClient) -> None:
        result = consent(ada.leave_for("apple"))
        assert ada.bring("/login/callback/apple", result).status_code == 303
        assert ada.bring("/login/callback/apple", result).status_code == 400

    @pytest.mark.parametrize("found", [{}, {"state": "unknown"}, {"code": "x"}])
    def test_nothing_is_kept_that_nobody_asked_for(
        self, ada: LoginClient, found: dict[str, str], session: Session
    ) -> None:
        assert ada.bring("/login/callback/apple", found).status_code in {400, 404}
        assert ada.bring("/login/callback/oidc_test", found).status_code == 404


@ENGINES
class TestRedeeming:
    def finished(self, person: LoginClient) -> LoginClient:
        assert person.come_back(person.leave_for()).status_code == 303
        return person

    def test_a_wrong_verifier_gets_nothing(
        self, ada: LoginClient, eve: LoginClient, session: Session
    ) -> None:
        self.finished(ada)
        answer = eve.redeem("0" * 64)
        assert (answer.status_code, answer.get_json()) == (202, {"stage": "pending"})
        assert "Set-Cookie" not in answer.headers
        assert count(session, LoginSession) == 0

    def test_the_challenge_is_no_verifier(self, ada: LoginClient) -> None:
        self.finished(ada)
        challenge = fakes.hashlib.sha256(ada.verifier.encode()).hexdigest()
        assert stage(ada.redeem(challenge)) == "pending"

    def test_another_site_gets_nothing(self, ada: LoginClient, session: Session) -> None:
        self.finished(ada)
        answer = ada.redeem(url=OTHERS)
        assert answer.status_code == 400
        assert count(session, LoginSession) == 0
        assert stage(ada.redeem()) == "done"

    def test_once(self, ada: LoginClient, session: Session) -> None:
        self.finished(ada)
        assert stage(ada.redeem()) == "done"
        again = ada.redeem()
        assert (again.status_code, message(again)) == (
            400,
            "This login is already used. Please log in again.",
        )
        assert count(session, LoginSession) == 1

    def test_within_fifteen_minutes(self, ada: LoginClient, later: Any) -> None:
        self.finished(ada)
        later(minutes=15, seconds=1)
        answer = ada.redeem()
        assert (answer.status_code, message(answer)) == (400, "This login took too long. Please try again.")

    def test_the_provider_has_fifteen_minutes_too(
        self, ada: LoginClient, later: Any, session: Session
    ) -> None:
        link = ada.leave_for()
        later(minutes=15, seconds=1)
        answer = ada.come_back(link)
        assert "took too long" in message(answer)
        assert people(session) == 0

    def test_a_bearer_within_a_minute_ends_the_first_session(
        self, ada: LoginClient, session: Session
    ) -> None:
        self.finished(ada).redeem()
        assert ada.own()["member"] is not None
        bearer = ada.redeem(want="bearer").get_json()["bearer"]
        assert ada.own()["member"] is None
        assert ada.own(Authorization=f"Bearer {bearer}")["member"]["name"] == "Ada Lovelace"
        assert count(session, LoginSession) == 1

    def test_and_no_third_time(self, ada: LoginClient, session: Session) -> None:
        self.finished(ada).redeem()
        ada.redeem(want="bearer")
        for want in ("bearer", ""):
            assert ada.redeem(want=want).status_code == 400
        assert count(session, LoginSession) == 1

    def test_nor_after_a_minute(self, ada: LoginClient, later: Any) -> None:
        self.finished(ada).redeem()
        later(seconds=62)
        assert ada.redeem(want="bearer").status_code == 400

    def test_a_bearer_asked_for_at_first_comes_without_a_cookie(self, ada: LoginClient) -> None:
        answer = self.finished(ada).redeem(want="bearer")
        assert "Set-Cookie" not in answer.headers
        assert answer.get_json()["stage"] == "done"

    def test_other_sessions_of_hers_stay(self, ada: LoginClient, app: Flask, session: Session) -> None:
        at_home = LoginClient(app).log_in()
        self.finished(ada).redeem()
        ada.redeem(want="bearer")
        assert at_home.own()["member"] is not None
        assert count(session, LoginSession) == 2


class TestFailures:
    """A login that fails tells the frame that waits, and the window, in the same sentence."""

    def test_somebody_says_no(self, ada: LoginClient, vendors: Vendors) -> None:
        vendors["oidc_test"].answer = {"code": None, "error": "access_denied"}
        window = ada.come_back(ada.leave_for())
        assert window.status_code == 400
        text = "You did not allow the login with Example ID."
        assert message(window) == text
        assert ada.redeem().get_json() == {"stage": "failed", "message": text}
        assert ada.own()["member"] is None

    def test_a_provider_that_is_down_at_the_start(self, ada: LoginClient, vendors: Vendors) -> None:
        vendors["oidc_test"].instead["/.well-known/openid-configuration"] = as_json({}, 503)
        window = ada.start()
        assert window.status_code == 503
        assert "Example ID is not available right now" in window.text
        told = ada.redeem()
        assert stage(told) == "failed"
        assert "Example ID is not available right now" in message(told)

    def test_a_provider_that_is_down_at_the_end(self, ada: LoginClient, vendors: Vendors) -> None:
        vendors["github"].instead["/token"] = fakes.hang_up
        assert "GitHub is not available" in message(ada.come_back(ada.leave_for("github")))
        assert "GitHub is not available" in message(ada.redeem())

    def test_a_frame_may_ask_before_the_provider_has_answered(self, ada: LoginClient) -> None:
        """Discovery, or an instance that meets us for the first time, takes longer than the frame's first question."""
        assert stage(ada.redeem("f" * 64)) == "pending"

    def test_a_wrong_id_token_opens_nothing(
        self, ada: LoginClient, vendors: Vendors, session: Session
    ) -> None:
        vendors["oidc_test"].signs = fakes.rsa("unknown")
        assert "not signed" in message(ada.come_back(ada.leave_for()))
        assert stage(ada.redeem()) == "failed"
        assert (people(session), count(session, LoginSession)) == (0, 0)

    def test_after_it_the_next_try_works(self, ada: LoginClient, vendors: Vendors) -> None:
        vendors["oidc_test"].answer = {"code": None, "error": "access_denied"}
        ada.come_back(ada.leave_for())
        vendors["oidc_test"].answer = {}
        ada.log_in()

    @ENGINES
    @pytest.mark.parametrize("name", ["a\x00b", "\ud800", "\u202eadA", "", " ", "x" * 600, "<b>Ada</b>"])
    def test_a_name_of_any_kind_can_be_kept(self, ada: LoginClient, vendors: Vendors, name: str) -> None:
        vendors["github"].told = {"name": name, "login": ""}
        ada.log_in("github")
        shown = ada.own()["member"]["name"]
        assert 0 < len(shown) <= 80
        assert shown.isprintable()
        assert "<b>" not in ada.comment("Hello").get_json()["html"]

    @ENGINES
    def test_what_the_provider_says_of_a_fault_can_be_kept(self, ada: LoginClient, vendors: Vendors) -> None:
        vendors["apple"].answer = {"code": None, "error": "a\x00<script>"}
        assert message(ada.come_back(ada.leave_for("apple"))) == "Apple refused the login."

    def test_few_wait_for_others(
        self, ada: LoginClient, vendors: Vendors, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(provider_calls, "_PLACES", fakes.threading.BoundedSemaphore(1))
        with provider_calls._PLACES:
            assert "Many people are logging in right now" in ada.start().text
        assert stage(ada.redeem()) == "failed"
        ada.log_in()

    def test_a_slow_provider_lets_go(
        self, ada: LoginClient, vendors: Vendors, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transport, "SECONDS", 0.3)
        vendors["oidc_test"].instead["/token"] = fakes.late(5)
        assert "not available right now" in message(ada.come_back(ada.leave_for()))

    def test_no_transaction_is_open_meanwhile(
        self, ada: LoginClient, vendors: Vendors, session: Session
    ) -> None:
        """Another writer gets through while the provider thinks."""

        def think(handler: Any) -> None:
            begin_write(session)
            session.add(Commenter(name="Somebody else"))
            session.commit()
            fakes.hang_up(handler)

        vendors["github"].instead["/token"] = think
        ada.come_back(ada.leave_for("github"))
        assert session.scalar(select(func.count()).where(Commenter.name == "Somebody else")) == 1


class TestPurposes:
    def test_the_same_tab_goes_back_to_the_article(self, ada: LoginClient) -> None:
        assert ada.come_back(ada.leave_for(purpose="tab")).location == ARTICLE
        assert stage(ada.redeem()) == "done"

    def test_a_thread_of_its_own_page(self, ada: LoginClient, session: Session) -> None:
        back = ada.come_back(ada.leave_for(purpose="thread", id="one", order="newest"))
        query = parse_qs(urlsplit(back.location).query)
        assert urlsplit(back.location).path == "/thread"
        assert query == {"url": [ARTICLE], "id": ["one"], "order": ["newest"]}
        page = ada.get(back.location, jar=ada.windows).text
        assert "Ada Lovelace" in page
        assert 'name="identity" value="member"' in page

    def test_who_changes_to_a_guest_there_is_told_who_is_still_logged_in(self, ada: LoginClient) -> None:
        back = ada.come_back(ada.leave_for(purpose="thread")).location
        answer = ada.get(f"{back}&as=guest", jar=ada.windows)
        assert "You are still logged in as <strong>" in answer.text
        assert 'name="identity" value="guest"' in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert "You are still logged in" not in ada.get(f"{back}&as=guest").text

    def test_a_thread_leaves_nothing_to_redeem(self, ada: LoginClient, session: Session) -> None:
        ada.come_back(ada.leave_for(purpose="thread"))
        assert stage(ada.redeem()) == "pending"
        session.rollback()
        assert [row.purpose for row in session.scalars(select(LoginSession))] == ["person"]

    def test_a_persons_page(self, ada: LoginClient) -> None:
        assert ada.come_back(ada.leave_for(purpose="person")).location == "/account"
        assert "Ada Lovelace" in ada.get("/account", jar=ada.windows).text

    def test_a_frames_session_is_not_the_persons(self, ada: LoginClient) -> None:
        """What a host page's frame holds does not open the page where logins are linked."""
        ada.log_in()
        assert "Ada Lovelace" not in ada.get("/account", jar=ada.frame).text

    @ENGINES
    def test_linking_a_second_way(self, ada: LoginClient, app: Flask, session: Session) -> None:
        ada.come_back(ada.leave_for(purpose="person"))
        assert ada.come_back(ada.leave_for("github", "link")).location == "/account/settings"
        assert (people(session), count(session, Commenter)) == (2, 2)  # the operator is one of them
        assert LoginClient(app).log_in("github").own()["member"]["name"] == "Ada Lovelace"

    def test_linking_needs_to_be_logged_in(self, ada: LoginClient, session: Session) -> None:
        answer = ada.come_back(ada.leave_for("github", "link"))
        assert "log in again" in message(answer)
        assert people(session) == 0

    def test_linking_needs_a_fresh_login(self, ada: LoginClient, session: Session, later: Any) -> None:
        ada.come_back(ada.leave_for(purpose="person"))
        later(minutes=11)
        assert "log in again" in message(ada.come_back(ada.leave_for("github", "link")))
        assert people(session) == 1

    def test_linking_to_whoever_began_it(self, ada: LoginClient, session: Session) -> None:
        """Somebody else logs in, in this browser, while the window is at the provider."""
        ada.come_back(ada.leave_for(purpose="person"))
        link = ada.leave_for("github", "link")
        ada.come_back(ada.leave_for("discord", "person"))
        assert "log in again" in message(ada.come_back(link))
        assert people(session) == 2

    def test_linking_what_belongs_to_another(self, ada: LoginClient, app: Flask, session: Session) -> None:
        LoginClient(app).log_in("github")
        ada.come_back(ada.leave_for(purpose="person"))
        answer = ada.come_back(ada.leave_for("github", "link"))
        assert message(answer) == "This account belongs to somebody else here. Nothing was changed."

    def test_linking_is_not_to_be_had_with_a_frames_session(self, ada: LoginClient, session: Session) -> None:
        ada.log_in()
        reader = ada.frame.get_cookie("__Host-reader", domain="127.0.0.1")
        assert reader is not None
        ada.windows.set_cookie("__Host-reader", reader.value, domain="127.0.0.1")
        assert "log in again" in message(ada.come_back(ada.leave_for("github", "link")))

    def test_the_admin_view_for_a_moderator(self, ada: LoginClient, session: Session, site: Site) -> None:
        ada.log_in("github")
        give_role(session, site, "github", Role.MODERATOR)
        back = ada.come_back(ada.leave_for("github", "admin"))
        assert re.fullmatch(r"/admin/sign-in/[\w-]{40,}", back.location)
        assert ada.get(back.location, jar=ada.windows).status_code == 200

    def test_and_for_nobody_else(self, ada: LoginClient, session: Session) -> None:
        answer = ada.come_back(ada.leave_for("github", "admin"))
        assert "(github, 583231), but you do not moderate any site here" in message(answer)
        assert people(session) == 0

    @pytest.mark.parametrize("purpose", ["person", "receipt", "link", "admin", "invite"])
    def test_none_of_these_ends_in_a_frame(self, ada: LoginClient, purpose: str) -> None:
        challenge = fakes.hashlib.sha256(b"v" * 64).hexdigest()
        ada.come_back(ada.leave_for("github", purpose, challenge=challenge))
        answer = ada.redeem("v" * 64)
        assert stage(answer) != "done"
        assert "Set-Cookie" not in answer.headers


REDIRECTS = ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\r\nX: y"]


class TestRedirects:
    """Nothing that comes with a request decides where a browser goes, but for pages of registered sites."""

    @pytest.mark.parametrize("purpose", ["frame", "tab", "thread", "person"])
    @pytest.mark.parametrize(
        "name", ["canonical", "id", "page", "invitation", "receipt", "order", "door", "next", "instance"]
    )
    def test_there_is_no_way_out(self, ada: LoginClient, purpose: str, name: str) -> None:
        for where in REDIRECTS:
            answer = ada.start(purpose=purpose, **{name: where})
            if answer.status_code != 200:
                assert answer.status_code == 400
                continue
            assert urlsplit(onward(answer)).hostname == "127.0.0.1"
            back = ada.come_back(onward(answer)).location
            assert back.startswith((ARTICLE, "/thread?", "/account", "/login/done"))

    @pytest.mark.parametrize("name", ["redirect_uri", "next", "url", "instance"])
    def test_nor_in_what_a_provider_sends(self, ada: LoginClient, name: str) -> None:
        for where in REDIRECTS:
            link = ada.leave_for(purpose="tab")
            assert ada.come_back(link, consent(link) | {name: where}).location == ARTICLE

    def test_the_provider_is_told_our_address_as_configured(self, app: Flask) -> None:
        answer = app.test_client().post(
            "/login/start",
            base_url="http://evil.example",
            data={"provider": "oidc_test", "purpose": "frame", "url": ARTICLE},
            headers={"Origin": BASE_URL, "X-Forwarded-Host": "evil.example"},
        )
        query = parse_qs(urlsplit(onward(answer)).query)
        assert query["redirect_uri"] == [f"{BASE_URL}/login/callback/oidc_test"]


@ENGINES
class TestIdentity:
    def test_an_email_brings_nobody_together(
        self, ada: LoginClient, app: Flask, vendors: Vendors, session: Session
    ) -> None:
        """Every provider says it is ada@mail.example, verified."""
        for key in ("oidc_test", "google", "wordpress", "linkedin", "wordpress_legacy"):
            LoginClient(app).log_in(key)
        assert (people(session), count(session, Commenter)) == (5, 6)

    def test_nor_does_it_make_somebody_else_of_her(
        self, ada: LoginClient, app: Flask, vendors: Vendors, session: Session
    ) -> None:
        ada.log_in("google")
        vendors["google"].claims = {
            "email": "owner@blog.example",
            "email_verified": True,
            "name": "Site owner",
        }
        again = LoginClient(app).log_in("google")
        assert people(session) == 1
        assert again.own()["member"]["name"] == "Ada Lovelace"
        assert "owner@blog.example" not in again.comment("Hello").text

    def test_the_name_of_the_owner_gives_no_role(
        self, ada: LoginClient, vendors: Vendors, session: Session
    ) -> None:
        vendors["github"].told = {"name": "Site owner", "email": "owner@blog.example"}
        ada.log_in("github")
        ada.comment("I am the owner")
        session.rollback()
        assert [comment.role for comment in session.scalars(select(Comment))] == [None]

    def test_a_handle_given_up_and_taken_by_another_is_another(
        self, ada: LoginClient, app: Flask, vendors: Vendors, session: Session
    ) -> None:
        ada.log_in("github")
        vendors["github"].told = {"id": 999}
        LoginClient(app).log_in("github")
        assert (people(session), count(session, Commenter)) == (2, 3)

    def test_the_same_number_at_two_providers_is_two(
        self, ada: LoginClient, app: Flask, vendors: Vendors, session: Session
    ) -> None:
        vendors["discord"].told = {"id": "583231"}
        ada.log_in("github")
        LoginClient(app).log_in("discord")
        assert people(session) == 2

    def test_a_moderator_has_the_badge(self, ada: LoginClient, session: Session, site: Site) -> None:
        ada.log_in("github")
        give_role(session, site, "github", Role.MODERATOR)
        ada.comment("As a moderator")
        session.rollback()
        assert [comment.role for comment in session.scalars(select(Comment))] == [Role.MODERATOR]

    def test_on_their_own_site_only(self, app: Flask, session: Session, site: Site) -> None:
        there = LoginClient(app, article=OTHERS).log_in("github")
        give_role(session, site, "github", Role.MODERATOR)
        there.comment("Somewhere else")
        session.rollback()
        assert [comment.role for comment in session.scalars(select(Comment))] == [None]

    def test_when_a_provider_is_taken_away_names_stay(
        self, ada: LoginClient, app: Flask, session: Session
    ) -> None:
        ada.log_in("github")
        ada.comment("From GitHub")
        begin_write(session)  # sent sooner than anybody types, it waits
        decisions.decide(session, session.scalars(select(Comment)).one(), Status.APPROVED, verdicts=[])
        session.commit()
        del services_of(app).providers["github"]
        page = ada.get(f"/embed?url={ARTICLE}").text
        assert "From GitHub" in page
        assert re.search(r"<bdi translate=\"no\">ada</bdi>", page)
        assert ada.own()["member"]["label"] == "GitHub"
        assert ada.start("github").status_code == 404


class TestOwn:
    def test_a_stranger_gets_no_csrf_token(self, ada: LoginClient) -> None:
        own = ada.own()
        assert (own["member"], own["csrf"]) == (None, None)

    def test_a_member_does(self, ada: LoginClient) -> None:
        own = ada.log_in().own()
        assert own["member"]["name"] == "Ada Lovelace"
        assert len(own["csrf"]) > 40

    def test_with_a_bearer_none_is_needed(self, ada: LoginClient) -> None:
        ada.come_back(ada.leave_for())
        bearer = ada.redeem(want="bearer").get_json()["bearer"]
        assert ada.own(Authorization=f"Bearer {bearer}")["csrf"] is None
        assert ada.comment("With a bearer", bearer=bearer, csrf_token=None).status_code == 200

    def test_no_other_page_may_read_it(self, ada: LoginClient) -> None:
        answer = ada.log_in().get(f"/embed/own?url={ARTICLE}", Origin=BLOG)
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
        assert answer.headers["Cache-Control"] == "no-store"

    def test_a_session_holds_on_its_own_site_only(self, ada: LoginClient) -> None:
        ada.log_in()
        ada.article = OTHERS
        assert ada.own()["member"] is None


class TestPosting:
    def stored(self, session: Session) -> int:
        return count(session, Comment)

    @pytest.mark.parametrize("token", [None, "", "wrong", "IjEyMyI.aAaA.bBbB"])
    def test_a_cookie_alone_is_not_enough(
        self, ada: LoginClient, session: Session, token: str | None
    ) -> None:
        answer = ada.log_in().comment("Hello", csrf_token=token)
        assert answer.status_code == 403
        assert self.stored(session) == 0

    def test_nor_with_somebody_elses_token(
        self, ada: LoginClient, eve: LoginClient, session: Session
    ) -> None:
        theirs = eve.log_in().own()["csrf"]
        assert ada.log_in().comment("Hello", csrf_token=theirs).status_code == 403
        assert self.stored(session) == 0

    def test_a_blind_post_from_another_page(self, ada: LoginClient, session: Session) -> None:
        """A host page can make the browser send it, cookie and all; it cannot make it come from us."""
        ada.log_in()
        own = ada.own()
        data = {"url": ARTICLE, "text": "Not by me", "token": own["token"], "identity": "member"}
        for headers in (
            {"Origin": BLOG, "Sec-Fetch-Site": "cross-site"},
            {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        ):
            answer = ada.post("/embed/comments", data | {"csrf_token": own["csrf"]}, **headers)
            assert answer.status_code == 403
        assert self.stored(session) == 0

    def test_a_session_of_another_site(self, app: Flask, session: Session) -> None:
        there = LoginClient(app, article=OTHERS).log_in()
        csrf = there.own()["csrf"]
        there.article = ARTICLE
        answer = there.comment("Hello", csrf_token=csrf)
        assert answer.status_code == 403
        assert answer.get_json()["errors"]["loggedOut"] is True
        assert self.stored(session) == 0

    def test_a_bearer_of_another_site(self, app: Flask, session: Session) -> None:
        there = LoginClient(app, article=OTHERS)
        there.come_back(there.leave_for())
        bearer = there.redeem(want="bearer").get_json()["bearer"]
        there.article = ARTICLE
        assert there.comment("Hello", bearer=bearer).status_code == 403
        assert self.stored(session) == 0

    @pytest.mark.parametrize("bearer", ["x" * 43, "' OR 1=1 --" + "x" * 30])
    def test_a_made_up_bearer_is_no_way_around_the_csrf_token(
        self, ada: LoginClient, session: Session, bearer: str
    ) -> None:
        ada.log_in()
        answer = ada.comment("Hello", bearer=bearer, csrf_token=None)
        assert answer.status_code == 403
        assert self.stored(session) == 0

    def test_a_persons_session_does_not_post_in_a_frame(self, ada: LoginClient, session: Session) -> None:
        ada.come_back(ada.leave_for(purpose="thread"))
        reader = ada.windows.get_cookie("__Host-reader", domain="127.0.0.1")
        assert reader is not None
        ada.frame.set_cookie("__Host-reader", reader.value, domain="127.0.0.1")
        assert ada.own()["member"] is None
        assert ada.comment("Hello").status_code == 403

    def test_logged_out_meanwhile_the_text_stays(self, ada: LoginClient, session: Session) -> None:
        ada.log_in()
        csrf = ada.own()["csrf"]
        begin_write(session)
        session.execute(LoginSession.__table__.delete())
        session.commit()
        answer = ada.comment("A long thought", csrf_token=csrf)
        assert answer.status_code == 403
        assert answer.get_json()["errors"]["loggedOut"] is True
        assert message(answer).startswith("You are no longer logged in.")

    def test_also_without_script(self, ada: LoginClient, session: Session) -> None:
        back = ada.come_back(ada.leave_for(purpose="thread"))
        page = ada.get(back.location, jar=ada.windows).text
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
        begin_write(session)
        session.execute(LoginSession.__table__.delete())
        session.commit()
        data = {**fields, "url": ARTICLE, "text": "A long thought", "identity": "member"}
        answer = ada.post("/thread/comments", data, jar=ada.windows)
        assert answer.status_code == 403
        assert ">A long thought</textarea>" in answer.text
        assert "You are no longer logged in." in answer.text

    def test_expired_is_logged_out(self, ada: LoginClient, later: Any) -> None:
        ada.log_in()
        later(days=61)
        assert ada.own()["member"] is None

    def test_logging_out_needs_the_token(self, ada: LoginClient, session: Session) -> None:
        ada.log_in()
        assert ada.post("/login/leave", {"url": ARTICLE, "door": "frame"}).status_code == 403
        assert count(session, LoginSession) == 1


def give_role(session: Session, site: Site, provider: str, role: Role) -> None:
    """Make whoever logged in with a provider a moderator of the blog."""
    begin_write(session)
    identity = session.scalars(select(Identity).where(Identity.provider == provider)).one()
    site_id = session.scalar(select(Site.id).where(Site.name == "Blog"))
    assert site_id is not None
    session.add(Membership(commenter_id=identity.commenter_id, site_id=site_id, role=role))
    session.commit()
