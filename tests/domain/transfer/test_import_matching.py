"""Which comments an import finds on the site already: never one that was not there, and none twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.transfer.import_report import ImportReport
from commentsvc.models import Comment, DeletedImport, Site, Thread
from tests.support import wxr

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
Load = Callable[..., ImportReport]
REPEATED = {"listed a second time, word for word": 1}


@pytest.fixture
def load(session: Session, site: Site) -> Load:
    return partial(wxr.load, session, site)


def restarting(articles: int, text: str = "text {} {}", **fields: str) -> list[str]:
    """Articles whose comments are numbered 1, 2, 3 in each, the third as an answer to the first."""
    return [
        wxr.item(
            *(
                wxr.comment(text.format(article, number), number=number, parent=number // 3, **fields)
                for number in (1, 2, 3)
            ),
            link=f"{wxr.OLD_BLOG}/{article}/",
            post_id=f"{article + 10}",
        )
        for article in range(articles)
    ]


@ENGINES
@pytest.mark.parametrize("text", ["text {} {}", "the same everywhere"])
def test_numbers_that_begin_anew_in_each_article_lose_nothing(
    session: Session, load: Load, text: str
) -> None:
    items = restarting(5, text)
    dry = load(*items, dry_run=True)
    report = load(*items)
    assert (dry.new, dry.already_there, dry.skipped) == (report.new, 0, {})
    assert (report.count(), report.already_there, report.skipped, report.threads_new) == (15, 0, {}, 5)
    for thread in session.scalars(select(Thread)):
        first, second, third = session.scalars(
            select(Comment).where(Comment.thread_id == thread.id).order_by(Comment.id)
        )
        assert (third.parent_id, second.parent_id) == (first.id, None)
    for order in (items, items[::-1]):
        again = load(*order)
        assert (again.count(), again.already_there, again.elsewhere) == (0, 15, {})


def test_an_article_that_comes_later_with_numbers_of_others_arrives(session: Session, load: Load) -> None:
    items = restarting(3)
    load(*items[:2])
    report = load(*items)
    assert (report.count(), report.already_there) == (3, 6)


def test_numbers_that_repeat_within_an_article_lose_nothing(session: Session, load: Load) -> None:
    items = [wxr.item(*(wxr.comment(text, number=1) for text in ("one", "two", "two", "three")))]
    report = load(*items)
    assert (report.count(), report.already_there, report.skipped) == (3, 0, REPEATED)
    assert sorted(one.source for one in wxr.stored(session)) == ["one", "three", "two"]
    again = load(*items)
    assert (again.count(), again.already_there, again.skipped) == (0, 3, REPEATED)


def test_an_article_that_stands_in_the_file_twice_is_not_there_before(session: Session, load: Load) -> None:
    item = wxr.item(wxr.comment(number=1))
    for options in ({"dry_run": True}, {}):
        report = load(item, item, **options)
        assert (report.count(), report.already_there, report.skipped) == (1, 0, REPEATED)


def test_a_comment_that_was_edited_on_either_side_is_the_same_one(session: Session, load: Load) -> None:
    load(wxr.item(wxr.comment("as written", number=1)))
    report = load(wxr.item(wxr.comment("as edited there", number=1)))
    assert (report.count(), report.already_there) == (0, 1)


def test_a_comment_whose_time_was_read_otherwise_by_an_earlier_release_is_the_same_one(
    session: Session, load: Load
) -> None:
    load(wxr.item(wxr.comment(number=1)))
    report = load(wxr.item(wxr.comment(number=1, **wxr.at(59))))
    assert (report.count(), report.already_there) == (0, 1)


@ENGINES
def test_what_was_deleted_here_stays_away_and_is_reported_as_such(session: Session, load: Load) -> None:
    items = restarting(2)
    load(*items)
    begin_write(session)
    second = wxr.stored(session)[1]
    session.add(DeletedImport(site_id=second.site_id, transfer_key=second.transfer_key))
    session.delete(second)
    session.commit()
    report = load(*items)
    assert (report.count(), report.already_there) == (0, 5)
    assert report.skipped == {"deleted here after an earlier import": 1}


@ENGINES
def test_the_same_blog_under_another_address_is_recognised_word_for_word(
    session: Session, site: Site, load: Load
) -> None:
    comments = [wxr.comment("same", number=1), wxr.comment("reply", number=2, parent=1)]
    load(wxr.item(*comments, link="http://old.example/a/"), blog="http://old.example")
    new = wxr.comment("new answer", number=3, parent=2)
    report = load(wxr.item(*comments, new, link="https://blog.example/a/"), blog="https://blog.example")
    assert (report.count(), report.already_there, report.threads_new) == (1, 2, 0)
    *_, answer = wxr.stored(session)
    assert (answer.parent_id, answer.depth) == (2, 2)


def test_another_blog_with_the_same_numbers_is_not_taken_for_it(session: Session, load: Load) -> None:
    load(wxr.item(wxr.comment("one", number=1), link="http://old.example/a/"), blog="http://old.example")
    report = load(wxr.item(wxr.comment("two", number=1)), blog="https://blog.example")
    assert (report.count(), report.already_there) == (1, 0)


@ENGINES
def test_comments_that_lie_in_another_thread_are_told_per_article(session: Session, load: Load) -> None:
    comments = [wxr.comment(number=1), wxr.comment(number=2), wxr.comment("edited", number=3)]
    load(wxr.item(*comments, link=f"{wxr.OLD_BLOG}/?p=4", post_id="4"))
    number = session.scalars(select(Thread.id)).one()
    comments[2] = wxr.comment("edited since", number=3)
    report = load(wxr.item(*comments, post_id="4"))
    assert report.elsewhere == {(number, "https://blog.example/?p=4", "https://blog.example/hello/"): 3}
    assert (report.already_there, report.threads_new, report.threads_existing) == (3, 0, 0)
    assert session.scalar(select(func.count()).select_from(Thread)) == 1


@pytest.mark.parametrize("status", ["closed", "open"])
def test_an_article_closed_by_hand_stays_closed(session: Session, load: Load, status: str) -> None:
    items = [wxr.item(wxr.comment(number=1), comment_status=status)]
    assert load(*items, dry_run=True).notes == (report := load(*items)).notes
    (thread,) = session.scalars(select(Thread))
    assert (thread.closed_at is not None) == (status == "closed")
    assert sum(report.notes.values()) == (status == "closed")


def test_a_thread_that_readers_began_is_not_closed_but_reported(session: Session, load: Load) -> None:
    load(wxr.item(wxr.comment(number=1), comment_status="open"))
    report = load(wxr.item(wxr.comment(number=2), comment_status="closed"))
    (thread,) = session.scalars(select(Thread))
    assert thread.closed_at is None
    assert [note for note in report.notes if "open here" in note]


def test_a_time_that_is_borrowed_from_the_article_is_reported(load: Load) -> None:
    report = load(wxr.item(wxr.comment(date="", date_gmt=""), wxr.comment()))
    assert [number for note, number in report.notes.items() if "without a time of their own" in note] == [1]
