"""A website's own users: what its token must be, whom it makes, and that its word counts nowhere else."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts, single_sign_on
from commentsvc.domain.fields import Guest
from commentsvc.domain.sites import sites
from commentsvc.domain.threads import threads
from commentsvc.models import (
    Comment,
    Commenter,
    Identity,
    LoginSession,
    Membership,
    Policy,
    Site,
    Thread,
    now,
)
from commentsvc.web.auth import incoming_avatars
from commentsvc.web.auth.reader import label_of
from tests.cli.conftest import bare_environment
from tests.conftest import BASE_URL, BLOG
from tests.support.browser_client import BrowserClient
from tests.support.cli_service import fail, succeed
from tests.support.comment_builders import Pen, article
from tests.support.outside_session import outside_session

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
ARTICLE = {"url": f"{BLOG}/article"}
__all__ = ["bare_environment"]


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def site(session: Session) -> Site:
    return a_site(session, "Blog", BLOG)


@pytest.fixture
def other(session: Session) -> Site:
    return a_site(session, "Other", "https://other.example")


@pytest.fixture
def reader(app: Flask) -> BrowserClient:
    return BrowserClient(app)


def a_site(session: Session, name: str, origin: str) -> Site:
    begin_write(session)
    site = sites.add(session, name, [origin], owner_id=accounts.operator(session).id)
    site.policy = Policy.OPEN
    single_sign_on.new_secret(session, site)
    session.commit()
    return site


def token(secret: str | None, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token as a website would make it; claims that are None are left out."""
    at = int(now().timestamp())
    given = {"sub": "42", "name": "Grace", "aud": BASE_URL, "iat": at, "exp": at + 300, **claims}
    kept = {name: value for name, value in given.items() if value is not None}
    made = header or {"alg": "HS256"}
    return jwt.encode(made, kept, OctKey.import_key(secret or ""), algorithms=[made["alg"]])


def send(visitor: BrowserClient, given: str, *, origin: str | None = "", **more: str) -> Any:
    return visitor.post("/login/sso", {**ARTICLE, "sso": given, **more}, token=None, origin=origin)


def member(visitor: BrowserClient, **headers: str) -> Any:
    """Whom the frame shows as logged in."""
    return visitor.get(f"/embed/own?url={ARTICLE['url']}", **headers).get_json()["member"]


def shift(minutes: float) -> int:
    """A time so many minutes from now, as tokens write it."""
    return int((now() + timedelta(minutes=minutes)).timestamp())


@ENGINES
def test_a_token_logs_its_user_in_on_the_site(session: Session, site: Site, reader: BrowserClient) -> None:
    answer = send(reader, token(site.sso_secret))
    assert (answer.status_code, answer.get_json()) == (200, {"stage": "done"})
    assert "Partitioned" in answer.headers["Set-Cookie"]
    assert answer.headers["Cache-Control"] == "no-store"
    shown = member(reader)
    assert (shown["name"], shown["provider"], shown["label"]) == ("Grace", "sso", "")
    identities = session.scalars(select(Identity).where(Identity.provider == "sso")).one()
    assert (identities.issuer, identities.subject) == (f"site:{site.id}", "42")


