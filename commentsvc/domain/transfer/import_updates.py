"""Finds how comments of an earlier import differ from the file by now, and applies what has changed there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.domain.admin import bulk_decisions, edits
from commentsvc.domain.comments import comment_text
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.moderation import decisions
from commentsvc.domain.transfer.import_plan import TEXT_LONGEST
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.errors import InvalidFieldsError
from commentsvc.models import Comment, Decision, Status

KIND = "comments.update"
TEXT, STATUS = "text", "status"


@dataclass(frozen=True, slots=True)
class Difference:
    """What a comment of the file has that the stored one has not."""

    comment_id: int
    text: ImportedComment | None
    """The comment with its other text; None if the text is the same."""
    status: Status | None
    """The other status; None if it is the same."""

    @property
    def kinds(self) -> list[str]:
        """TEXT, STATUS or both."""
        return [kind for kind, value in ((TEXT, self.text), (STATUS, self.status)) if value is not None]


def difference(
    article: ImportedThread, record: ImportedComment, stored: Row[Any], *, digest: str, is_below_hidden: bool
) -> Difference | None:
    """Return how a comment differs from the stored one, `digest` being that of its text; None if it does not."""
    # If an import holds a comment that was approved in the other system, that is no difference.
    held = record.status is Status.APPROVED and (article.hidden or is_below_hidden)
    expected = Status.HELD if held else record.status
    text = record if digest != stored.digest else None
    status = expected if expected is not stored.status else None
    return Difference(stored.id, text, status) if text is not None or status is not None else None


def apply_differences(
    session: Session, site_id: int, differences: Sequence[Difference], *, at: datetime
) -> Counter[str]:
    """Give comments the texts and statuses of the file; return how many of each kind. Needs `begin_write`.

    What somebody has edited or decided on here stays as it is. Each edit, and all statuses together, can be undone.
    """
    comments = {
        comment.id: comment
        for comment in bulk_decisions.lock(session, site_id, [one.comment_id for one in differences])
    }
    query = select(Decision.comment_id).where(
        Decision.comment_id.in_(comments), Decision.moderator_id.is_not(None)
    )
    decided = set(session.scalars(query))
    present = [one for one in differences if one.comment_id in comments]
    statuses = {
        comments[one.comment_id]: one.status
        for one in present
        if one.status is not None
        and one.comment_id not in decided
        and _may_have(comments[one.comment_id], one.status)
    }
    if statuses:
        action = actions.record(
            session,
            site_id=site_id,
            moderator_id=None,
            kind=KIND,
            summary=f"Brought from an import: the status of {bulk_decisions.count_in_words(len(statuses))}.",
            at=at,
        )
        decisions.decide_all(session, statuses, moderator_id=None, action_id=action.id)
    texts = sum(_edit(session, comments[one.comment_id], one.text, at=at) for one in present if one.text)
    return Counter({TEXT: texts, STATUS: len(statuses)})


def _may_have(comment: Comment, status: Status) -> bool:
    """Whether a comment may get a status without a moderator: not if it was held because it may not be safe."""
    return status is not Status.APPROVED or comment_text.render(comment.source, comment.format).agreed


def _edit(session: Session, comment: Comment, record: ImportedComment, *, at: datetime) -> bool:
    """Give a comment the text of the file, unless it was edited here; return whether that was possible."""
    draft = _draft(record)
    if draft is None or comment.edited_at is not None:
        return False
    edits.edit(session, comment, draft, guest=None, moderator_id=None, at=at)
    return True


def _draft(record: ImportedComment) -> CommentText | None:
    try:
        return comment_text.from_source(record.text, longest=TEXT_LONGEST, text_format=record.format)
    except InvalidFieldsError:
        return None
