"""The queue: full-text search of texts, authors and articles, and an index for every filter.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-23 04:52:10.118325
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SEARCHED = {
    "comment": ("source", "guest_name", "guest_email"),
    "thread": ("title", "url"),
    "commenter": ("name",),
}
# PostgreSQL takes no text of any length; and words are cut as SQLite cuts them, at all that is no letter or digit.
POSTGRESQL_WORDS = "to_tsvector('simple', regexp_replace(left({text}, 50000), '[^[:alnum:]]+', ' ', 'g'))"
REPORTED = sa.text("reports > 0 AND status IN ('approved', 'held')")
REPORTED_BEFORE = sa.text("reports > 0")
INDEXES: dict[str, tuple[str, list[str], str | None]] = {
    "ix_comment_article": ("comment", ["thread_id", "status", "id"], None),
    "ix_comment_dates": ("comment", ["site_id", "status", "created_at", "id"], None),
    "ix_comment_commenter": ("comment", ["commenter_id", "site_id", "status", "id"], None),
    "ix_comment_guest_email": (
        "comment",
        ["site_id", "guest_email", "status", "id"],
        "guest_email IS NOT NULL",
    ),
    "ix_comment_guest_name": ("comment", ["site_id", "guest_name", "status", "id"], "guest_name IS NOT NULL"),
    "ix_comment_network": (
        "comment",
        ["site_id", "network_hash", "status", "id"],
        "network_hash IS NOT NULL",
    ),
    "ix_action_log": ("action", ["site_id", "id"], None),
    "ix_decision_by_action": ("decision", ["action_id", "id"], None),
}
REPLACED = {
    "ix_comment_commenter_id": ("comment", "commenter_id"),
    "ix_action_site_id": ("action", "site_id"),
    "ix_decision_action_id": ("decision", "action_id"),
}


def upgrade() -> None:
    for name, (table, columns, condition) in INDEXES.items():
        where = sa.text(condition) if condition else None
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    for name, (table, _) in REPLACED.items():
        op.drop_index(name, table)
    op.drop_index("ix_comment_reported", "comment")
    op.create_index(
        "ix_comment_reported", "comment", ["site_id", "id"], sqlite_where=REPORTED, postgresql_where=REPORTED
    )
    build = _build_sqlite if op.get_bind().dialect.name == "sqlite" else _build_postgresql
    for table, searched in SEARCHED.items():
        for statement in build(table, searched):
            op.execute(sa.text(statement.replace(":", r"\:")))


def downgrade() -> None:
    for table in SEARCHED:
        if op.get_bind().dialect.name == "sqlite":
            for event in ("insert", "update", "delete"):
                op.execute(f"DROP TRIGGER IF EXISTS {table}_search_{event}")
        else:
            op.execute(f"DROP TRIGGER {table}_search_follow ON {table}")
            op.execute(f"DROP FUNCTION {table}_search_follow")
        op.execute(f"DROP TABLE {table}_search")
    op.drop_index("ix_comment_reported", "comment")
    op.create_index(
        "ix_comment_reported",
        "comment",
        ["site_id", "id"],
        sqlite_where=REPORTED_BEFORE,
        postgresql_where=REPORTED_BEFORE,
    )
    for name, (table, column) in REPLACED.items():
        op.create_index(name, table, [column])
    for name, (table, _, _) in INDEXES.items():
        op.drop_index(name, table)


def _build_sqlite(table: str, searched: tuple[str, ...]) -> list[str]:
    """An FTS5 table that keeps no text of its own, and what keeps it in step."""
    columns = ", ".join(searched)
    old, new = (", ".join(f"{row}.{column}" for column in searched) for row in ("old", "new"))
    forget = f"INSERT INTO {table}_search({table}_search, rowid, {columns}) VALUES ('delete', old.id, {old})"
    learn = f"INSERT INTO {table}_search(rowid, {columns}) VALUES (new.id, {new})"
    return [
        f"CREATE VIRTUAL TABLE {table}_search USING fts5({columns}, content='{table}', content_rowid='id',"
        " tokenize='unicode61 remove_diacritics 2')",
        f"CREATE TRIGGER {table}_search_insert AFTER INSERT ON {table} BEGIN {learn}; END",
        f"CREATE TRIGGER {table}_search_update AFTER UPDATE OF {columns} ON {table} BEGIN {forget}; {learn}; END",
        f"CREATE TRIGGER {table}_search_delete AFTER DELETE ON {table} BEGIN {forget}; END",
        f"INSERT INTO {table}_search({table}_search) VALUES ('rebuild')",
    ]


def _build_postgresql(table: str, searched: tuple[str, ...]) -> list[str]:
    """A table of words with a GIN index, and what keeps it in step; rows go with what they stand for."""
    said = " || ' ' || ".join(f"coalesce({{row}}{column}, '')" for column in searched)
    words, new_words = (POSTGRESQL_WORDS.format(text=f"({said.format(row=row)})") for row in ("", "NEW."))
    return [
        f"CREATE TABLE {table}_search (id BIGINT PRIMARY KEY REFERENCES {table} (id) ON DELETE CASCADE,"
        " words TSVECTOR NOT NULL)",
        f"INSERT INTO {table}_search SELECT id, {words} FROM {table}",
        f"CREATE INDEX ix_{table}_search_words ON {table}_search USING gin (words)",
        f"CREATE FUNCTION {table}_search_follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" INSERT INTO {table}_search VALUES (NEW.id, {new_words})"
        " ON CONFLICT (id) DO UPDATE SET words = excluded.words; RETURN NULL; END $$",
        f"CREATE TRIGGER {table}_search_follow AFTER INSERT OR UPDATE OF {', '.join(searched)} ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {table}_search_follow()",
    ]
