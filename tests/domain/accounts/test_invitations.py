"""Roles for people who log in socially: granted to an account, given by an invitation, taken away again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts, identities, invitations
from commentsvc.domain.sites import sites
from commentsvc.integrations.oauth.profile import Profile
from commentsvc.models import Commenter, Identity, Membership, Role, Site, Ticket, now
from tests.cli.conftest import bare_environment
from tests.conftest import BLOG
from tests.support.browser_client import BrowserClient
from tests.support.cli_service import fail, succeed
from tests.support.member_client import ISSUER, Vouching, person
from tests.support.outside_session import outside_session

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
__all__ = ["bare_environment"]


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def site(session: Session) -> Site:
    begin_write(session)
    site = sites.add(session, "Blog", [BLOG], owner_id=accounts.operator(session).id)
    session.commit()
    return site


@pytest.fixture
def vouching(app: Flask) -> Vouching:
    return Vouching.at(app)


@pytest.fixture
def visitor(app: Flask) -> BrowserClient:
    return BrowserClient(app)


def invited(session: Session, site: Site, role: Role = Role.MODERATOR) -> str:
    begin_write(session)
    token = invitations.invite(session, session.get_one(Site, site.id), role, at=now())
    session.commit()
    return token


def granted(session: Session, site: Site, subject: str = "1", role: Role = Role.MODERATOR) -> Commenter:
    begin_write(session)
    result = invitations.grant(
        session, session.get_one(Site, site.id), role, "github", ISSUER, subject, at=now()
    )
    session.commit()
    return result


def role_of(session: Session, subject: str = "1") -> Role | None:
    session.rollback()
    return session.scalar(
        select(Membership.role)
        .join(Identity, Identity.commenter_id == Membership.commenter_id)
        .where(Identity.provider == "github", Identity.subject == subject)
    )


def walk_in(visitor: BrowserClient, answer: Any) -> BrowserClient:
    """Follow a login to the admin view: the page between, then the button."""
    assert answer.status_code == 303, answer.text
    assert re.fullmatch(r"/admin/sign-in/[\w-]{43}", answer.location)
    arrival = visitor.get(answer.location, **{"Sec-Fetch-Site": "cross-site"})
    assert 'http-equiv="refresh"' in arrival.text
    assert "Set-Cookie" not in arrival.headers
    assert visitor.post(answer.location, token=visitor.token(answer.location)).status_code == 303
    return visitor


class TestLoggingIn:
    def test_is_offered_beside_the_link(self, vouching: Vouching, visitor: BrowserClient) -> None:
        page = visitor.get("/admin").text
        assert "Log in with GitHub" in page
        assert "commentsvc admin link" in page

    def test_is_not_offered_where_no_provider_is_set_up(self, visitor: BrowserClient) -> None:
        assert "Log in with" not in visitor.get("/admin").text

    @ENGINES
    def test_who_has_a_role_comes_in(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        granted(session, site)
        assert "Held" in walk_in(visitor, vouching.go(visitor, purpose="admin")).page("/admin")

    def test_who_has_none_is_told_what_to_ask_for(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        answer = vouching.go(visitor, purpose="admin")
        assert answer.status_code == 400
        assert "You are Ada (github, 1)" in answer.text
        assert visitor.get("/admin").status_code == 401
        assert session.scalar(select(func.count()).select_from(Ticket).where(Ticket.purpose == "admin")) == 0

    def test_a_name_or_another_issuer_is_not_enough(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        granted(session, site)
        for profile in (Profile(ISSUER, "2", "Ada"), Profile("https://github.example", "1", "Ada")):
            vouching.profile = profile
            assert vouching.go(visitor, purpose="admin").status_code == 400


class TestGrants:
    @ENGINES
    def test_before_the_first_visit(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        result = granted(session, site, role=Role.OWNER)
        assert result.name == "1"
        vouching.go(visitor, purpose="person")
        session.expire_all()
        assert session.get_one(Commenter, result.id).name == "Ada"
        assert role_of(session) is Role.OWNER

    def test_a_name_chosen_here_stays(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        result = person(session)
        begin_write(session)
        session.get_one(Commenter, result.commenter_id).name = "Countess"
        session.commit()
        granted(session, site)
        vouching.go(visitor, purpose="person")
        session.expire_all()
        assert session.get_one(Commenter, result.commenter_id).name == "Countess"

    @ENGINES
    def test_again_changes_the_role(self, session: Session, site: Site) -> None:
        granted(session, site)
        granted(session, site, role=Role.OWNER)
        granted(session, site)
        assert role_of(session) is Role.MODERATOR
        assert session.scalar(select(func.count()).select_from(Membership)) == 2  # with the operator's

    def test_can_be_taken_back(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        granted(session, site)
        walk_in(visitor, vouching.go(visitor, purpose="admin"))
        begin_write(session)
        invitations.revoke(session, session.get_one(Site, site.id), "github", ISSUER, "1")
        session.commit()
        assert visitor.get(f"/admin?site={site.id}").status_code == 404


class TestInvitations:
    def test_say_what_they_offer(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        page = visitor.page(f"/admin/invite/{invited(session, site)}")
        assert "<bdi>Blog</bdi>" in page
        assert "<b>moderator</b>" in page
        assert "Log in with GitHub" in page

    @ENGINES
    @pytest.mark.parametrize("role", list(Role))
    def test_give_the_role_to_who_logs_in(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient, role: Role
    ) -> None:
        token = invited(session, site, role)
        walk_in(visitor, vouching.go(visitor, purpose="invite", invitation=token))
        assert role_of(session) is role
        assert "Held" in visitor.page("/admin")

    @ENGINES
    def test_work_once(
        self, app: Flask, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        token = invited(session, site)
        vouching.go(visitor, purpose="invite", invitation=token)
        vouching.profile = Profile(ISSUER, "2", "Eve")
        assert vouching.go(BrowserClient(app), purpose="invite", invitation=token).status_code == 400
        assert role_of(session, "2") is None
        answer = visitor.get(f"/admin/invite/{token}")
        assert answer.status_code == 410
        assert "no longer works" in answer.text

    def test_two_logins_begun_with_one_end_with_one_role(
        self, app: Flask, session: Session, site: Site, vouching: Vouching
    ) -> None:
        token = invited(session, site)
        first, second = BrowserClient(app), BrowserClient(app)
        for one in (first, second):
            one.post(
                "/login/start", {"provider": "github", "purpose": "invite", "invitation": token}, token=None
            )
        states = [attempt.state for attempt in vouching.begun]
        assert first.get(f"/login/callback/github?code=c&state={states[0]}").status_code == 303
        vouching.profile = Profile(ISSUER, "2", "Eve")
        assert second.get(f"/login/callback/github?code=c&state={states[1]}").status_code == 400
        assert (role_of(session), role_of(session, "2")) == (Role.MODERATOR, None)

    def test_end_by_themselves(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        token = invited(session, site)
        begin_write(session)
        session.scalars(select(Ticket)).one().expires_at = now() - timedelta(seconds=1)
        session.commit()
        assert visitor.get(f"/admin/invite/{token}").status_code == 410
        assert vouching.go(visitor, purpose="invite", invitation=token).status_code == 400
        assert role_of(session) is None

    def test_are_not_taken_by_looking(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        token = invited(session, site)
        for _ in range(2):
            visitor.page(f"/admin/invite/{token}")
            assert visitor.client.head(f"/admin/invite/{token}").status_code == 200
        assert vouching.go(visitor, purpose="invite", invitation=token).status_code == 303

    @pytest.mark.parametrize("token", ["nonsense", "a" * 3000, "%00", "%F0%9F%92%A9", ""])
    def test_cannot_be_invented(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient, token: str
    ) -> None:
        assert visitor.get(f"/admin/invite/{token}").status_code in {404, 410, 401}
        assert vouching.go(visitor, purpose="invite", invitation=token).status_code == 400
        assert role_of(session) is None

    def test_open_no_door_by_themselves(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        token = invited(session, site)
        path = f"/admin/sign-in/{token}"
        assert visitor.post(path, token=visitor.token(path)).status_code == 410
        assert visitor.post("/account/enter", {"pass": token}, token=None).status_code == 400

    def test_do_not_take_an_owners_role_away(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        granted(session, site, role=Role.OWNER)
        vouching.go(visitor, purpose="invite", invitation=invited(session, site))
        assert role_of(session) is Role.OWNER

    def test_are_kept_hashed(self, session: Session, site: Site) -> None:
        token = invited(session, site)
        assert token not in session.scalars(select(Ticket.token_hash)).all()

    def test_another_website_cannot_press_the_button(
        self, session: Session, site: Site, vouching: Vouching, visitor: BrowserClient
    ) -> None:
        sent = {"provider": "github", "purpose": "invite", "invitation": invited(session, site)}
        answer = visitor.post("/login/start", sent, token=None, origin="https://evil.example")
        assert answer.status_code == 403


class TestCommands:
    @pytest.fixture(autouse=True)
    def _service(self, bare_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COMMENTSVC_GITHUB_CLIENT_ID", "x")
        monkeypatch.setenv("COMMENTSVC_GITHUB_CLIENT_SECRET", "y")
        succeed("init")
        succeed("site", "add", "Blog", BLOG)

    def grant(self, *more: str) -> tuple[str, ...]:
        return ("admin", "grant", "--site", "Blog", "--provider", "github", *more)

    def test_grant_and_revoke(self) -> None:
        assert "is now owner of 'Blog'" in succeed(*self.grant("--subject", "583231", "--role", "owner"))
        revoke = ("admin", "revoke", "--site", "Blog", "--provider", "github", "--subject", "583231")
        assert "no longer has a role on 'Blog'" in succeed(*revoke)
        assert "has no role on Blog" in fail(*revoke)

    @pytest.mark.parametrize("subject", ["octocat", "", "  "])
    def test_a_name_is_no_number(self, subject: str) -> None:
        assert "by number" in fail(*self.grant("--subject", subject))

    @pytest.mark.parametrize("provider", ["sso", "local", "githubb"])
    def test_unknown_providers_are_refused(self, provider: str) -> None:
        complaint = fail("admin", "grant", "--site", "Blog", "--provider", provider, "--subject", "1")
        assert "There are: wordpress" in complaint

    def test_where_there_are_many_the_issuer_is_asked_for(self) -> None:
        wanted = ("admin", "grant", "--site", "Blog", "--provider", "mastodon", "--subject", "1")
        assert "--issuer" in fail(*wanted)
        assert "Nobody can log in with Mastodon yet" in succeed(
            *wanted, "--issuer", "https://mastodon.example"
        )

    def test_invite_prints_a_link(self) -> None:
        output = succeed("admin", "invite", "--site", "Blog", "--role", "owner")
        assert re.fullmatch(r"http://127.0.0.1:8600/admin/invite/[\w-]{43}\n", output)

    def test_an_unknown_site_is_named(self) -> None:
        assert "There are: 'Blog'" in fail("admin", "invite", "--site", "Blag")


def test_a_subject_that_is_nobodys_is_refused(session: Session, site: Site) -> None:
    begin_write(session)
    for subject in ("", " ", "x" * 301, "a\x00b"):
        with pytest.raises(Exception, match="provider's own id"):
            invitations.grant(session, site, Role.OWNER, "github", ISSUER, subject, at=now())
    assert identities.find(session, "github", ISSUER, "") is None
