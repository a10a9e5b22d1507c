"""Imported replies: each below what it answered, whatever the order and the gaps of the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.moderation import decisions
from commentsvc.domain.transfer.import_report import ImportReport
from commentsvc.models import Site, Status
from tests.support import wxr

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
Load = Callable[..., ImportReport]


@pytest.fixture
def load(session: Session, site: Site) -> Load:
    return partial(wxr.load, session, site)


@ENGINES
def test_a_reply_that_stands_before_its_parent_finds_it(session: Session, load: Load) -> None:
    load(
        wxr.item(
            wxr.comment("leaf", number=1, parent=2, **wxr.at(3)),
            wxr.comment("branch", number=2, parent=3, **wxr.at(2)),
            wxr.comment("root", number=3, **wxr.at(1)),
        )
    )
    root, branch, leaf = wxr.stored(session)
    assert [one.source for one in (root, branch, leaf)] == ["root", "branch", "leaf"]
    assert (branch.parent_id, branch.root_id, branch.depth) == (root.id, root.id, 1)
    assert (leaf.parent_id, leaf.root_id, leaf.depth) == (branch.id, root.id, 2)


def test_rows_follow_time_but_never_precede_what_they_answer(session: Session, load: Load) -> None:
    load(
        wxr.item(
            wxr.comment("third", number=1, **wxr.at(30)),
            wxr.comment("second", number=2, **wxr.at(20)),
            wxr.comment("clock was wrong", number=3, parent=2, **wxr.at(1)),
            wxr.comment("first", number=4, **wxr.at(10)),
        )
    )
    assert [one.source for one in wxr.stored(session)] == ["first", "second", "clock was wrong", "third"]


def test_a_parent_from_an_earlier_file_is_found(session: Session, load: Load) -> None:
    load(wxr.item(wxr.comment(number=1), wxr.comment(number=2, parent=1)))
    load(wxr.item(wxr.comment("later", number=3, parent=2)))
    later = wxr.stored(session)[-1]
    assert (later.parent_id, later.root_id, later.depth) == (2, 1, 2)
    assert wxr.stored(session)[0].reply_count == 2


@pytest.mark.parametrize(
    "comments",
    [
        [wxr.comment("reply", number=2, parent=99)],
        [wxr.comment("reply", number=2, parent=2)],
        [wxr.comment(number=1, type="pingback"), wxr.comment("reply", number=2, parent=1)],
        [wxr.comment("reply", number=2, parent="no number")],
    ],
)
def test_a_reply_to_what_is_not_there_stands_by_itself(
    session: Session, load: Load, comments: list[str]
) -> None:
    load(wxr.item(*comments))
    reply = wxr.stored(session)[-1]
    assert (reply.source, reply.parent_id, reply.root_id, reply.depth) == ("reply", None, None, 0)


def test_a_reply_to_a_comment_of_another_article_stands_by_itself(session: Session, load: Load) -> None:
    report = load(wxr.item(wxr.comment(number=1)), wxr.item(wxr.comment(number=2, parent=1), link="/other/"))
    assert wxr.stored(session)[1].parent_id is None
    assert list(report.notes.values()) == [1]


def test_a_circle_is_opened_at_its_oldest_comment(session: Session, load: Load) -> None:
    load(
        wxr.item(
            wxr.comment("tail", number=9, parent=3, **wxr.at(1)),
            wxr.comment("b", number=2, parent=1, **wxr.at(3)),
            wxr.comment("c", number=3, parent=2, **wxr.at(4)),
            wxr.comment("a", number=1, parent=3, **wxr.at(2)),
        )
    )
    assert [(one.source, one.depth) for one in wxr.stored(session)] == [
        ("a", 0),
        ("b", 1),
        ("c", 2),
        ("tail", 3),
    ]


def test_what_answered_a_comment_that_is_left_out_moves_up(session: Session, load: Load) -> None:
    report = load(
        wxr.item(
            wxr.comment(number=1), wxr.comment("", number=2, parent=1), wxr.comment("x", number=3, parent=2)
        )
    )
    assert wxr.stored(session)[1].parent_id == 1
    assert report.skipped == {"without any text": 1}


@pytest.mark.parametrize("approved", ["0", "spam", "trash"])
def test_what_answers_a_comment_that_is_not_shown_is_held_in_its_place(
    session: Session, load: Load, approved: str
) -> None:
    report = load(
        wxr.item(
            wxr.comment(number=1, approved=approved),
            wxr.comment(number=2, parent=1),
            wxr.comment(number=3, parent=2),
            wxr.comment(number=4),
        )
    )
    parent, reply, below, other = wxr.stored(session)
    assert (reply.parent_id, below.parent_id) == (parent.id, reply.id)
    assert [one.status for one in (reply, below, other)] == [Status.HELD, Status.HELD, Status.APPROVED]
    assert not parent.shown
    assert [number for note, number in report.notes.items() if "were not shown either" in note] == [2]
    assert reply.decisions[0].reasons[0]["reason"] == (
        "Approved in WordPress, but it answers a comment that is held, spam or in the trash, and was not shown either."
    )


def test_an_answer_to_a_held_comment_that_was_approved_here_is_held_too(session: Session, load: Load) -> None:
    held = wxr.comment(number=1, approved="0")
    load(wxr.item(held))
    begin_write(session)
    decisions.decide(session, wxr.stored(session)[0], Status.APPROVED)
    session.commit()
    load(wxr.item(held, wxr.comment(number=2, parent=1)))
    assert [one.status for one in wxr.stored(session)] == [Status.APPROVED, Status.HELD]


@ENGINES
def test_a_conversation_two_thousand_deep_arrives_whole(session: Session, load: Load) -> None:
    load(
        wxr.item(
            *(wxr.comment(f"{number}", number=number, parent=number - 1) for number in range(2000, 0, -1))
        )
    )
    comments = wxr.stored(session)
    assert [comment.depth for comment in comments] == list(range(2000))
    assert {comment.root_id for comment in comments[1:]} == {comments[0].id}
    assert comments[0].reply_count == 1999
