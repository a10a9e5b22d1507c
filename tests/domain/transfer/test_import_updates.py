"""A second import says what has changed in the other system, and brings it if asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain import actions
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import edits, undoing
from commentsvc.domain.comments import comment_text
from commentsvc.domain.moderation import decisions
from commentsvc.domain.transfer.import_report import ImportReport
from commentsvc.models import Action, Site, Status
from tests.support import wxr

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
Load = Callable[..., ImportReport]
BEFORE = [wxr.comment(f"text {number}", number=number) for number in range(1, 6)]
AFTER = [
    wxr.comment("text 1, edited", number=1),
    wxr.comment("text 2", number=2, approved="spam"),
    wxr.comment("text 3, edited", number=3, approved="trash"),
    *BEFORE[3:],
]


@pytest.fixture
def load(session: Session, site: Site) -> Load:
    return partial(wxr.load, session, site)


def standing(session: Session) -> list[tuple[str, Status]]:
    session.expire_all()
    return [(one.source, one.status) for one in wxr.stored(session)]


@ENGINES
def test_differences_are_counted_and_left_alone(session: Session, load: Load) -> None:
    load(wxr.item(*BEFORE))
    before = standing(session)
    for options in ({}, {"dry_run": True}, {"dry_run": True, "update": True}):
        report = load(wxr.item(*AFTER), **options)
        assert (report.already_there, report.differing) == (5, {"text": 2, "status": 2})
        assert "  with another text in the file: 2 (--update brings it)" in report.lines()
    assert standing(session) == before
    assert load(wxr.item(*BEFORE)).differing == {}


@ENGINES
def test_differences_are_brought_if_asked_and_can_be_undone(session: Session, load: Load) -> None:
    load(wxr.item(*BEFORE))
    before = standing(session)
    report = load(wxr.item(*AFTER), update=True)
    assert report.brought == {"text": 2, "status": 2}
    assert "  with another status in the file: 2, 2 brought" in report.lines()
    assert standing(session)[:4] == [
        ("text 1, edited", Status.APPROVED),
        ("text 2", Status.SPAM),
        ("text 3, edited", Status.TRASH),
        ("text 4", Status.APPROVED),
    ]
    assert wxr.stored(session)[0].thread.approved_count == 3
    assert load(wxr.item(*AFTER), update=True).differing == {}
    begin_write(session)
    moderator = accounts.operator(session)
    session.commit()
    changes = select(Action.id).where(Action.kind != actions.IMPORT).order_by(Action.id.desc())
    for action in session.scalars(changes).all():
        undoing.undo(session, action, moderator_id=moderator.id, at=wxr.TODAY)
    assert standing(session) == before
    assert wxr.stored(session)[0].thread.approved_count == 5


def test_what_was_changed_here_stays(session: Session, load: Load) -> None:
    load(wxr.item(*BEFORE))
    begin_write(session)
    first, second, *_ = wxr.stored(session)
    moderator = accounts.operator(session)
    draft = comment_text.from_source("edited here", longest=100)
    edits.edit(session, first, draft, guest=None, moderator_id=moderator.id, at=wxr.TODAY)
    decisions.decide(session, second, Status.HELD, moderator_id=moderator.id)
    session.commit()
    report = load(wxr.item(*AFTER), update=True)
    assert (report.differing, report.brought) == ({"text": 2, "status": 2}, {"text": 1, "status": 1})
    assert standing(session)[:2] == [("edited here", Status.APPROVED), ("text 2", Status.HELD)]


def test_a_text_that_may_not_be_safe_is_not_approved(
    session: Session, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = comment_text.render
    monkeypatch.setattr(comment_text, "render", lambda *given: replace(render(*given), agreed=False))
    load(wxr.item(wxr.comment("odd", number=1)))
    report = load(wxr.item(wxr.comment("odd", number=1)), update=True)
    assert (report.differing, report.brought) == ({"status": 1}, {"text": 0, "status": 0})
    assert standing(session) == [("odd", Status.HELD)]


def test_what_an_import_held_by_itself_is_no_difference(session: Session, load: Load) -> None:
    items = [
        wxr.item(wxr.comment(number=1), status="private", link="/a/"),
        wxr.item(wxr.comment(number=2, approved="0"), wxr.comment(number=3, parent=2)),
    ]
    load(*items)
    assert load(*items).differing == {}
