"""Where a page is read: its site and its thread as they stand, found in one query, for reading alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Table, bindparam, select, true
from sqlalchemy.orm import Session

from commentsvc.db.session import Base
from commentsvc.db.statements import Prepared
from commentsvc.domain import article_urls
from commentsvc.domain.threads import matching, threads
from commentsvc.domain.threads.matching import Candidate
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import BadAddressError, UnknownOriginError
from commentsvc.models import Origin, Site, Thread

_SITE, _THREAD, _ORIGIN = (Base.metadata.tables[name] for name in ("site", "thread", "origin"))
_COLUMNS = {table: table.c.keys() for table in (_SITE, _THREAD, _ORIGIN)}
_OTHERS = _ORIGIN.alias("others")
_CANDIDATE = matching.candidates(
    select(_ORIGIN.c.site_id).where(_ORIGIN.c.origin == bindparam("origin")).scalar_subquery()
)
# A row for each origin of the site, times the threads that it may be: one or none, but for articles that have two.
_PLACE = Prepared(
    select(*_SITE.c, *_THREAD.c, *_CANDIDATE.c, _OTHERS.c.id, _OTHERS.c.origin)
    .select_from(
        _ORIGIN.join(_SITE, _SITE.c.id == _ORIGIN.c.site_id)
        .join(_OTHERS, _OTHERS.c.site_id == _SITE.c.id)
        .outerjoin(_CANDIDATE, true())
        .outerjoin(_THREAD, _THREAD.c.id == _CANDIDATE.c.thread_id)
    )
    .where(_ORIGIN.c.origin == bindparam("origin"))
    .order_by(_OTHERS.c.id)
)
_SITE_WIDTH, _THREAD_WIDTH = len(_SITE.c), len(_THREAD.c)

Model = TypeVar("Model", bound=Base)


@dataclass(frozen=True)
class LocatedThread(ThreadAddress):
    """An address with what was found there. Site and thread belong to no session: nothing else loads from them."""

    thread: Thread | None = None


def find(session: Session, *, url: str, canonical: str = "", page_id: str = "") -> ThreadAddress:
    """Find which thread a page means, as `threads.locate` does; raises BadAddressError, UnknownOriginError."""
    site = Site()
    try:
        origin = article_urls.page_origin(url)
        # Of another of the site's origins? Only who knows the site can say.
        known = not canonical or article_urls.page_origin(canonical) == origin
        asked = threads.address_on(site, canonical or url, page_id=page_id)
    except BadAddressError:
        known = False
    if not known:
        return threads.locate(session, url=url, canonical=canonical, page_id=page_id)
    rows = _PLACE.rows(session, origin=origin, **asked.stored_as)
    if not rows:
        raise UnknownOriginError(origin)
    _fill(site, _SITE, rows[0][:_SITE_WIDTH])
    origins = {row[-2]: row[-1] for row in rows}
    site.__dict__["origins"] = [
        _fill(Origin(), _ORIGIN, (number, site.id, one)) for number, one in origins.items()
    ]
    here = threads.address_on(site, canonical or url, page_id=page_id)
    if here.stored_as != asked.stored_as:  # by the site's own list of arguments
        return here
    results = [
        (Candidate(row[-5], row[-4], bool(row[-3])), row[_SITE_WIDTH : _SITE_WIDTH + _THREAD_WIDTH])
        for row in rows
        if row[-5] is not None
    ]
    chosen = here.choose(candidate for candidate, _ in results)
    columns = next((columns for candidate, columns in results if candidate.thread_id == chosen), None)
    thread = None if columns is None else _fill(Thread(), _THREAD, columns)
    return LocatedThread(site, here.key, here.url, here.earlier, thread)


def thread_at(session: Session, address: ThreadAddress) -> Thread | None:
    """Return the thread at `address`, by its key or one it once had; None while nobody has written there."""
    return address.thread if isinstance(address, LocatedThread) else threads.find(session, address)


def is_same_thread(session: Session, first: ThreadAddress, second: ThreadAddress) -> bool:
    """Whether two pages share a thread: by their addresses, or because their threads were merged or moved."""
    if first.site.id != second.site.id:
        return False
    if first.key == second.key:
        return True
    threads_found = [thread_at(session, address) for address in (first, second)]
    ids = {thread.id if thread else None for thread in threads_found}
    return ids == {None} and first.match == second.match if None in ids else len(ids) == 1


def _fill(found: Model, table: Table, values: Sequence[Any]) -> Model:
    """Give an entity its columns as if it had been loaded, at a tenth of what loading it costs."""
    found.__dict__.update(zip(_COLUMNS[table], values, strict=True))
    return found
