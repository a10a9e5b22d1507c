"""Which threads have imported comments, whose old links `#comment-5` mean the other system's; long titles of mentions.

Revision ID: 0022
Revises: 0017
Create Date: 2026-11-30 20:20:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("comment", sa.Column("mention_title", sa.String(length=300), nullable=True))
    op.add_column("thread", sa.Column("imported", sa.Boolean(), server_default=sa.false(), nullable=False))
    threads, comments = (
        sa.table("thread", sa.column("id"), sa.column("imported", sa.Boolean())),
        sa.table("comment", sa.column("thread_id"), sa.column("transfer_key")),
    )
    having = sa.select(comments.c.thread_id).where(comments.c.transfer_key.is_not(None))
    op.execute(threads.update().where(threads.c.id.in_(having)).values(imported=True))


def downgrade() -> None:
    op.drop_column("thread", "imported")
    op.drop_column("comment", "mention_title")
