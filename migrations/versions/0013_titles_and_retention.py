"""The source of a title, the times of reading it from the article, and the keys of deleted imports.

Existing titles may come from any browser, so they count as such until the article is read.

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-29 18:10:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_INDEX = "ix_thread_title_due"


def upgrade() -> None:
    source = sa.Enum(
        "browser", "import", "article", "moderator", name="titlesource", native_enum=False, length=20
    )
    op.add_column("thread", sa.Column("title_source", source, nullable=True))
    op.add_column("thread", sa.Column("title_checked_at", UTCDateTime(), nullable=True))
    op.add_column("thread", sa.Column("title_tries", sa.Integer(), server_default="0", nullable=False))
    due = sa.text("title_tries > 0")
    op.create_index(_INDEX, "thread", ["title_checked_at"], sqlite_where=due, postgresql_where=due)
    op.execute("UPDATE thread SET title_source = 'browser' WHERE title IS NOT NULL")
    op.create_table(
        "deleted_import",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("transfer_key", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_deleted_import_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", "transfer_key", name=op.f("pk_deleted_import")),
    )


def downgrade() -> None:
    op.drop_table("deleted_import")
    op.drop_index(_INDEX, "thread")
    for name in ("title_tries", "title_checked_at", "title_source"):
        op.drop_column("thread", name)
