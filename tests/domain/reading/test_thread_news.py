"""What is new for a reader since their last visit: by time, by whom, and at a cost that does not grow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from commentsvc.domain.authors import Author
from commentsvc.domain.moderation import decisions
from commentsvc.domain.reading import thread_news
from commentsvc.domain.reading.thread_news import LATEST, PAUSE, Visit
from commentsvc.models import Commenter, Kind, Policy, Site, Status
from tests.support.comment_builders import ANNA, BEN, NOON, Pen, article

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
MINE = Author(ANNA, author_key_hash="a" * 64)
OTHERS = Author(BEN, author_key_hash="b" * 64)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def pen(session: Session, site: Site) -> Pen:
    return article(session, site)


def news(
    session: Session, pen: Pen, since: datetime, key: str | None = "a" * 64, person: int | None = None
) -> tuple[list[int], list[int]]:
    """Answers, and all that is new."""
    result = thread_news.news(
        session, pen.thread, Visit(since, pen.at + MINUTE), author_key_hash=key, commenter_id=person
    )
    return (result.answers, result.comments) if result else ([], [])


@ENGINES
def test_answers_and_new_comments_by_others(session: Session, site: Site, pen: Pen) -> None:
    mine = pen.write(by=MINE)
    seen = pen.write(by=OTHERS, to=mine)
    since = pen.at
    answer = pen.write(by=OTHERS, to=mine)
    own = pen.write(by=MINE, to=answer)
    other = pen.write(by=Author(BEN), to=seen)
    second = pen.write(by=Author(BEN), to=own)
    mention = pen.write(by=Author(BEN))
    mention.kind = Kind.PINGBACK
    hidden = pen.write(by=OTHERS, to=mine)
    decisions.decide(session, hidden, Status.SPAM)
    session.flush()
    assert news(session, pen, since) == ([answer.id, second.id], [answer.id, other.id, second.id])
    assert news(session, pen, since, key=None) == ([], [answer.id, own.id, other.id, second.id])
    assert news(session, pen, since, key="b" * 64) == ([own.id, other.id], [own.id, other.id, second.id])
    assert news(session, pen, pen.at) == ([], [])
    elsewhere = article(session, site, "/elsewhere")
    elsewhere.write()
    assert news(session, elsewhere, NOON + 9 * MINUTE) == ([], [])


@ENGINES
def test_an_account_is_answered_wherever_it_is_logged_in(session: Session, site: Site, pen: Pen) -> None:
    person = Commenter(name="Carla")
    session.add(person)
    session.flush()
    mine = pen.write(by=Author(commenter_id=person.id, author_key_hash="c" * 64))
    since = pen.at
    answer = pen.write(by=OTHERS, to=mine)
    own = pen.write(by=Author(commenter_id=person.id), to=answer)
    assert news(session, pen, since, key=None, person=person.id) == ([answer.id], [answer.id])
    assert news(session, pen, since, key="c" * 64) == ([answer.id], [answer.id, own.id])


@ENGINES
def test_a_comment_that_waited_is_new_from_its_approval(session: Session, site: Site, pen: Pen) -> None:
    mine = pen.write(by=MINE)
    site.policy = Policy.HOLD_ALL
    waited = pen.write(by=OTHERS, to=mine)
    site.policy = Policy.OPEN
    later = pen.write(by=OTHERS)
    since = datetime.now(UTC)
    assert news(session, pen, since) == ([], [])
    decisions.decide(session, waited, Status.APPROVED)
    session.flush()
    assert news(session, pen, since) == ([waited.id], [waited.id])
    decisions.decide(session, later, Status.APPROVED)  # it was approved before
    session.flush()
    assert news(session, pen, since) == ([waited.id], [waited.id])


def test_the_work_does_not_grow_with_the_thread(session: Session, site: Site, pen: Pen) -> None:
    mine = pen.write(by=MINE)
    since = pen.at
    answers = [pen.write(by=OTHERS, to=mine).id for _ in range(LATEST + 10)]
    thread = pen.thread
    asked: list[tuple[str, object]] = []

    def note(_c: object, _k: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        result = thread_news.news(session, thread, Visit(since, pen.at), author_key_hash="a" * 64)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert result is not None
    assert result.comments == answers[-LATEST:]
    ((statement, parameters),) = asked
    plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()  # type: ignore[arg-type]
    lines = [row[3] for row in plan]
    assert [line for line in lines if line.startswith("SCAN ") and "SCAN anon" not in line] == []
    assert any("ix_comment_article (thread_id=? AND status=?)" in line for line in lines)


@pytest.mark.parametrize(
    ("remembered", "since"),
    [
        ("", NOON),
        ("{},{}", NOON - 5 * PAUSE),
        ("nonsense", NOON),
        ("1,-2", NOON),
        ("9" * 13 + "," + "9" * 13, NOON),
        ("9" * 99 + ",1", NOON),
        ("٣,٤", NOON),
    ],
)
def test_what_a_browser_remembers_is_read_with_care(remembered: str, since: datetime) -> None:
    times = (int((NOON - 5 * PAUSE).timestamp() * 1000), int((NOON - PAUSE).timestamp() * 1000))
    assert Visit.read(remembered.format(*times), at=NOON) == Visit(since, NOON)


def test_a_visit_ends_with_a_pause() -> None:
    first = Visit.read("", at=NOON)
    reload = Visit.read("{},{}".format(*first.milliseconds()), at=NOON + PAUSE)
    assert reload == Visit(NOON, NOON + PAUSE)
    again = Visit.read("{},{}".format(*reload.milliseconds()), at=NOON + 3 * PAUSE)
    assert again == Visit(NOON + PAUSE, NOON + 3 * PAUSE)
