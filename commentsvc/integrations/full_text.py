"""Full-text search with SQLite's FTS5 or PostgreSQL; only this module knows the difference.

The index of a table is a second table, named with the suffix `_search`. Triggers copy the column `search_text` there,
or what an earlier release would have indexed of a row that has none yet; see migrations/.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, bindparam, func, select, text
from sqlalchemy import column as column_of
from sqlalchemy import table as table_of
from sqlalchemy.orm import InstrumentedAttribute, Session

from commentsvc import search_words
from commentsvc.db.session import connect_to_write

Words = tuple[str, ...]
"""Consecutive words; the last may end in `*` for any ending."""
Phrase = tuple[Words, ...]
"""The words of a search text, and, where they differ, those under which rows without one are indexed."""

MOST_PHRASES = 8
_MOST_WORDS = 40
_SEARCHED = ("comment", "thread", "commenter")
_SECURE_DELETE_SINCE = (3, 42)
"""The version of SQLite since which FTS5 can delete a word at once, instead of marking it as deleted."""
_MERGED = 500
"""Pages of an index that one transaction rewrites, during which nobody else can write."""
_WORD = re.compile(r"[^\W_]+")
_SHORTEST_BEGINNING = 3
_CHANGES_OF_A_MERGE = 2
"""Fewer changed rows say that there was nothing left to merge, as SQLite documents."""
_SHADOWS = re.compile(r"(comment|thread|commenter)_search(_\w+)?")


def is_index(name: str | None) -> bool:
    """Whether a table is part of a search index, and so has no model."""
    return bool(name and _SHADOWS.fullmatch(name))


def forget_deleted(engine: Engine) -> None:
    """Remove the words of deleted rows from SQLite's indexes, where they would stay for months.

    FTS5 is told to do so by itself from then on, if it can; otherwise each call rewrites the indexes. Commits by
    itself.
    """
    can_itself = sqlite3.sqlite_version_info >= _SECURE_DELETE_SINCE
    with connect_to_write(engine) as connection:
        for searched in _SEARCHED:
            index = f"{searched}_search"
            config = f"SELECT count(*) FROM {index}_config WHERE k = 'secure-delete' AND v = 1"  # noqa: S608
            with connection.begin():
                if can_itself and connection.scalar(text(config)):
                    continue
                if can_itself:
                    _command(connection, index, "secure-delete", 1)
            _merge_all(connection, index)


def _merge_all(connection: Connection, index: str) -> None:
    """Merge an index into one piece, step by step, which leaves out the deleted words."""
    pages = -_MERGED  # a negative number begins with everything
    is_merged = False
    while not is_merged:
        with connection.begin():
            raw: Any = connection.connection.driver_connection
            before = raw.total_changes
            _command(connection, index, "merge", pages)
            is_merged = raw.total_changes - before < _CHANGES_OF_A_MERGE
        pages = _MERGED


def _command(connection: Connection, index: str, name: str, value: int) -> None:
    command = f"INSERT INTO {index}({index}, rank) VALUES (:name, :value)"  # noqa: S608
    connection.execute(text(command), {"name": name, "value": value})


def phrases(typed: str) -> list[Phrase]:
    """Split a typed search into phrases without any search syntax.

    `ada@mail.example` is a phrase of three words, `swif*` the beginning of a word, and so is one letter of a script
    without spaces.
    """
    parsed = []
    for part in typed.split()[:MOST_PHRASES]:
        both = (search_words.sought(part), _WORD.findall(part.lower()))
        forms = (_marked(words, begins=part.endswith("*")) for words in both if words)
        if phrase := tuple(dict.fromkeys(forms)):
            parsed.append(phrase)
    return parsed


def _marked(words: list[str], *, begins: bool) -> Words:
    """Mark the last word if any ending may follow it."""
    *others, last = words[:_MOST_WORDS]
    ends_openly = (begins and len(last) >= _SHORTEST_BEGINNING) or search_words.is_letter(last)
    return (*others, f"{last}*" if ends_openly else last)


def use_indexes(session: Session) -> None:
    """Stop PostgreSQL, for this transaction, from scanning a whole table in the hope of an early match."""
    if not _is_sqlite(session):
        session.execute(text("SET LOCAL enable_seqscan = off"))


def one_by_one(query: Select[Any]) -> ColumnElement[bool]:
    """Return the condition that a correlated query returns a row.

    PostgreSQL would turn EXISTS into a join with the whole table; it evaluates this form once per row instead.
    """
    return query.limit(1).scalar_subquery().is_not(None)


def newest(
    session: Session, searched: str, wanted: Sequence[Phrase], *, below: int | None, limit: int
) -> Any:
    """Return a query for the ids of at most `limit` matching rows, newest first; None if it would be slow.

    SQLite reads the matches in order of id. PostgreSQL would sort all of them, too many for very frequent words; but
    then any other plan soon meets a match.
    """
    index = _index(searched)
    query = select(index.c.rowid if _is_sqlite(session) else index.c.id).where(
        _condition(session, searched, index, wanted)
    )
    key = query.selected_columns[0]
    if below is not None:
        query = query.where(key < below)
    if not _is_sqlite(session):
        use_indexes(session)
        many = session.scalar(select(func.count()).select_from(query.limit(limit + 1).subquery())) or 0
        if many > limit:
            return None
    return query.with_only_columns(key.label("id")).order_by(key.desc()).limit(limit)


def matches(
    session: Session, searched: str, wanted: Sequence[Phrase], row_id: InstrumentedAttribute[int]
) -> ColumnElement[bool]:
    """Return the condition that the row with this id contains all the phrases."""
    index = _index(searched)
    key = index.c.rowid if _is_sqlite(session) else index.c.id
    return one_by_one(select(key).where(key == row_id, _condition(session, searched, index, wanted)))


def _index(searched: str) -> Any:
    name = f"{searched}_search"
    return table_of(name, column_of("rowid"), column_of("id"), column_of("words"), column_of(name))


def _condition(session: Session, searched: str, index: Any, wanted: Sequence[Phrase]) -> ColumnElement[bool]:
    if _is_sqlite(session):
        typed = " AND ".join(f"({' OR '.join(map(_fts5, phrase))})" for phrase in wanted)
        return text(f"{searched}_search MATCH :typed").bindparams(bindparam("typed", typed))  # type: ignore[return-value]
    typed = " & ".join(f"({' | '.join(map(_tsquery, phrase))})" for phrase in wanted)
    return index.c.words.op("@@")(func.to_tsquery("simple", typed))  # type: ignore[no-any-return]


def _fts5(words: Words) -> str:
    """`"ada mail example"`, or `"swif" *`."""
    sentence = " ".join(words)
    return f'"{sentence[:-1]}" *' if sentence.endswith("*") else f'"{sentence}"'


def _tsquery(words: Words) -> str:
    """`'ada' <-> 'mail' <-> 'example'`, or `'swif':*`."""
    return " <-> ".join(f"'{word[:-1]}':*" if word.endswith("*") else f"'{word}'" for word in words)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
