"""The move of the whole service to another database.

A new table, of which a process of the release before knows nothing: it would go on writing during a move, so all
processes must have this release before `commentsvc move` is used.

Revision ID: 0025
Revises: 0024
Create Date: 2026-11-30 11:10:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "service_move",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("other", sa.String(length=500), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("began_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_service_move_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_move")),
    )


def downgrade() -> None:
    op.drop_table("service_move")
