"""Verdicts change what readers see, the counters follow, and nothing of the log is lost."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.authors import Author
from commentsvc.domain.moderation import decisions as moderation_decisions
from commentsvc.domain.reading import thread_pages
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Decision, Kind, Order, Role, Site, Status, Thread
from tests.support.comment_builders import NOON, Pen, article

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def decide(session: Session, comment: Comment, status: Status) -> None:
    moderation_decisions.decide(session, comment, status)
    session.flush()


def shown(session: Session, *comments: Comment) -> list[bool]:
    session.flush()
    for comment in comments:
        session.refresh(comment)
    return [comment.shown for comment in comments]


def chain(pen: Pen, length: int) -> list[Comment]:
    results = [pen.write()]
    while len(results) < length:
        results.append(pen.write(to=results[-1]))
    return results


def test_an_approved_comment_is_shown_and_counted(session: Session, site: Site) -> None:
    pen = article(session, site)
    root = pen.write()
    pen.write(to=root)
    session.refresh(root)
    assert root.shown
    assert root.reply_count == 1
    assert pen.thread.approved_count == 2


def test_a_withdrawn_comment_is_neither(session: Session, site: Site) -> None:
    pen = article(session, site)
    root = pen.write()
    answer = pen.write(to=root)
    before = pen.thread.version
    decide(session, answer, Status.SPAM)
    session.refresh(root)
    assert shown(session, root, answer) == [True, False]
    assert root.reply_count == 0
    assert pen.thread.approved_count == 1
    assert pen.thread.version > before


def test_a_trashed_comment_with_answers_leaves_a_placeholder(session: Session, site: Site) -> None:
    pen = article(session, site)
    root, answer = chain(pen, 2)
    decide(session, root, Status.TRASH)
    assert shown(session, root, answer) == [True, True]
    conversation = thread_pages.page(session, pen.address, order=Order.OLDEST).conversations[0]
    assert (conversation.root.placeholder, conversation.root.name, conversation.root.html) == (True, "", "")
    assert conversation.root.website is None
    assert conversation.root.role is None
    assert conversation.replies[0].parent_name is None


def test_a_placeholder_goes_with_its_last_answer(session: Session, site: Site) -> None:
    pen = article(session, site)
    root = pen.write()
    one, other = pen.write(to=root), pen.write(to=root)
    decide(session, root, Status.TRASH)
    decide(session, one, Status.TRASH)
    assert shown(session, root, one, other) == [True, False, True]
    decide(session, other, Status.HELD)
    assert shown(session, root, one, other) == [False, False, False]
    assert thread_pages.page(session, pen.address, order=Order.OLDEST).conversations == []
    assert pen.thread.approved_count == 0


def test_placeholders_go_all_the_way_up(session: Session, site: Site) -> None:
    links = chain(article(session, site), 6)
    for link in links[:-1]:
        decide(session, link, Status.TRASH)
    assert shown(session, *links) == [True] * 6
    decide(session, links[-1], Status.TRASH)
    assert shown(session, *links) == [False] * 6


def test_placeholders_come_back_all_the_way_up(session: Session, site: Site) -> None:
    links = chain(article(session, site), 6)
    for link in reversed(links):
        decide(session, link, Status.TRASH)
    assert shown(session, *links) == [False] * 6
    decide(session, links[3], Status.APPROVED)
    assert shown(session, *links) == [True, True, True, True, False, False]


def test_a_chain_ends_going_at_what_is_approved(session: Session, site: Site) -> None:
    links = chain(article(session, site), 5)
    decide(session, links[2], Status.TRASH)
    decide(session, links[3], Status.TRASH)
    decide(session, links[4], Status.TRASH)
    assert shown(session, *links) == [True, True, False, False, False]


def test_a_comment_trashed_and_back_is_as_before(session: Session, site: Site) -> None:
    pen = article(session, site)
    root, answer = chain(pen, 2)
    for status in (Status.TRASH, Status.APPROVED, Status.SPAM, Status.HELD, Status.APPROVED):
        decide(session, root, status)
    session.refresh(root)
    assert shown(session, root, answer) == [True, True]
    assert (root.reply_count, pen.thread.approved_count) == (1, 2)


def test_the_same_verdict_twice_counts_once(session: Session, site: Site) -> None:
    pen = article(session, site)
    comment = pen.write()
    decide(session, comment, Status.APPROVED)
    decide(session, comment, Status.APPROVED)
    assert pen.thread.approved_count == 1
    decide(session, comment, Status.TRASH)
    decide(session, comment, Status.SPAM)
    assert pen.thread.approved_count == 0


def test_every_verdict_is_added_to_the_log(session: Session, site: Site) -> None:
    comment = article(session, site).write()
    moderator = accounts.operator(session)
    for status in (Status.TRASH, Status.TRASH, Status.APPROVED):
        moderation_decisions.decide(session, comment, status, moderator_id=moderator.id)
    session.flush()
    rows = session.scalars(
        select(Decision).where(Decision.comment_id == comment.id).order_by(Decision.id)
    ).all()
    assert [row.status for row in rows] == [Status.APPROVED, Status.TRASH, Status.TRASH, Status.APPROVED]
    assert [row.moderator_id for row in rows] == [None] + [moderator.id] * 3


def test_a_mention_is_shown_but_is_not_among_the_comments(session: Session, site: Site) -> None:
    pen = article(session, site)
    root = pen.write()
    mention = pen.write()
    decide(session, mention, Status.HELD)
    mention.kind = Kind.PINGBACK
    decide(session, mention, Status.APPROVED)
    page = thread_pages.page(session, pen.address, order=Order.OLDEST)
    assert [one.root.id for one in page.conversations] == [root.id]
    assert [one.id for one in page.mentions] == [mention.id]
    assert pen.thread.approved_count == 1


def test_a_verdict_sees_what_another_moderator_has_done_meanwhile(session: Session, site: Site) -> None:
    pen = article(session, site)
    root, answer = chain(pen, 2)
    decide(session, root, Status.TRASH)
    session.commit()
    with Session(db.engine) as late:
        seen = late.get_one(Comment, root.id), late.get_one(Comment, answer.id)
        late.rollback()
        begin_write(session)
        decide(session, session.get_one(Comment, answer.id), Status.TRASH)
        session.commit()
        begin_write(late)
        decide(late, seen[1], Status.APPROVED)
        late.commit()
        assert [late.get_one(Comment, one.id).shown for one in seen] == [True, True]
        assert late.scalars(select(Thread)).one().approved_count == 1
    begin_write(session)


def test_a_verdict_does_not_trust_what_it_read_before_its_turn(session: Session, site: Site) -> None:
    """An ancestor read early may have changed by the time the thread's lock is ours."""
    pen = article(session, site)
    root, answer = chain(pen, 2)
    decide(session, root, Status.TRASH)
    assert answer.parent is root
    session.connection().exec_driver_sql(f"UPDATE comment SET shown = (1 = 0) WHERE id = {root.id}")
    decide(session, answer, Status.HELD)
    session.connection().exec_driver_sql(f"UPDATE comment SET shown = (1 = 0) WHERE id = {root.id}")
    decide(session, answer, Status.APPROVED)
    assert shown(session, root, answer) == [True, True]


