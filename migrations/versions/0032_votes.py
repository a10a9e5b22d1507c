"""Readers' votes on comments, and the order by them.

New columns have defaults, so that a process of the release before goes on writing. On PostgreSQL the index of the new
order is built while posts wait: about a second for a million comments.

Revision ID: 0032
Revises: 0031
Create Date: 2026-11-30 11:10:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ROOTS = "root_id IS NULL AND kind = 'comment'"
_HAS_COMMENTER = sa.text("commenter_id IS NOT NULL")
_HAS_NETWORK = sa.text("network_hash IS NOT NULL")
_HAS_VOTES = sa.text("votes_since IS NOT NULL")


def upgrade() -> None:
    likes = sa.Enum("off", "likes", "votes", name="likes", native_enum=False, length=20)
    op.add_column("site", sa.Column("likes", likes, server_default="off", nullable=False))
    op.add_column("thread", sa.Column("votes_since", UTCDateTime(), nullable=True))
    op.create_index(
        "ix_thread_votes", "thread", ["votes_since"], sqlite_where=_HAS_VOTES, postgresql_where=_HAS_VOTES
    )
    for name in ("ups", "downs", "score"):
        op.add_column("comment", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "comment", sa.Column("liked_by_owner", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_index(
        "ix_comment_best",
        "comment",
        ["thread_id", "score", "created_at", "id"],
        sqlite_where=sa.text(f"shown = 1 AND {_ROOTS}"),
        postgresql_where=sa.text(f"shown AND {_ROOTS}"),
    )
    op.create_table(
        "vote",
        sa.Column("voter", sa.String(length=80), nullable=False),
        sa.Column("comment_id", _ID, autoincrement=False, nullable=False),
        sa.Column("commenter_id", _ID, nullable=True),
        sa.Column("network_hash", sa.String(length=64), nullable=True),
        sa.Column("value", sa.SmallInteger(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name=op.f("fk_vote_comment_id_comment"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["commenter_id"],
            ["commenter.id"],
            name=op.f("fk_vote_commenter_id_commenter"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("voter", "comment_id", name=op.f("pk_vote")),
    )
    op.create_index("ix_vote_comment", "vote", ["comment_id", "network_hash"])
    op.create_index(
        "ix_vote_commenter",
        "vote",
        ["commenter_id"],
        sqlite_where=_HAS_COMMENTER,
        postgresql_where=_HAS_COMMENTER,
    )
    op.create_index(
        "ix_vote_networks", "vote", ["created_at"], sqlite_where=_HAS_NETWORK, postgresql_where=_HAS_NETWORK
    )


def downgrade() -> None:
    op.drop_table("vote")
    op.drop_index("ix_comment_best", "comment")
    for name in ("liked_by_owner", "score", "downs", "ups"):
        op.drop_column("comment", name)
    op.drop_index("ix_thread_votes", "thread")
    op.drop_column("thread", "votes_since")
    op.drop_column("site", "likes")
