"""Moderation: rules, bans, reports, the local filter, actions, thread aliases.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-23 04:41:47.839104
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "action",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("moderator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("summary", sa.String(length=300), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("undone_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["moderator_id"],
            ["commenter.id"],
            name=op.f("fk_action_moderator_id_commenter"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_action_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action")),
    )
    with op.batch_alter_table("action", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_action_moderator_id"), ["moderator_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_action_site_id"), ["site_id"], unique=False)

    op.create_table(
        "ban",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "person", "author", "email", "network", "domain", name="bankind", native_enum=False, length=20
            ),
            nullable=False,
        ),
        sa.Column("value", sa.String(length=300), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=True),
        sa.Column("moderator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["moderator_id"],
            ["commenter.id"],
            name=op.f("fk_ban_moderator_id_commenter"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_ban_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ban")),
        sa.UniqueConstraint("site_id", "kind", "value", name=op.f("uq_ban_site_id_kind_value")),
    )
    with op.batch_alter_table("ban", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ban_moderator_id"), ["moderator_id"], unique=False)

    op.create_table(
        "filter_word",
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("word", sa.String(length=80), nullable=False),
        sa.Column("spam", sa.Integer(), nullable=False),
        sa.Column("ham", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_filter_word_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", "word", name=op.f("pk_filter_word")),
    )
    op.create_table(
        "note",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("about", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("moderator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["moderator_id"],
            ["commenter.id"],
            name=op.f("fk_note_moderator_id_commenter"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_note_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_note_about"), ["about"], unique=False)
        batch_op.create_index(batch_op.f("ix_note_moderator_id"), ["moderator_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_note_site_id"), ["site_id"], unique=False)

    op.create_table(
        "pressure",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("thread_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("began_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("mailed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_pressure_site_id_site"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["thread.id"], name=op.f("fk_pressure_thread_id_thread"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pressure")),
    )
    with op.batch_alter_table("pressure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pressure_site_id"), ["site_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pressure_thread_id"), ["thread_id"], unique=False)

    op.create_table(
        "thread_alias",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=2000), nullable=False),
        sa.Column("thread_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_thread_alias_site_id_site"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["thread.id"], name=op.f("fk_thread_alias_thread_id_thread"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thread_alias")),
        sa.UniqueConstraint("site_id", "key", name=op.f("uq_thread_alias_site_id_key")),
    )
    with op.batch_alter_table("thread_alias", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_thread_alias_thread_id"), ["thread_id"], unique=False)

    op.create_table(
        "report",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("comment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reporter_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name=op.f("fk_report_comment_id_comment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("comment_id", "reporter_hash", name=op.f("uq_report_comment_id_reporter_hash")),
    )
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pinned", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("featured", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("reports", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column(
                "learned",
                sa.Enum("approved", "held", "spam", "trash", name="status", native_enum=False, length=20),
                nullable=True,
            )
        )
        batch_op.create_index(
            "ix_comment_reported",
            ["site_id", "id"],
            unique=False,
            sqlite_where=sa.text("reports > 0"),
            postgresql_where=sa.text("reports > 0"),
        )

    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "before",
                sa.Enum("approved", "held", "spam", "trash", name="status", native_enum=False, length=20),
                nullable=True,
            )
        )
        batch_op.add_column(
            sa.Column("action_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.create_index(batch_op.f("ix_decision_action_id"), ["action_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_decision_action_id_action"), "action", ["action_id"], ["id"], ondelete="SET NULL"
        )

    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.add_column(sa.Column("moderation_words", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("disallowed_words", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("most_links", sa.Integer(), server_default="2", nullable=False))
        batch_op.add_column(sa.Column("reports_to_hold", sa.Integer(), server_default="3", nullable=False))
        batch_op.add_column(sa.Column("filter_threshold", sa.Double(), server_default="0.9", nullable=False))
        batch_op.add_column(sa.Column("valve", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.add_column(sa.Column("akismet_key", sa.String(length=80), nullable=True))

    with op.batch_alter_table("thread", schema=None) as batch_op:
        batch_op.add_column(sa.Column("closed_at", UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("slow_seconds", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("thread", schema=None) as batch_op:
        batch_op.drop_column("slow_seconds")
        batch_op.drop_column("closed_at")

    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.drop_column("akismet_key")
        batch_op.drop_column("valve")
        batch_op.drop_column("filter_threshold")
        batch_op.drop_column("reports_to_hold")
        batch_op.drop_column("most_links")
        batch_op.drop_column("disallowed_words")
        batch_op.drop_column("moderation_words")

    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_decision_action_id_action"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_decision_action_id"))
        batch_op.drop_column("action_id")
        batch_op.drop_column("before")

    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_comment_reported",
            sqlite_where=sa.text("reports > 0"),
            postgresql_where=sa.text("reports > 0"),
        )
        batch_op.drop_column("learned")
        batch_op.drop_column("reports")
        batch_op.drop_column("featured")
        batch_op.drop_column("pinned")

    op.drop_table("report")
    with op.batch_alter_table("thread_alias", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_thread_alias_thread_id"))

    op.drop_table("thread_alias")
    with op.batch_alter_table("pressure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pressure_thread_id"))
        batch_op.drop_index(batch_op.f("ix_pressure_site_id"))

    op.drop_table("pressure")
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_note_site_id"))
        batch_op.drop_index(batch_op.f("ix_note_moderator_id"))
        batch_op.drop_index(batch_op.f("ix_note_about"))

    op.drop_table("note")
    op.drop_table("filter_word")
    with op.batch_alter_table("ban", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ban_moderator_id"))

    op.drop_table("ban")
    with op.batch_alter_table("action", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_action_site_id"))
        batch_op.drop_index(batch_op.f("ix_action_moderator_id"))

    op.drop_table("action")
