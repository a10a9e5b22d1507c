"""Signing in to the admin view: a link that works once, a cookie that goes nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts, invitations
from commentsvc.domain.sites import sites
from commentsvc.models import Commenter, LoginSession, Membership, Role, Site, Ticket, now
from tests.conftest import BLOG, dispose, environment
from tests.support.browser_client import BrowserClient, link_for
from tests.support.member_client import Vouching, person
from tests.support.outside_session import outside_session

SECURE = "https://comments.example"


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app) as session:
        yield session


@pytest.fixture
def owner(session: Session) -> Commenter:
    begin_write(session)
    owner = accounts.operator(session)
    sites.add(session, "Blog", [BLOG], owner_id=owner.id)
    session.commit()
    return owner


@pytest.fixture
def link(session: Session, owner: Commenter) -> str:
    return f"/admin/sign-in/{link_for(session, owner)}"


@pytest.fixture
def visitor(app: Flask) -> BrowserClient:
    return BrowserClient(app)


def open_sessions(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(LoginSession)) or 0


def test_a_link_opens_the_admin_view(visitor: BrowserClient, link: str) -> None:
    answer = visitor.post(link, token=visitor.token(link))
    assert (answer.status_code, answer.location) == (303, "/admin")
    assert "Held" in visitor.page("/admin")


def test_the_page_before_says_who_is_about_to_sign_in(
    app: Flask, session: Session, visitor: BrowserClient, link: str
) -> None:
    assert "Sign in as <bdi>Site owner</bdi>" in visitor.page(link)
    visitor.post(link)
    begin_write(session)
    grace = Commenter(name="Grace <b>")
    session.add(grace)
    session.commit()
    page = visitor.page(f"/admin/sign-in/{link_for(session, grace)}")
    assert "Sign in as <bdi>Grace &lt;b&gt;</bdi>" in page
    assert "This link works once." in page
    assert "You are signed in as <b><bdi>Site owner</bdi></b> now" in page


def test_a_spent_link_names_nobody(app: Flask, visitor: BrowserClient, link: str) -> None:
    visitor.post(link)
    assert "Site owner" not in BrowserClient(app).page(link)


@pytest.mark.parametrize("purpose", ["admin", "invite"])
def test_who_came_from_a_provider_is_told_of_no_link(
    app: Flask, session: Session, owner: Commenter, visitor: BrowserClient, purpose: str
) -> None:
    grace = person(session, name="Grace", subject="7")
    begin_write(session)
    site = session.scalars(select(Site)).one()
    session.add(Membership(commenter_id=grace.commenter_id, site_id=site.id, role=Role.MODERATOR))
    invitation = invitations.invite(session, site, Role.MODERATOR, at=now())
    session.commit()
    provider = Vouching.at(app)
    provider.profile = replace(provider.profile, subject="7", name="Grace")
    path = provider.go(visitor, purpose=purpose, invitation=invitation).location
    page = visitor.page(path)
    assert "Sign in as <bdi>Grace</bdi>" in page
    assert "You logged in with <bdi>GitHub</bdi>." in page
    assert "link" not in page.partition("<h1>")[2].lower()
    assert session.scalar(select(func.count()).select_from(LoginSession)) == 0
    assert visitor.post(path).status_code == 303
    again = visitor.post(path)
    assert again.status_code == 410
    assert "This link no longer works" not in again.text


def test_a_link_works_once(app: Flask, visitor: BrowserClient, link: str) -> None:
    visitor.post(link)
    second = BrowserClient(app)
    answer = second.post(link)
    assert answer.status_code == 410
    assert "commentsvc admin link" in answer.text
    assert second.get("/admin").status_code == 401


def test_an_old_link_opens_nothing(session: Session, visitor: BrowserClient, link: str) -> None:
    begin_write(session)
    ticket = session.scalars(select(Ticket)).one()
    ticket.expires_at = now() - timedelta(seconds=1)
    session.commit()
    assert visitor.post(link).status_code == 410
    assert visitor.get("/admin").status_code == 401


@pytest.mark.parametrize("token", ["nonsense", "a" * 3000, "%00", "..%2F..", "%F0%9F%92%A9"])
def test_an_invented_link_opens_nothing(visitor: BrowserClient, owner: Commenter, token: str) -> None:
    assert visitor.post(f"/admin/sign-in/{token}").status_code in {404, 410}


def test_looking_at_a_link_changes_nothing(
    app: Flask, session: Session, visitor: BrowserClient, link: str
) -> None:
    for crawler in (BrowserClient(app), BrowserClient(app)):
        assert crawler.get(link).status_code == 200
        assert crawler.client.head(link).status_code == 200
        assert crawler.get("/admin").status_code == 401
    session.rollback()
    assert session.scalars(select(Ticket.redeemed_at)).one() is None
    assert open_sessions(session) == 0
    assert visitor.post(link).status_code == 303


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://127.0.0.1:8601"])
def test_another_website_cannot_spend_a_link(
    session: Session, visitor: BrowserClient, link: str, origin: str | None
) -> None:
    assert visitor.post(link, origin=origin).status_code == 403
    assert open_sessions(session) == 0


@pytest.mark.parametrize("token", [None, "forged"])
def test_a_link_is_not_spent_without_the_forms_token(
    session: Session, visitor: BrowserClient, link: str, token: str | None
) -> None:
    visitor.page(link)
    assert visitor.post(link, token=token).status_code == 400
    assert open_sessions(session) == 0


def test_signing_in_leaves_nothing_of_the_cookie_before(
    app: Flask, visitor: BrowserClient, link: str
) -> None:
    """A token that somebody else put into the browser must be worth nothing afterwards."""
    planted = visitor.token(link)
    visitor.post(link, token=planted)
    assert visitor.post("/admin/sign-out", token=planted).status_code == 400
    assert visitor.get("/admin").status_code == 200


def test_pages_opened_at_once_share_the_secret_of_their_forms(
    session: Session, owner: Commenter, visitor: BrowserClient
) -> None:
    """If each page set one, the browser would keep only the last."""
    visitor.sign_in(session, owner)
    assert "Set-Cookie" not in visitor.get("/admin").headers


def test_signing_in_again_ends_the_session_before(
    app: Flask, session: Session, owner: Commenter, visitor: BrowserClient
) -> None:
    visitor.sign_in(session, owner)
    visitor.sign_in(session, owner)
    assert open_sessions(session) == 1


def test_signing_out_ends_the_session_everywhere(
    app: Flask, session: Session, owner: Commenter, visitor: BrowserClient
) -> None:
    visitor.sign_in(session, owner)
    kept = visitor.client.get_cookie("commentsvc_admin", domain="127.0.0.1")
    assert kept is not None
    assert visitor.post("/admin/sign-out", token=visitor.token("/admin")).status_code == 303
    assert visitor.client.get_cookie("commentsvc_admin", domain="127.0.0.1") is None
    thief = BrowserClient(app)
    thief.client.set_cookie("commentsvc_admin", kept.value, domain="127.0.0.1")
    assert thief.get("/admin").status_code == 401
    assert open_sessions(session) == 0


def test_signing_out_is_no_link(session: Session, owner: Commenter, visitor: BrowserClient) -> None:
    visitor.sign_in(session, owner)
    assert visitor.get("/admin/sign-out").status_code == 405
    assert open_sessions(session) == 1


def test_a_session_ends_by_its_age(session: Session, owner: Commenter, visitor: BrowserClient) -> None:
    visitor.sign_in(session, owner)
    begin_write(session)
    session.scalars(select(LoginSession)).one().expires_at = now()
    session.commit()
    assert visitor.get("/admin").status_code == 401


def test_a_forged_cookie_is_a_stranger(visitor: BrowserClient, owner: Commenter) -> None:
    visitor.client.set_cookie("commentsvc_admin", "eyJ0b2tlbiI6ImEifQ.aaaa.bbbb", domain="127.0.0.1")
    assert visitor.get("/admin").status_code == 401


def test_who_is_not_signed_in_is_told_how_to_be(visitor: BrowserClient) -> None:
    answer = visitor.get("/admin")
    assert answer.status_code == 401
    assert "commentsvc admin link" in answer.text
    assert "Set-Cookie" not in answer.headers


def test_the_view_can_be_neither_framed_nor_kept(
    session: Session, owner: Commenter, visitor: BrowserClient
) -> None:
    for path in ("/admin/sign-in/any", "/admin"):
        answer = visitor.get(path)
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"


class TestVisitsFromAnotherWebsite:
    """Browsers leave the strict cookie out of these; the page goes on to itself, as one of ours."""

    def test_goes_on_to_the_same_page_without_touching_the_cookie(
        self, visitor: BrowserClient, link: str
    ) -> None:
        answer = visitor.get(f"{link}?a=%22%3E&b=1", **{"Sec-Fetch-Site": "cross-site"})
        assert "Set-Cookie" not in answer.headers
        match = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
        assert match is not None
        onward = match[1].replace("&amp;", "&")
        assert onward == f"{link}?a=%22%3E&b=1&settled=1"
        assert "This link works once" in visitor.page(onward)

    def test_does_so_once(self, visitor: BrowserClient) -> None:
        answer = visitor.get("/admin?settled=1", **{"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 401

    def test_never_lets_a_form_through(
        self, session: Session, owner: Commenter, visitor: BrowserClient
    ) -> None:
        visitor.sign_in(session, owner)
        token = visitor.token("/admin")
        answer = visitor.post("/admin/sign-out", token=token, origin=BLOG, fetch_site="cross-site")
        assert answer.status_code == 403
        assert open_sessions(session) == 1


class TestCookies:
    def test_over_http_on_this_machine(self, visitor: BrowserClient) -> None:
        cookie = visitor.get("/admin/sign-in/any").headers["Set-Cookie"]
        assert cookie.startswith("commentsvc_admin=")
        assert {"HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
        assert "Secure" not in cookie

    def test_over_https(self, tmp_path: Path, migrated_sqlite: Path) -> None:
        (tmp_path / "comments.sqlite").write_bytes(migrated_sqlite.read_bytes())
        app = create_app(Settings.from_env(environment(tmp_path, COMMENTSVC_BASE_URL=SECURE)))
        with app.app_context():
            engine = db.engine
        with Session(engine) as session:
            begin_write(session)
            owner = accounts.operator(session)
            session.commit()
            visitor = BrowserClient(app, base_url=SECURE)
            cookie = visitor.get("/admin/sign-in/any").headers["Set-Cookie"]
            assert cookie.startswith("__Host-admin=")
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
            assert "Domain" not in cookie
            visitor.sign_in(session, owner)
            out = visitor.post("/admin/sign-out", token=visitor.token("/admin")).headers["Set-Cookie"]
            assert out.startswith("__Host-admin=;")
            assert "Secure" in out
        dispose(app)

    @pytest.mark.parametrize(
        "path",
        [
            f"/embed?url={BLOG}/a",
            f"/counts?url={BLOG}/a",
            "/healthz",
            "/administrator",
            "/nothing",
        ],
    )
    def test_the_rest_of_the_service_neither_sets_nor_reads_one(
        self, session: Session, owner: Commenter, visitor: BrowserClient, path: str
    ) -> None:
        visitor.sign_in(session, owner)
        answer = visitor.get(path)
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")

    def test_a_public_forms_cookie_would_mean_nothing_here(self, app: Flask, visitor: BrowserClient) -> None:
        """What Flask's own interface signs is not what this one reads."""
        serializer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert serializer is not None
        visitor.client.set_cookie(
            "commentsvc_admin", str(serializer.dumps({"token": "x"})), domain="127.0.0.1"
        )
        assert visitor.get("/admin").status_code == 401
