"""Comments are selected by conditions or numbers, and decided on as one action, on both engines."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import bulk_decisions, comment_selection
from commentsvc.domain.admin.author_ref import AuthorKind, AuthorRef
from commentsvc.domain.admin.comment_selection import CommentSelection
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.models import Action, Comment, Site, Status, now
from tests.support.comment_builders import BEN, article

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def spam(session: Session, selection: CommentSelection) -> tuple[int, int]:
    """Mark the selection as spam; return how many were changed and how many the progress counted."""
    counted: list[int] = []
    moderator = accounts.operator(session).id
    session.commit()
    outcome = comment_selection.decide(
        session, selection, Status.SPAM, moderator_id=moderator, at=now(), progress=counted.append
    )
    return outcome.changed, sum(counted)


@ENGINES
@pytest.mark.parametrize("numbered", [False, True])
def test_a_decision_over_many_rounds_is_one_action(
    session: Session, site: Site, monkeypatch: pytest.MonkeyPatch, numbered: bool
) -> None:
    for name, value in (("BATCH", 2), ("ROUND", 4)):
        monkeypatch.setattr(bulk_decisions, name, value)
    monkeypatch.setattr(comment_selection, "SLICE", 3)
    pen = article(session, site)
    bens = [pen.write(by=BEN).id for _ in range(11)]
    annas = [pen.write().id for _ in range(2)]
    session.commit()
    filters = Filters(author=AuthorRef(AuthorKind.EMAIL, BEN.email or ""))
    numbers = tuple(bens) if numbered else ()
    selection = comment_selection.begin(session, site.id, (Tab.HELD, Tab.APPROVED), filters, numbers)
    assert sorted(comment_selection.ids(session, selection)) == bens
    assert comment_selection.newest(session, selection, 3) == bens[:-4:-1]
    assert spam(session, selection) == (11, 11)
    session.expire_all()
    statuses = {one.id: one.status for one in session.scalars(select(Comment))}
    assert {statuses[one] for one in bens} == {Status.SPAM}
    assert {statuses[one] for one in annas} == {Status.APPROVED}
    (action,) = session.scalars(select(Action)).all()
    assert action.summary == "Marked as spam: 11 comments."


@ENGINES
def test_numbers_of_another_site_are_none(session: Session, site: Site) -> None:
    number = article(session, site).write().id
    session.commit()
    other = comment_selection.begin(session, site.id + 1, (Tab.APPROVED,), Filters(), (number,))
    assert list(comment_selection.ids(session, other)) == []
