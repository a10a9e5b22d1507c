"""Mail to moderators about held comments, and to readers about new articles, from the site's feed.

Nobody gets either without asking for it in the new release, so that a process of the release before meets none.

Revision ID: 0023
Revises: 0022
Create Date: 2026-11-30 09:05:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WAITING = sa.text("done_at IS NULL")
_HAS_ANNOUNCEMENT = sa.text("announcement_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("site", sa.Column("moderator_mail", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("site", sa.Column("post_mail", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("site", sa.Column("feed_url", sa.String(length=2000), nullable=True))
    op.create_table(
        "feed_state",
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("checked_at", UTCDateTime(), nullable=False),
        sa.Column("began_at", UTCDateTime(), nullable=True),
        sa.Column("etag", sa.String(length=300), nullable=True),
        sa.Column("last_modified", sa.String(length=100), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_feed_state_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_feed_state")),
    )
    op.create_table(
        "feed_item",
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_hash", sa.String(length=64), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_feed_item_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", "item_hash", name=op.f("pk_feed_item")),
    )
    op.create_table(
        "announcement",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("articles", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("done_up_to", sa.String(length=64), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_announcement_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
    )
    with op.batch_alter_table("announcement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_announcement_site_id"), ["site_id"], unique=False)
        batch_op.create_index(
            "ix_announcement_waiting",
            ["id"],
            unique=False,
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("announcement_id", _ID, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_delivery_announcement_id_announcement"),
            "announcement",
            ["announcement_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch_op.create_index(
            "ix_delivery_announcement",
            ["announcement_id", "recipient_hash"],
            unique=True,
            sqlite_where=_HAS_ANNOUNCEMENT,
            postgresql_where=_HAS_ANNOUNCEMENT,
        )


def downgrade() -> None:
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_delivery_announcement",
            sqlite_where=_HAS_ANNOUNCEMENT,
            postgresql_where=_HAS_ANNOUNCEMENT,
        )
        batch_op.drop_constraint(batch_op.f("fk_delivery_announcement_id_announcement"), type_="foreignkey")
        batch_op.drop_column("announcement_id")
    op.drop_table("announcement")
    op.drop_table("feed_item")
    op.drop_table("feed_state")
    op.drop_column("site", "feed_url")
    op.drop_column("site", "post_mail")
    op.drop_column("site", "moderator_mail")
