"""Somebody with an account: made in the database, in by the service's own doors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import handoff_tokens, identities, login_sessions
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text
from commentsvc.domain.threads import threads
from commentsvc.integrations.oauth import catalogue
from commentsvc.integrations.oauth.flow import OAuthState
from commentsvc.integrations.oauth.profile import Profile
from commentsvc.models import Comment, Identity, LoginSession, Role, Site, now
from commentsvc.web.context import services_of
from tests.conftest import BLOG
from tests.support.browser_client import BrowserClient
from tests.support.comment_builders import post_comment

ISSUER = "https://github.com"


@dataclass
class MemberClient:
    """A person, and a browser in which they are logged in to their own page."""

    visitor: BrowserClient
    identity_id: int
    commenter_id: int

    def page(self, path: str = "/account") -> str:
        return self.visitor.page(path)

    def post(self, path: str, data: dict[str, Any] | None = None, **how: Any) -> Any:
        """Send a form of their page, with its CSRF token."""
        how.setdefault("token", self.visitor.token("/account"))
        return self.visitor.post(path, data, **how)


def person(session: Session, *, name: str = "Ada", subject: str = "1", provider: str = "github") -> Identity:
    """Somebody who has logged in before."""
    begin_write(session)
    result = identities.identity_of_login(session, provider, ISSUER, subject, name=name, link=None, at=now())
    session.commit()
    return result


def frame_session(
    session: Session, identity: Identity, site: Site, *, ago: timedelta = timedelta()
) -> tuple[int, str]:
    """Open a session in a frame of `site`; return its id and its token."""
    begin_write(session)
    token = login_sessions.open_for(
        session,
        commenter_id=identity.commenter_id,
        identity_id=identity.id,
        purpose=login_sessions.READER,
        site_id=site.id,
        browser="Firefox on Linux",
        at=now() - ago,
    )
    session.flush()
    result = session.scalars(select(LoginSession.id).order_by(LoginSession.id.desc())).first()
    session.commit()
    assert result is not None
    return result, token


def give_pass(session: Session, identity: Identity, site: Site, *, ago: timedelta = timedelta()) -> str:
    """Log in, in a frame; return what opens the person's own page."""
    number, _ = frame_session(session, identity, site, ago=ago)
    begin_write(session)
    token = handoff_tokens.issue(session, session.get_one(LoginSession, number), at=now())
    session.commit()
    return token


def enter(
    app: Flask, session: Session, identity: Identity, site: Site, *, ago: timedelta = timedelta()
) -> MemberClient:
    """Log in and come to the person's own page as one does from a frame."""
    token = give_pass(session, identity, site, ago=ago)
    visitor = BrowserClient(app)
    answer = visitor.post("/account/enter", {"pass": token}, token=None)
    assert answer.status_code == 303, answer.text
    assert answer.location.endswith("/account")
    return MemberClient(visitor, identity.id, identity.commenter_id)


def write(
    session: Session,
    site: Site,
    text: str,
    *,
    by: int | None = None,
    to: int | None = None,
    path: str = "/article",
    role: Role | None = None,
) -> int:
    """Store a comment of a member, or of a guest where `by` is None; return its id."""
    begin_write(session)
    address = threads.address_on(session.get_one(Site, site.id), BLOG + path)
    author = Author(commenter_id=by, role=role, author_key_hash="k" * 64, network_hash="n" * 64)
    draft = comment_text.from_source(text, longest=100_000)
    number = post_comment(session, address, draft, author, at=now(), parent_id=to).id
    session.commit()
    return number


def stored(session: Session, comment_id: int) -> Comment:
    """Return a comment as the database has it now."""
    session.rollback()
    return session.get_one(Comment, comment_id, populate_existing=True)


@dataclass
class Vouching:
    """A login provider that answers at once; `profile` is whom it vouches for."""

    profile: Profile = field(default_factory=lambda: Profile(ISSUER, "1", "Ada"))
    begun: list[OAuthState] = field(default_factory=list)

    def begin(self, provider: Any, redirect_uri: str, *, instance: str = "") -> tuple[str, OAuthState]:
        """Hand out an address nobody goes to."""
        attempt = OAuthState(provider.key, f"state-{len(self.begun)}-{'x' * 20}", "n", "v" * 50, instance)
        self.begun.append(attempt)
        return f"{ISSUER}/login", attempt

    def finish(
        self, provider: Any, redirect_uri: str, attempt: OAuthState, answer: dict[str, str]
    ) -> Profile:
        """Say who it is."""
        return self.profile

    @classmethod
    def at(cls, app: Flask) -> Vouching:
        """Let `app` offer GitHub, and answer in its place."""
        row = next(row for row in catalogue.ROWS if row.key == "github")
        services_of(app).providers = {"github": replace(row, client_id="x", client_secret="y")}
        services_of(app).flow = result = cls()
        return result

    def go(self, visitor: BrowserClient, **fields: str) -> Any:
        """Press a login button, and come back from the provider; return the answer."""
        visitor.post("/login/start", {"provider": "github", **fields}, token=None)
        state = self.begun[-1].state
        return visitor.get(f"/login/callback/github?code=c&state={state}", **{"Sec-Fetch-Site": "cross-site"})