@ENGINES
def test_they_comment_under_their_name(session: Session, site: Site, reader: BrowserClient) -> None:
    send(reader, token(site.sso_secret))
    own = reader.get(f"/embed/own?url={ARTICLE['url']}").get_json()
    form = {**ARTICLE, "token": own["token"], "identity": "member", "text": "As myself"}
    answer = reader.client.post(
        "/embed/comments",
        base_url=BASE_URL,
        data={**form, "csrf_token": own["csrf"]},
        headers={"Origin": BASE_URL, "Accept": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    assert "Grace" in answer.get_json()["html"]
    assert session.scalars(select(Comment.role)).one() is None


class TestTokensRefused:
    def refused(
        self, session: Session, reader: BrowserClient, given: str, words: str, stage: str = "failed"
    ) -> None:
        answer = send(reader, given)
        assert answer.status_code == 400
        assert answer.get_json()["stage"] == stage
        assert words in answer.get_json()["message"]
        assert "Set-Cookie" not in answer.headers
        session.rollback()
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 0
        assert session.scalar(select(func.count()).select_from(Identity)) == 1  # the operator's

    @pytest.mark.parametrize("alg", ["none", "None", "HS384", "HS512", "RS256", "", None, 7])
    def test_any_other_algorithm(self, session: Session, site: Site, reader: BrowserClient, alg: Any) -> None:
        if alg in {"HS384", "HS512"}:
            given = token(site.sso_secret, {"alg": alg})
        else:
            body = token(site.sso_secret).split(".")[1]
            header = base64.urlsafe_b64encode(json.dumps({"alg": alg}).encode()).decode().rstrip("=")
            given = f"{header}.{body}."
        self.refused(session, reader, given, "not signed with this site's secret")

    def test_another_sites_secret(
        self, session: Session, site: Site, other: Site, reader: BrowserClient
    ) -> None:
        self.refused(session, reader, token(other.sso_secret), "not signed with this site's secret")

    def test_a_secret_that_was_replaced(self, session: Session, site: Site, reader: BrowserClient) -> None:
        old = site.sso_secret
        begin_write(session)
        single_sign_on.new_secret(session, session.get_one(Site, site.id))
        session.commit()
        self.refused(session, reader, token(old), "not signed with this site's secret")

    def test_a_changed_body(self, session: Session, site: Site, reader: BrowserClient) -> None:
        head, _, signature = token(site.sso_secret).split(".")
        body = token(site.sso_secret, name="Root").split(".")[1]
        self.refused(session, reader, f"{head}.{body}.{signature}", "not signed")

    @pytest.mark.parametrize("given", ["", "x", "..", "a.b.c", "\x00", "é" * 300, "x" * 5000, "[].[].[]"])
    def test_what_is_none(self, session: Session, site: Site, reader: BrowserClient, given: str) -> None:
        self.refused(session, reader, given, "token")

    @pytest.mark.parametrize(
        "aud", [None, "", BLOG, f"{BASE_URL}/", f"{BASE_URL}.evil.example", [BASE_URL, BLOG], {"a": 1}, 1]
    )
    def test_one_for_somebody_else(
        self, session: Session, site: Site, reader: BrowserClient, aud: Any
    ) -> None:
        self.refused(session, reader, token(site.sso_secret, aud=aud), "wrong aud")

    def test_one_that_is_over(self, session: Session, site: Site, reader: BrowserClient) -> None:
        given = token(site.sso_secret, iat=shift(-10), exp=shift(-2))
        self.refused(session, reader, given, "reload the page", stage="stale")

    @pytest.mark.parametrize("exp", [11 * 60, 365 * 86400, 10**15, "tomorrow", None, True, [1]])
    def test_one_that_lives_too_long_or_for_ever(
        self, session: Session, site: Site, reader: BrowserClient, exp: Any
    ) -> None:
        if isinstance(exp, int) and exp > 1:
            exp += shift(0)
        self.refused(session, reader, token(site.sso_secret, exp=exp), "wrong exp")

    @pytest.mark.parametrize("iat", [None, "now", 0, -1, 1e300, False])
    def test_one_without_a_time(self, session: Session, site: Site, reader: BrowserClient, iat: Any) -> None:
        self.refused(session, reader, token(site.sso_secret, iat=iat), "wrong iat")

    def test_one_from_the_future(self, session: Session, site: Site, reader: BrowserClient) -> None:
        self.refused(session, reader, token(site.sso_secret, iat=shift(3), exp=shift(8)), "wrong iat")
        self.refused(session, reader, token(site.sso_secret, nbf=shift(3)), "wrong nbf")

    @pytest.mark.parametrize("sub", [None, "", "  ", "x" * 301, ["1"], {"id": 1}, 1.5, True])
    def test_one_of_nobody(self, session: Session, site: Site, reader: BrowserClient, sub: Any) -> None:
        self.refused(session, reader, token(site.sso_secret, sub=sub), "wrong sub")

    @pytest.mark.parametrize("name", [None, "", "   ", "\u200b\u202e", "\u3164", ["Grace"], 7])
    def test_one_without_a_name(self, session: Session, site: Site, reader: BrowserClient, name: Any) -> None:
        self.refused(session, reader, token(site.sso_secret, name=name), "name")

    def test_a_name_too_long(self, session: Session, site: Site, reader: BrowserClient) -> None:
        self.refused(session, reader, token(site.sso_secret, name="x" * 81), "at most 80")

    def test_any_where_it_is_off(self, session: Session, site: Site, reader: BrowserClient) -> None:
        given = token(site.sso_secret)
        begin_write(session)
        single_sign_on.switch_off(session, session.get_one(Site, site.id))
        session.commit()
        self.refused(session, reader, given, "not set up its own sign-in")

    @pytest.mark.parametrize("origin", [None, "null", BLOG, "https://evil.example"])
    def test_any_from_another_page(
        self, session: Session, site: Site, reader: BrowserClient, origin: str | None
    ) -> None:
        assert send(reader, token(site.sso_secret), origin=origin).status_code == 403


class TestTokensTaken:
    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": [BASE_URL]},
            {"sub": 42},
            {"email": "g@good.example", "jti": "1", "iss": "https://blog.example", "nbf": 1},
        ],
    )
    def test_with_what_the_standard_allows(
        self, session: Session, site: Site, reader: BrowserClient, claims: dict[str, Any]
    ) -> None:
        assert send(reader, token(site.sso_secret, **claims)).status_code == 200

    @pytest.mark.parametrize(("issued", "over"), [(0.5, 5), (-9, -0.5)])
    def test_from_a_clock_that_is_a_little_off(
        self, session: Session, site: Site, reader: BrowserClient, issued: float, over: float
    ) -> None:
        given = token(site.sso_secret, iat=shift(issued), exp=shift(over))
        assert send(reader, given).status_code == 200

    def test_again_while_they_last(self, app: Flask, session: Session, site: Site) -> None:
        """A page comes back from the browser's history, or shows two threads, with the token it had."""
        given = token(site.sso_secret)
        first, second = BrowserClient(app), BrowserClient(app)
        for one in (first, first, second):
            assert send(one, given).status_code == 200
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 2
        assert session.scalar(select(func.count()).select_from(Commenter)) == 2  # Grace, and the operator

    def test_names_are_text(self, session: Session, site: Site, reader: BrowserClient) -> None:
        send(reader, token(site.sso_secret, name="<b>Grace</b>  \n Hopper"))
        assert member(reader)["name"] == "<b>Grace</b> Hopper"

    @pytest.mark.parametrize(
        ("url", "kept"),
        [
            ("https://grace.example/me", "https://grace.example/me"),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            (7, None),
        ],
    )
    def test_an_address_is_checked(
        self, session: Session, site: Site, reader: BrowserClient, url: Any, kept: str | None
    ) -> None:
        assert send(reader, token(site.sso_secret, url=url)).status_code == 200
        assert session.scalars(select(Commenter.website).where(Commenter.name == "Grace")).one() == kept

    def test_a_picture_is_taken_once_a_session(
        self, session: Session, site: Site, reader: BrowserClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str | None] = []
        monkeypatch.setattr(incoming_avatars, "fetch_avatar", lambda _, url: asked.append(url))
        for _ in range(3):
            send(reader, token(site.sso_secret, picture="https://blog.example/grace.png"))
        assert asked == ["https://blog.example/grace.png"]


