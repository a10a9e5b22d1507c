"""Erases a person: their comments, and every row about them.

Comments with replies stay as placeholders, so that the thread keeps its shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session, aliased

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import profiles
from commentsvc.domain.admin import edits
from commentsvc.domain.comments import comment_text
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.moderation import decisions
from commentsvc.domain.spam import training
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads import threads
from commentsvc.errors import ForbiddenError
from commentsvc.models import Ban, BanKind, Comment, Commenter, Membership, Note, Revision, Role, Site, Status
from commentsvc.text import markup

BATCH = 200
"""Comments per transaction, during which nobody else can write on SQLite."""
REMOVED = "*Removed by its author.*"
"""Replaces the text, for a moderator who looks into the trash."""
_VERDICT = Verdict(CheckName.ERASED, Status.TRASH, "Its author deleted their account here.")
# Everything about the author: their name, and what could identify their browser or network.
_NOBODY: dict[str, None] = dict.fromkeys(
    (
        "commenter_id",
        "role",
        "guest_name",
        "guest_email",
        "guest_website",
        "author_key_hash",
        "network_hash",
        "idempotency_key",
    )
)


class Texts(StrEnum):
    """What happens to a person's texts."""

    REMOVE = "remove"
    KEEP = "keep"
    """Without a name."""


def erase(session: Session, commenter_id: int, texts: Texts) -> None:
    """Erase a person; raises ForbiddenError for the only owner of a site.

    Commits after every batch; the account goes last, so that an interrupted run can be started again. Identities,
    sessions, tickets, roles, picture, and everything else that belongs to the account go with it.
    """
    _require_no_site_alone(session, commenter_id)
    if texts is Texts.REMOVE:
        blank = comment_text.from_source(REMOVED, longest=len(REMOVED))
        while batch := _batch(session, commenter_id):
            begin_write(session)
            threads.lock_all(session, _threads_of(session, Comment.id.in_(batch)))
            for comment_id in batch:
                _remove(session, comment_id, blank)
            session.commit()
    begin_write(session)
    mine = Comment.commenter_id == commenter_id
    locked = _threads_of(session, mine)
    threads.lock_all(session, locked)  # threads before the account: the lock order of a post
    session.execute(select(Commenter.id).where(Commenter.id == commenter_id).with_for_update())
    # The person may have posted something a moment ago, in another window.
    if _threads_of(session, mine) - (set() if texts is Texts.REMOVE else locked):
        session.rollback()
        erase(session, commenter_id, texts)
        return
    session.execute(
        delete(Revision)
        .where(Revision.comment_id.in_(select(Comment.id).where(mine)))
        .execution_options(synchronize_session=False)
    )
    profiles.invalidate_pages_of(session, commenter_id)
    theirs = update(Comment).where(mine).values(**_NOBODY)
    session.execute(theirs.execution_options(synchronize_session=False))
    # These refer to the person by id only, and SQLite may reuse the id.
    session.execute(delete(Note).where(Note.about == f"commenter:{commenter_id}"))
    session.execute(delete(Ban).where(Ban.kind == BanKind.PERSON, Ban.value == str(commenter_id)))
    session.execute(delete(Commenter).where(Commenter.id == commenter_id))
    session.commit()


def _require_no_site_alone(session: Session, commenter_id: int) -> None:
    """A site without an owner could not be managed by anybody."""
    other = aliased(Membership)
    others = (
        select(func.count())
        .where(other.site_id == Site.id, other.role == Role.OWNER, other.commenter_id != commenter_id)
        .scalar_subquery()
    )
    name = session.scalar(
        select(Site.name)
        .join(Membership)
        .where(Membership.commenter_id == commenter_id, Membership.role == Role.OWNER, others == 0)
        .limit(1)
    )
    if name is not None:
        raise ForbiddenError(f"You are the only owner of {name}. Make somebody else its owner first.")


def _batch(session: Session, commenter_id: int) -> Sequence[int]:
    """Return some of a person's comments, site by site, because each site's filter has a row to lock."""
    query = select(Comment.id).where(Comment.commenter_id == commenter_id)
    ordered = query.order_by(Comment.site_id, Comment.thread_id, Comment.id.desc())
    return session.scalars(ordered.limit(BATCH)).all()


def _threads_of(session: Session, which: ColumnElement[bool]) -> set[int]:
    return set(session.scalars(select(Comment.thread_id).where(which).distinct()))


def _remove(session: Session, comment_id: int, blank: CommentText) -> None:
    comment = session.get(Comment, comment_id, populate_existing=True)
    if comment is None:
        return
    edits.forget(session, [comment_id])
    training.learn(session, comment, None)  # while its words are still there to unlearn
    comment.source, comment.format, comment.digest = blank.source, blank.format, blank.digest
    comment.html, comment.renderer = blank.rendered.html, markup.VERSION
    comment.edited_at = None
    for name, nothing in _NOBODY.items():
        setattr(comment, name, nothing)
    session.flush()
    decisions.decide(session, comment, Status.TRASH, verdicts=[_VERDICT])
    session.flush()
