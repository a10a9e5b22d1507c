"""When each thread last changed, for builds that keep copies of its comments.

A process of the release before leaves the column as it is, so a change that it makes is not found by its time.

Revision ID: 0027
Revises: 0026
Create Date: 2026-11-30 11:25:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("thread", sa.Column("changed_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("thread", "changed_at")
