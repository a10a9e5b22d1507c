"""Decisions on many comments at once come to the same as one at a time, and cost few statements."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import event, select

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import bulk_decisions, undoing
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.models import Action, Comment, Decision, FilterWord, Status, Thread, now
from tests.support.admin_queue import AdminQueue, open_queue

queue_of_site = open_queue
ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def grow(it: AdminQueue, chance: random.Random, path: str) -> list[int]:
    """A thread of comments that answer each other, in any status."""
    ids: list[int] = []
    for number in range(25):
        parent = chance.choice([None, *ids[-8:]])
        text = f"word{number % 4} text{number}"
        ids.append(it.write(text, parent=parent, status=Status.APPROVED, path=path))
    decide(it, chance.sample(ids, 8), Status.HELD)
    return ids


def decide(it: AdminQueue, ids: list[int], status: Status | None) -> int:
    begin_write(it.session)
    moderator = accounts.operator(it.session).id
    seen = dict.fromkeys(ids)
    outcome = bulk_decisions.decide(it.session, it.site_id, seen, status, moderator_id=moderator, at=now())
    it.session.commit()
    return outcome.action_id or 0


def state(it: AdminQueue, ids: list[int]) -> list[tuple[Any, ...]]:
    """All that depends on decisions, of comments and their thread, without ids."""
    it.session.rollback()
    query = select(Comment).where(Comment.id.in_(ids)).order_by(Comment.id)
    comments = it.session.scalars(query.execution_options(populate_existing=True)).all()
    thread = it.session.get_one(Thread, comments[0].thread_id, populate_existing=True)
    rows = [(one.status, one.shown, one.reply_count, one.learned) for one in comments]
    return [*rows, (thread.approved_count,)]


def words(it: AdminQueue) -> dict[str, tuple[int, int]]:
    it.session.rollback()
    rows = it.session.execute(select(FilterWord.word, FilterWord.spam, FilterWord.ham))
    return {row.word: (row.spam, row.ham) for row in rows}


@ENGINES
@pytest.mark.parametrize("seed", range(3))
def test_many_at_once_come_to_the_same_as_one_at_a_time(queue_of_site: AdminQueue, seed: int) -> None:
    it = queue_of_site
    together, apart = (grow(it, random.Random(seed), path) for path in ("/together", "/apart"))
    chance = random.Random(seed)
    for status in (Status.SPAM, Status.APPROVED, Status.TRASH, None, Status.HELD):
        picked = sorted(chance.sample(range(len(together)), 12))
        before = words(it)
        decide(it, [together[place] for place in picked], status)
        grown = {word: (spam, ham) for word, (spam, ham) in words(it).items()}
        for place in picked:
            decide(it, [apart[place]], status)
        assert state(it, together) == state(it, apart)
        twice = words(it)
        for word in grown.keys() | before.keys() | twice.keys():
            first, second, third = (counts.get(word, (0, 0)) for counts in (before, grown, twice))
            assert [b - a for a, b in zip(first, second, strict=True)] == [
                b - a for a, b in zip(second, third, strict=True)
            ], word


@ENGINES
def test_one_undo_takes_all_of_it_back(queue_of_site: AdminQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    it = queue_of_site
    monkeypatch.setattr(bulk_decisions, "BATCH", 4)
    ids = grow(it, random.Random(7), "/swifts")
    before, known = state(it, ids), words(it)
    moderator = accounts.operator(it.session).id
    it.session.rollback()
    outcome = bulk_decisions.decide_matching(
        it.session,
        it.site_id,
        Tab.APPROVED,
        Filters(),
        Status.SPAM,
        ceiling=max(ids),
        after=None,
        moderator_id=moderator,
        at=now(),
    )
    assert outcome.action_id is not None
    assert outcome.changed == sum(row[0] is Status.APPROVED for row in before[:-1])
    assert state(it, ids)[-1] == (0,)
    assert not any(row[1] for row in state(it, ids)[:-1])
    assert it.session.get_one(Action, outcome.action_id).facts == {"comments": outcome.changed}
    assert words(it)[""] == (outcome.changed, 0)
    undone = undoing.undo(it.session, outcome.action_id, moderator_id=moderator, at=now())
    assert undone.changed == outcome.changed
    assert (state(it, ids), words(it)) == (before, known)


def test_every_decision_is_logged_with_what_was_before(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    held, approved = it.write("One"), it.write("Two", status=Status.APPROVED)
    action = decide(it, [held, approved], Status.SPAM)
    rows = it.session.execute(
        select(Decision.comment_id, Decision.before, Decision.status).where(Decision.action_id == action)
    )
    assert {tuple(row) for row in rows} == {
        (held, Status.HELD, Status.SPAM),
        (approved, Status.APPROVED, Status.SPAM),
    }


@pytest.mark.parametrize("status", [Status.SPAM, Status.APPROVED, None])
def test_statements_do_not_grow_with_comments(queue_of_site: AdminQueue, status: Status | None) -> None:
    it = queue_of_site
    counts = []
    for path, number in (("/few", 5), ("/many", 40)):
        roots = [it.write(f"Word {one}", path=path, status=Status.APPROVED) for one in range(number)]
        ids = roots + [it.write(f"Answer {one}", path=path, parent=one) for one in roots]
        if status is None:
            decide(it, ids, Status.TRASH)
        statements: list[str] = []
        engine = it.session.get_bind()

        def count(*given: Any, statements: list[str] = statements) -> None:
            statements.append(given[2])

        event.listen(engine, "before_cursor_execute", count)
        decide(it, ids, status)
        event.remove(engine, "before_cursor_execute", count)
        counts.append(len(statements))
    assert counts[0] == counts[1]
