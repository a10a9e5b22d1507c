"""Posts a comment: looks up what is known, runs the checks and stores the row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import limit_change_to
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import insert_comment, known_authors, slow_mode
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.comments.insert_comment import PostedComment, TargetThread
from commentsvc.domain.proofs import address_proofs
from commentsvc.domain.proofs.address_proofs import AddressClaim
from commentsvc.domain.spam import checks, signals
from commentsvc.domain.spam.checks import Submission, Verdict
from commentsvc.domain.spam.signals import Signals
from commentsvc.domain.surge import detection
from commentsvc.domain.surge.detection import SurgeLevel
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import (
    AlreadyPostedError,
    DuplicateCommentError,
    NotFoundError,
)
from commentsvc.messages import gettext
from commentsvc.models import Comment, Site, Thread, search_text
from commentsvc.text import markup


@dataclass(frozen=True)
class FormSignals:
    """How the form was filled in."""

    honeypot_filled: bool = False
    seconds_on_form: float = 3600.0
    by_script: bool = False
    """The page's script sent it."""


@dataclass(frozen=True)
class NewComment:
    """A comment as it was sent: checked and rendered, but not stored yet."""

    draft: CommentText
    parent_id: int | None = None
    title: str | None = None
    """The article's title, for a thread that begins with this comment."""
    form: FormSignals = FormSignals()
    idempotency_key: str | None = None
    receipt_hash: str | None = None
    """The hash of a guest's receipt; None for a member."""


def examine(
    session: Session,
    site: Site,
    draft: CommentText,
    author: Author,
    *,
    at: datetime,
    article_url: str | None = None,
) -> Signals:
    """Look up what the checks need, best before taking the write lock; raises BannedError."""
    return signals.gather(
        session, site.id, draft.source, draft.rendered.html, author, at=at, article_url=article_url
    )


def is_stored(session: Session, address: ThreadAddress, idempotency_key: str) -> bool:
    """Whether a comment with this key is already stored."""
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
    new: NewComment,
    author: Author,
    *,
    at: datetime,
    examined: Signals | None = None,
) -> PostedComment:
    """Store a comment with its verdict. Needs `begin_write`; the caller commits.

    `examined` is the result of `examine`; without it `examine` runs here and may raise. Raises ThreadClosedError,
    SlowModeError, NotFoundError for an invalid parent, DuplicateCommentError, and AlreadyPostedError if
    `idempotency_key` was used before.
    """
    site = address.site
    session.flush()  # the prepared statements below do not see unflushed objects
    here = insert_comment.target_thread(session, address, title=new.title, at=at)
    limit_change_to(session, site.id, here.match_key or here.key)
    earlier = insert_comment.earlier_comments(
        session, site.id, here, new.draft.digest, new.idempotency_key, author
    )
    if earlier.earlier_id is not None:
        raise AlreadyPostedError(earlier.earlier_id)
    if author.role is None:
        slow_mode.require(session, site.id, here, author, at=at)
    parent = insert_comment.parent(session, here, new.parent_id) if new.parent_id is not None else None
    if new.parent_id is not None and parent is None:
        raise NotFoundError(gettext("The comment that you are replying to no longer exists."))
    if earlier.repeated:
        raise DuplicateCommentError

    examined = examined or examine(session, site, new.draft, author, at=at, article_url=address.url)
    verdicts = verdicts_on(session, site, here.id, new, author, examined, known=earlier.is_known, at=at)
    row = _row(here, new.draft, author) | {
        "site_id": site.id,
        "status": checks.strictest(verdicts),
        "created_at": at,
        "idempotency_key": new.idempotency_key,
        "proved": examined.proof.is_proved,
        "receipt_hash": new.receipt_hash,
    }
    if examined.proof.is_proved:
        _note_use_of_proof(session, site.id, author, at)
    return insert_comment.add(session, row, parent, [verdict.as_row() for verdict in verdicts])


def verdicts_on(
    session: Session,
    site: Site,
    thread_id: int,
    new: NewComment,
    author: Author,
    examined: Signals,
    *,
    known: bool,
    at: datetime,
) -> list[Verdict]:
    """Run the checks on a new comment or a new text. Needs `begin_write` and the thread's lock."""
    level = examined.pressure
    if level is None:
        level = detection.judge(session, site, thread_id, at=at) if author.role is None else SurgeLevel()
    of_old = _is_of_old(session, site, author, level)
    return checks.screen(_submission(site, new, author, examined, level, known=known, of_old=of_old))


def _note_use_of_proof(session: Session, site_id: int, author: Author, at: datetime) -> None:
    hashes = author.proof_hashes
    if hashes and hashes.email and author.author_key_hash:
        claim = AddressClaim(site_id, hashes.email, author.author_key_hash)
        address_proofs.note_use(session, claim, next(iter(hashes.names), None), at=at)


def _row(here: TargetThread, draft: CommentText, author: Author) -> dict[str, Any]:
    row = {
        "thread_id": here.id,
        "format": draft.format,
        "source": draft.source,
        "html": draft.rendered.html,
        "renderer": markup.VERSION,
        "digest": draft.digest,
        "commenter_id": author.commenter_id,
        "role": author.role,
        "guest_name": author.guest.name,
        "guest_email": author.guest.email,
        "guest_website": author.guest.website,
        "author_key_hash": author.author_key_hash,
        "network_hash": author.network_hash,
    }
    return row | {"search_text": search_text(Comment, row)}


def _submission(
    site: Site,
    new: NewComment,
    author: Author,
    examined: Signals,
    level: SurgeLevel,
    *,
    known: bool,
    of_old: bool,
) -> Submission:
    return Submission(
        policy=site.policy,
        role=author.role,
        known=known,
        honeypot_filled=new.form.honeypot_filled,
        seconds_on_form=new.form.seconds_on_form,
        sanitisers_agreed=new.draft.rendered.agreed,
        rules=signals.rules_of(site),
        words=examined.words,
        links=examined.links,
        namesake=examined.namesake,
        proof=examined.proof,
        score=examined.score,
        opinions=examined.opinions,
        pressure=level,
        of_old=of_old,
        by_script=new.form.by_script,
    )


def _is_of_old(session: Session, site: Site, author: Author, level: SurgeLevel) -> bool:
    """Whether this author was known well before the surge began, not through comments during it."""
    if level.since is None:
        return False
    return known_authors.was_known(session, site.id, author, before=level.since - detection.OLD)
