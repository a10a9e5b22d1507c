"""Partial indexes without rows that have no value, and indexes that find the descendants of a deleted comment.

A guest's root comment without a decision had five index entries that no query used. The descendants of a comment were
indexed only if they were shown, so that a deletion scanned all comments. The queue's index now has the authors of the
latest comments, which every post reads.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-23 15:20:04.702116
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Name, table, columns and condition before, columns and condition now.
CHANGED: list[tuple[str, str, list[str], str | None, list[str], str | None]] = [
    ("ix_comment_parent_id", "comment", ["parent_id"], None, ["parent_id"], "parent_id IS NOT NULL"),
    (
        "ix_comment_commenter",
        "comment",
        ["commenter_id", "site_id", "status", "id"],
        None,
        ["commenter_id", "site_id", "status", "id"],
        "commenter_id IS NOT NULL",
    ),
    (
        "ix_comment_queue",
        "comment",
        ["site_id", "status", "id"],
        None,
        ["site_id", "status", "id", "commenter_id"],
        None,
    ),
    # The same, but made after the queue's: of two that fit alike SQLite takes the last, and for one article's list the
    # release before must go on taking this one, whether it is still there or there again.
    (
        "ix_comment_article",
        "comment",
        ["thread_id", "status", "id"],
        None,
        ["thread_id", "status", "id"],
        None,
    ),
    (
        "ix_decision_moderator_id",
        "decision",
        ["moderator_id"],
        None,
        ["moderator_id"],
        "moderator_id IS NOT NULL",
    ),
    (
        "ix_decision_by_action",
        "decision",
        ["action_id", "id"],
        None,
        ["action_id", "id"],
        "action_id IS NOT NULL",
    ),
]
ADDED = [("ix_ticket_identity_id", "identity_id"), ("ix_ticket_site_id", "site_id")]


def upgrade() -> None:
    for name, column in ADDED:
        op.create_index(op.f(name), "ticket", [column])
    for name, table, _, _, columns, condition in CHANGED:
        _replace(name, table, columns, condition)
    _replace_replies(
        ["root_id", "shown", "id"], sqlite="root_id IS NOT NULL", postgresql="root_id IS NOT NULL"
    )


def downgrade() -> None:
    _replace_replies(["root_id", "id"], sqlite="shown = 1", postgresql="shown")
    for name, table, columns, condition, _, _ in CHANGED:
        _replace(name, table, columns, condition)
    for name, _ in ADDED:
        op.drop_index(op.f(name), "ticket")


def _replace(name: str, table: str, columns: list[str], condition: str | None) -> None:
    where = sa.text(condition) if condition else None
    op.drop_index(name, table)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _replace_replies(columns: list[str], *, sqlite: str, postgresql: str) -> None:
    op.drop_index("ix_comment_replies", "comment")
    op.create_index(
        "ix_comment_replies",
        "comment",
        columns,
        sqlite_where=sa.text(sqlite),
        postgresql_where=sa.text(postgresql),
    )
