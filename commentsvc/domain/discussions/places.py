"""Where a page is read: its site and its thread as they stand, found in one query, for reading alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Table, and_, bindparam, select
from sqlalchemy.orm import Session

from commentsvc.db import Base
from commentsvc.domain import addresses
from commentsvc.domain.discussions import threads
from commentsvc.domain.discussions.threads import Address
from commentsvc.errors import BadAddressError, UnknownOriginError
from commentsvc.models import Origin, Site, Thread
from commentsvc.prepared import Prepared

_SITE, _THREAD, _ORIGIN, _ALIAS = (
    Base.metadata.tables[name] for name in ("site", "thread", "origin", "thread_alias")
)
_COLUMNS = {table: table.c.keys() for table in (_SITE, _THREAD, _ORIGIN)}
_OTHERS = _ORIGIN.alias("others")
# A row for each origin of the site.
_PLACE = Prepared(
    select(*_SITE.c, *_THREAD.c, _OTHERS.c.id, _OTHERS.c.origin)
    .select_from(
        _ORIGIN.join(_SITE, _SITE.c.id == _ORIGIN.c.site_id)
        .join(_OTHERS, _OTHERS.c.site_id == _SITE.c.id)
        .outerjoin(_THREAD, and_(_THREAD.c.site_id == _SITE.c.id, _THREAD.c.key == bindparam("key")))
    )
    .where(_ORIGIN.c.origin == bindparam("origin"))
    .order_by(_OTHERS.c.id)
)
_BY_ALIAS = Prepared(
    select(*_THREAD.c)
    .select_from(_ALIAS.join(_THREAD, _ALIAS.c.thread_id == _THREAD.c.id))
    .where(_ALIAS.c.site_id == bindparam("site_id"), _ALIAS.c.key == bindparam("key"))
)

Model = TypeVar("Model", bound=Base)


@dataclass(frozen=True)
class Place(Address):
    """An address with what was found there. Site and thread belong to no session: nothing else loads from them."""

    thread: Thread | None = None


def find(session: Session, *, url: str, canonical: str = "", page_id: str = "") -> Address:
    """Find which thread a page means, as `threads.locate` does; raises BadAddressError, UnknownOriginError."""
    site = Site()
    try:
        origin = addresses.origin_of(url)
        # Of another of the site's origins? Only who knows the site can say.
        known = not canonical or addresses.origin_of(canonical) == origin
        asked = threads.address_on(site, canonical or url, page_id=page_id)
    except BadAddressError:
        known = False
    if not known:
        return threads.locate(session, url=url, canonical=canonical, page_id=page_id)
    rows = _PLACE.rows(session, origin=origin, key=asked.key)
    if not rows:
        raise UnknownOriginError(origin)
    of_site, of_thread = rows[0][: len(_COLUMNS[_SITE])], rows[0][len(_COLUMNS[_SITE]) : -2]
    _fill(site, _SITE, of_site)
    site.__dict__["origins"] = [_fill(Origin(), _ORIGIN, (number, site.id, one)) for *_, number, one in rows]
    thread = None if of_thread[0] is None else _fill(Thread(), _THREAD, of_thread)
    return Place(site, asked.key, asked.url, thread)


def thread_at(session: Session, address: Address) -> Thread | None:
    """Return the thread at `address`, by its key or one it once had; None while nobody has written there."""
    if not isinstance(address, Place):
        return threads.find(session, address)
    if address.thread is not None:
        return address.thread
    row = _BY_ALIAS.row(session, site_id=address.site.id, key=address.key)
    return None if row is None else _fill(Thread(), _THREAD, row)


def is_same_thread(session: Session, first: Address, second: Address) -> bool:
    """Whether two pages share a thread: by their addresses, or because their threads were merged or moved."""
    if first.site.id != second.site.id:
        return False
    if first.key == second.key:
        return True
    threads_found = thread_at(session, first), thread_at(session, second)
    return all(threads_found) and len({thread.id for thread in threads_found if thread}) == 1


def _fill(found: Model, table: Table, values: Sequence[Any]) -> Model:
    """Give an entity its columns as if it had been loaded, at a tenth of what loading it costs."""
    found.__dict__.update(zip(_COLUMNS[table], values, strict=True))
    return found