class TestSessions:
    def test_another_user_takes_the_place_of_the_first(
        self, session: Session, site: Site, reader: BrowserClient
    ) -> None:
        send(reader, token(site.sso_secret))
        send(reader, token(site.sso_secret, sub="43", name="Hedy"))
        assert member(reader)["name"] == "Hedy"
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 1

    def test_the_same_user_keeps_theirs_and_is_fresh_again(
        self, session: Session, site: Site, reader: BrowserClient
    ) -> None:
        send(reader, token(site.sso_secret))
        begin_write(session)
        login_sessions = session.scalars(select(LoginSession)).one()
        login_sessions.created_at, before = now() - timedelta(hours=20), login_sessions.token_hash
        session.commit()
        assert "Set-Cookie" not in send(reader, token(site.sso_secret)).headers
        session.expire_all()
        login_sessions = session.scalars(select(LoginSession)).one()
        assert login_sessions.token_hash == before
        assert login_sessions.created_at > now() - timedelta(minutes=1)

    def test_last_a_day(self, session: Session, site: Site, reader: BrowserClient) -> None:
        send(reader, token(site.sso_secret))
        login_sessions = session.scalars(select(LoginSession)).one()
        assert login_sessions.expires_at - login_sessions.created_at == timedelta(days=1)

    def test_a_browser_without_cookies_gets_a_bearer(
        self, app: Flask, session: Session, site: Site, reader: BrowserClient
    ) -> None:
        answer = send(reader, token(site.sso_secret), want="bearer")
        assert "Set-Cookie" not in answer.headers
        bearer = {"Authorization": f"Bearer {answer.get_json()['bearer']}"}
        assert member(BrowserClient(app), **bearer)["name"] == "Grace"

    @ENGINES
    def test_a_new_name_is_theirs_at_once(self, session: Session, site: Site, reader: BrowserClient) -> None:
        test_they_comment_under_their_name(session, site, reader)
        session.rollback()
        before = session.scalars(select(Thread.version)).one()
        send(reader, token(site.sso_secret, name="Grace Hopper"))
        assert member(reader)["name"] == "Grace Hopper"
        session.rollback()
        assert session.scalars(select(Thread.version)).one() > before

    @ENGINES
    @pytest.mark.parametrize("change", [single_sign_on.new_secret, single_sign_on.switch_off])
    def test_end_with_the_secret_that_opened_them(
        self, session: Session, site: Site, other: Site, app: Flask, change: Any
    ) -> None:
        """Whoever had stolen it could have signed in as anybody."""
        mine, theirs = BrowserClient(app), BrowserClient(app)
        send(mine, token(site.sso_secret))
        elsewhere = {"url": "https://other.example/a", "sso": token(other.sso_secret)}
        theirs.post("/login/sso", elsewhere, token=None)
        begin_write(session)
        change(session, session.get_one(Site, site.id))
        session.commit()
        assert member(mine) is None
        assert session.scalars(select(LoginSession.site_id)).all() == [other.id]


