"""Data for undoing: the text before a moderator's edit, and what the local filter had learned before a decision.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-23 06:41:20.507331
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "decision",
        sa.Column(
            "learned",
            sa.Enum("approved", "held", "spam", "trash", name="status", native_enum=False, length=20),
            nullable=True,
        ),
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("comment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("action_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "format",
            sa.Enum("markdown", "html", name="textformat", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("guest_name", sa.String(length=80), nullable=True),
        sa.Column("guest_email", sa.String(length=254), nullable=True),
        sa.Column("guest_website", sa.String(length=500), nullable=True),
        sa.Column("edited_before", UTCDateTime(), nullable=True),
        sa.Column("edited_after", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["action_id"],
            ["action.id"],
            name=op.f("fk_revision_action_id_action"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["comment_id"],
            ["comment.id"],
            name=op.f("fk_revision_comment_id_comment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
    )
    op.create_index(op.f("ix_revision_action_id"), "revision", ["action_id"])
    op.create_index(op.f("ix_revision_comment_id"), "revision", ["comment_id"])
    op.create_index(op.f("ix_revision_created_at"), "revision", ["created_at"])


def downgrade() -> None:
    op.drop_table("revision")
    op.drop_column("decision", "learned")
