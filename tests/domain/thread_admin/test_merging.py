"""Merging two threads, and undoing it: nothing is lost on the way there or back."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import accounts
from commentsvc.domain.moderation import decisions
from commentsvc.domain.reading import thread_pages
from commentsvc.domain.sites import sites
from commentsvc.domain.thread_admin import merging, pins, renaming
from commentsvc.domain.threads import comment_counts, threads
from commentsvc.errors import InvalidFieldsError, KeyTakenError
from commentsvc.models import Action, Comment, Order, Site, Status, Thread, ThreadAlias
from tests.conftest import BLOG
from tests.support.comment_builders import ANNA, BEN, NOON, Pen, article

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture
def split(session: Session, site: Site) -> Pen:
    """The thread that should not be one of its own."""
    pen = article(session, site, "/a?print=1")
    root = pen.write(by=BEN, title="Swifts", key="same key")
    pen.write(to=root)
    return pen


@pytest.fixture
def whole(session: Session, site: Site) -> Pen:
    """The thread that stays."""
    pen = article(session, site, "/a")
    pen.write(by=BEN, key="same key", title="Swifts (whole)")
    return pen


def merge(session: Session, source: Pen, target: Pen) -> Action:
    action = merging.merge(session, source.thread, target.thread, moderator_id=None, at=NOON)
    session.flush()
    session.expire_all()
    return action


def unmerge(session: Session, action: Action) -> None:
    merging.unmerge(session, action, at=NOON)
    session.flush()
    session.expire_all()


def rows(session: Session) -> dict[str, list[Any]]:
    """Everything that a merge touches, but versions, which only ever grow."""
    session.flush()
    return {
        "comments": list(session.execute(text("SELECT * FROM comment ORDER BY id")).all()),
        "aliases": list(session.execute(text("SELECT * FROM thread_alias ORDER BY id")).all()),
        "threads": [
            tuple(value for name, value in row._mapping.items() if name not in {"version", "changed_at"})
            for row in session.execute(text("SELECT * FROM thread ORDER BY id"))
        ],
    }


def test_both_keys_lead_to_all_comments(session: Session, split: Pen, whole: Pen) -> None:
    merge(session, split, whole)
    for pen in (split, whole):
        page = thread_pages.page(session, pen.address, order=Order.OLDEST)
        assert [len(one.replies) for one in page.conversations] == [1, 0]
    assert comment_counts.counts(session, [split.address, whole.address]) == [3, 3]
    assert session.scalars(select(Thread.key)).all() == [whole.address.key]


def test_people_write_on_under_either_key(session: Session, split: Pen, whole: Pen) -> None:
    merge(session, split, whole)
    assert split.write("By the old key").thread_id == whole.write("By the new one").thread_id
    assert whole.thread.approved_count == 5


def test_no_version_is_given_out_twice(session: Session, split: Pen, whole: Pen) -> None:
    known = {split.thread.version, whole.thread.version}
    action = merge(session, split, whole)
    assert whole.thread.version > max(known)
    known.add(whole.thread.version)
    unmerge(session, action)
    assert not known & {split.thread.version, whole.thread.version}


def test_undoing_restores_every_row(session: Session, site: Site, split: Pen, whole: Pen) -> None:
    old = renaming.rename(session, split.thread, url=f"{BLOG}/a?p=2", moderator_id=None, at=NOON)
    assert old is not None
    split.thread.closed_at, split.thread.slow_seconds = NOON, None
    [root] = session.scalars(
        select(Comment).where(Comment.thread_id == split.thread.id, Comment.root_id.is_(None))
    )
    pins.pin(session, root, moderator_id=None, at=NOON)
    before = rows(session)
    action = merge(session, split, whole)
    assert rows(session) != before
    assert not session.scalars(select(Comment.id).where(Comment.pinned)).all()
    unmerge(session, action)
    assert rows(session) == before


def test_what_is_written_since_stays_with_what_it_answers(session: Session, split: Pen, whole: Pen) -> None:
    [root] = session.scalars(
        select(Comment).where(Comment.thread_id == split.thread.id, Comment.root_id.is_(None))
    )
    action = merge(session, split, whole)
    reply = whole.write("An answer", to=root.id)
    new = split.write("Something new", by=ANNA)
    decisions.decide(session, session.get_one(Comment, root.id), Status.SPAM)
    unmerge(session, action)
    assert session.get_one(Comment, reply.id).thread_id == split.thread.id
    assert session.get_one(Comment, new.id).thread_id == whole.thread.id
    assert (split.thread.approved_count, whole.thread.approved_count) == (2, 2)
    assert session.get_one(Comment, root.id).reply_count == 2


def test_a_merge_is_undone_once(session: Session, split: Pen, whole: Pen) -> None:
    action = merge(session, split, whole)
    unmerge(session, action)
    with pytest.raises(InvalidFieldsError, match="cannot be undone"):
        unmerge(session, action)


def test_the_later_merge_is_undone_first(session: Session, site: Site, split: Pen, whole: Pen) -> None:
    third = article(session, site, "/third")
    third.write()
    before = rows(session)
    first = merge(session, split, whole)
    second = merge(session, whole, third)
    assert thread_pages.page(session, split.address, order=Order.OLDEST).thread == third.thread
    with pytest.raises(InvalidFieldsError, match="later"):
        unmerge(session, first)
    unmerge(session, second)
    unmerge(session, first)
    assert rows(session) == before


def test_a_number_that_was_given_out_again_is_no_hindrance(session: Session, site: Site, whole: Pen) -> None:
    last = article(session, site, "/last")
    last.write()
    action = merge(session, last, whole)
    other = article(session, site, "/other")
    other.write()
    unmerge(session, action)
    assert len({whole.thread.id, last.thread.id, other.thread.id}) == 3
    assert last.thread.approved_count == other.thread.approved_count == 1


def test_threads_of_two_sites_are_not_merged(session: Session, whole: Pen) -> None:
    other = sites.add(session, "Other", ["https://other.example"], owner_id=accounts.operator(session).id)
    foreign = Pen(session, threads.address_on(other, "https://other.example/a"))
    foreign.write()
    with pytest.raises(InvalidFieldsError, match="one site"):
        merge(session, foreign, whole)
    with pytest.raises(InvalidFieldsError, match="same thread"):
        merge(session, whole, whole)


def test_a_long_thread_takes_as_many_statements_as_a_short_one(
    session: Session, site: Site, split: Pen, whole: Pen
) -> None:
    other = article(session, site, "/long")
    for number in range(120):
        other.write(f"Number {number}")
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    counts = []
    event.listen(session.get_bind(), "before_cursor_execute", note)
    for pen in (split, other):
        seen.clear()
        unmerge(session, merge(session, pen, whole))
        counts.append(len(seen))
    event.remove(session.get_bind(), "before_cursor_execute", note)
    assert counts[1] <= counts[0] + 3


def test_a_renamed_thread_is_found_by_both_keys(session: Session, whole: Pen) -> None:
    number = whole.thread.id
    action = renaming.rename(session, whole.thread, url=f"{BLOG}/b", moderator_id=None, at=NOON)
    here = threads.locate(session, url=f"{BLOG}/b")
    for address in (whole.address, here):
        result = threads.find(session, address)
        assert result is not None
        assert (result.id, result.url) == (number, f"{BLOG}/b")
    assert action is not None
    renaming.undo(session, action, at=NOON)
    assert threads.find(session, here) is None
    assert not session.scalars(select(ThreadAlias)).all()


@pytest.mark.parametrize("url", ["nonsense", "javascript:alert(1)", "https://other.example/a", ""])
def test_a_thread_is_renamed_within_its_site(session: Session, whole: Pen, url: str) -> None:
    with pytest.raises(InvalidFieldsError):
        renaming.rename(session, whole.thread, url=url, moderator_id=None, at=NOON)


def test_a_taken_key_is_refused_and_says_whose_it_is(session: Session, split: Pen, whole: Pen) -> None:
    with pytest.raises(KeyTakenError) as caught:
        renaming.rename(session, split.thread, url=f"{BLOG}/a", moderator_id=None, at=NOON)
    assert caught.value.thread_id == whole.thread.id
    renaming.rename(session, whole.thread, url=f"{BLOG}/new", moderator_id=None, at=NOON)
    with pytest.raises(KeyTakenError):  # its old key leads to it still
        renaming.rename(session, split.thread, url=f"{BLOG}/a", moderator_id=None, at=NOON)
