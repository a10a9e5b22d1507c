"""A page of a thread costs the same however long the thread; nothing is shown twice or left out."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import event, insert, select, update
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.authors import Author
from commentsvc.domain.fields import LARGEST_ROW, Guest
from commentsvc.domain.moderation import decisions
from commentsvc.domain.reading import cursors, held_comments, queries, thread_pages
from commentsvc.domain.reading.thread_pages import CommentView, Conversation
from commentsvc.domain.threads import comment_counts, threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import BadAddressError, NotFoundError, UnknownOriginError
from commentsvc.models import (
    Comment,
    Kind,
    Order,
    Origin,
    Role,
    Site,
    Status,
    TextFormat,
    ThreadAlias,
)
from tests.conftest import BLOG
from tests.support.comment_builders import NOON, article

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
Row = dict[str, Any]


class Sketch:
    """Rows of comments written straight into the table, thousands in a moment."""

    def __init__(self, session: Session, site: Site, path: str) -> None:
        self.session = session
        self.address = threads.address_on(site, BLOG + path)
        thread = threads.find_or_create(session, self.address, title=None, at=NOON)
        self.common = {"site_id": site.id, "thread_id": thread.id}
        self.first = (session.scalar(select(Comment.id).order_by(Comment.id.desc()).limit(1)) or 0) + 1
        self.rows: list[Row] = []

    def add(self, to: Row | None = None, *, seconds: int = 0, **more: Any) -> Row:
        root = None if to is None else self.rows[(to["root_id"] or to["id"]) - self.first]
        row = {
            "id": self.first + len(self.rows),
            "parent_id": to["id"] if to else None,
            "root_id": root["id"] if root else None,
            "depth": to["depth"] + 1 if to else 0,
            "reply_count": 0,
            "kind": Kind.COMMENT,
            "status": Status.APPROVED,
            "shown": True,
            "created_at": NOON + timedelta(seconds=seconds),
            "format": TextFormat.MARKDOWN,
            "source": "x",
            "html": "<p>x</p>",
            "renderer": 1,
            "digest": "x" * 32,
            "guest_name": "Anna",
            **self.common,
            **more,
        }
        if root is not None and row["status"] is Status.APPROVED:
            root["reply_count"] += 1
        self.rows.append(row)
        return row

    def store(self) -> ThreadAddress:
        self.session.execute(insert(Comment), self.rows)
        self.session.commit()
        begin_write(self.session)
        if db.engine.dialect.name == "postgresql":
            self.session.connection().exec_driver_sql("ANALYZE comment")
        return self.address


def crowd(session: Session, site: Site, roots: int, *, path: str = "/crowd") -> ThreadAddress:
    """A thread of that many roots; every third has seven replies as long as there are 600 of them."""
    sketch = Sketch(session, site, path)
    for number in range(roots):
        root = sketch.add(seconds=number)
        if number % 3 == 0 and number < 600:
            for _ in range(7):
                sketch.add(root, seconds=number)
    return sketch.store()


def deep(session: Session, site: Site, length: int, *, path: str = "/deep") -> ThreadAddress:
    """A thread that is one chain of answers to answers."""
    sketch = Sketch(session, site, path)
    last = sketch.add()
    for number in range(length):
        last = sketch.add(last, seconds=number + 1)
    return sketch.store()


def wide(session: Session, site: Site, replies: int, *, path: str = "/wide") -> ThreadAddress:
    """A thread of sixty roots, each with that many direct replies."""
    sketch = Sketch(session, site, path)
    for root in [sketch.add(seconds=number) for number in range(60)]:
        for number in range(replies):
            sketch.add(root, seconds=number)
    return sketch.store()


@dataclass
class Work:
    """What the database was asked, and how much it did."""

    statements: list[tuple[str, Any]] = field(default_factory=list)
    rows: int = 0
    steps: int = 0


@contextmanager
def watched(session: Session) -> Iterator[Work]:
    """Count statements, rows handed over and, on SQLite, hundreds of steps of its machine."""
    work = Work()
    raw = session.connection().connection.driver_connection

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _ctx: Any, _many: bool) -> None:
        work.statements.append((statement, parameters))

    def step() -> int:
        work.steps += 1
        return 0

    event.listen(db.engine, "before_cursor_execute", note)
    if isinstance(raw, sqlite3.Connection):
        raw.set_progress_handler(step, 100)
    try:
        yield work
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
        if isinstance(raw, sqlite3.Connection):
            raw.set_progress_handler(None, 0)


def cost(session: Session, read: Callable[[], object]) -> Work:
    """The work of one read, the site being known already; rows are counted by asking again."""
    read()
    with watched(session) as work:
        read()
    connection = session.connection()
    for statement, parameters in work.statements:
        work.rows += len(connection.exec_driver_sql(statement, parameters).fetchall())
    return work


BUILDERS: dict[str, tuple[Callable[..., ThreadAddress], int, int]] = {
    "crowd": (crowd, 200, 10_000),
    "deep": (deep, 100, 2_000),
    "wide": (wide, 10, 60),
}


def reads(session: Session, address: ThreadAddress, order: Order) -> dict[str, Callable[[], object]]:
    """Every way to read the middle, the ends and the depths of a thread."""
    ids = session.scalars(
        select(Comment.id).where(Comment.thread_id == threads.find(session, address).id).order_by(Comment.id)  # type: ignore[union-attr]
    ).all()
    roots = session.execute(
        select(Comment.created_at, Comment.id)
        .where(Comment.id.in_(ids[:30_000]), Comment.root_id.is_(None))
        .order_by(Comment.created_at, Comment.id)
    ).all()
    middle = roots[len(roots) // 2]
    cursor = f"{round(middle.created_at.timestamp() * 1_000_000)}-{middle.id}"
    results: dict[str, Callable[[], object]] = {
        "first": lambda: thread_pages.page(session, address, order=order),
        "middle": lambda: thread_pages.page(session, address, order=order, after=cursor),
        "focus": lambda: thread_pages.page(session, address, order=order, focus_id=ids[len(ids) * 3 // 4]),
        "last": lambda: thread_pages.page(session, address, order=order, focus_id=ids[-1]),
        "replies": lambda: thread_pages.more_replies(session, address, roots[0].id, after=0),
        "own": lambda: held_comments.own_held(
            session, threads.find(session, address), author_key_hash="a" * 64
        ),
        "counts": lambda: comment_counts.counts(session, [address]),
    }
    return results


@pytest.mark.parametrize("shape", BUILDERS)
@both_engines
def test_a_page_of_a_long_thread_costs_what_one_of_a_short_one_does(
    session: Session, site: Site, shape: str
) -> None:
    build, short, long = BUILDERS[shape]
    small = build(session, site, short, path="/small")
    large = build(session, site, long, path="/large")
    for order in Order:
        few, many = reads(session, small, order), reads(session, large, order)
        for name in few:
            before, after = cost(session, few[name]), cost(session, many[name])
            # A focus may be on the page already, and takes three more where it is not.
            assert len(after.statements) <= len(before.statements) + 3, name
            assert len(after.statements) <= 5, name
            assert after.rows <= before.rows + 80, name
            assert after.rows <= 420, name
            assert after.steps <= 2 * before.steps + 300, name


@both_engines
def test_a_page_is_two_queries_whatever_is_on_it(session: Session, site: Site) -> None:
    pen = article(session, site)
    member = Author(commenter_id=accounts.operator(session).id, role=Role.OWNER)
    for _ in range(3):
        answer = pen.write(by=member, to=pen.write(to=pen.write()))
    decisions.decide(session, pen.write(), Status.HELD)
    pen.write().pinned = answer.featured = True
    pen.write().kind = Kind.PINGBACK
    session.flush()
    for order in Order:
        work = cost(session, lambda order=order: thread_pages.page(session, pen.address, order=order))  # type: ignore[misc]
        assert len(work.statements) == 2  # the thread, and all that is on the page


def plans(session: Session, read: Callable[[], object]) -> list[str]:
    work = cost(session, read)
    raw = session.connection().connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    lines: list[str] = []
    for statement, parameters in work.statements:
        result: Sequence[Any] = raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
        lines.extend(row[3] for row in result)
    return lines


@pytest.mark.parametrize("order", Order)
def test_no_read_scans_the_table_of_comments(session: Session, site: Site, order: Order) -> None:
    address = crowd(session, site, 300)
    for name, read in reads(session, address, order).items():
        scans = [line for line in plans(session, read) if line.startswith("SCAN comment")]
        assert scans == [], name


@pytest.mark.parametrize("order", Order)
def test_roots_come_out_of_their_index_in_order(session: Session, site: Site, order: Order) -> None:
    address = crowd(session, site, 40)
    session.execute(Comment.__table__.update().values(reply_count=0))  # type: ignore[attr-defined]
    for read in (
        lambda: thread_pages.page(session, address, order=order),
        lambda: thread_pages.page(session, address, order=order, after="1700000000000000-5"),
    ):
        lines = plans(session, read)
        index = "ix_comment_best" if order is Order.BEST else "ix_comment_roots"
        assert any(index in line for line in lines)
        assert not [line for line in lines if "TEMP B-TREE" in line]


def test_replies_and_mentions_are_read_through_their_indexes(session: Session, site: Site) -> None:
    lines = plans(session, reads(session, crowd(session, site, 300), Order.OLDEST)["first"])
    assert any("ix_comment_replies (root_id=? AND shown=? AND id<?)" in line for line in lines)
    assert any("ix_comment_mentions" in line for line in lines)


def walk(session: Session, address: ThreadAddress, order: Order) -> list[Conversation]:
    results: list[Conversation] = []
    page = thread_pages.page(session, address, order=order)
    results.extend(page.conversations)
    while page.next_cursor is not None:
        page = thread_pages.page(session, address, order=order, after=page.next_cursor)
        assert page.conversations
        results.extend(page.conversations)
    return results


@pytest.mark.parametrize("order", Order)
@both_engines
def test_the_pages_hold_every_root_once_though_many_came_in_one_moment(
    session: Session, site: Site, order: Order
) -> None:
    chance = random.Random(5)
    sketch = Sketch(session, site, "/article")
    for _ in range(230):
        sketch.add(seconds=chance.choice([0, 0, 1, 1, 1, 2, -3]), score=chance.choice([-5, 0, 0, 10**9]))
    for _ in range(20):
        sketch.add(status=Status.HELD, shown=False, score=0)
        sketch.add(kind=Kind.PINGBACK, score=0)
        sketch.add(status=Status.TRASH, shown=True, score=0)
    address = sketch.store()
    results = [one.root.id for one in walk(session, address, order)]
    wanted = sorted(
        (row for row in sketch.rows if row["shown"] and row["kind"] is Kind.COMMENT),
        key=lambda row: (row["score"] if order is Order.BEST else 0, row["created_at"], row["id"]),
        reverse=order is not Order.OLDEST,
    )
    assert results == [row["id"] for row in wanted]


@both_engines
def test_a_cursor_keeps_its_place_to_the_microsecond(session: Session, site: Site) -> None:
    sketch = Sketch(session, site, "/article")
    for number in range(120):
        sketch.add()["created_at"] = NOON + timedelta(microseconds=number // 7)
    results = [one.root.id for one in walk(session, sketch.store(), Order.OLDEST)]
    assert results == [row["id"] for row in sketch.rows]


@both_engines
def test_exactly_one_page_has_no_next(session: Session, site: Site) -> None:
    address = crowd(session, site, thread_pages.ROOTS)
    assert thread_pages.page(session, address, order=Order.OLDEST).next_cursor is None


@both_engines
def test_times_before_1970_have_cursors_too(session: Session, site: Site) -> None:
    sketch = Sketch(session, site, "/article")
    for number in range(60):
        sketch.add(seconds=-3_000_000_000 + number)
    assert len(walk(session, sketch.store(), Order.NEWEST)) == 60


DAMAGED = ["", "x", "1", "-", "1-", "-1", "1-x", "x-1", "1--1", "1-1-1", " 1-1", "1-1\n", "\u0661-\u0661", "1_0-1",
           "1-" + "9" * 19, "9" * 18 + "-1", "9" * 5000 + "-1", "1-" + "9" * 5000, "+1-1", "1.0-1", "\x00"]  # fmt: skip


@pytest.mark.parametrize("cursor", DAMAGED, ids=lambda cursor: repr(cursor)[:20])
def test_a_damaged_cursor_is_said_to_be_damaged(session: Session, site: Site, cursor: str) -> None:
    address = crowd(session, site, 3)
    with pytest.raises(BadAddressError, match="damaged"):
        thread_pages.page(session, address, order=Order.OLDEST, after=cursor)


@pytest.mark.parametrize("cursor", ["1-999999999999999999", "0-0", "-1-1", "99999999999999999-1"])
@both_engines
def test_a_cursor_of_odd_numbers_is_still_a_cursor(session: Session, site: Site, cursor: str) -> None:
    address = crowd(session, site, 3)
    assert thread_pages.page(session, address, order=Order.NEWEST, after=cursor).thread is not None


@pytest.mark.parametrize("cursor", ["-99999999999999999-1", "-70000000000000000-1"])
@both_engines
def test_a_cursor_beyond_all_time_is_damaged(session: Session, site: Site, cursor: str) -> None:
    address = crowd(session, site, 3)
    with pytest.raises(BadAddressError):
        thread_pages.page(session, address, order=Order.NEWEST, after=cursor)


@both_engines
def test_replies_are_windowed_and_the_windows_hold_them_all(session: Session, site: Site) -> None:
    chance = random.Random(3)
    sketch = Sketch(session, site, "/article")
    root = sketch.add()
    other = sketch.add()
    below = [root]
    for number in range(180):
        removed = number % 9 == 4
        row = sketch.add(chance.choice(below), status=Status.TRASH if removed else Status.APPROVED)
        sketch.add(other)
        if not removed:
            below.append(row)
        else:
            row["shown"] = False
    address = sketch.store()
    wanted = {row["id"] for row in sketch.rows if row["root_id"] == root["id"] and row["shown"]}
    first = thread_pages.page(session, address, order=Order.OLDEST).conversations[0]
    assert len(first.replies) == thread_pages.FIRST_REPLIES
    assert first.more == len(wanted) - thread_pages.FIRST_REPLIES
    seen = [view.id for view in first.replies]
    window = first
    while window.more:
        window = thread_pages.more_replies(session, address, root["id"], after=window.after)
        assert window.more == len(wanted) - len(seen) - len(window.replies)
        seen.extend(view.id for view in window.replies)
    assert len(seen) == len(set(seen))
    assert set(seen) == wanted


@both_engines
def test_few_replies_leave_nothing_more(session: Session, site: Site) -> None:
    sketch = Sketch(session, site, "/article")
    for count in range(9):
        root = sketch.add(seconds=count)
        for _ in range(count):
            sketch.add(root)
    result = thread_pages.page(session, sketch.store(), order=Order.OLDEST).conversations
    assert [one.more for one in result] == [0, 0, 0, 0, 0, 0, 1, 2, 3]
    assert [len(one.replies) for one in result] == [0, 1, 2, 3, 4, 5, 5, 5, 5]


@both_engines
def test_placeholders_among_the_first_replies_are_not_counted_as_more(session: Session, site: Site) -> None:
    sketch = Sketch(session, site, "/article")
    root = sketch.add()
    gone = sketch.add(root, status=Status.TRASH)
    for _ in range(6):
        sketch.add(gone)
    result = thread_pages.page(session, sketch.store(), order=Order.OLDEST).conversations[0]
    assert [view.placeholder for view in result.replies] == [True, False, False, False, False]
    assert result.more == 2


@both_engines
def test_a_comment_asked_for_is_on_the_page_with_what_leads_to_it(session: Session, site: Site) -> None:
    sketch = Sketch(session, site, "/article")
    for number in range(200):
        root = sketch.add(seconds=number)
    path = [root]
    for _ in range(9):
        path.append(sketch.add(path[-1]))
        sketch.add(root)
    answers = [sketch.add(path[-1]) for _ in range(3)]
    page = thread_pages.page(session, sketch.store(), order=Order.OLDEST, focus_id=path[-1]["id"])
    assert page.focus is not None
    assert page.focus.root.id == root["id"]
    shown = [view.id for view in page.focus.replies]
    assert shown == [row["id"] for row in (*path[1:], *answers)]
    assert page.focus.more == root["reply_count"] - len(shown)


@both_engines
def test_a_root_asked_for_is_on_the_page_once(session: Session, site: Site) -> None:
    address = crowd(session, site, 200)
    ids = [one.root.id for one in walk(session, address, Order.OLDEST)]
    for wanted, is_focus in ((ids[3], False), (ids[150], True)):
        page = thread_pages.page(session, address, order=Order.OLDEST, focus_id=wanted)
        shown = [one.root.id for one in page.conversations] + ([page.focus.root.id] if page.focus else [])
        assert shown.count(wanted) == 1
        assert (page.focus is not None) == is_focus


@both_engines
def test_a_hidden_reply_of_a_root_on_the_page_replaces_that_conversation(
    session: Session, site: Site
) -> None:
    sketch = Sketch(session, site, "/article")
    root = sketch.add()
    replies = [sketch.add(root) for _ in range(12)]
    page = thread_pages.page(session, sketch.store(), order=Order.OLDEST, focus_id=replies[-1]["id"])
    assert page.conversations == []
    assert page.focus is not None
    assert replies[-1]["id"] in [view.id for view in page.focus.replies]


@both_engines
def test_the_depths_of_a_long_chain_can_be_asked_for(session: Session, site: Site) -> None:
    address = deep(session, site, 300)
    last = session.scalars(select(Comment.id).order_by(Comment.id.desc()).limit(1)).one()
    page = thread_pages.page(session, address, order=Order.OLDEST, focus_id=last)
    assert page.focus is not None
    shown = [view.id for view in page.focus.replies]
    assert last in shown
    assert len(shown) <= thread_pages.DEEPEST_PATH + 1 + thread_pages.FIRST_REPLIES
    assert shown == sorted(shown)


@both_engines
def test_what_is_not_of_this_thread_or_not_shown_is_no_focus(session: Session, site: Site) -> None:
    elsewhere = Sketch(session, site, "/elsewhere")
    elsewhere.add()
    elsewhere.store()
    sketch = Sketch(session, site, "/article")
    sketch.add()
    held = sketch.add(status=Status.HELD, shown=False)
    mention = sketch.add(kind=Kind.TRACKBACK)
    address = sketch.store()
    for wanted in (elsewhere.rows[0]["id"], held["id"], mention["id"], 10**17):
        page = thread_pages.page(session, address, order=Order.OLDEST, focus_id=wanted)
        assert page.focus is None
        assert len(page.conversations) == 1


@both_engines
def test_more_replies_are_those_of_a_root_of_this_thread(session: Session, site: Site) -> None:
    elsewhere = Sketch(session, site, "/elsewhere")
    elsewhere.add()
    elsewhere.store()
    sketch = Sketch(session, site, "/article")
    reply = sketch.add(sketch.add())
    hidden = sketch.add(status=Status.TRASH, shown=False)
    address = sketch.store()
    for wanted in (elsewhere.rows[0]["id"], reply["id"], hidden["id"], 0, 10**17):
        with pytest.raises(NotFoundError):
            thread_pages.more_replies(session, address, wanted, after=0)


def view(number: int, parent: int | None) -> CommentView:
    return cast("CommentView", SimpleNamespace(id=number, parent_id=parent))


def test_replies_stand_under_what_they_answer() -> None:
    replies = [view(2, 1), view(3, 2), view(4, 1), view(5, 2), view(6, 3), view(7, 99)]
    assert [one.id for one in thread_pages.preorder(replies)] == [2, 3, 6, 5, 4, 7]


def test_a_chain_of_any_length_can_be_put_in_order() -> None:
    replies = [view(number, number - 1) for number in range(2, 5_000)]
    assert [one.id for one in thread_pages.preorder(replies[::-1])] == list(range(2, 5_000))


@both_engines
def test_a_thread_nobody_has_written_in_is_an_empty_page(session: Session, site: Site) -> None:
    address = threads.address_on(site, f"{BLOG}/new")
    for after in (None, cursors.format_cursor(NOON, 1), cursors.format_cursor(NOON, 1, score=5)):
        page = thread_pages.page(session, address, order=Order.OLDEST, after=after)
        assert (page.thread, page.conversations, page.next_cursor) == (None, [], None)
    with pytest.raises(BadAddressError):
        thread_pages.page(session, address, order=Order.OLDEST, after="damaged?")


@both_engines
def test_own_held_comments_are_shown_to_their_author_alone(session: Session, site: Site) -> None:
    pen, other = article(session, site), article(session, site, "/other")
    mine = Author(guest=Guest("Anna"), author_key_hash="a" * 64)
    held = pen.write(by=mine)
    for one in (
        held,
        other.write(by=mine),
        pen.write(by=Author(guest=Guest("Anna"), author_key_hash="b" * 64)),
    ):
        decisions.decide(session, one, Status.HELD)
    spam = pen.write(by=mine)
    decisions.decide(session, spam, Status.SPAM)
    pen.write(by=mine)
    session.flush()
    here, there = (threads.find(session, one.address) for one in (pen, other))
    result = held_comments.own_held(session, here, author_key_hash="a" * 64)
    assert [one.id for one in result] == [held.id]
    assert result[0].held
    assert result[0].html
    assert [one.id for one in held_comments.own_held(session, here, comment_id=held.id)] == [held.id]
    assert held_comments.own_held(session, there, comment_id=held.id) == []
    assert held_comments.own_held(session, here, comment_id=spam.id) == []
    assert held_comments.own_held(session, here) == []
    assert held_comments.own_held(session, None, author_key_hash="a" * 64) == []


@both_engines
def test_only_a_visible_comment_of_this_thread_can_be_answered(session: Session, site: Site) -> None:
    pen, other = article(session, site), article(session, site, "/other")
    good, held, foreign = pen.write(), pen.write(), other.write()
    decisions.decide(session, held, Status.HELD)
    session.flush()
    result = thread_pages.comment_to_answer(session, pen.address, good.id)
    assert result is not None
    assert result.id == good.id
    for number in (held.id, foreign.id, 10**17, None):
        assert thread_pages.comment_to_answer(session, pen.address, number) is None
    assert thread_pages.comment_to_answer(session, threads.address_on(site, f"{BLOG}/new"), good.id) is None


@both_engines
def test_a_comment_says_whom_it_answers_while_that_stands(session: Session, site: Site) -> None:
    pen = article(session, site)
    owner = Author(commenter_id=accounts.operator(session).id, role=Role.OWNER)
    root = pen.write(by=owner)
    nameless = pen.write(by=Author(network_hash="a" * 64), to=root)
    answer = pen.write(to=nameless)
    session.flush()
    assert thread_pages.comment_view(session, nameless.id).parent_name == "Site owner"
    assert thread_pages.comment_view(session, nameless.id).name == thread_pages.ANONYMOUS
    assert thread_pages.comment_view(session, answer.id).parent_name == thread_pages.ANONYMOUS
    decisions.decide(session, root, Status.TRASH)
    session.flush()
    assert thread_pages.comment_view(session, nameless.id).parent_name is None


@both_engines
def test_many_threads_are_counted_in_one_query(session: Session, site: Site) -> None:
    pens = [article(session, site, f"/{number}") for number in range(6)]
    for number, pen in enumerate(pens):
        for _ in range(number):
            pen.write()
    session.flush()
    nowhere = threads.address_on(site, f"{BLOG}/nowhere")
    asked = [*(pen.address for pen in pens), nowhere, pens[2].address]
    with watched(session) as work:
        assert comment_counts.counts(session, asked) == [0, 1, 2, 3, 4, 5, 0, 2]
    assert len(work.statements) == 1
    assert comment_counts.counts(session, []) == []


@pytest.mark.parametrize("number", [0, 10**17, LARGEST_ROW])  # larger ones do not get past the routes
@both_engines
def test_a_number_no_comment_has_leads_nowhere(session: Session, site: Site, number: int) -> None:
    with pytest.raises(NotFoundError):
        thread_pages.where_is(session, number)


@both_engines
def test_a_held_comment_has_no_lasting_address(session: Session, site: Site) -> None:
    pen = article(session, site)
    comment = pen.write()
    assert thread_pages.where_is(session, comment.id)[1].url == f"{BLOG}/article"
    decisions.decide(session, comment, Status.HELD)
    session.flush()
    with pytest.raises(NotFoundError):
        thread_pages.where_is(session, comment.id)


@both_engines
def test_what_answers_a_later_comment_says_whom_all_the_same(session: Session, site: Site) -> None:
    """An import may number an answer before what it answers."""
    sketch = Sketch(session, site, "/article")
    root = sketch.add()
    early, late = sketch.add(root), sketch.add(root, guest_name="Zoe")
    early["depth"] = 2
    address = sketch.store()
    session.execute(update(Comment).where(Comment.id == early["id"]).values(parent_id=late["id"]))
    result = thread_pages.page(session, address, order=Order.OLDEST).conversations[0]
    assert [(one.id, one.parent_name) for one in result.replies] == [
        (late["id"], "Anna"),
        (early["id"], "Zoe"),
    ]


@both_engines
def test_a_comment_is_read_as_it_was_written(session: Session, site: Site) -> None:
    sketch = Sketch(session, site, "/whole")
    at = [NOON.replace(microsecond=0), NOON.replace(microsecond=7), datetime(1, 1, 1, tzinfo=UTC)]
    for moment in at:
        sketch.add(created_at=moment)
    sketch.add(
        pinned=True, featured=True, edited_at=NOON, role=Role.OWNER, guest_website="https://anna.example/"
    )
    page = thread_pages.page(session, sketch.store(), order=Order.OLDEST)
    results = {one.root.id - sketch.first: one.root for one in page.conversations}
    assert [results[number].created_at for number in range(3)] == at
    assert {view.created_at.tzinfo for view in results.values()} == {UTC}
    assert [results[0].pinned, results[0].featured, results[0].edited_at, results[0].role] == [
        False,
        False,
        None,
        None,
    ]
    assert [results[3].pinned, results[3].featured, results[3].edited_at, results[3].role] == [
        True,
        True,
        NOON,
        Role.OWNER,
    ]
    assert {type(value) for view in results.values() for value in (view.pinned, view.featured)} == {bool}
    assert results[3].website == "https://anna.example/"


def test_a_row_has_its_fields_in_the_order_of_the_query() -> None:
    assert tuple(queries.comments().selected_columns.keys()) == queries.CommentRow._fields


@both_engines
def test_what_is_unusual_about_a_comment_is_read(session: Session, site: Site) -> None:
    sketch = Sketch(session, site, "/marked")
    sketch.add()
    sketch.add(edited_at=NOON)
    sketch.add(pinned=True, featured=True, role=Role.MODERATOR)
    sketch.add(status=Status.TRASH)
    sketch.add(kind=Kind.PINGBACK)
    thread = threads.find(session, sketch.store())
    assert thread
    rows = queries.first_page(Order.OLDEST).rows(session, thread_id=thread.id)
    read = [queries.CommentRow._make(row) for row in sorted(rows)]
    assert [(one.status, one.kind, one.role, one.edited_at, one.pinned, one.featured) for one in read] == [
        (Status.APPROVED, Kind.COMMENT, None, None, False, False),
        (Status.APPROVED, Kind.COMMENT, None, NOON, False, False),
        (Status.APPROVED, Kind.COMMENT, Role.MODERATOR, None, True, True),
        (Status.TRASH, Kind.COMMENT, None, None, False, False),
        (Status.APPROVED, Kind.PINGBACK, None, None, False, False),
    ]


@both_engines
def test_site_and_thread_are_found_in_two_queries(session: Session, site: Site) -> None:
    site.origins.append(Origin(origin="https://www.blog.example"))
    number = article(session, site).write().thread_id
    session.flush()
    session.expunge_all()
    threads.locate(session, url=f"{BLOG}/article/")  # a site is read once for each version of it
    with watched(session) as work:
        address = threads.locate(session, url=f"{BLOG}/article/?utm_source=x")
        thread = threads.find(session, address)
        assert thread
        assert (thread.id, thread.site_id) == (number, address.site.id)
        assert [one.origin for one in address.site.origins][-1] == "https://www.blog.example"
    assert len(work.statements) == 2


@both_engines
def test_a_page_leads_to_the_thread_of_its_article(session: Session, site: Site) -> None:
    site.origins.append(Origin(origin="https://www.blog.example"))
    number = article(session, site).write().thread_id
    key = threads.locate(session, url=f"{BLOG}/once").key
    session.add(ThreadAlias(site_id=site.id, key=key, thread_id=number, created_at=NOON))
    session.flush()
    asked: list[tuple[dict[str, str], int | None]] = [
        ({"url": f"{BLOG}/once"}, number),
        ({"url": f"{BLOG}/article"}, number),
        ({"url": f"{BLOG}/other"}, None),
        ({"url": f"{BLOG}/other", "canonical": f"{BLOG}/article"}, number),
        ({"url": f"{BLOG}/other", "canonical": "https://www.blog.example/article"}, number),
        ({"url": f"{BLOG}/other", "canonical": "https://elsewhere.example/article"}, None),
        ({"url": f"{BLOG}/other", "canonical": "no address"}, None),
        ({"url": f"{BLOG}/other", "page_id": "42"}, None),
    ]
    for one, expected in asked:
        thread = threads.find(session, threads.locate(session, **one))
        assert (thread.id if thread else None) == expected, one
    refused: list[tuple[dict[str, str], type[Exception]]] = [
        ({"url": "no address"}, BadAddressError),
        ({"url": "https://elsewhere.example/"}, UnknownOriginError),
        ({"url": "https://elsewhere.example/", "page_id": "\n"}, UnknownOriginError),
        ({"url": f"{BLOG}/", "page_id": "\n"}, BadAddressError),
    ]
    for one, error in refused:
        with pytest.raises(error):
            threads.locate(session, **one)
