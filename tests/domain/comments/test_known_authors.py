"""A browser or an account is known where a comment of it was approved, from then on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from commentsvc.domain.authors import Author
from commentsvc.domain.comments import known_authors
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions
from commentsvc.models import Commenter, Site, Status
from tests.support.comment_builders import ANNA, article

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])

BROWSER = Author(ANNA, author_key_hash="a" * 64)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("kind", ["guest", "member"])
def test_who_was_approved_is_known_from_then_on(session: Session, site: Site, kind: str) -> None:
    member = Commenter(name="Mel")
    session.add(member)
    session.flush()
    author = BROWSER if kind == "guest" else Author(commenter_id=member.id, author_key_hash="a" * 64)
    comment = article(session, site).write(by=author)
    written = comment.created_at

    def was_known(site_id: int = site.id, by: Author = author, before: timedelta = SECOND) -> bool:
        return known_authors.was_known(session, site_id, by, before=written + before)

    assert was_known()
    assert not was_known(before=timedelta(0))
    assert not was_known(site.id + 1)
    assert not was_known(by=Author(ANNA, author_key_hash="b" * 64, network_hash="n" * 64))
    assert not was_known(by=Author(Guest("Anna", "anna@mail.example")))
    decisions.decide(session, comment, Status.SPAM)
    session.flush()
    assert not was_known()
