"""An import is one entry of the log, and undoing it makes room for another one."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain import actions
from commentsvc.domain.admin import undoing
from commentsvc.domain.moderation import decisions
from commentsvc.domain.spam import training
from commentsvc.domain.transfer import importing
from commentsvc.models import Action, Comment, Commenter, Site, Status, Thread
from tests.support import exports
from tests.support.comment_builders import article

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
DISQUS = exports.FOLDER / "disqus.xml"


@pytest.fixture
def moderator_id(session: Session) -> int:
    begin_write(session)
    moderator = Commenter(name="Olga")
    session.add(moderator)
    session.commit()
    return moderator.id


def imports(session: Session) -> list[Action]:
    return list(session.scalars(select(Action).where(Action.kind == actions.IMPORT)))


@ENGINES
def test_undoing_an_import_takes_all_of_it_back_and_nothing_else(
    session: Session, site: Site, moderator_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    begin_write(session)
    pen = article(session, site, "/first/")
    pen.write("written here")
    session.commit()
    exports.load(session, site, DISQUS)
    training.learn_imported(session, site.id)
    (entry,) = imports(session)
    assert entry.summary == "Imported 7 comments from Disqus."
    result = undoing.undo(session, entry.id, moderator_id=moderator_id, at=exports.TODAY)
    assert result.changed == 7
    session.expire_all()
    seen = session.scalars(select(Comment).where(Comment.shown)).all()
    assert [comment.source for comment in seen] == ["written here"]
    assert sum(session.scalars(select(Thread.approved_count))) == 1
    assert training.learned_counts(session, site.id).ham == 0
    assert not any(entry.can_be_undone for entry in undoing.log(session, site.id)[0])


def test_an_undone_import_can_come_again(session: Session, site: Site, moderator_id: int) -> None:
    exports.load(session, site, DISQUS)
    visible = exports.visible(session)
    undoing.undo(session, imports(session)[0].id, moderator_id=moderator_id, at=exports.TODAY)
    report = exports.load(session, site, DISQUS)
    assert report.count() == 7
    assert exports.visible(session) == visible


def test_a_comment_that_was_decided_on_since_stays(session: Session, site: Site, moderator_id: int) -> None:
    exports.load(session, site, DISQUS)
    begin_write(session)
    spam = session.scalars(select(Comment).where(Comment.status == Status.SPAM)).one()
    decisions.decide(session, spam, Status.APPROVED)
    session.commit()
    undoing.undo(session, imports(session)[0].id, moderator_id=moderator_id, at=exports.TODAY)
    session.expire_all()
    assert spam.status is Status.APPROVED


def test_a_run_that_adds_nothing_is_no_entry(session: Session, site: Site) -> None:
    exports.load(session, site, DISQUS)
    exports.load(session, site, DISQUS)
    exports.load(session, site, DISQUS, dry_run=True)
    assert len(imports(session)) == 1
