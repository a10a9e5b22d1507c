"""Feeds of comments: a switch for each site, and the secret addresses of people's feeds.

A new table and a column with a default, of which a process of the release before knows nothing.

Revision ID: 0028
Revises: 0027
Create Date: 2026-11-30 11:20:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("site", sa.Column("comment_feeds", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_table(
        "answer_feed",
        sa.Column("id", _ID, nullable=False),
        sa.Column("commenter_id", _ID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["commenter_id"],
            ["commenter.id"],
            name=op.f("fk_answer_feed_commenter_id_commenter"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_feed")),
        sa.UniqueConstraint("commenter_id", name=op.f("uq_answer_feed_commenter_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_answer_feed_token_hash")),
    )


def downgrade() -> None:
    op.drop_table("answer_feed")
    op.drop_column("site", "comment_feeds")