class TestOneSitesWord:
    """A website can invent users; whatever it says must mean nothing elsewhere."""

    def test_makes_other_people_than_anothers(
        self, session: Session, site: Site, other: Site, app: Flask
    ) -> None:
        send(BrowserClient(app), token(site.sso_secret))
        BrowserClient(app).post(
            "/login/sso", {"url": "https://other.example/a", "sso": token(other.sso_secret)}, token=None
        )
        identities = session.scalars(select(Identity).where(Identity.provider == "sso")).all()
        assert len({one.commenter_id for one in identities}) == 2

    def test_logs_in_nowhere_else(
        self, session: Session, site: Site, other: Site, reader: BrowserClient
    ) -> None:
        send(reader, token(site.sso_secret))
        own = reader.get("/embed/own?url=https://other.example/a").get_json()
        assert own["member"] is None
        assert "Grace" not in reader.page(f"/thread?url={ARTICLE['url']}")

    def test_opens_their_page_and_no_other_door(
        self, session: Session, site: Site, other: Site, reader: BrowserClient
    ) -> None:
        send(reader, token(site.sso_secret))
        csrf = reader.get(f"/embed/own?url={ARTICLE['url']}").get_json()["csrf"]
        given = reader.post("/embed/pass", dict(ARTICLE), token=csrf).get_json()["pass"]
        assert reader.post("/account/enter", {"pass": given}, token=None).status_code == 303
        settings = reader.page("/account/settings")
        assert "Change it there" in settings
        assert 'value="link"' not in settings
        assert (
            reader.post("/account/name", {"name": "Root"}, token=reader.token("/account")).status_code == 403
        )
        for url in (ARTICLE["url"], "https://other.example/a"):
            assert "Grace" not in reader.page(f"/thread?url={url}")
        assert reader.get("/admin").status_code == 401

    @ENGINES
    def test_gives_users_what_they_wrote_before_the_site_moved_here(
        self, session: Session, site: Site, other: Site, reader: BrowserClient
    ) -> None:
        begin_write(session)
        old, here = article(session, site, "/old"), article(session, site, "/new")
        writer = Guest("Grace H", "grace@mail.example")
        imported = [old.write(by=writer), old.write(by=Guest("Else", "else@mail.example"))]
        elsewhere = Pen(session, threads.address_on(other, "https://other.example/a")).write(by=writer)
        for number, comment in enumerate([*imported, elsewhere]):
            comment.transfer_key = f"wordpress:blog.example:{number}"
        typed = here.write(by=writer)
        version = imported[0].thread.version
        session.commit()
        ids = [comment.id for comment in (*imported, elsewhere, typed)]

        def owners() -> list[int | None]:
            session.expire_all()
            session.rollback()
            return [session.get_one(Comment, number).commenter_id for number in ids]

        for claims in ({}, {"email_verified": "true"}, {"email_verified": False}):
            send(reader, token(site.sso_secret, email="grace@mail.example", **claims))
            send(reader, token(site.sso_secret, sub="nobody"))
            assert owners() == [None] * 4
        send(reader, token(site.sso_secret, email="no address", email_verified=True))
        send(reader, token(site.sso_secret, sub="nobody"))
        send(reader, token(site.sso_secret, email=" grace@MAIL.example", email_verified=True))
        who = session.scalars(select(Identity.commenter_id).where(Identity.subject == "42")).one()
        assert owners() == [who, None, None, None]
        first = session.get_one(Comment, ids[0])
        assert (first.guest_name, first.guest_email) == (None, None)
        assert first.thread.version > version

    def test_gives_no_role(self, session: Session, site: Site, reader: BrowserClient) -> None:
        begin_write(session)
        owner = accounts.operator(session)
        session.commit()
        claims = {"role": "owner", "roles": ["owner"], "commenter_id": owner.id, "name": "Site owner"}
        send(reader, token(site.sso_secret, sub="operator", **claims))
        session.rollback()
        identities = session.scalars(select(Identity).where(Identity.provider == "sso")).one()
        assert identities.commenter_id != owner.id
        assert session.scalar(select(func.count()).select_from(Membership)) == 1


