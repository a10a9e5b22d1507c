"""A program that calls the API, and a site with something of every kind for it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts, api_tokens
from commentsvc.domain.admin import ban_list, bulk_decisions
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions
from commentsvc.domain.sites import sites
from commentsvc.domain.threads.threads import address_on
from commentsvc.models import BanKind, Comment, Policy, Status, TokenScope, now
from commentsvc.web.api.operations import PREFIX, Operation
from tests.conftest import BASE_URL, BLOG
from tests.support.comment_builders import Pen

ADA = Guest("Ada", "ada@mail.example", "https://ada.example")


@dataclass
class Program:
    """A program with a token, or without one."""

    app: Flask
    token: str = ""

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        data: bytes | None = None,
        content_type: str = "",
        **headers: str,
    ) -> TestResponse:
        """Call the API; `headers` have underscores for hyphens."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            given.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            data = json.dumps(body).encode()
        kind = content_type or ("application/merge-patch+json" if method == "PATCH" else "application/json")
        return self.app.test_client().open(
            path if path.startswith("/api") else PREFIX + path,
            method=method,
            base_url=BASE_URL,
            headers=given,
            data=data,
            content_type=kind if data is not None else None,
        )

    def get(self, path: str) -> Any:
        """Return what an answer of 200 says."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json


@dataclass
class ApiSite:
    """A site with a thread, comments of every status, an action and a ban."""

    id: int
    owner_id: int
    thread_id: int
    held: int
    approved: int
    spam: int
    action: int
    ban: int
    ids: dict[str, int] = field(init=False)
    """By the names that the rules of the API give them."""

    def __post_init__(self) -> None:
        self.ids = {"site_id": self.id, "thread_id": self.thread_id, "comment_id": self.approved}
        self.ids |= {"action_id": self.action, "ban_id": self.ban}

    def path(self, operation: Operation, **other: int) -> str:
        """Return the path of an operation on what this site has."""
        path = operation.path.replace("<site:", "<int:")
        for name, number in (self.ids | other).items():
            path = path.replace(f"<int:{name}>", str(number))
        return PREFIX + path


def make_site(session: Session, name: str = "Blog", origin: str = BLOG) -> ApiSite:
    """Make a site, which the operator owns, with something of every kind."""
    begin_write(session)
    owner_id, at = accounts.operator(session).id, now()
    site = sites.add(session, name, [origin], owner_id=owner_id)
    site.policy = Policy.OPEN
    pen = Pen(session, address_on(site, f"{origin}/swifts"))
    ids = {status: pen.write(f"On {name}: {status}", by=ADA).id for status in Status}
    for status, one in ids.items():
        if status is not Status.APPROVED:
            decisions.decide(session, session.get_one(Comment, one), status)
    restored = bulk_decisions.decide(
        session, site.id, {ids[Status.TRASH]: None}, Status.HELD, moderator_id=owner_id, at=at
    )
    assert restored.action_id is not None
    casino = ban_list.parse_typed(BanKind.DOMAIN, "casino.example")
    (ban,) = ban_list.add(session, site.id, [casino], reason="Spam", until=None, moderator_id=owner_id, at=at)
    session.commit()
    made = ApiSite(
        site.id,
        owner_id,
        pen.thread.id,
        ids[Status.HELD],
        ids[Status.APPROVED],
        ids[Status.SPAM],
        restored.action_id,
        ban.id,
    )
    session.rollback()
    return made


def program(
    app: Flask,
    session: Session,
    *made: ApiSite,
    scopes: Collection[TokenScope] = tuple(TokenScope),
    days: int | None = 30,
) -> Program:
    """Return a program with a token of the sites' owner."""
    begin_write(session)
    ids = [one.id for one in made]
    _, text = api_tokens.create(session, "Robot", scopes, ids, maker_id=made[0].owner_id, days=days, at=now())
    session.commit()
    return Program(app, text)
