"""On PostgreSQL many write at once: threads are locked in one order and before the filter, so that nobody deadlocks."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import bulk_decisions, undoing
from commentsvc.domain.maintenance import erasure
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.moderation import decisions, reports
from commentsvc.domain.moderation.reports import Reporter
from commentsvc.domain.sites import sites
from commentsvc.domain.spam import training
from commentsvc.domain.thread_admin import merging
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Site, Status, Thread, now
from tests.support.admin_queue import AdminQueue, open_queue

queue_of_site = open_queue
pytestmark = pytest.mark.parametrize("engine_name", ["postgresql"])
BLOCKED = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


def meet(
    it: AdminQueue, one: Callable[[Session], object], first: Callable[[Session], object], last: int
) -> None:
    """Run `one` until it waits for the thread of the comment `last`; then decide on that comment, and let both end.

    `first` is done before, by whoever holds the thread. Deciding teaches the filter: where `one` has its rows already,
    each waits for the other.
    """
    engine = it.session.get_bind()
    it.session.rollback()
    with Session(engine) as other, ThreadPoolExecutor(1) as pool:
        moderator = accounts.operator(other).id
        begin_write(other)
        comment = other.get_one(Comment, last)
        threads.lock(other, comment.thread_id)
        first(other)

        def run() -> object:
            with Session(engine) as session:
                return one(session)

        running = pool.submit(run)
        until_somebody_waits(it, running)
        decisions.decide(other, comment, Status.SPAM, moderator_id=moderator)
        other.commit()
        running.result(timeout=20)


def until_somebody_waits(it: AdminQueue, running: Future[object]) -> None:
    until = time.monotonic() + 20
    while not it.session.scalar(BLOCKED):
        assert time.monotonic() < until, "nobody waits"
        assert not running.done(), running.result()
        it.session.rollback()
        time.sleep(0.02)


def nothing(session: Session) -> None:
    """Do nothing before."""


def apart(it: AdminQueue, many: int = 2, by: int | None = None) -> list[int]:
    """Store comments of one word in a thread each."""
    return [it.write("Bread", by=by, path=f"/{number}") for number in range(many)]


def owner(it: AdminQueue) -> int:
    begin_write(it.session)
    result = accounts.operator(it.session).id
    it.session.commit()
    return result


def approve(it: AdminQueue, *ids: int) -> int:
    me, wanted = owner(it), dict.fromkeys(ids)
    begin_write(it.session)
    done = bulk_decisions.decide(it.session, it.site_id, wanted, Status.APPROVED, moderator_id=me, at=now())
    it.session.commit()
    assert done.action_id is not None
    return done.action_id


def test_deciding_on_many_and_on_one_of_them(queue_of_site: AdminQueue) -> None:
    it, me = queue_of_site, owner(queue_of_site)
    one, two = apart(it)

    def decide(session: Session) -> None:
        begin_write(session)
        wanted = dict.fromkeys((one, two))
        bulk_decisions.decide(session, it.site_id, wanted, Status.APPROVED, moderator_id=me, at=now())
        session.commit()

    meet(it, decide, nothing, two)
    assert it.statuses(one, two) == [Status.APPROVED, Status.APPROVED]


def test_undoing_and_deciding_on_one_of_them(queue_of_site: AdminQueue) -> None:
    it, me = queue_of_site, owner(queue_of_site)
    one, two = apart(it)
    action = approve(it, one, two)
    meet(it, lambda session: undoing.undo(session, action, moderator_id=me, at=now()), nothing, two)
    assert it.statuses(one, two) == [Status.HELD, Status.SPAM]


def test_erasing_and_deciding_on_a_comment_of_theirs(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    ada = it.person("Ada").id
    one, two = apart(it, by=ada)
    approve(it, one, two)
    meet(it, lambda session: erasure.erase(session, ada, Texts.REMOVE), nothing, two)
    assert it.statuses(one, two) == [Status.TRASH, Status.TRASH]


@pytest.mark.parametrize("texts", list(Texts))
def test_erasing_and_writing_in_the_same_name(queue_of_site: AdminQueue, texts: Texts) -> None:
    it = queue_of_site
    ada = it.person("Ada").id
    one, two = apart(it, by=ada)

    def write(session: Session) -> None:
        row = session.get_one(Comment, two)
        same = ("site_id", "thread_id", "status", "source", "html", "renderer", "digest")
        session.add(Comment(commenter_id=ada, **{name: getattr(row, name) for name in same}))

    def flush_late(session: Session) -> None:
        """The row is written, and the account looked at, when deciding flushes: after the erasure began."""
        session.autoflush = False
        write(session)

    meet(it, lambda session: erasure.erase(session, ada, texts), flush_late, two)
    it.session.rollback()
    assert it.session.get(Comment, one) is not None


def test_erasing_what_lies_on_two_sites_from_both_ends(queue_of_site: AdminQueue) -> None:
    it, me = queue_of_site, owner(queue_of_site)
    begin_write(it.session)
    there = sites.add(it.session, "Elsewhere", ["https://elsewhere.example"], owner_id=me).id
    it.session.commit()
    ada = it.person("Ada").id
    numbers = apart(it, 3, by=ada)
    begin_write(it.session)
    # The thread with the lowest number lies on the site with the highest.
    thread = it.session.get_one(Comment, numbers[0]).thread
    thread.site_id = it.session.get_one(Comment, numbers[0]).site_id = there
    for number in numbers:
        training.learn(it.session, it.session.get_one(Comment, number), Status.SPAM)
    it.session.commit()
    taken: list[int] = []
    real = training._add

    def noted(session: Session, site_id: int, changes: object) -> None:
        taken.append(site_id)
        real(session, site_id, changes)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "_add", noted)
        erasure.erase(it.session, ada, Texts.REMOVE)
    assert taken == sorted(taken)


@pytest.mark.parametrize("deed", ["forget", "learn_imported"])
def test_the_filter_forgetting_or_learning_and_a_decision(queue_of_site: AdminQueue, deed: str) -> None:
    it = queue_of_site
    one, two = apart(it)
    if deed == "forget":
        approve(it, one, two)
    else:
        begin_write(it.session)
        for number in (one, two):
            comment = it.session.get_one(Comment, number)
            comment.transfer_key, comment.status = str(number), Status.APPROVED
        it.session.commit()

    def run(session: Session) -> None:
        begin_write(session)
        getattr(training, deed)(session, it.site_id)
        session.commit()

    def touch(session: Session) -> None:
        session.get_one(Comment, two).reports = 1
        session.flush()

    meet(it, run, touch, two)


def decide_on(session: Session, number: int) -> None:
    decisions.decide(session, session.get_one(Comment, number), Status.APPROVED)


def report(session: Session, number: int) -> None:
    reports.report(session, number, Reporter("a" * 64, "b" * 64), reason="spam", at=now())


@pytest.mark.parametrize("deed", [decide_on, report])
def test_a_comment_whose_thread_goes_into_another_meanwhile(
    queue_of_site: AdminQueue, deed: Callable[[Session, int], None]
) -> None:
    it, me = queue_of_site, owner(queue_of_site)
    one, two = apart(it)
    approve(it, *((one, two) if deed is report else (one,)))
    begin_write(it.session)
    it.session.get_one(Site, it.site_id).reports_to_hold = 1
    it.session.commit()
    engine = it.session.get_bind()
    with Session(engine) as other, ThreadPoolExecutor(1) as pool:
        begin_write(other)
        here, there = (other.get_one(Comment, number).thread for number in (two, one))
        threads.lock(other, here.id)

        def run() -> None:
            with Session(engine) as session:
                begin_write(session)
                deed(session, two)
                session.commit()

        running = pool.submit(run)
        until_somebody_waits(it, running)
        merging.merge(other, here, there, moderator_id=me, at=now())
        merged, version = there.id, there.version
        other.commit()
        running.result(timeout=20)
    it.session.rollback()
    thread = it.session.get_one(Thread, merged)
    approved = it.statuses(one, two).count(Status.APPROVED)
    assert (thread.approved_count, thread.version > version) == (approved, True)
    assert approved == (2 if deed is decide_on else 1)
