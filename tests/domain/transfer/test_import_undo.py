"""An import is one entry of the log, and undoing it makes room for another one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain import actions
from commentsvc.domain.admin import bulk_decisions, undoing
from commentsvc.domain.moderation import decisions
from commentsvc.domain.spam import training
from commentsvc.domain.transfer import importing
from commentsvc.domain.transfer.records import ImportedThread
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


def test_a_long_import_is_undone_in_rounds(
    session: Session, site: Site, moderator_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_decisions, "ROUND", 2)
    monkeypatch.setattr(bulk_decisions, "BATCH", 2)
    exports.load(session, site, DISQUS)
    (entry,) = imports(session)
    result = undoing.undo(session, entry.id, moderator_id=moderator_id, at=exports.TODAY)
    rounds = 1
    while result.next_after is not None:
        result = undoing.undo(
            session,
            entry.id,
            moderator_id=moderator_id,
            at=exports.TODAY,
            after=result.next_after,
            by=result.action_id,
        )
        rounds += 1
    assert rounds == 4
    session.expire_all()
    assert session.scalars(select(Comment).where(Comment.shown)).all() == []
    assert session.scalars(select(Comment).where(Comment.transfer_key.is_not(None))).all() == []


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


def test_an_import_that_was_killed_is_completed_by_the_next(
    session: Session, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)

    def killed() -> Iterator[ImportedThread]:
        for number, record in enumerate(exports.articles(DISQUS)):
            if number == 1:
                raise KeyboardInterrupt
            yield record

    with pytest.raises(KeyboardInterrupt):
        exports.import_records(session, site, killed())
    session.rollback()
    arrived = len(session.scalars(select(Comment)).all())
    assert 0 < arrived < 7
    report = exports.load(session, site, DISQUS)
    assert (report.already_there, report.count()) == (arrived, 7 - arrived)
    assert [number for *_, number in sorted(exports.visible(session))] == [
        "First! Second line & x < y",
        "A reply before its parent, with a link.",
        "@olga thank you https://uploads.disquscdn.com/images/1.png",
        "But I had answered",
        "Elsewhere",
    ]
