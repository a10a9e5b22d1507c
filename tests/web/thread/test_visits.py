"""Readers are noticed where answers from elsewhere are shown, also those who only read, and nowhere else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.social import links
from commentsvc.domain.threads import threads
from commentsvc.models import ArticleLook, FoundBy, Site, SocialLink, SocialOrigin, now
from commentsvc.serving.page_cache.policy import CachePolicy
from commentsvc.web.thread import pages
from tests.conftest import BLOG


class Reader:
    """A reader without any state, whose pages are not cached."""

    def __init__(self, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
        self._client = client
        self._policies: list[CachePolicy] = []
        monkeypatch.setattr(pages, "mark_cacheable", self._policies.append)

    def seconds_cached(self) -> float:
        """Read the article, and return how long its page might be cached."""
        db.session.remove()  # a request within the test's own context would go on reading an old state
        assert self._client.get(f"/embed?url={BLOG}/post").status_code == 200
        return self._policies.pop().seconds


@pytest.fixture
def reader(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(client, monkeypatch)


@pytest.fixture
def link(session: Session, site: Site) -> SocialLink:
    thread = threads.find_or_create(session, threads.address_on(site, f"{BLOG}/post"), title=None, at=now())
    address = "https://social.example/@blog/1"
    link = links.connect(session, thread, SocialOrigin.MASTODON, address, by=FoundBy.ADMIN, at=now())
    assert link is not None
    session.commit()
    set_due(session, link, now() - timedelta(minutes=1))
    return link


def set_due(session: Session, link: SocialLink, at: datetime) -> None:
    begin_write(session)
    link.due_at, link.wanted_at = at, None
    session.commit()


def wanted(session: Session, link: SocialLink) -> bool:
    session.rollback()
    session.refresh(link)
    return link.wanted_at is not None


def test_nobody_is_noticed_where_it_is_switched_off(
    reader: Reader, session: Session, link: SocialLink
) -> None:
    assert reader.seconds_cached() == float("inf")
    assert not wanted(session, link)
    assert session.scalars(select(ArticleLook)).all() == []


def test_a_reader_makes_what_is_due_wanted_and_the_cache_lets_the_next_one_through(
    reader: Reader, session: Session, site: Site, link: SocialLink
) -> None:
    begin_write(session)
    session.get_one(Site, site.id).mastodon = True
    session.commit()
    assert reader.seconds_cached() == 120  # while the network is being asked
    assert wanted(session, link)
    look = session.scalars(select(ArticleLook)).one()
    begin_write(session)
    look.wanted_at, look.read_at = None, now()
    session.commit()
    set_due(session, link, now() + timedelta(hours=1))
    assert 3500 < reader.seconds_cached() <= 3600
    assert not wanted(session, link)
