"""Rebuilds the stored HTML of comments after the renderer has changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.comments import comment_text
from commentsvc.domain.moderation import decisions
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads import threads
from commentsvc.messages import gettext_noop
from commentsvc.models import Comment, Status
from commentsvc.models.searched import refresh
from commentsvc.text import markup

BATCH = 200
"""Comments per transaction, during which nobody else can write on SQLite."""
_REASON = gettext_noop("After a new rendering the two sanitisers disagreed about this text; please read it.")


def rerender(
    session: Session, *, force: bool = False, progress: Callable[[int], object] | None = None
) -> int:
    """Rebuild the HTML of comments by an older renderer version, with `force` of all; return how many.

    Commits after every batch, so that an interrupted run can be started again. A text on which the sanitisers now
    disagree is held, unless its HTML is unchanged. `progress` is called with the number of comments processed since
    its last call.
    """
    last = done = 0
    while batch := _batch(session, after=last, force=force):
        last = batch[-1].id
        # The slow part comes before the lock.
        rendered = [comment_text.render(row.source, row.format) for row in batch]
        begin_write(session)
        for thread_id in sorted({row.thread_id for row in batch}):
            threads.lock(session, thread_id)
        number = sum(_replace(session, row, html) for row, html in zip(batch, rendered, strict=True))
        session.commit()
        done += number
        if progress is not None:
            progress(len(batch))
    session.rollback()  # end the transaction of the last read
    return done


def count(session: Session, *, force: bool = False) -> int:
    """Return how many comments `rerender` would process."""
    return session.scalar(select(func.count()).select_from(Comment).where(*_due(force=force))) or 0


def _batch(session: Session, *, after: int, force: bool) -> Sequence[Row[Any]]:
    query: Any = (
        select(Comment.id, Comment.thread_id, Comment.source, Comment.format)
        .where(Comment.id > after, *_due(force=force))
        .order_by(Comment.id)
        .limit(BATCH)
    )
    return session.execute(query).all()


def _due(*, force: bool) -> list[Any]:
    return [] if force else [Comment.renderer < markup.VERSION]


def _replace(session: Session, row: Row[Any], rendered: markup.Rendered) -> bool:
    """Store the new HTML, unless the text was edited or removed meanwhile, which also renders it again."""
    comment = session.get(Comment, row.id, populate_existing=True)
    if comment is None or comment.source != row.source:
        return False
    changed = comment.html != rendered.html
    comment.html, comment.renderer = rendered.html, markup.VERSION
    refresh(comment)
    session.flush()
    if changed and comment.shown:
        threads.mark_changed(session, comment.thread_id)
    if changed and not rendered.agreed and comment.status is Status.APPROVED:
        verdict = Verdict(CheckName.SANITISERS, Status.HELD, _REASON)
        decisions.decide(session, comment, Status.HELD, verdicts=[verdict])
        session.flush()
    return True
