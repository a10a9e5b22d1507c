"""A login's ticket stores where the login began, so that a login without its cookie can return there.

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-29 18:20:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("begun_from", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("ticket", "begun_from")
