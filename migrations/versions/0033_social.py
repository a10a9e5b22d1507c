"""Answers from elsewhere: where a comment was written, links to posts, webmentions, pictures of their authors.

New tables, and columns that are empty or have defaults, so that a process of the release before goes on writing.

Revision ID: 0033
Revises: 0032
Create Date: 2026-11-30 12:20:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SWITCHES = ("webmention", "mastodon", "bluesky", "count_foreign")
_TEXTS = {
    "origin_key": 1000,
    "origin_url": 2000,
    "origin_author": 300,
    "origin_picture": 1000,
    "origin_picture_digest": 16,
    "content_warning": 500,
}
_HAS_ORIGIN_KEY = sa.text("origin_key IS NOT NULL")
_HAS_PICTURE = sa.text("origin_picture_digest IS NOT NULL")
_HAS_ORIGIN_PICTURE = sa.text("origin_picture IS NOT NULL AND origin_picture_digest IS NULL")
_IS_LOOK_WANTED = sa.text("wanted_at IS NOT NULL")
_IS_LINK_WANTED = sa.text("wanted_at IS NOT NULL AND stopped_at IS NULL")
_IS_MENTION_DUE = sa.text("due_at IS NOT NULL")


def _choice(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, length=20)


def _origin() -> sa.Enum:
    return _choice("socialorigin", "webmention", "mastodon", "bluesky")


def upgrade() -> None:
    for name in _SWITCHES:
        op.add_column("site", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("comment", sa.Column("origin", _origin(), nullable=True))
    for name, length in _TEXTS.items():
        op.add_column("comment", sa.Column(name, sa.String(length=length), nullable=True))
    op.create_index(
        "ix_comment_origin",
        "comment",
        ["thread_id", "origin_key"],
        unique=True,
        sqlite_where=_HAS_ORIGIN_KEY,
        postgresql_where=_HAS_ORIGIN_KEY,
    )
    op.create_index(
        "ix_comment_pictures",
        "comment",
        ["id"],
        sqlite_where=_HAS_ORIGIN_PICTURE,
        postgresql_where=_HAS_ORIGIN_PICTURE,
    )
    op.create_index(
        "ix_comment_picture",
        "comment",
        ["origin_picture_digest"],
        sqlite_where=_HAS_PICTURE,
        postgresql_where=_HAS_PICTURE,
    )
    _create_links()
    _create_looks()
    _create_webmentions()
    op.create_table(
        "foreign_picture",
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=16), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("fetched_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_foreign_picture")),
    )
    op.create_index(op.f("ix_foreign_picture_digest"), "foreign_picture", ["digest"])


def _create_links() -> None:
    op.create_table(
        "social_link",
        sa.Column("id", _ID, nullable=False),
        sa.Column("thread_id", _ID, nullable=False),
        sa.Column("origin", _origin(), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("found_by", _choice("foundby", "article", "admin"), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("wanted_at", UTCDateTime(), nullable=True),
        sa.Column("asked_at", UTCDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("likes", sa.Integer(), nullable=False),
        sa.Column("boosts", sa.Integer(), nullable=False),
        sa.Column("etag", sa.String(length=300), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("stopped_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["thread.id"], name=op.f("fk_social_link_thread_id_thread"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_social_link")),
        sa.UniqueConstraint("thread_id", "address", name=op.f("uq_social_link_thread_id_address")),
    )
    op.create_index(
        "ix_social_link_due",
        "social_link",
        ["due_at"],
        sqlite_where=_IS_LINK_WANTED,
        postgresql_where=_IS_LINK_WANTED,
    )


def _create_looks() -> None:
    op.create_table(
        "article_look",
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("page_id", sa.String(length=300), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("wanted_at", UTCDateTime(), nullable=True),
        sa.Column("read_at", UTCDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_article_look_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", "key_hash", name=op.f("pk_article_look")),
    )
    op.create_index(
        "ix_article_look_wanted",
        "article_look",
        ["wanted_at"],
        sqlite_where=_IS_LOOK_WANTED,
        postgresql_where=_IS_LOOK_WANTED,
    )


def _create_webmentions() -> None:
    state = _choice("mentionstate", "waiting", "verified", "refused", "gone")
    kind = _choice("mentionkind", "reply", "mention", "like", "repost", "bookmark")
    op.create_table(
        "webmention",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("thread_id", _ID, nullable=True),
        sa.Column("pair_hash", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=2000), nullable=False),
        sa.Column("target", sa.String(length=2000), nullable=False),
        sa.Column("source_host", sa.String(length=253), nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("kind", kind, nullable=True),
        sa.Column("key", sa.String(length=1000), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_webmention_site_id_site"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["thread.id"], name=op.f("fk_webmention_thread_id_thread"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webmention")),
        sa.UniqueConstraint("pair_hash", name=op.f("uq_webmention_pair_hash")),
    )
    op.create_index(
        "ix_webmention_due",
        "webmention",
        ["due_at"],
        sqlite_where=_IS_MENTION_DUE,
        postgresql_where=_IS_MENTION_DUE,
    )
    op.create_index("ix_webmention_host", "webmention", ["site_id", "source_host", "received_at"])
    op.create_index("ix_webmention_thread", "webmention", ["thread_id", "kind"])


def downgrade() -> None:
    for table in ("foreign_picture", "webmention", "article_look", "social_link"):
        op.drop_table(table)
    op.drop_index("ix_comment_picture", "comment")
    op.drop_index("ix_comment_pictures", "comment")
    op.drop_index("ix_comment_origin", "comment")
    for name in ("origin", *_TEXTS):
        op.drop_column("comment", name)
    for name in _SWITCHES:
        op.drop_column("site", name)
