"""Readers' votes on comments: likes, or votes up and down."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import now

_HAS_COMMENTER = text("commenter_id IS NOT NULL")
_HAS_NETWORK = text("network_hash IS NOT NULL")


class Vote(Base):
    """One reader's vote on a comment."""

    __tablename__ = "vote"
    __table_args__ = (
        # The votes of a network on a comment, and those that go with a deleted comment.
        Index("ix_vote_comment", "comment_id", "network_hash"),
        Index(
            "ix_vote_commenter", "commenter_id", sqlite_where=_HAS_COMMENTER, postgresql_where=_HAS_COMMENTER
        ),
        # Whose network is to be forgotten.
        Index("ix_vote_networks", "created_at", sqlite_where=_HAS_NETWORK, postgresql_where=_HAS_NETWORK),
    )

    voter: Mapped[str] = mapped_column(String(80), primary_key=True)
    """`account:ID`; of a guest `key:HASH` of their browser's key, without a key `network:HASH`."""
    comment_id: Mapped[int] = mapped_column(
        ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    commenter_id: Mapped[int | None] = mapped_column(ForeignKey("commenter.id", ondelete="CASCADE"))
    """The voter's account; None for a guest."""
    network_hash: Mapped[str | None] = mapped_column(String(64))
    """Only of guests."""
    value: Mapped[int] = mapped_column(SmallInteger)
    """1 for up, -1 for down."""
    counted: Mapped[bool]
    """Whether it is in the comment's numbers: only some guests of one network count."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
