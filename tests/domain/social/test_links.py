"""Which posts are asked for answers, and in which order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db import sqlite
from commentsvc.db.session import begin_write
from commentsvc.domain.social import links
from commentsvc.domain.social.networks import AskedLink, NetworkAnswer, SocialNetwork
from commentsvc.domain.threads import threads
from commentsvc.models import FoundBy, Site, SocialLink, SocialOrigin
from tests.conftest import BLOG
from tests.support.comment_builders import NOON

MANY = 1500
"""More than the frames that Python's stack has room for."""


def test_any_number_of_posts_of_a_network_that_is_off_are_passed_over(
    session: Session, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_SYNC", lambda _: None)  # which takes most of the time
    begin_write(session)
    site.mastodon, site.bluesky = False, True
    address = threads.address_on(site, f"{BLOG}/post")
    thread = threads.find_or_create(session, address, title=None, at=NOON)
    posts = [(SocialOrigin.MASTODON, f"https://social.example/@anna/{number}") for number in range(MANY)]
    posts.append((SocialOrigin.BLUESKY, "at://did:plc:anna/app.bsky.feed.post/1"))
    session.add_all(
        SocialLink(
            thread_id=thread.id,
            origin=origin,
            address=post,
            found_by=FoundBy.ARTICLE,
            created_at=NOON,
            started_at=NOON,
            due_at=NOON + timedelta(seconds=number),
            wanted_at=NOON,
        )
        for number, (origin, post) in enumerate(posts)
    )
    session.commit()
    asked: list[str] = []

    def fetch(link: AskedLink) -> NetworkAnswer:
        asked.append(link.address)
        return NetworkAnswer()

    known = {origin: SocialNetwork(origin, fetch) for origin in SocialOrigin}
    assert links.run_due(session, known, at=NOON + timedelta(hours=1)) == 1
    assert asked == [posts[-1][1]]
    waiting = select(func.count()).select_from(SocialLink).where(SocialLink.wanted_at.is_not(None))
    assert session.scalar(waiting) == 0
