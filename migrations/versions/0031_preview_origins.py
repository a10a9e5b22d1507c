"""Addresses of previews, by a wildcard for one part of the host.

A new table, of which a process of the release before knows nothing: its pages on previews say that the website is not
registered, as before.

Revision ID: 0031
Revises: 0030
Create Date: 2026-11-30 11:20:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "preview_origin",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("pattern", sa.String(length=300), nullable=False),
        sa.Column("takes_comments", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_preview_origin_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preview_origin")),
        sa.UniqueConstraint("pattern", name=op.f("uq_preview_origin_pattern")),
    )
    with op.batch_alter_table("preview_origin", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_preview_origin_site_id"), ["site_id"], unique=False)


def downgrade() -> None:
    op.drop_table("preview_origin")
