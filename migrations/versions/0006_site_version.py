"""A version for each site, by which the page cache notices changed settings.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-23 06:31:12.118430
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("site", sa.Column("version", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("site", "version")
