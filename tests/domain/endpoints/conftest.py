"""A site with comments, a receiver, and the background work as it sends what is due."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.endpoints import endpoint_fields, endpoints, sending
from commentsvc.domain.endpoints.composing import RequestWriter
from commentsvc.domain.endpoints.endpoint_fields import EndpointDraft
from commentsvc.domain.endpoints.sending import EndpointSender
from commentsvc.domain.notifications import events
from commentsvc.domain.subscriptions import fan_out
from commentsvc.domain.subscriptions.links import MailLinks
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Delivery, Endpoint, EndpointKind, Site, now
from tests.conftest import BASE_URL, BLOG, SECRET
from tests.support.comment_builders import Pen
from tests.support.receiver import Receiver, receiver

ALL = [event.value for event in endpoint_fields.FOR_WEBHOOKS]


class Desk:
    """A site, its endpoints, and the work that is done at a time."""

    def __init__(self, session: Session, site: Site, came: Receiver) -> None:
        self.session, self.site, self.came = session, site, came
        self.pen = Pen(session, threads.address_on(site, f"{BLOG}/article"))
        self.writer = RequestWriter(MailLinks(BASE_URL), SECRET)
        self.owner = accounts.operator(session)
        self.key = ""
        self.start = self.pen.at = now() - timedelta(minutes=30)
        self.later = now() + timedelta(hours=1)

    def add(self, kind: EndpointKind = EndpointKind.WEBHOOK, path: str = "/hook", **more: Any) -> Endpoint:
        begin_write(self.session)
        draft = EndpointDraft("Hook", **{"url": self.came.origin + path, "events": ALL} | more)
        endpoint, self.key = endpoints.add(
            self.session,
            SECRET,
            [self.came.origin],
            site_id=self.site.id,
            kind=kind,
            draft=draft,
            person_id=self.owner.id,
            at=self.start,
        )
        self.session.commit()
        return endpoint

    def write(self, text: str = "", **more: Any) -> Comment:
        begin_write(self.session)
        comment = self.pen.write(text, **more)
        self.session.commit()
        return comment

    def work(self, at: datetime, jitter: float = 0) -> int:
        """Do what is due; return how many requests came."""
        before = len(self.came.requests)
        fan_out.spread(self.session, b"k", digest_hour=6, at=at, mails=False)
        events.spread_held(self.session, at=at)
        sender = EndpointSender(self.writer, [self.came.origin], jitter=lambda: jitter)
        while sending.deliver(self.session, sender, at=at):
            pass
        return len(self.came.requests) - before

    def rows(self) -> list[Delivery]:
        query = select(Delivery).where(Delivery.endpoint_id.is_not(None)).order_by(Delivery.id)
        rows = list(self.session.scalars(query.execution_options(populate_existing=True)))
        self.session.rollback()
        return rows


@pytest.fixture
def came() -> Iterator[Receiver]:
    with receiver() as here:
        yield here


@pytest.fixture
def desk(session: Session, site: Site, came: Receiver) -> Desk:
    session.commit()
    return Desk(session, site, came)
