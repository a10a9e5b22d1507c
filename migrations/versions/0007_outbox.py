"""Surge episodes, the usual rate of comments of each site, and the outbox.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-23 06:40:12.803116
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OF_THREAD = "ended_at IS NULL AND thread_id IS NOT NULL"
_OF_SITE = "ended_at IS NULL AND thread_id IS NULL"


def upgrade() -> None:
    op.execute("DELETE FROM pressure")  # no release has written any
    with op.batch_alter_table("pressure", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hot_at", UTCDateTime(), nullable=False))
        batch_op.add_column(sa.Column("eased_at", UTCDateTime(), nullable=True))
        batch_op.drop_index("ix_pressure_site_id")
        batch_op.create_index("ix_pressure_now", ["site_id", "ended_at"], unique=False)
    for name, column, rows in (
        ("ix_pressure_of_thread", "thread_id", _OF_THREAD),
        ("ix_pressure_of_site", "site_id", _OF_SITE),
    ):
        op.create_index(
            name,
            "pressure",
            [column],
            unique=True,
            sqlite_where=sa.text(rows),
            postgresql_where=sa.text(rows),
        )

    op.create_table(
        "usual",
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hourly", sa.Integer(), nullable=False),
        sa.Column("reckoned_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_usual_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_usual")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("recipient", sa.String(length=254), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("waiting", "sent", "failed", name="deliverystate", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UTCDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_delivery_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_site_id"), "delivery", ["site_id"])
    op.create_index(op.f("ix_delivery_next_attempt_at"), "delivery", ["next_attempt_at"])


def downgrade() -> None:
    op.drop_table("delivery")
    op.drop_table("usual")
    op.drop_index("ix_pressure_of_site", "pressure")
    op.drop_index("ix_pressure_of_thread", "pressure")
    with op.batch_alter_table("pressure", schema=None) as batch_op:
        batch_op.drop_index("ix_pressure_now")
        batch_op.create_index("ix_pressure_site_id", ["site_id"], unique=False)
        batch_op.drop_column("eased_at")
        batch_op.drop_column("hot_at")
