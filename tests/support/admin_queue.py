"""A site with its owner at the admin view, and ways to fill its queue; a test module names the fixture `open_queue`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions
from commentsvc.domain.sites import sites
from commentsvc.domain.threads.threads import address_on
from commentsvc.models import Comment, Commenter, Membership, Policy, Role, Site, Status, now
from tests.conftest import BASE_URL, BLOG
from tests.support.browser_client import BrowserClient
from tests.support.comment_builders import post_comment

ADA = Guest("Ada", "ada@mail.example")


class AdminQueue:
    """The queue of one site, and its owner's browser."""

    def __init__(self, app: Flask, session: Session, site_id: int, owner: BrowserClient) -> None:
        self.app, self.session, self.site_id, self.owner = app, session, site_id, owner

    def write(
        self,
        text: str,
        *,
        guest: Guest = ADA,
        by: int | None = None,
        path: str = "/swifts",
        title: str = "Counting swifts",
        status: Status | None = None,
        at: datetime | None = None,
        network: str | None = None,
        parent: int | None = None,
    ) -> int:
        """Store a comment, held where no status is given; return its id."""
        begin_write(self.session)
        comment = post_comment(
            self.session,
            address_on(self.session.get_one(Site, self.site_id), BLOG + path),
            comment_text.from_source(text, longest=10**6),
            Author(guest=guest, network_hash=network) if by is None else Author(commenter_id=by),
            at=at or now(),
            title=title,
            parent_id=parent,
        )
        if status is not None:
            decisions.decide(self.session, comment, status)
        self.session.commit()
        return comment.id

    def held(self, many: int) -> list[int]:
        """Store so many comments that wait."""
        return [self.write(f"Comment number {number}") for number in range(many)]

    def person(self, name: str, *, moderates: bool = False) -> Commenter:
        """Make somebody with an account."""
        begin_write(self.session)
        person = Commenter(name=name)
        self.session.add(person)
        self.session.flush()
        if moderates:
            role = Membership(commenter_id=person.id, site_id=self.site_id, role=Role.MODERATOR)
            self.session.add(role)
        self.session.commit()
        return person

    def moderator(self, name: str) -> BrowserClient:
        """Another moderator of the site, signed in, in a browser of their own."""
        return BrowserClient(self.app, base_url=self.owner.base_url).sign_in(
            self.session, self.person(name, moderates=True)
        )

    def statuses(self, *ids: int) -> list[Status]:
        """Where comments stand now; all, where none is named."""
        self.session.rollback()
        query = select(Comment.id, Comment.status)
        results = {row.id: row.status for row in self.session.execute(query)}
        return [results[one] for one in ids or sorted(results)]


@contextmanager
def queue_in(app: Flask, base_url: str = BASE_URL) -> Iterator[AdminQueue]:
    """A site that holds every comment, with its owner signed in, outside any application context."""
    with app.app_context():
        engine = db.engine
    with Session(engine) as session:
        begin_write(session)
        owner = accounts.operator(session)
        site = sites.add(session, "Blog", [BLOG], owner_id=owner.id)
        site.policy = Policy.HOLD_ALL
        session.commit()
        yield AdminQueue(app, session, site.id, BrowserClient(app, base_url=base_url).sign_in(session, owner))


@pytest.fixture(name="queue_of_site")
def open_queue(app: Flask) -> Iterator[AdminQueue]:
    """The queue of a new site."""
    with queue_in(app) as queue:
        yield queue
