"""What becomes visible is counted in one way, whoever made it so."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from commentsvc.domain.moderation import decisions
from commentsvc.domain.threads import visibility
from commentsvc.domain.threads.visibility import ThreadCounts
from commentsvc.models import Comment, Site, Status, TitleSource
from tests.support.comment_builders import BEN, article

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def hidden_chain(session: Session, site: Site) -> list[Comment]:
    """Three comments, each an answer to the one before, of which readers see none."""
    pen = article(session, site)
    root = pen.write()
    chain = [root, first := pen.write(to=root, by=BEN), pen.write(to=first)]
    for comment in reversed(chain):
        decisions.decide(session, comment, Status.HELD)
    session.flush()
    assert [one.shown for one in chain] == [False, False, False]
    return chain


def test_all_that_is_hidden_above_becomes_a_placeholder(session: Session, site: Site) -> None:
    root, first, last = hidden_chain(session, site)
    decisions.decide(session, last, Status.APPROVED)
    assert [one.shown for one in (root, first, last)] == [True, True, True], "the session knows it too"
    session.flush()
    session.expire_all()
    assert [one.shown for one in (root, first, last)] == [True, True, True]
    assert (root.reply_count, root.thread.approved_count) == (1, 1)


def test_each_root_counts_what_is_below_it(session: Session, site: Site) -> None:
    pen = article(session, site)
    many, one = pen.write(), pen.write(by=BEN)
    counts = ThreadCounts(5, {many.id: 4, one.id: 1})
    assert visibility.publish(session, many.thread_id, counts) == 7
    visibility.withdraw(session, many.thread_id, ThreadCounts(2, {many.id: 2}))
    session.expire_all()
    assert (many.reply_count, one.reply_count, pen.thread.approved_count) == (2, 1, 5)


@pytest.mark.parametrize("asks_title", [True, False])
def test_more_comments_have_the_title_asked_for_unless_it_is_known(
    session: Session, site: Site, asks_title: bool
) -> None:
    thread = article(session, site).write(title="Of the import").thread
    thread.title_source, thread.title_tries = TitleSource.IMPORT, 0
    session.flush()
    visibility.withdraw(session, thread.id, ThreadCounts(1, {}))
    session.refresh(thread)
    assert thread.title_tries == 0, "nothing is asked where comments go"
    visibility.publish(session, thread.id, ThreadCounts(1, {}), asks_title=asks_title)
    session.refresh(thread)
    assert bool(thread.title_tries) is asks_title
