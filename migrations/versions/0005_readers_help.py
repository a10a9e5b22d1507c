"""Who reported a comment (an account or a network), and pinned comments.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-23 04:58:31.402817
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_comment_pinned",
        "comment",
        ["thread_id"],
        sqlite_where=sa.text("pinned = 1"),
        postgresql_where=sa.text("pinned"),
    )
    op.add_column("report", sa.Column("member", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("report", sa.Column("network_hash", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("report", "network_hash")
    op.drop_column("report", "member")
    op.drop_index("ix_comment_pinned", "comment")
