"""The page of API tokens: who sees it, what it shows once, and how a token ends."""

from __future__ import annotations

import re
from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import api_tokens
from commentsvc.domain.admin import team
from commentsvc.domain.maintenance import erasure, personal_export, retention, site_removal
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.domain.sites import sites
from commentsvc.models import (
    Action,
    ApiAnswer,
    ApiToken,
    ApiTokenSite,
    Commenter,
    Membership,
    Role,
    Site,
    TokenScope,
    now,
)
from tests.support.browser_client import BrowserClient
from tests.web.admin.test_admin import ENGINES, elsewhere, moderator, owner, session, site, visitor
from tests.web.admin.test_team import join, kinds

__all__ = ["elsewhere", "moderator", "owner", "session", "site", "visitor"]

SHOWN = re.compile(r'value="(csvc_[1-9]\d*_[0-9a-f]{48})"')


def create(session: Session, maker: Commenter, *site_ids: int, days: int | None = 30) -> str:
    begin_write(session)
    _, text = api_tokens.create(
        session, "Robot", [TokenScope.READ], site_ids, maker_id=maker.id, days=days, at=now()
    )
    session.commit()
    return text


def found(session: Session, text: str, *, days: int = 0) -> ApiToken | None:
    session.rollback()
    return api_tokens.find(session, text, at=now() + timedelta(days=days))


@ENGINES
def test_a_token_is_shown_once_and_can_be_revoked(
    session: Session, site: Site, moderator: BrowserClient
) -> None:
    path, number = f"/admin/sites/{site.id}/api-tokens", site.id
    sent = {"name": "Robot <b>", "scopes": ["read", "moderate"], "sites": [str(number)], "days": "30"}
    answer = moderator.post(path, sent)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    (text,) = SHOWN.findall(answer.text)
    session.rollback()
    token = session.scalars(select(ApiToken)).one()
    assert (token.name, token.scopes, [one.id for one in token.sites]) == (
        "Robot <b>",
        ["read", "moderate"],
        [number],
    )
    assert text not in str(vars(token))
    assert found(session, text) is not None
    assert found(session, text, days=31) is None
    for damaged in (
        text[:-1],
        f"{text}0",
        text.replace("_", "-"),
        text[:-1] + ("0" if text[-1] != "0" else "1"),
    ):
        assert found(session, damaged) is None
    page = moderator.page(path)
    assert text not in page
    assert "Robot &lt;b&gt;" in page
    assert "not used yet" in page
    session.rollback()
    assert moderator.post(f"{path}/1/revoke").status_code == 303
    assert found(session, text) is None
    assert moderator.post(f"{path}/1/revoke").status_code == 404
    assert kinds(session) == ["token.create", "token.revoke"]


def test_what_is_missing_is_said(
    session: Session, site: Site, elsewhere: Site, moderator: BrowserClient
) -> None:
    path = f"/admin/sites/{site.id}/api-tokens"
    right = {"name": "Robot", "scopes": ["read"], "sites": [str(site.id)], "days": "30"}
    wrong: list[dict[str, object]] = [
        {"name": " "},
        {"scopes": []},
        {"scopes": ["king"]},
        {"sites": []},
        {"sites": [str(elsewhere.id)]},
        {"days": "31"},
    ]
    session.rollback()
    for change in wrong:
        answer = moderator.post(path, right | change)
        assert answer.status_code == 422, change
        assert 'class="error"' in answer.text, change
    assert session.scalar(select(func.count()).select_from(ApiToken)) == 0


def test_it_is_the_owners_alone(
    app: Flask, session: Session, site: Site, elsewhere: Site, owner: Commenter, moderator: BrowserClient
) -> None:
    create(session, owner, site.id)
    mine, other = f"/admin/sites/{site.id}/api-tokens", f"/admin/sites/{elsewhere.id}/api-tokens"
    grace = session.get_one(Commenter, join(session, site).commenter_id)
    helper = BrowserClient(app).sign_in(session, grace)
    assert helper.get(mine).status_code == 404
    assert helper.post(mine, {"name": "Robot", "scopes": ["read"]}).status_code == 404
    assert helper.post(f"{mine}/1/revoke").status_code == 404
    assert moderator.get(other).status_code == 404
    assert moderator.post(f"{other}/1/revoke").status_code == 404
    assert session.scalar(select(func.count()).select_from(ApiToken)) == 1


@ENGINES
def test_a_token_ends_with_the_role_of_who_made_it(session: Session, site: Site) -> None:
    membership = join(session, site, role=Role.OWNER)
    person_id, site_id = membership.commenter_id, site.id
    token = found(session, create(session, session.get_one(Commenter, person_id), site_id))
    assert token is not None
    assert api_tokens.role_on(session, token, site_id) is Role.OWNER
    begin_write(session)
    team.change(session, membership.id, Role.MODERATOR, moderator_id=person_id, at=now())
    session.commit()
    assert api_tokens.role_on(session, token, site_id) is Role.MODERATOR
    begin_write(session)
    team.remove(session, membership.id, moderator_id=person_id, at=now())
    session.add(Membership(commenter_id=person_id, site_id=site_id, role=Role.OWNER))
    session.commit()
    assert api_tokens.role_on(session, token, site_id) is None  # not even if they come back


@ENGINES
def test_what_is_removed_takes_its_tokens_along(
    app: Flask, settings: Settings, session: Session, site: Site, owner: Commenter
) -> None:
    begin_write(session)
    second = sites.add(session, "Second", ["https://second.example"], owner_id=owner.id)
    session.commit()
    on_both = create(session, owner, site.id, second.id, days=None)
    create(session, owner, second.id)
    expired = create(session, owner, site.id, days=1)
    grace_id = join(session, site, role=Role.OWNER).commenter_id
    of_grace = create(session, session.get_one(Commenter, grace_id), site.id)
    exported = personal_export.person(session, grace_id, at=now())["api_tokens"]
    assert [(one["name"], one["sites"]) for one in exported] == [("Robot", ["Blog"])]
    begin_write(session)
    old = now() - timedelta(hours=25)
    session.add(ApiAnswer(token_id=1, key_hash="a", request_hash="b", status=200, body={}, created_at=old))
    session.commit()
    site_removal.remove(session, second.id, progress=lambda _: None)
    erasure.erase(session, grace_id, erasure.Texts.REMOVE)
    assert "Grace" not in " ".join(session.scalars(select(Action.summary)))
    retention.delete_expired(session, RetentionPeriods.read(settings), at=now() + timedelta(days=32))
    assert found(session, of_grace) is None
    assert found(session, expired) is None
    token = found(session, on_both)
    assert token is not None
    assert [one.id for one in session.scalars(select(ApiToken))] == [token.id]
    assert [one.site_id for one in session.scalars(select(ApiTokenSite))] == [site.id]
    assert session.scalar(select(func.count()).select_from(ApiAnswer)) == 0
