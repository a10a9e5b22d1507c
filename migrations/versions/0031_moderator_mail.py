"""Whether moderators of a site may get mail about held comments.

Nobody gets it without asking for it in the new release, so that a process of the release before meets none.

Revision ID: 0031
Revises: 0022
Create Date: 2026-11-30 09:05:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("site", sa.Column("moderator_mail", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    op.drop_column("site", "moderator_mail")
