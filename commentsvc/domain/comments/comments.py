"""A new comment: what is known when it comes, what the checks say of it, and its row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import limit_change_to
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import insert_comment, slow_mode
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.comments.insert_comment import PostedComment
from commentsvc.domain.moderation import decisions
from commentsvc.domain.spam import checks, signals
from commentsvc.domain.spam.checks import Submission
from commentsvc.domain.spam.signals import Signals
from commentsvc.domain.surge import detection
from commentsvc.domain.surge.detection import SurgeLevel
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import (
    AlreadyPostedError,
    DuplicateCommentError,
    NotFoundError,
    WorkNeededError,
)
from commentsvc.models import Comment, Site, Thread
from commentsvc.text import markup


@dataclass(frozen=True)
class FormSignals:
    """How the form was filled in."""

    honeypot_filled: bool = False
    seconds_on_form: float = 3600.0
    worked: bool = False
    """Its browser has done the work that is asked for under pressure."""
    can_work: bool = False
    """It would, if it were asked to."""


def examine(session: Session, site: Site, draft: CommentText, author: Author, *, at: datetime) -> Signals:
    """Look up what the checks need, best before the database is asked for its lock; raises BannedError."""
    return signals.gather(session, site.id, draft.source, draft.rendered.html, author, at=at)


def is_stored(session: Session, address: ThreadAddress, idempotency_key: str) -> bool:
    """Whether a comment came with this key before."""
    known = (
        select(Comment.id)
        .join(Thread)
        .where(
            Thread.site_id == address.site.id,
            Thread.key == address.key,
            Comment.idempotency_key == idempotency_key,
        )
    )
    return session.scalar(known) is not None


def post(
    session: Session,
    address: ThreadAddress,
    draft: CommentText,
    author: Author,
    *,
    at: datetime,
    parent_id: int | None = None,
    title: str | None = None,
    signs: FormSignals,
    found: Signals | None = None,
    idempotency_key: str | None = None,
) -> Comment:
    """Do what `put` does, and return the comment itself."""
    posted = store(
        session,
        address,
        draft,
        author,
        at=at,
        parent_id=parent_id,
        title=title,
        signs=signs,
        found=found,
        idempotency_key=idempotency_key,
    )
    return session.get_one(Comment, posted.id)


def store(
    session: Session,
    address: ThreadAddress,
    draft: CommentText,
    author: Author,
    *,
    at: datetime,
    parent_id: int | None = None,
    title: str | None = None,
    signs: FormSignals,
    found: Signals | None = None,
    idempotency_key: str | None = None,
) -> PostedComment:
    """Store a comment with its verdict. Needs `begin_write`; the caller commits.

    `found` is what `examine` returned; without it that is done here, and raises what it does. Raises
    ThreadClosedError, SlowModeError, NotFoundError for a parent that cannot be answered, DuplicateCommentError,
    AlreadyPostedError where `idempotency_key` has been here before, and WorkNeededError where the browser can.
    """
    site, guest = address.site, author.guest
    session.flush()  # what follows does not look at what is only in memory
    here = insert_comment.target_thread(session, address, title=title, at=at)
    limit_change_to(session, site.id, here.match_key or here.key)
    known = insert_comment.earlier_comments(session, site.id, here, draft.digest, idempotency_key, author)
    if known.earlier_id is not None:
        raise AlreadyPostedError(known.earlier_id)
    if author.role is None:
        slow_mode.require(session, site.id, here, author, at=at)
    parent = insert_comment.parent(session, here, parent_id) if parent_id is not None else None
    if parent_id is not None and parent is None:
        raise NotFoundError("The comment you are answering is no longer there.")
    if known.repeated:
        raise DuplicateCommentError

    found = found or examine(session, site, draft, author, at=at)
    felt = found.pressure
    if felt is None:
        felt = detection.judge(session, site, here.id, at=at) if author.role is None else SurgeLevel()
    of_old = _is_of_old(session, site, author, felt)
    submission = _submission(site, draft, author, signs, found, felt, known=known.approved, of_old=of_old)
    verdicts = checks.screen(submission)
    if signs.can_work and checks.waits_for_work(submission, verdicts):
        raise WorkNeededError
    row = {
        "site_id": site.id,
        "thread_id": here.id,
        "status": checks.strictest(verdicts),
        "format": draft.format,
        "source": draft.source,
        "html": draft.rendered.html,
        "renderer": markup.VERSION,
        "digest": draft.digest,
        "commenter_id": author.commenter_id,
        "role": author.role,
        "guest_name": guest.name,
        "guest_email": guest.email,
        "guest_website": guest.website,
        "author_key_hash": author.author_key_hash,
        "network_hash": author.network_hash,
        "created_at": at,
        "idempotency_key": idempotency_key,
    }
    return insert_comment.add(session, row, parent, [verdict.as_row() for verdict in verdicts])


def _submission(
    site: Site,
    draft: CommentText,
    author: Author,
    signs: FormSignals,
    found: Signals,
    felt: SurgeLevel,
    *,
    known: bool,
    of_old: bool,
) -> Submission:
    return Submission(
        policy=site.policy,
        role=author.role,
        known=known,
        honeypot_filled=signs.honeypot_filled,
        seconds_on_form=signs.seconds_on_form,
        sanitisers_agreed=draft.rendered.agreed,
        rules=signals.rules_of(site),
        words=found.words,
        links=found.links,
        namesake=found.namesake,
        score=found.score,
        opinions=found.opinions,
        pressure=felt,
        of_old=of_old,
        worked=signs.worked,
    )


def _is_of_old(session: Session, site: Site, author: Author, felt: SurgeLevel) -> bool:
    """Whether this person was known well before the pressure began: nobody earns that within it."""
    if felt.since is None:
        return False
    return decisions.is_known(session, site.id, author, before=felt.since - detection.OLD)
