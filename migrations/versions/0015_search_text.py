"""Search texts beside the rows, which the search index copies; and guests' e-mail addresses in one form.

Rows stay in the index as they are: `commentsvc reindex` gives them a search text while the service runs. FTS5's own
command must not rebuild an index of SQLite from now on: it would read the columns, not the search texts.

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-30 01:55:00
"""

from __future__ import annotations

from contextlib import suppress

import sqlalchemy as sa
from alembic import op

# Not a copy: whatever the form is by the time this runs, the rows must have it.
from commentsvc.host_names import one_address

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SEARCHED = {
    "comment": ("source", "guest_name", "guest_email"),
    "thread": ("title", "url"),
    "commenter": ("name",),
}
# PostgreSQL takes no text of any length.
_LONGEST = 200_000
_AS_BEFORE = "regexp_replace(left({text}, 50000), '[^[:alnum:]]+', ' ', 'g')"
_NOT_ASCII = {"sqlite": "{column} GLOB '*[^ -~]*'", "postgresql": "{column} ~ '[^ -~]'"}


def upgrade() -> None:
    for table in SEARCHED:
        op.add_column(table, sa.Column("search_text", sa.Text(), nullable=True))
    _replace_triggers(with_search_text=True)
    for table in ("comment", "revision"):
        _normalise(table, "guest_email", "")
    _normalise("note", "about", "email:")


def downgrade() -> None:
    _replace_triggers(with_search_text=False)
    for table, searched in SEARCHED.items():
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"INSERT INTO {table}_search({table}_search) VALUES ('rebuild')")
        else:
            _execute(
                f"UPDATE {table}_search SET words = to_tsvector('simple', {_before(searched, '')})"
                f" FROM {table} WHERE {table}.id = {table}_search.id"
            )
        op.drop_column(table, "search_text")


def _execute(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", r"\:")))


def _replace_triggers(*, with_search_text: bool) -> None:
    replace = _sqlite if op.get_bind().dialect.name == "sqlite" else _postgresql
    for table, searched in SEARCHED.items():
        for statement in replace(table, searched, with_search_text):
            _execute(statement)


def _sqlite(table: str, searched: tuple[str, ...], with_search_text: bool) -> list[str]:
    def values(row: str) -> str:
        if not with_search_text:
            return ", ".join(f"{row}.{column}" for column in searched)
        others = [f"CASE WHEN {row}.search_text IS NULL THEN {row}.{name} END" for name in searched[1:]]
        return ", ".join([f"coalesce({row}.search_text, {row}.{searched[0]})", *others])

    names = ", ".join(searched)
    forget = f"INSERT INTO {table}_search({table}_search, rowid, {names}) VALUES ('delete', old.id, {values('old')})"
    learn = f"INSERT INTO {table}_search(rowid, {names}) VALUES (new.id, {values('new')})"
    watched = f"search_text, {names}" if with_search_text else names
    events = ("insert", "update", "delete")
    return [
        *(f"DROP TRIGGER {table}_search_{event}" for event in events),
        f"CREATE TRIGGER {table}_search_insert AFTER INSERT ON {table} BEGIN {learn}; END",
        f"CREATE TRIGGER {table}_search_update AFTER UPDATE OF {watched} ON {table} BEGIN {forget}; {learn}; END",
        f"CREATE TRIGGER {table}_search_delete AFTER DELETE ON {table} BEGIN {forget}; END",
    ]


def _before(searched: tuple[str, ...], row: str) -> str:
    """Return the words of a row without a search text, as earlier releases cut them."""
    joined = " || ' ' || ".join(f"coalesce({row}{column}, '')" for column in searched)
    return _AS_BEFORE.format(text=f"({joined})")


def _postgresql(table: str, searched: tuple[str, ...], with_search_text: bool) -> list[str]:
    words = _before(searched, "NEW.")
    if with_search_text:
        words = f"coalesce(left(NEW.search_text, {_LONGEST}), {words})"
    watched = ", ".join(("search_text", *searched) if with_search_text else searched)
    return [
        f"DROP TRIGGER {table}_search_follow ON {table}",
        f"CREATE OR REPLACE FUNCTION {table}_search_follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" INSERT INTO {table}_search VALUES (NEW.id, to_tsvector('simple', {words}))"
        " ON CONFLICT (id) DO UPDATE SET words = excluded.words; RETURN NULL; END $$",
        f"CREATE TRIGGER {table}_search_follow AFTER INSERT OR UPDATE OF {watched} ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {table}_search_follow()",
    ]


def _normalise(name: str, column: str, prefix: str) -> None:
    """Give each address that has another form its one form; most have it, and an index is read to find the others."""
    connection = op.get_bind()
    table = sa.table(name, sa.column("site_id"), sa.column(column))
    address = table.c[column]
    is_other = sa.or_(
        address != sa.func.lower(address),
        address.like("%xn--%"),
        sa.text(_NOT_ASCII[connection.dialect.name].format(column=column)),
    )
    here = [] if name == "revision" else [table.c.site_id]
    query = (
        sa.select(*here, address).where(address.is_not(None), address.startswith(prefix), is_other).distinct()
    )
    for row in connection.execute(query).all():
        *site, stored = row
        with suppress(ValueError):  # what an earlier release took for an address stays as it is
            value = prefix + one_address(stored[len(prefix) :])
            if value != stored:
                same = [condition == number for condition, number in zip(here, site, strict=True)]
                connection.execute(sa.update(table).where(*same, address == stored).values({column: value}))
