"""Languages: of a site with its owner's own words, and of a person.

New columns that are empty or have defaults, so that a process of the release before goes on writing.

Revision ID: 0034
Revises: 0033
Create Date: 2026-11-30 14:30:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("site", sa.Column("language", sa.String(35), nullable=False, server_default="en"))
    op.add_column("site", sa.Column("words", sa.Text(), nullable=False, server_default=""))
    op.add_column("commenter", sa.Column("language", sa.String(35), nullable=True))


def downgrade() -> None:
    op.drop_column("commenter", "language")
    op.drop_column("site", "words")
    op.drop_column("site", "language")