class TestTheSecret:
    @pytest.fixture
    def owner(self, app: Flask, session: Session, site: Site) -> BrowserClient:
        begin_write(session)
        result = accounts.operator(session)
        session.commit()
        return BrowserClient(app).sign_in(session, result)

    def test_is_shown_once(self, session: Session, site: Site, owner: BrowserClient) -> None:
        path, before = f"/admin/sites/{site.id}/sign-in", site.sso_secret
        assert str(before) not in owner.page(path)
        answer = owner.post(path, {"do": "new"}, token=owner.token(path))
        session.expire_all()
        secret = session.get_one(Site, site.id).sso_secret
        assert secret is not None
        assert secret != before
        assert f'value="{secret}"' in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert secret not in owner.page(path)
        assert secret not in owner.page(f"/admin/sites/{site.id}")

    def test_can_be_taken_away(self, session: Session, site: Site, owner: BrowserClient) -> None:
        path = f"/admin/sites/{site.id}/sign-in"
        assert owner.post(path, {"do": "off"}, token=owner.token(path)).status_code == 303
        session.expire_all()
        assert session.get_one(Site, site.id).sso_secret is None
        assert '<span class="badge plain">Off</span>' in owner.page(path)

    def test_is_not_made_by_looking(self, session: Session, site: Site, owner: BrowserClient) -> None:
        before = site.sso_secret
        owner.page(f"/admin/sites/{site.id}/sign-in?do=new")
        session.expire_all()
        assert session.get_one(Site, site.id).sso_secret == before

    @ENGINES
    def test_changes_the_pages_of_the_site(self, session: Session, site: Site, reader: BrowserClient) -> None:
        """The form has to be able to show who is logged in, also where no provider is set up."""
        panel = '<div data-panel="member"'
        assert panel in reader.page(f"/embed?url={ARTICLE['url']}")
        begin_write(session)
        single_sign_on.switch_off(session, session.get_one(Site, site.id))
        session.commit()
        assert panel not in reader.page(f"/embed?url={ARTICLE['url']}")

    def test_comes_from_the_command_line(self, bare_environment: None) -> None:
        succeed("init")
        succeed("site", "add", "Blog", BLOG)
        secret = succeed("site", "sso-secret", "Blog").splitlines()[0]
        assert re.fullmatch(r"[\w-]{43}", secret)
        assert succeed("site", "sso-secret", "Blog").splitlines()[0] != secret
        assert "is switched off" in succeed("site", "sso-secret", "Blog", "--off")
        assert "There are: 'Blog'" in fail("site", "sso-secret", "Blag")


def test_a_way_to_log_in_has_one_label_everywhere(app: Flask) -> None:
    with app.app_context():
        labels = [label_of(key) for key in ("github", "oidc_book_club", "sso", "local")]
    assert labels == ["GitHub", "Book Club", "Website login", "Command line"]
