"""The hash of the private link to a guest's comment.

Existing comments have none, and neither have those that the previous release stores meanwhile.

Revision ID: 0019
Revises: 0018
Create Date: 2026-11-30 13:30:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_INDEX = "ix_comment_receipt"


def upgrade() -> None:
    op.add_column("comment", sa.Column("receipt_hash", sa.String(length=64), nullable=True))
    has_receipt = sa.text("receipt_hash IS NOT NULL")
    op.create_index(
        _INDEX,
        "comment",
        ["receipt_hash"],
        unique=True,
        sqlite_where=has_receipt,
        postgresql_where=has_receipt,
    )


def downgrade() -> None:
    op.drop_index(_INDEX, "comment")
    op.drop_column("comment", "receipt_hash")
