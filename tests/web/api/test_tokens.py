"""Who may call what: every operation that needs a token refuses everybody else, and nothing is read from cookies."""

from __future__ import annotations

from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import api_tokens
from commentsvc.models import ApiToken, Commenter, Membership, Role, TokenScope, now
from commentsvc.web.api import surface
from commentsvc.web.api.operations import Operation
from commentsvc.web.request_values import FitRequest
from tests.conftest import BASE_URL
from tests.support.api_client import ApiSite, Program, make_site, program
from tests.support.browser_client import BrowserClient
from tests.support.guest_client import contents

BODIES: dict[str, Any] = {
    "change_comment": {"text": "Changed"},
    "reply": {"text": "Thank you"},
    "decide": {"comments": ["1"], "status": "spam"},
    "change_thread": {"closed_at": None},
    "add_ban": {"kind": "domain", "value": "spam.example", "reason": "Spam", "until": None},
}
"""A valid body for each operation that has one."""


def query_of(operation: Operation) -> str:
    return "?format=json" if operation.name == "export" else ""


def call(program: Program, operation: Operation, site: ApiSite, **headers: str) -> int:
    """Call an operation as it should be called; return the status."""
    answer = program.call(
        operation.method,
        site.path(operation) + query_of(operation),
        BODIES.get(operation.name),
        If_Match="*",
        **headers,
    )
    if not 200 <= answer.status_code < 300:
        assert answer.mimetype == "application/problem+json", operation.name
        assert answer.json is not None
        assert answer.json["status"] == answer.status_code
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    return answer.status_code


def test_every_operation_refuses_whoever_has_not_the_right_token(
    app: Flask, session: Session, blog: ApiSite, robot: Program, anybody: Program
) -> None:
    other = make_site(session, "Other", "https://other.example")
    of_other = program(app, session, other)
    revoked, expired = program(app, session, blog), program(app, session, blog)
    begin_write(session)
    token = api_tokens.find(session, revoked.token, at=now())
    assert token is not None
    api_tokens.revoke(session, token, moderator_id=blog.owner_id, at=now())
    old = api_tokens.find(session, expired.token, at=now())
    assert old is not None
    old.expires_at = now() - timedelta(seconds=1)
    session.commit()
    lacking = {scope: program(app, session, blog, scopes=set(TokenScope) - {scope}) for scope in TokenScope}
    for one in (*lacking.values(), of_other, robot):
        assert one.call("GET", "/sites").status_code == (403 if one is lacking[TokenScope.READ] else 200)
    session.rollback()
    before = contents(app)
    for operation in surface.BY_TOKEN:
        name, scope = operation.name, operation.scope
        assert scope is not None
        assert call(anybody, operation, blog) == 401, name
        assert call(revoked, operation, blog) == 401, name
        assert call(expired, operation, blog) == 401, name
        assert call(anybody, operation, blog, Authorization=f"Basic {robot.token}") == 401, name
        assert call(Program(app, robot.token[:-1] + "x"), operation, blog) == 401, name
        by_query = f"{blog.path(operation)}?access_token={robot.token}"
        assert anybody.call(operation.method, by_query, BODIES.get(name)).status_code == 401, name
        assert call(lacking[scope], operation, blog) == 403, name
        if "site_id" in operation.path:
            assert call(of_other, operation, blog) == 404, name
            assert call(robot, operation, other) == 404, name
        if "_id>" in operation.path.replace("site_id", ""):
            theirs = {**other.ids, "site_id": blog.id}  # my site, and what another one has
            answer = robot.call(
                operation.method, blog.path(operation, **theirs), BODIES.get(name), If_Match="*"
            )
            assert answer.status_code == 404, name
    assert contents(app) == before


def test_a_refusal_says_what_is_missing(
    app: Flask, session: Session, blog: ApiSite, anybody: Program
) -> None:
    reader = program(app, session, blog, scopes=[TokenScope.READ])
    answer = reader.call("GET", f"/sites/{blog.id}/bans")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="moderate"'
    assert anybody.call("GET", "/sites").headers["WWW-Authenticate"] == "Bearer"
    wrong = Program(app, "csvc_1_0")
    assert wrong.call("GET", "/sites").headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_has_at_most_the_rights_of_who_made_it(
    app: Flask, session: Session, blog: ApiSite, robot: Program
) -> None:
    begin_write(session)
    session.add(Commenter(id=77, name="Grace"))
    session.flush()
    session.add(Membership(commenter_id=77, site_id=blog.id, role=Role.OWNER))
    mine = select(Membership.id).where(Membership.commenter_id == blog.owner_id)
    session.execute(update(Membership).where(Membership.id.in_(mine)).values(role=Role.MODERATOR))
    session.commit()
    for_owners = {"export", "delete_comment"}
    for operation in surface.BY_TOKEN:
        status = call(robot, operation, blog)
        assert (status == 403) is (operation.name in for_owners), operation.name
    begin_write(session)
    session.delete(session.scalars(select(Membership).where(Membership.commenter_id == blog.owner_id)).one())
    session.commit()
    assert robot.get("/sites") == {"sites": []}
    assert call(robot, surface.BY_TOKEN[1], blog) == 404


def test_cookies_are_never_read(
    app: Flask, session: Session, blog: ApiSite, robot: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = BrowserClient(app).sign_in(session, session.get_one(Commenter, blog.owner_id))
    for operation in surface.BY_TOKEN:
        answer = owner.client.open(
            blog.path(operation) + query_of(operation),
            method=operation.method,
            base_url=BASE_URL,
            headers={"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"},
            json=BODIES.get(operation.name),
        )
        assert answer.status_code == 401, operation.name

    def cookies(_request: object) -> SimpleCookie:
        raise AssertionError("a cookie was read")

    monkeypatch.setattr(FitRequest, "cookies", property(cookies))
    for operation in surface.OPERATIONS:
        answer = robot.call(
            operation.method, blog.path(operation), BODIES.get(operation.name), Cookie="a=b", If_Match="*"
        )
        assert answer.status_code < 500, operation.name


def test_the_day_of_its_last_use_is_noted_and_no_more(session: Session, robot: Program) -> None:
    robot.get("/sites")
    session.rollback()
    assert session.scalars(select(ApiToken.last_used_on)).one() == now().date()
