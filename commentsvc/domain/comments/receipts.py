"""Receipts: the private link to a guest's comment. Whoever has it may see, edit and delete this one comment.

Only a hash of its token is stored, in the comment's row, so that it ends with the comment and moves with its thread.
"""

from __future__ import annotations

import secrets
import string
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.threads import threads
from commentsvc.errors import NotFoundError
from commentsvc.integrations import signing
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Comment, Decision, Status

LENGTH = 24
"""Characters of a token: 142 random bits."""
_ALPHABET = string.ascii_letters + string.digits  # a mail program or a chat never breaks such a link
_OWNERSHIP = ("receipt_hash", "author_key_hash", "commenter_id")
_UNKNOWN = gettext_noop(
    "This link belongs to no comment. Either a newer link has replaced it, "
    "or the comment was deleted or put under an account."
)


class Outcome(StrEnum):
    """What became of a comment, as its author is told."""

    WAITS = "waits"
    WAITS_AGAIN = "waits again"
    """It was published before."""
    PUBLISHED = "published"
    REMOVED = "removed"
    NOT_PUBLISHED = "not published"
    """It counts as spam, which is not said."""


def new_token() -> str:
    """Return a random token of letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))


def hash_of(key: bytes, token: str) -> str:
    """Return a token's stored hash in 64 hexadecimal digits; `key` is the key of hashes that must last."""
    return signing.keyed_hash(key, "receipt", token)


def feed_token(key: bytes, receipt_hash: str) -> str:
    """Return what opens the feed of answers to a receipt's comment, and nothing else; a renewed receipt has another."""
    return signing.keyed_hash(key, "answers to a receipt", receipt_hash)


def find(session: Session, receipt_hash: str) -> Comment:
    """Return the comment of a receipt; raises NotFoundError."""
    comment = session.scalar(select(Comment).where(Comment.receipt_hash == receipt_hash))
    if comment is None:
        raise NotFoundError(gettext(_UNKNOWN))
    return comment


def find_locked(session: Session, receipt_hash: str) -> Comment:
    """Return the comment of a receipt for a change, with its thread locked; raises NotFoundError.

    Needs `begin_write`. The receipt may have been renewed until the lock was taken.
    """
    comment = find(session, receipt_hash)
    threads.lock_of(session, comment, *_OWNERSHIP, "status")
    if comment.receipt_hash != receipt_hash:
        raise NotFoundError(gettext(_UNKNOWN))
    return comment


def renew(session: Session, receipt_hash: str, fresh_hash: str) -> None:
    """Replace a comment's receipt by another one. Needs `begin_write`; raises NotFoundError."""
    find_locked(session, receipt_hash).receipt_hash = fresh_hash


def renew_for_browser(
    session: Session, comment: Comment, author_key_hash: str | None, fresh_hash: str
) -> bool:
    """Replace the receipt of a guest's comment for the browser that wrote it; return False for any other browser.

    Needs `begin_write`.
    """
    threads.lock_of(session, comment, *_OWNERSHIP)
    if (
        author_key_hash is None
        or comment.author_key_hash != author_key_hash
        or comment.commenter_id is not None
    ):
        return False
    comment.receipt_hash = fresh_hash
    return True


def outcome_of(session: Session, comment: Comment) -> Outcome:
    """Return what became of a comment."""
    match comment.status:
        case Status.APPROVED:
            return Outcome.PUBLISHED
        case Status.SPAM:
            return Outcome.NOT_PUBLISHED
        case Status.TRASH:
            return Outcome.REMOVED
    was_published = select(Decision.id).where(
        Decision.comment_id == comment.id, Decision.before == Status.APPROVED
    )
    return Outcome.WAITS_AGAIN if session.scalar(was_published.limit(1)) else Outcome.WAITS
