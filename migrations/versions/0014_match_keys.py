"""Match keys, by which all addresses of an article find its thread, and each site's list of ignored parameters.

Nothing is merged: articles that have two threads are logged, and keep both until a moderator merges them.

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-29 18:20:00
"""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa
from alembic import op

# Not a copy: whatever the comparison is by the time this runs, the rows must be in that form.
from commentsvc.match_keys import match_key

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

log = logging.getLogger("commentsvc.upgrade")

SHOWN = 20
"""Articles of a site that are named in the log."""
_ROWS = 1000
_THREAD, _ALIAS = (
    sa.table(name, sa.column("id"), sa.column("site_id"), sa.column("key"), sa.column("match_key"))
    for name in ("thread", "thread_alias")
)


def upgrade() -> None:
    op.add_column("site", sa.Column("ignored_parameters", sa.Text(), nullable=False, server_default=""))
    for table in (_THREAD, _ALIAS):
        # The release before may go on writing rows without it for as long as the update takes.
        op.add_column(table.name, sa.Column("match_key", sa.String(2000), nullable=True))
        _fill(table)
        op.create_index(f"ix_{table.name}_match", table.name, ["site_id", "match_key"])
    _tell_doubles()


def downgrade() -> None:
    for table in (_ALIAS, _THREAD):
        op.drop_index(f"ix_{table.name}_match", table.name)
        op.drop_column(table.name, "match_key")
    op.drop_column("site", "ignored_parameters")


def _fill(table: sa.TableClause) -> None:
    connection, last = op.get_bind(), 0
    query = sa.select(table.c.id, table.c.key).order_by(table.c.id).limit(_ROWS)
    change = sa.update(table).where(table.c.id == sa.bindparam("row")).values(match_key=sa.bindparam("match"))
    while rows := connection.execute(query.where(table.c.id > last)).all():
        given: list[dict[str, Any]] = [{"row": row.id, "match": match_key(row.key)} for row in rows]
        connection.execute(change, given)
        last = rows[-1].id


def _tell_doubles() -> None:
    double = (
        sa.select(_THREAD.c.site_id, _THREAD.c.match_key, sa.func.count().label("threads"))
        .group_by(_THREAD.c.site_id, _THREAD.c.match_key)
        .having(sa.func.count() > 1)
        .order_by(_THREAD.c.site_id, _THREAD.c.match_key)
    )
    of_site: dict[int, list[str]] = {}
    for row in op.get_bind().execute(double):
        of_site.setdefault(row.site_id, []).append(f"{row.match_key} ({row.threads})")
    for site_id, articles in of_site.items():
        more = f" and {len(articles) - SHOWN} more" if len(articles) > SHOWN else ""
        log.warning(
            "Site %s has articles with more than one thread: %s%s. Nothing was merged: “Find split threads” in the "
            "admin view shows them all.",
            site_id,
            ", ".join(articles[:SHOWN]),
            more,
        )
