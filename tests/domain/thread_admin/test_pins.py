"""Pinned and featured comments: who stands above the others, and what that costs a page."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.moderation import decisions
from commentsvc.domain.reading import thread_pages
from commentsvc.domain.thread_admin import pins
from commentsvc.errors import InvalidFieldsError
from commentsvc.models import Action, Comment, Order, Site, Status
from tests.conftest import BLOG
from tests.support.comment_builders import Pen, article

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture
def pen(session: Session, site: Site) -> Pen:
    return article(session, site)


def pin(session: Session, pen: Pen, comment: Comment) -> None:
    pins.pin(session, comment, moderator_id=None, at=pen.at)


def ids(page: thread_pages.ThreadPage) -> list[int]:
    return [one.root.id for one in page.conversations]


@pytest.mark.parametrize("order", Order)
def test_what_is_pinned_stands_above_with_its_replies(session: Session, pen: Pen, order: Order) -> None:
    comments = [pen.write() for _ in range(4)]
    reply = pen.write(to=comments[2])
    pin(session, pen, comments[2])
    page = thread_pages.page(session, pen.address, order=order)
    rest = [comments[0].id, comments[1].id, comments[3].id]
    assert ids(page) == [comments[2].id, *(rest if order is Order.OLDEST else rest[::-1])]
    assert page.conversations[0].root.pinned
    assert [view.id for view in page.conversations[0].replies] == [reply.id]


def test_it_is_shown_once_and_on_the_first_page_alone(
    session: Session, pen: Pen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_pages, "ROOTS", 3)
    comments = [pen.write() for _ in range(7)]
    pin(session, pen, comments[5])
    seen: list[int] = []
    after = None
    while True:
        page = thread_pages.page(session, pen.address, order=Order.OLDEST, after=after)
        seen += ids(page)
        after = page.next_cursor
        if after is None:
            break
    assert seen == [comments[at].id for at in (5, 0, 1, 2, 3, 4, 6)]


def test_a_thread_whose_comments_are_all_pinned_has_a_page(session: Session, pen: Pen) -> None:
    comment = pen.write()
    pin(session, pen, comment)
    assert ids(thread_pages.page(session, pen.address, order=Order.OLDEST)) == [comment.id]


def test_three_are_the_most(session: Session, pen: Pen) -> None:
    comments = [pen.write() for _ in range(4)]
    for comment in comments[:3]:
        pin(session, pen, comment)
    with pytest.raises(InvalidFieldsError, match="unpin one first"):
        pin(session, pen, comments[3])
    pins.unpin(session, comments[0], moderator_id=None, at=pen.at)
    pin(session, pen, comments[3])
    assert ids(thread_pages.page(session, pen.address, order=Order.OLDEST))[:3] == [
        comments[at].id for at in (1, 2, 3)
    ]


def test_a_reply_is_featured_but_not_pinned(session: Session, pen: Pen) -> None:
    reply = pen.write(to=pen.write())
    with pytest.raises(InvalidFieldsError, match="A reply cannot be pinned"):
        pin(session, pen, reply)
    pins.feature(session, reply, moderator_id=None, at=pen.at)
    page = thread_pages.page(session, pen.address, order=Order.OLDEST)
    assert page.conversations[0].replies[0].featured
    assert not page.conversations[0].root.featured


@pytest.mark.parametrize("status", [Status.HELD, Status.SPAM, Status.TRASH])
def test_what_readers_do_not_see_is_not_put_in_front_of_them(
    session: Session, pen: Pen, status: Status
) -> None:
    comment = pen.write()
    decisions.decide(session, comment, status)
    for mark in (pins.pin, pins.feature):
        with pytest.raises(InvalidFieldsError, match="that readers can see"):
            mark(session, comment, moderator_id=None, at=pen.at)


def test_a_pinned_comment_that_is_removed_is_gone_from_the_top(session: Session, pen: Pen) -> None:
    first, second = pen.write(), pen.write()
    pen.write(to=second)
    pin(session, pen, second)
    decisions.decide(session, second, Status.TRASH)
    page = thread_pages.page(session, pen.address, order=Order.OLDEST)
    assert ids(page) == [first.id, second.id]
    assert page.conversations[1].root.placeholder
    assert not page.conversations[1].root.pinned


def test_every_mark_is_logged_once_and_changes_the_version(session: Session, pen: Pen) -> None:
    comment = pen.write(title="Swifts")
    before = pen.thread.version
    for mark in (pins.pin, pins.pin, pins.feature, pins.unpin, pins.unfeature, pins.unfeature):
        mark(session, comment, moderator_id=None, at=pen.at)
    assert pen.thread.version == before + 4
    log = session.execute(select(Action.kind, Action.summary).order_by(Action.id)).all()
    assert [row.kind for row in log] == [
        "comment.pin",
        "comment.feature",
        "comment.unpin",
        "comment.unfeature",
    ]
    assert log[0].summary == f"Pinned comment {comment.id} on “Swifts”."
    assert BLOG not in log[0].summary
