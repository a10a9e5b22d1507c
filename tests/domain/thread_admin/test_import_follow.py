"""Threads follow their articles to new addresses, and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.thread_admin import import_follow, renaming
from commentsvc.errors import InvalidFieldsError
from commentsvc.models import Action, Comment, Site, Thread
from tests.support import wxr
from tests.support.comment_builders import article as pen_for

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def items(*, pretty: bool, extra: int = 0) -> list[str]:
    """Three articles, by number or by name; with `extra` a new answer in each."""
    return [
        wxr.item(
            wxr.comment(f"{number} a", number=number * 10),
            *(wxr.comment("answer", number=number * 10 + 1, parent=number * 10) for _ in range(extra)),
            link=f"{wxr.OLD_BLOG}/{'post-' if pretty else '?p='}{number}",
            post_id=f"{number}",
        )
        for number in (1, 2, 3)
    ]


def places(session: Session) -> dict[str, str]:
    session.expire_all()
    rows = session.execute(select(Comment.source, Thread.url).join(Thread, Thread.id == Comment.thread_id))
    return {source: url for source, url in rows}  # noqa: C416


@ENGINES
def test_threads_follow_by_renaming_or_merging_and_all_of_it_is_undone_at_once(
    session: Session, site: Site
) -> None:
    wxr.load(session, site, *items(pretty=False))
    begin_write(session)
    pen_for(session, site, "/post-2").write("written here")
    session.commit()
    before = places(session)
    report = wxr.load(session, site, *items(pretty=True), dry_run=True)
    assert (report.already_there, len(report.elsewhere)) == (3, 3)
    assert "  https://blog.example/?p=1 is now https://blog.example/post-1: 1" in report.lines()
    begin_write(session)
    moves = [(thread_id, url) for thread_id, _, url in report.elsewhere]
    action = import_follow.follow(session, site, moves, moderator_id=None, at=wxr.TODAY)
    session.commit()
    assert action.summary == "Moved 3 threads to the addresses that an import found."
    after = places(session)
    assert set(after.values()) == {f"https://blog.example/post-{number}" for number in (1, 2, 3)}
    merged = session.scalars(select(Thread).where(Thread.url.endswith("post-2"))).one()
    assert merged.approved_count == 2
    report = wxr.load(session, site, *items(pretty=True, extra=1))
    assert (report.count(), report.threads_new, report.elsewhere, report.notes) == (3, 0, {}, {})
    begin_write(session)
    assert import_follow.undo(session, session.get_one(Action, action.id), at=wxr.TODAY) == 3
    session.commit()
    back = places(session)
    assert {source: back[source] for source in before} == before
    with pytest.raises(InvalidFieldsError):
        import_follow.undo(session, session.get_one(Action, action.id), at=wxr.TODAY)


def test_a_thread_that_was_renamed_since_stays_where_it_is(session: Session, site: Site) -> None:
    wxr.load(session, site, *items(pretty=False))
    report = wxr.load(session, site, *items(pretty=True), dry_run=True)
    begin_write(session)
    moves = [(thread_id, url) for thread_id, _, url in report.elsewhere]
    action = import_follow.follow(session, site, moves, moderator_id=None, at=wxr.TODAY)
    first = session.get_one(Thread, moves[0][0])
    later = wxr.TODAY + timedelta(hours=1)
    renaming.rename(session, first, url="https://blog.example/elsewhere", moderator_id=None, at=later)
    assert import_follow.undo(session, action, at=later) == 2
    session.commit()
    assert places(session)["1 a"] == "https://blog.example/elsewhere"


def test_two_threads_of_one_article_become_one(session: Session, site: Site) -> None:
    wxr.load(session, site, wxr.item(wxr.comment("a", number=1), link="/?p=1"))
    wxr.load(session, site, wxr.item(wxr.comment("b", number=2), link="/old-name"))
    both = [wxr.comment("a", number=1), wxr.comment("b", number=2)]
    report = wxr.load(session, site, wxr.item(*both, link="/new-name"), dry_run=True)
    begin_write(session)
    moves = [(thread_id, url) for thread_id, _, url in report.elsewhere]
    import_follow.follow(session, site, moves, moderator_id=None, at=wxr.TODAY)
    session.commit()
    assert session.scalar(select(func.count()).select_from(Thread)) == 1
    assert set(places(session).values()) == {"https://blog.example/new-name"}
