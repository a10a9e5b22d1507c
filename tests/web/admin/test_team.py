"""The team of a site: roles, and invitations by link, for owners alone."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.models import Action, Commenter, Membership, Role, Site, Ticket
from tests.support.browser_client import BrowserClient
from tests.web.admin.test_admin import ENGINES, elsewhere, moderator, owner, session, site, visitor

__all__ = ["elsewhere", "moderator", "owner", "session", "site", "visitor"]


def join(session: Session, site: Site, name: str = "Grace", role: Role = Role.MODERATOR) -> Membership:
    begin_write(session)
    commenter = Commenter(name=name)
    session.add(commenter)
    session.flush()
    membership = Membership(commenter_id=commenter.id, site_id=site.id, role=role)
    session.add(membership)
    session.commit()
    return membership


def roles(session: Session, site: Site) -> dict[str, Role]:
    session.rollback()
    rows = session.execute(
        select(Commenter.name, Membership.role).join(Membership).where(Membership.site_id == site.id)
    )
    return {row.name: row.role for row in rows}


def kinds(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(Action.kind).order_by(Action.id)))


@ENGINES
def test_roles_change_and_end(session: Session, site: Site, moderator: BrowserClient) -> None:
    number = join(session, site).id
    assert moderator.post(f"/admin/team/{number}/role", {"role": "owner"}).status_code == 303
    assert roles(session, site) == {"Site owner": Role.OWNER, "Grace": Role.OWNER}
    assert "Grace is an owner now." in moderator.page(f"/admin/sites/{site.id}/team")
    assert moderator.post(f"/admin/team/{number}/role", {"role": "moderator"}).status_code == 303
    assert moderator.post(f"/admin/team/{number}/remove").status_code == 303
    assert roles(session, site) == {"Site owner": Role.OWNER}
    assert kinds(session) == ["role.change", "role.change", "role.remove"]
    assert moderator.post(f"/admin/team/{number}/remove").status_code == 404


@ENGINES
@pytest.mark.parametrize("way", ["role", "remove"])
def test_the_last_owner_stays(session: Session, site: Site, moderator: BrowserClient, way: str) -> None:
    join(session, site)
    number = session.scalars(select(Membership.id).where(Membership.role == Role.OWNER)).one()
    answer = moderator.post(f"/admin/team/{number}/{way}", {"role": "moderator"})
    assert answer.status_code == 403
    assert "Site owner is the only owner" in answer.text
    assert roles(session, site) == {"Site owner": Role.OWNER, "Grace": Role.MODERATOR}
    assert kinds(session) == []


def test_an_owner_may_step_down_where_there_is_another(
    session: Session, site: Site, moderator: BrowserClient
) -> None:
    mine = session.scalars(select(Membership.id)).one()
    join(session, site, role=Role.OWNER)
    answer = moderator.post(f"/admin/team/{mine}/role", {"role": "moderator"})
    assert (answer.status_code, answer.location) == (303, "/admin")
    assert moderator.get(f"/admin/sites/{site.id}/team").status_code == 404


def test_there_are_two_roles(session: Session, site: Site, moderator: BrowserClient) -> None:
    number = join(session, site).id
    assert moderator.post(f"/admin/team/{number}/role", {"role": "king"}).status_code == 400
    assert moderator.post(f"/admin/sites/{site.id}/team", {"role": "king"}).status_code == 422
    assert roles(session, site)["Grace"] is Role.MODERATOR


@ENGINES
def test_an_invitation_is_shown_once_and_can_be_withdrawn(
    app: Flask, session: Session, site: Site, moderator: BrowserClient
) -> None:
    path = f"/admin/sites/{site.id}/team"
    answer = moderator.post(path, {"role": "moderator"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    match = re.search(r'value="http://127\.0\.0\.1:8600(/admin/invite/[\w-]+)"', answer.text)
    assert match is not None
    assert "Blog" in BrowserClient(app).page(match[1])
    page = moderator.page(path)
    assert match[1] not in page
    assert "Open invitations" in page
    session.rollback()
    number = session.scalars(select(Ticket.id).where(Ticket.purpose == "invite")).one()
    session.rollback()
    assert moderator.post(f"/admin/team/invitations/{number}/withdraw").status_code == 303
    assert BrowserClient(app).get(match[1]).status_code == 410
    assert kinds(session) == ["invite.make", "invite.withdraw"]
    assert moderator.post(f"/admin/team/invitations/{number}/withdraw").status_code == 404


@ENGINES
def test_it_is_the_owners_alone(app: Flask, session: Session, site: Site, moderator: BrowserClient) -> None:
    membership = join(session, site)
    grace = session.get_one(Commenter, membership.commenter_id)
    path, number = f"/admin/sites/{site.id}/team", membership.id
    session.rollback()
    moderator.post(path, {"role": "moderator"})
    ticket = session.scalars(select(Ticket.id).where(Ticket.purpose == "invite")).one()
    helper = BrowserClient(app).sign_in(session, grace)
    assert "Team" not in helper.page("/admin")
    assert helper.get(path).status_code == 404
    for way in (path, f"/admin/team/{number}/role", f"/admin/team/{number}/remove"):
        assert helper.post(way, {"role": "owner"}).status_code == 404
    assert helper.post(f"/admin/team/invitations/{ticket}/withdraw").status_code == 404
    assert roles(session, site)["Grace"] is Role.MODERATOR


@ENGINES
def test_the_team_of_another_site_does_not_exist(
    session: Session, elsewhere: Site, moderator: BrowserClient
) -> None:
    number = join(session, elsewhere).id
    for way in (
        f"/admin/sites/{elsewhere.id}/team",
        f"/admin/team/{number}/role",
        f"/admin/team/{number}/remove",
    ):
        assert moderator.post(way, {"role": "owner"}).status_code == 404
    assert roles(session, elsewhere)["Grace"] is Role.MODERATOR
    assert session.scalar(select(func.count()).select_from(Ticket).where(Ticket.purpose == "invite")) == 0
