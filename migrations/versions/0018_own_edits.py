"""Authors edit and delete their own comments: how long, new texts that wait, and what was erased.

Revision ID: 0018
Revises: 0017
Create Date: 2026-11-30 14:00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_WINDOWS = ("off", "5_minutes", "15_minutes", "1_hour", "1_day", "always")


def upgrade() -> None:
    window = sa.Enum(*_WINDOWS, name="editwindow", native_enum=False, length=20)
    op.add_column("site", sa.Column("edit_window", window, server_default="15_minutes", nullable=False))
    op.add_column("comment", sa.Column("erased_at", UTCDateTime(), nullable=True))
    op.create_table(
        "pending_edit",
        sa.Column(
            "comment_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"],
            ["comment.id"],
            name=op.f("fk_pending_edit_comment_id_comment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_pending_edit")),
    )


def downgrade() -> None:
    op.drop_table("pending_edit")
    op.drop_column("comment", "erased_at")
    op.drop_column("site", "edit_window")
