"""Subscriptions by mail with their consent, suppressed addresses, and a notice for each comment that becomes visible.

Existing sites offer no subscriptions until their owners switch them on, so a process of the release before, which
cannot write these mails, meets none.

Revision ID: 0021
Revises: 0017
Create Date: 2026-11-30 08:05:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "confirmation_count",
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_confirmation_count_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("address_hash", "site_id", name=op.f("pk_confirmation_count")),
    )
    with op.batch_alter_table("confirmation_count", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_confirmation_count_last_at"), ["last_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_confirmation_count_site_id"), ["site_id"], unique=False)

    op.create_table(
        "suppression",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                "asked",
                "unwanted",
                "bounced",
                "refused",
                name="suppressionreason",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_suppression_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.create_index("ix_suppression_address", ["address_hash", "site_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_suppression_site_id"), ["site_id"], unique=False)

    op.create_table(
        "subscription",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("thread_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "kind",
            sa.Enum("thread", "replies", "posts", name="subscriptionkind", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("address", sa.String(length=254), nullable=True),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("commenter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("author_key_hash", sa.String(length=64), nullable=True),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("confirm_hash", sa.String(length=64), nullable=True),
        sa.Column(
            "frequency",
            sa.Enum("at_once", "daily", name="frequency", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("wording", sa.Integer(), nullable=False),
        sa.Column("requested_at", UTCDateTime(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=True),
        sa.Column("confirmed_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column(
            "ended_by",
            sa.Enum("link", "one_click", "bounce", "refused", name="endreason", native_enum=False, length=20),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["commenter_id"],
            ["commenter.id"],
            name=op.f("fk_subscription_commenter_id_commenter"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_subscription_site_id_site"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["thread.id"], name=op.f("fk_subscription_thread_id_thread"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("confirm_hash", name=op.f("uq_subscription_confirm_hash")),
        sa.UniqueConstraint(
            "thread_id", "kind", "address_hash", name=op.f("uq_subscription_thread_id_kind_address_hash")
        ),
        sa.UniqueConstraint("token", name=op.f("uq_subscription_token")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subscription_address_hash"), ["address_hash"], unique=False)
        batch_op.create_index(
            "ix_subscription_commenter_id",
            ["commenter_id"],
            unique=False,
            sqlite_where=sa.text("commenter_id IS NOT NULL"),
            postgresql_where=sa.text("commenter_id IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_subscription_ended_at"), ["ended_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_subscription_site_id"), ["site_id"], unique=False)
        batch_op.create_index(
            "ix_subscription_unconfirmed",
            ["requested_at"],
            unique=False,
            sqlite_where=sa.text("confirmed_at IS NULL"),
            postgresql_where=sa.text("confirmed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_subscription_whole_site",
            ["site_id", "kind", "address_hash"],
            unique=True,
            sqlite_where=sa.text("thread_id IS NULL"),
            postgresql_where=sa.text("thread_id IS NULL"),
        )

    op.create_table(
        "notice",
        sa.Column(
            "comment_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("done_up_to", sa.String(length=64), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name=op.f("fk_notice_comment_id_comment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notice_waiting",
            ["comment_id"],
            unique=False,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "kind",
                sa.Enum(
                    "confirmation",
                    "comment",
                    "reply",
                    "published",
                    name="deliverykind",
                    native_enum=False,
                    length=20,
                ),
                nullable=True,
            )
        )
        batch_op.add_column(
            sa.Column("subscription_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(
            sa.Column("comment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("recipient_hash", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("message_id", sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column("closed_at", UTCDateTime(), nullable=True))
        batch_op.create_index(
            "ix_delivery_closed",
            ["closed_at"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NOT NULL"),
            postgresql_where=sa.text("closed_at IS NOT NULL"),
        )
        batch_op.create_index("ix_delivery_recipient", ["recipient_hash", "state"], unique=False)
        batch_op.create_index(
            "ix_delivery_subscription_id",
            ["subscription_id"],
            unique=False,
            sqlite_where=sa.text("subscription_id IS NOT NULL"),
            postgresql_where=sa.text("subscription_id IS NOT NULL"),
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_delivery_comment_id_recipient_hash"), ["comment_id", "recipient_hash"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_delivery_subscription_id_subscription"),
            "subscription",
            ["subscription_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_delivery_comment_id_comment"),
            "comment",
            ["comment_id"],
            ["id"],
            ondelete="CASCADE",
        )

    op.add_column("site", sa.Column("comment_mail", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("site", "comment_mail")

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_delivery_comment_id_comment"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_delivery_subscription_id_subscription"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_delivery_comment_id_recipient_hash"), type_="unique")
        batch_op.drop_index(
            "ix_delivery_subscription_id",
            sqlite_where=sa.text("subscription_id IS NOT NULL"),
            postgresql_where=sa.text("subscription_id IS NOT NULL"),
        )
        batch_op.drop_index("ix_delivery_recipient")
        batch_op.drop_index(
            "ix_delivery_closed",
            sqlite_where=sa.text("closed_at IS NOT NULL"),
            postgresql_where=sa.text("closed_at IS NOT NULL"),
        )
        batch_op.drop_column("closed_at")
        batch_op.drop_column("message_id")
        batch_op.drop_column("recipient_hash")
        batch_op.drop_column("comment_id")
        batch_op.drop_column("subscription_id")
        batch_op.drop_column("kind")

    op.drop_table("notice")
    op.drop_table("subscription")
    op.drop_table("suppression")
    op.drop_table("confirmation_count")
