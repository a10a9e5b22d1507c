"""Trains the spam filter on moderators' and imported decisions; each comment counts once and can be unlearned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.db.session import Base, begin_write
from commentsvc.domain.spam import spam_filter, tokens
from commentsvc.domain.spam.spam_filter import Counts
from commentsvc.domain.spam.tokens import TokenSource
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Decision, FilterWord, Kind, Status

LEARNABLE = frozenset({Status.APPROVED, Status.SPAM})
"""The statuses to learn from: a held or deleted comment may be spam or not."""
BATCH = 200
_FILTER_WORD = Base.metadata.tables["filter_word"]


def learned_counts(session: Session, site_id: int) -> Counts:
    """Return how many decisions of each kind a site's filter has learned."""
    return spam_filter.lookup(session, site_id, []).get("", Counts())


def follow(session: Session, site_id: int, statuses: Mapping[Comment, Status]) -> None:
    """Learn a person's decisions on comments, replacing what was learned before. Needs `begin_write`."""
    learn_all(
        session, site_id, {comment: _learnable(comment, status) for comment, status in statuses.items()}
    )


def learn(session: Session, comment: Comment, status: Status | None) -> None:
    """Make the filter count a comment as `status`, or not at all if None; no effect if it already does."""
    learn_all(session, comment.site_id, {comment: status})


def learn_all(session: Session, site_id: int, statuses: Mapping[Comment, Status | None]) -> None:
    """Do for several comments of a site what `learn` does for one, in a few statements."""
    changes: Counter[tuple[str, Status]] = Counter()
    for comment, status in statuses.items():
        if comment.learned is status:
            continue
        for word in ("", *tokens.tokens_of(source_of(comment))):
            if comment.learned is not None:
                changes[word, comment.learned] -= 1
            if status is not None:
                changes[word, status] += 1
        comment.learned = status
    _add(session, site_id, changes)


def forget(session: Session, site_id: int) -> None:
    """Empty a site's filter. Needs `begin_write`; the caller commits."""
    threads.lock_site(session, site_id)
    session.execute(delete(FilterWord).where(FilterWord.site_id == site_id))
    change_rows(
        session,
        update(Comment).where(Comment.site_id == site_id, Comment.learned.is_not(None)).values(learned=None),
    )
    # Undoing an earlier decision must not teach it again.
    here = select(Comment.id).where(Comment.site_id == site_id)
    change_rows(
        session,
        update(Decision)
        .where(Decision.learned.is_not(None), Decision.comment_id.in_(here))
        .values(learned=None),
    )


def learn_imported(
    session: Session, site_id: int, *, progress: Callable[[], object] = lambda: None
) -> Counts:
    """Learn from imported comments' statuses; return how many were new. Commits.

    `progress` is called after each batch.
    """
    spam = ham = after = 0
    while True:
        begin_write(session)
        batch = _imported(session, site_id, after)
        if not batch:
            session.rollback()
            return Counts(spam, ham)
        after = batch[-1].id
        threads.lock_all(session, (comment.thread_id for comment in batch))
        batch = [comment for comment in _again(session, batch) if comment.learned is None]
        changes: Counter[tuple[str, Status]] = Counter()
        for comment in batch:
            for word in ("", *tokens.tokens_of(source_of(comment))):
                changes[word, comment.status] += 1
            comment.learned = comment.status
        _add(session, site_id, changes)
        spam += sum(comment.status is Status.SPAM for comment in batch)
        ham += sum(comment.status is Status.APPROVED for comment in batch)
        session.commit()
        progress()


def source_of(comment: Comment) -> TokenSource:
    """Return the parts of a stored comment that the filter reads."""
    return TokenSource(
        source=comment.source,
        html=comment.html,
        name=comment.guest_name,
        email=comment.guest_email,
        website=comment.guest_website,
    )


def _learnable(comment: Comment, status: Status) -> Status | None:
    return status if status in LEARNABLE and comment.kind is Kind.COMMENT else None


def _imported(session: Session, site_id: int, after: int) -> Sequence[Comment]:
    query = select(Comment).where(
        Comment.site_id == site_id,
        Comment.id > after,
        Comment.transfer_key.is_not(None),
        Comment.kind == Kind.COMMENT,
        Comment.status.in_(LEARNABLE),
        Comment.learned.is_(None),
    )
    return session.scalars(query.order_by(Comment.id).limit(BATCH)).all()


def _again(session: Session, batch: Sequence[Comment]) -> Sequence[Comment]:
    """Read comments again now that their threads are locked."""
    still = select(Comment).where(
        Comment.id.in_([comment.id for comment in batch]), Comment.status.in_(LEARNABLE)
    )
    return session.scalars(still.order_by(Comment.id).execution_options(populate_existing=True)).all()


def _add(session: Session, site_id: int, changes: Counter[tuple[str, Status]]) -> None:
    """Change the counts. The row of the empty word comes first, so that concurrent calls wait for each other."""
    words: dict[str, Counter[Status]] = {}
    for (word, status), number in changes.items():
        words.setdefault(word, Counter())[status] += number
    rows: list[dict[str, Any]] = [
        {"site_id": site_id, "word": word, "spam": its[Status.SPAM], "ham": its[Status.APPROVED]}
        for word, its in sorted(words.items())
        if its[Status.SPAM] or its[Status.APPROVED]
    ]
    if rows:
        _upsert(session, rows)
    gone = FilterWord.site_id == site_id, FilterWord.spam <= 0, FilterWord.ham <= 0
    fewer = [row["word"] for row in rows if row["spam"] < 0 or row["ham"] < 0]
    for some in _pieces(fewer):
        session.execute(delete(FilterWord).where(*gone, FilterWord.word.in_(some)))


def _upsert(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    insert: Any = sqlite.insert
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # only if it is the database: it is slow to import

        insert = postgresql.insert
    statement = insert(_FILTER_WORD)  # one text for any number of rows, so that it is compiled once
    counted = {name: _FILTER_WORD.c[name] + statement.excluded[name] for name in ("spam", "ham")}
    statement = statement.on_conflict_do_update(index_elements=["site_id", "word"], set_=counted)
    session.execute(statement, rows)


def _pieces(words: Sequence[str]) -> Iterable[Sequence[str]]:
    return (words[at : at + spam_filter.IN_QUERY] for at in range(0, len(words), spam_filter.IN_QUERY))
