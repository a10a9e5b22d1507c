"""Rebuilding stored HTML: what is old, all of it when forced, and never around a moderator."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.comments import comment_text
from commentsvc.domain.maintenance import rerendering
from commentsvc.domain.maintenance.rerendering import rerender
from commentsvc.domain.moderation import decisions
from commentsvc.models import Comment, Decision, Site, Status, TextFormat
from commentsvc.text import markup
from commentsvc.text.markup import Rendered
from tests.support.comment_builders import Pen, article

ENGINES = ["sqlite", "postgresql"]


@pytest.fixture
def pen(session: Session, site: Site) -> Pen:
    return article(session, site)


def outdate(session: Session, *written: Comment, html: str = "<p>old</p>") -> None:
    """Make these comments look as if an older rendering had made them."""
    chosen = Comment.id.in_([one.id for one in written])
    session.execute(update(Comment).where(chosen).values(renderer=0, html=html))
    session.commit()


def disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sanitisers disagree about every text from now on."""
    monkeypatch.setattr(
        comment_text, "render", lambda source, _format: Rendered(f"<p>new {source}</p>", agreed=False)
    )


@pytest.mark.parametrize("engine_name", ENGINES)
def test_what_an_older_rendering_made_is_rebuilt_and_readers_get_it(session: Session, pen: Pen) -> None:
    old, fresh = pen.write("**one**"), pen.write("two")
    outdate(session, old)
    version = pen.thread.version
    session.rollback()
    assert rerendering.count(session) == 1
    assert rerender(session) == 1
    assert rerendering.count(session) == 0
    session.refresh(old)
    assert old.html == "<p><strong>one</strong></p>\n"
    assert old.renderer == markup.VERSION
    assert old.status is Status.APPROVED
    assert pen.thread.version == version + 1
    assert fresh.html == "<p>two</p>\n"
    assert rerender(session) == 0


def test_each_text_is_rendered_by_its_own_format(session: Session, pen: Pen) -> None:
    written = pen.write("<b>x</b>")
    session.execute(update(Comment).values(format=TextFormat.HTML))
    outdate(session, written)
    rerender(session)
    session.refresh(written)
    assert written.html == "<p><strong>x</strong></p>\n"


def test_force_rebuilds_all_but_nothing_changes_for_readers(session: Session, pen: Pen) -> None:
    pen.write("one")
    pen.write("two")
    session.commit()
    version = pen.thread.version
    session.rollback()
    assert rerender(session, force=True) == 2
    assert pen.thread.version == version


@pytest.mark.parametrize("engine_name", ENGINES)
def test_it_works_in_batches_and_tells_how_far_it_is(
    session: Session, pen: Pen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerendering, "BATCH", 3)
    outdate(session, *(pen.write() for _ in range(7)))
    steps: list[int] = []
    assert rerender(session, progress=steps.append) == 7
    assert steps == [3, 3, 1]
    assert set(session.scalars(select(Comment.renderer))) == {markup.VERSION}


@pytest.mark.parametrize("engine_name", ENGINES)
def test_a_text_on_which_the_sanitisers_disagree_is_held_with_the_reason(
    session: Session, pen: Pen, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pen.write("root")
    reply = pen.write("reply", to=root)
    outdate(session, reply)
    disagree(monkeypatch)
    rerender(session)
    session.refresh(reply)
    session.refresh(root)
    assert (reply.status, reply.shown) == (Status.HELD, False)
    assert root.reply_count == 0
    assert pen.thread.approved_count == 1
    last = session.scalars(
        select(Decision).where(Decision.comment_id == reply.id).order_by(Decision.id)
    ).all()[-1]
    assert last.status is Status.HELD
    assert "sanitisers disagreed" in last.reasons[0]["reason"]


@pytest.mark.parametrize("status", [Status.SPAM, Status.TRASH, Status.HELD])
def test_what_is_out_of_sight_keeps_its_status(
    session: Session, pen: Pen, monkeypatch: pytest.MonkeyPatch, status: Status
) -> None:
    written = pen.write()
    decisions.decide(session, written, status)
    outdate(session, written)
    disagree(monkeypatch)
    rerender(session)
    session.refresh(written)
    assert written.status is status
    assert written.html.startswith("<p>new")


def test_what_a_moderator_has_read_is_not_held_again(
    session: Session, pen: Pen, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = pen.write("x")
    session.commit()
    disagree(monkeypatch)
    rerender(session, force=True)
    begin_write(session)
    decisions.decide(session, session.get_one(Comment, written.id), Status.APPROVED)
    session.commit()
    rerender(session, force=True)
    session.refresh(written)
    assert written.status is Status.APPROVED


def test_a_text_edited_meanwhile_is_left_to_its_edit(
    session: Session, pen: Pen, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = pen.write("before")
    outdate(session, written)
    slow = comment_text.render

    def edited_meanwhile(source: str, text_format: TextFormat) -> Rendered:
        begin_write(session)
        session.execute(update(Comment).values(source="after", html="<p>after</p>", renderer=markup.VERSION))
        session.commit()
        return slow(source, text_format)

    monkeypatch.setattr(comment_text, "render", edited_meanwhile)
    assert rerender(session) == 0
    session.refresh(written)
    assert written.html == "<p>after</p>"
