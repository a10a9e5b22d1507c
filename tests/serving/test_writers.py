"""Sixteen who write at once, over HTTP, to processes as in production: nothing lost, nothing twice, readers served."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Decision, Site, Status, Thread
from tests.conftest import BLOG
from tests.support import processes, service_processes
from tests.support.comment_builders import Pen
from tests.support.service_processes import Guest, Running

WRITERS, EACH = 16, 6
TOGETHER = f"{BLOG}/together"

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture
def running(settings: Settings, session: Session, site: Site, tmp_path: Path) -> Iterator[Running]:
    """Two processes before the database, and a site where everybody may write as much as they like."""
    site.valve = False
    session.commit()
    session.rollback()
    with service_processes.service(settings, tmp_path / "service", workers=2) as running:
        yield running


def write(port: int, number: int, roots: list[int]) -> dict[str, int]:
    """Write in a thread that all share and in one of one's own, answer, and send every other form twice."""
    guest, acknowledged, own = Guest(port, f"writer{number}"), {}, 0
    for turn in range(EACH):
        key, text = f"{number}-{turn}", f"Number {number} says {turn}"
        page, parent = [
            (TOGETHER, None),
            (TOGETHER, roots[turn % len(roots)]),
            (f"{BLOG}/{number}", own or None),
        ][turn % 3]
        answer = guest.post(page, text, key=key, parent=parent)
        assert answer.status == 200, answer
        acknowledged[key] = answer.id
        if parent is None and page != TOGETHER:
            own = answer.id
        if turn % 2:
            again = guest.post(page, text, key=key, parent=parent)
            assert (again.status, again.id) == (200, answer.id)
    guest.connection.close()
    return acknowledged


def read(port: int, done: threading.Event) -> list[int]:
    """Read until `done`; return how many comments each page had."""
    guest, seen = Guest(port, "reader"), []
    while not done.is_set():
        status, shown = guest.read(TOGETHER)
        assert status == 200
        seen.append(len(shown))
    guest.connection.close()
    return seen


def test_sixteen_writers_lose_nothing_and_double_nothing(running: Running, session: Session) -> None:
    root = Guest(running.port, "first")
    roots = [root.post(TOGETHER, f"Question {n}", key=f"q{n}").id for n in range(3)]
    root.connection.close()
    done = threading.Event()
    with ThreadPoolExecutor(WRITERS + 2) as pool:
        readers = [pool.submit(read, running.port, done) for _ in range(2)]
        writers = [pool.submit(write, running.port, number, roots) for number in range(WRITERS)]
        try:
            acknowledged = {key: number for one in writers for key, number in one.result().items()}
        finally:
            done.set()
        for reader in readers:
            seen = reader.result()
            assert seen == sorted(seen), "a thread only grows"
            assert seen[-1] > seen[0]

    stored = session.execute(select(Comment.idempotency_key, Comment.id)).all()
    assert Counter(row.idempotency_key for row in stored).most_common(1)[0][1] == 1
    acknowledged |= {f"q{n}": number for n, number in enumerate(roots)}
    assert {row.idempotency_key: row.id for row in stored} == acknowledged
    assert len(acknowledged) == WRITERS * EACH + len(roots)
    counters_are_exact(session)
    text = running.process.said()
    assert "locked" not in text
    assert " 500 " not in text
    assert "Traceback" not in text


def counters_are_exact(session: Session) -> None:
    """Each thread's and each root's counters are what a count finds; each comment has one decision."""
    approved = Counter(session.scalars(select(Comment.thread_id).where(Comment.status == Status.APPROVED)))
    for thread in session.scalars(select(Thread)):
        assert (thread.approved_count, thread.version) == (approved[thread.id], approved[thread.id])
    replies = Counter(session.scalars(select(Comment.root_id).where(Comment.root_id.is_not(None))))
    for comment in session.scalars(select(Comment).where(Comment.root_id.is_(None))):
        assert comment.reply_count == replies[comment.id]
    decided = Counter(session.scalars(select(Decision.comment_id)))
    assert set(decided.values()) == {1}
    assert len(decided) == session.scalar(select(func.count()).select_from(Comment))


def test_readers_are_answered_while_many_writers_wait(
    settings: Settings, session: Session, site: Site, tmp_path: Path
) -> None:
    Pen(session, threads.locate(session, url=TOGETHER)).write("the first")
    site.valve = False
    session.commit()
    with service_processes.service(settings, tmp_path / "service", workers=1) as running:
        begin_write(session)
        session.scalars(select(Thread).with_for_update()).all()
        with ThreadPoolExecutor(WRITERS) as pool:
            waiting = [pool.submit(_post_once, running.port, number) for number in range(WRITERS)]
            reader = Guest(running.port, "reader")
            for number in range(20):
                assert reader.read(TOGETHER)[0] == 200
                assert reader.read(f"{BLOG}/cold/{number}")[0] == 200
            assert not any(one.done() for one in waiting)
            session.rollback()
            assert [one.result() for one in waiting] == [200] * WRITERS
            reader.connection.close()


def _post_once(port: int, number: int) -> int:
    guest = Guest(port, f"writer{number}")
    answer = guest.post(TOGETHER, f"Number {number}", key=str(number))
    guest.connection.close()
    return answer.status


def test_one_form_sent_by_many_at_once_is_one_comment(running: Running, session: Session) -> None:
    def send(_: int) -> int:
        guest = Guest(running.port, "anna")
        answer = guest.post(TOGETHER, "Only once", key="the same")
        guest.connection.close()
        assert answer.status == 200
        return answer.id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(send, range(8)))) == 1
    assert session.scalar(select(func.count()).select_from(Comment)) == 1


@pytest.fixture
def begun(settings: Settings, session: Session, site: Site, tmp_path: Path) -> Iterator[tuple[Running, int]]:
    """Two processes that were started when there was a thread already, and the comment in it."""
    written = Pen(session, threads.locate(session, url=TOGETHER)).write("before the start").id
    site.valve = False
    session.commit()
    with service_processes.service(settings, tmp_path / "service", workers=2) as running:
        yield running, written


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks the Linux kernel for the workers")
def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(
    begun: tuple[Running, int], session: Session
) -> None:
    running, first = begun
    processes.until(lambda: len(_workers(running)) == 2, "both workers")
    workers = _workers(running)
    guest = Guest(running.port, "before")
    written = {first, guest.post(TOGETHER, "before", key="before").id}
    guest.connection.close()
    os.kill(max(workers), signal.SIGKILL)
    processes.until(lambda: running.process.said().count("Started worker-") == 3, "another worker")
    assert len(_workers(running)) == 2
    for turn in range(12):  # each over a connection of its own, so that the new worker has some of them
        guest = Guest(running.port, f"after{turn}")
        written.add(guest.post(TOGETHER, f"after {turn}", key=f"after{turn}").id)
        assert guest.read(TOGETHER) == (200, sorted(written))
        guest.connection.close()
    assert set(session.scalars(select(Comment.id))) == written


def _workers(running: Running) -> set[int]:
    children = Path(f"/proc/{running.process.child.pid}/task").glob("*/children")
    return {int(pid) for own in children for pid in own.read_text().split()}
