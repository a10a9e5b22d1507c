"""The operator's account, one-time links, sessions, roles."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import accounts, login_sessions
from commentsvc.domain.sites import sites
from commentsvc.errors import LinkSpentError, NotFoundError
from commentsvc.models import Commenter, Identity, LoginSession, Membership, Role, Site, Ticket
from tests.support.comment_builders import NOON

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def test_there_is_one_operator(session: Session) -> None:
    assert accounts.operator(session).id == accounts.operator(session).id
    assert session.scalar(select(func.count()).select_from(Commenter)) == 1
    assert session.scalar(select(func.count()).select_from(Identity)) == 1


def test_a_link_opens_one_session(session: Session) -> None:
    operator = accounts.operator(session)
    link = accounts.issue_link(session, operator, at=NOON)
    token = accounts.redeem_link(session, link, at=NOON + timedelta(minutes=29))
    result = login_sessions.find(session, token, purpose=login_sessions.ADMIN, at=NOON + timedelta(days=1))
    assert result is not None
    assert result.commenter_id == operator.id


def test_a_link_works_once(session: Session) -> None:
    link = accounts.issue_link(session, accounts.operator(session), at=NOON)
    accounts.redeem_link(session, link, at=NOON)
    with pytest.raises(LinkSpentError):
        accounts.redeem_link(session, link, at=NOON)


def test_a_link_grows_too_old(session: Session) -> None:
    link = accounts.issue_link(session, accounts.operator(session), at=NOON)
    with pytest.raises(LinkSpentError):
        accounts.redeem_link(session, link, at=NOON + accounts.LINK_LIFE + timedelta(seconds=1))


@pytest.mark.parametrize("token", ["", "x", "\x00", "\u6f22", "x" * 5000])
def test_a_link_that_was_made_up_opens_nothing(session: Session, token: str) -> None:
    accounts.issue_link(session, accounts.operator(session), at=NOON)
    with pytest.raises(LinkSpentError):
        accounts.redeem_link(session, token, at=NOON)


def test_neither_links_nor_sessions_are_stored_in_clear(session: Session) -> None:
    link = accounts.issue_link(session, accounts.operator(session), at=NOON)
    token = accounts.redeem_link(session, link, at=NOON)
    stored = [*session.scalars(select(Ticket.token_hash)), *session.scalars(select(LoginSession.token_hash))]
    assert len(stored) == 2
    assert not {link, token} & set(stored)
    assert login_sessions.find(session, stored[1], purpose=login_sessions.ADMIN, at=NOON) is None


def test_a_session_ends_by_itself_and_by_signing_out(session: Session) -> None:
    token = accounts.redeem_link(
        session, accounts.issue_link(session, accounts.operator(session), at=NOON), at=NOON
    )
    assert (
        login_sessions.find(session, token, purpose=login_sessions.ADMIN, at=NOON + accounts.SESSION_LIFE)
        is None
    )
    assert login_sessions.find(session, token, purpose=login_sessions.ADMIN, at=NOON) is not None
    login_sessions.end(session, token)
    assert login_sessions.find(session, token, purpose=login_sessions.ADMIN, at=NOON) is None


def test_a_link_is_no_session(session: Session) -> None:
    link = accounts.issue_link(session, accounts.operator(session), at=NOON)
    assert login_sessions.find(session, link, purpose=login_sessions.ADMIN, at=NOON) is None


def test_a_person_sees_the_sites_they_have_a_role_on(session: Session, site: Site) -> None:
    stranger = Commenter(name="Stranger")
    session.add(stranger)
    session.flush()
    assert [one.name for one in accounts.sites_of(session, accounts.operator(session))] == ["Blog"]
    assert accounts.sites_of(session, stranger) == []


def test_a_role_holds_on_its_own_site_only(session: Session, site: Site) -> None:
    operator = accounts.operator(session)
    moderator = Commenter(name="Mo")
    session.add(moderator)
    session.flush()
    other = sites.add(session, "Other", ["https://other.example"], owner_id=operator.id)
    session.add(Membership(commenter_id=moderator.id, site_id=site.id, role=Role.MODERATOR))
    session.flush()
    assert accounts.require_role(session, moderator, site.id) is Role.MODERATOR
    assert accounts.require_role(session, operator, other.id, owner=True) is Role.OWNER
    for site_id, owner in ((other.id, False), (site.id, True), (0, False), (10**9, False)):
        with pytest.raises(NotFoundError):
            accounts.require_role(session, moderator, site_id, owner=owner)
