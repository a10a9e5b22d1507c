"""When background work was last done.

Revision ID: 0016
Revises: 0015
Create Date: 2026-11-30 12:00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "work_round",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_work_round_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_round")),
    )


def downgrade() -> None:
    op.drop_table("work_round")
