"""The column `search_text` of a searched table: written with the row, and copied into the index by triggers.

It is None in rows of earlier releases, until `commentsvc reindex`; those are found by the columns themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, event, inspect
from sqlalchemy.orm import InstanceState, Mapper

from commentsvc import search_words
from commentsvc.models.comments import Comment
from commentsvc.models.people import Commenter
from commentsvc.models.sites import Thread

SEARCHED: Mapping[type[Comment | Thread | Commenter], tuple[str, ...]] = {
    Comment: ("source", "guest_name", "guest_email"),
    Thread: ("title", "url"),
    Commenter: ("name",),
}


def search_text(model: type[Comment | Thread | Commenter], row: Mapping[str, Any]) -> str:
    """Return the search text of a row; a column that it lacks is taken as empty."""
    return search_words.search_text(*(row.get(name) for name in SEARCHED[model]))


def refresh(item: Comment | Thread | Commenter) -> None:
    """Write an object's search text anew."""
    item.search_text = search_text(type(item), {name: getattr(item, name) for name in SEARCHED[type(item)]})


def _follow(_mapper: Mapper[Any], _connection: Connection, item: Comment | Thread | Commenter) -> None:
    state: InstanceState[Any] = inspect(item)
    if any(state.attrs[name].history.has_changes() for name in SEARCHED[type(item)]):
        refresh(item)


for _model in SEARCHED:
    event.listen(_model, "before_insert", _follow)
    event.listen(_model, "before_update", _follow)
