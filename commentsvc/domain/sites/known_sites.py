"""Sites by origin for everything that readers ask: each is read once for every version that it has.

A request needs the whole site, which has fifty columns and seldom changes. Its version, which grows with every change
of the site or its origins, is read each time.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, bindparam, select
from sqlalchemy.orm import Session, joinedload, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from commentsvc.db.session import Base
from commentsvc.models import Origin, Site

MOST = 1000
"""Origins that are remembered; the memory is emptied when there are more."""
_State = tuple[int, int, datetime]
"""A site's id, which may be used again, its version, and when it was added."""
_STATE = (
    select(Site.id, Site.version, Site.created_at).join(Origin).where(Origin.origin == bindparam("origin"))
)
_BY_ORIGIN = (
    select(Site)
    .join(Origin)
    .where(Origin.origin == bindparam("origin"))
    .options(joinedload(Site.origins, innerjoin=True))
)
_Row = TypeVar("_Row", bound=Base)
_known: WeakKeyDictionary[Engine, dict[str, tuple[_State, Site]]] = WeakKeyDictionary()


def with_origin(session: Session, origin: str) -> Site | None:
    """Return the site that registered `origin`, with all its origins; None for an origin of nobody.

    It belongs to no session, because other threads read the same one: it is never to be changed.
    """
    connection = session.connection()
    # By the connection: the session's work for mapped classes would take longer than the query.
    row = connection.execute(_STATE, {"origin": origin}).one_or_none()
    if row is None:
        return None
    known = _known.setdefault(connection.engine, {})
    state, site = known.get(origin, (None, None))
    if site is not None and state == tuple(row):
        return site
    loaded = session.scalars(_BY_ORIGIN, {"origin": origin}).unique().one()
    site = _detached(loaded)
    set_committed_value(site, "origins", [_detached(item) for item in loaded.origins])
    if len(known) >= MOST:
        known.clear()
    known[origin] = (loaded.id, loaded.version, loaded.created_at), site
    return site


def _detached(row: _Row) -> _Row:
    """Return a copy of a row that belongs to no session."""
    copy = type(row)(
        **{attribute.key: getattr(row, attribute.key) for attribute in row.__mapper__.column_attrs}
    )
    make_transient_to_detached(copy)
    return copy
