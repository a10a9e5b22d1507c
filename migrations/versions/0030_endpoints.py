"""Webhooks, chat messages and build hooks.

Nobody gets any without an endpoint, which only the new release can make: a process of the release before meets no row
of a kind that it does not know.

Revision ID: 0030
Revises: 0029
Create Date: 2026-11-30 11:10:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HAS_ENDPOINT = sa.text("endpoint_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "endpoint",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("commenter_id", _ID, nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("events", sa.String(length=300), nullable=False),
        sa.Column("has_links", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("off_at", UTCDateTime(), nullable=True),
        sa.Column("off_reason", sa.String(length=20), nullable=True),
        sa.Column("failing_since", UTCDateTime(), nullable=True),
        sa.Column("paused_until", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["commenter_id"],
            ["commenter.id"],
            name=op.f("fk_endpoint_commenter_id_commenter"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_endpoint_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoint")),
    )
    op.create_index(op.f("ix_endpoint_commenter_id"), "endpoint", ["commenter_id"], unique=False)
    op.create_index(op.f("ix_endpoint_site_id"), "endpoint", ["site_id"], unique=False)
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("endpoint_id", _ID, nullable=True))
        batch_op.add_column(sa.Column("event", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("about_id", sa.BigInteger(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_delivery_endpoint_id_endpoint"),
            "endpoint",
            ["endpoint_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch_op.create_index(
            "ix_delivery_endpoint",
            ["endpoint_id", "id"],
            sqlite_where=_HAS_ENDPOINT,
            postgresql_where=_HAS_ENDPOINT,
        )
    op.create_table(
        "delivery_try",
        sa.Column("id", _ID, nullable=False),
        sa.Column("delivery_id", _ID, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
            name=op.f("fk_delivery_try_delivery_id_delivery"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_try")),
    )
    op.create_index(op.f("ix_delivery_try_delivery_id"), "delivery_try", ["delivery_id"], unique=False)


def downgrade() -> None:
    op.drop_table("delivery_try")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_delivery_endpoint", sqlite_where=_HAS_ENDPOINT, postgresql_where=_HAS_ENDPOINT
        )
        batch_op.drop_constraint(batch_op.f("fk_delivery_endpoint_id_endpoint"), type_="foreignkey")
        batch_op.drop_column("about_id")
        batch_op.drop_column("event")
        batch_op.drop_column("endpoint_id")
    op.drop_table("endpoint")