def recompute(comments: list[Comment]) -> dict[int, tuple[bool, int]]:
    """What `shown` and `reply_count` should be, from the statuses alone."""
    carries = {one.id: one.status is Status.APPROVED for one in comments}
    for one in sorted(comments, key=lambda one: -one.depth):
        if carries[one.id] and one.parent_id is not None:
            carries[one.parent_id] = True
    replies = dict.fromkeys(carries, 0)
    for one in comments:
        if one.root_id is not None and one.status is Status.APPROVED:
            replies[one.root_id] += 1
    return {one.id: (carries[one.id], replies[one.id]) for one in comments}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_decided_the_counters_are_what_counting_gives(
    session: Session, site: Site, seed: int
) -> None:
    chance = random.Random(seed)
    pen = article(session, site)
    authors = [Author(network_hash=f"{n:064}", role=chance.choice([None, Role.MODERATOR])) for n in range(3)]
    version, visible = -1, None
    for _ in range(50):
        every = list(session.scalars(select(Comment).order_by(Comment.id)))
        approved = [one for one in every if one.status is Status.APPROVED]
        if not every or chance.random() < 0.35:
            parent = chance.choice(approved) if approved and chance.random() < 0.8 else None
            pen.write(by=chance.choice(authors), to=parent)
        else:
            decide(session, chance.choice(every[-12:]), chance.choice(list(Status)))
        session.expire_all()
        comments = list(session.scalars(select(Comment).order_by(Comment.id)))
        assert {one.id: (one.shown, one.reply_count) for one in comments} == recompute(comments)
        thread = pen.thread
        assert thread.approved_count == sum(one.status is Status.APPROVED for one in comments)
        now_visible = [(one.id, one.shown, one.status is Status.APPROVED) for one in comments if one.shown]
        assert thread.version >= version
        assert thread.version > version or now_visible == visible
        version, visible = thread.version, now_visible
    decisions = list(session.scalars(select(Decision.id).order_by(Decision.id)))
    assert decisions == list(range(1, len(decisions) + 1))


def test_what_is_counted_is_what_a_page_shows(session: Session, site: Site) -> None:
    pen = article(session, site)
    for _ in range(3):
        chain(pen, 4)
    every = list(session.scalars(select(Comment)))
    for one in every[::3]:
        decide(session, one, Status.TRASH)
    page = thread_pages.page(session, pen.address, order=Order.OLDEST)
    views = [view for one in page.conversations for view in (one.root, *one.replies)]
    assert sum(not view.placeholder for view in views) == pen.thread.approved_count


def test_erasing_a_thread_takes_comments_and_decisions_along(session: Session, site: Site) -> None:
    pen = article(session, site)
    chain(pen, 3)
    session.delete(pen.thread)
    session.flush()
    assert session.scalars(select(Comment.id)).all() == []
    assert session.scalars(select(Decision.id)).all() == []
    assert threads.find(session, pen.address) is None
    pen.at = NOON
    assert pen.write().id
