"""Counts the comments of many articles in one query, or two where some were written elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from sqlalchemy import and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from commentsvc.domain import article_urls
from commentsvc.domain.sites import sites
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.matching import Candidate
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import BadAddressError
from commentsvc.models import Comment, Site, Status, Thread, ThreadAlias

_NAMED = "#thread-id="


def by_url(session: Session, urls: Sequence[str]) -> dict[str, int]:
    """Return the number of approved comments by URL; 0 for a URL that is not an article of any site.

    A thread whose page gives it an id is named as `URL#thread-id=ID`.
    """
    origins = {url: origin for url in urls if (origin := _origin(url))}
    known = sites.by_origins(session, set(origins.values()))
    addresses = {
        url: address
        for url, origin in origins.items()
        if origin in known and (address := _address(url, known[origin]))
    }
    numbers = counts(session, list(addresses.values()))
    return dict.fromkeys(urls, 0) | dict(zip(addresses, numbers, strict=True))


def counts(session: Session, addresses: Sequence[ThreadAddress]) -> list[int]:
    """Return each thread's number of approved comments; without those from elsewhere, unless the site counts them."""
    of_site: dict[int, list[ThreadAddress]] = {}
    for address in addresses:
        of_site.setdefault(address.site.id, []).append(address)
    if not of_site:
        return []

    queries = [
        select(
            table.site_id, table.key, table.match_key, Thread.id, literal(is_alias), Thread.approved_count
        ).where(
            or_(
                *(
                    and_(table.site_id == number, column.in_(_forms(some, names)))
                    for number, some in of_site.items()
                )
            )
        )
        for table, is_alias in ((Thread, 0), (ThreadAlias, 1))
        # Separate queries: with one OR condition SQLite would scan all threads of the site.
        for column, names in ((table.key, ("key", "earlier")), (table.match_key, ("match",)))
    ]
    queries = [query.join(Thread, Thread.id == ThreadAlias.thread_id) for query in queries[2:]] + queries[:2]
    count_of: dict[int, int] = {}
    candidates: dict[tuple[int, str], set[Candidate]] = {}
    for site_id, key, match, thread_id, is_alias, count in session.execute(union_all(*queries)):
        count_of[thread_id] = count
        for form in {key, match or key}:
            candidates.setdefault((site_id, form), set()).add(Candidate(thread_id, key, bool(is_alias)))
    chosen = [_chosen(address, candidates) for address in addresses]
    left_out = [
        number
        for number, address in zip(chosen, addresses, strict=True)
        if takes_foreign(address.site) and not address.site.count_foreign
    ]
    if left_out:
        for number, foreign_count in _foreign(session, left_out).items():
            count_of[number] -= foreign_count
    return [count_of.get(number, 0) for number in chosen]


def takes_foreign(site: Site) -> bool:
    """Whether a site shows answers from elsewhere."""
    return site.webmention or site.mastodon or site.bluesky


def foreign(session: Session, site: Site, thread: Thread | None) -> int:
    """Return how many of a thread's approved comments were written elsewhere."""
    if thread is None or not takes_foreign(site):
        return 0
    return _foreign(session, [thread.id]).get(thread.id, 0)


def _foreign(session: Session, thread_ids: Sequence[int]) -> dict[int, int]:
    query = select(Comment.thread_id, func.count()).where(
        Comment.thread_id.in_(thread_ids),
        Comment.origin_key.is_not(None),  # as in the partial index
        Comment.status == Status.APPROVED,
    )
    rows = session.execute(query.group_by(Comment.thread_id)).all()
    return {row[0]: row[1] for row in rows}


def _forms(some: Sequence[ThreadAddress], names: Sequence[str]) -> set[str]:
    return {address.stored_as[name] for address in some for name in names}


def _chosen(address: ThreadAddress, candidates: dict[tuple[int, str], set[Candidate]]) -> int:
    matching = {
        one for form in address.stored_as.values() for one in candidates.get((address.site.id, form), set())
    }
    return address.choose(matching) or 0


def _origin(thread_request: str) -> str | None:
    try:
        return article_urls.page_origin(thread_request.partition(_NAMED)[0])
    except BadAddressError:
        return None


def _address(thread_request: str, site: Site) -> ThreadAddress | None:
    url, _, page_id = thread_request.partition(_NAMED)
    try:
        return threads.address_on(site, url, page_id=unquote(page_id))
    except BadAddressError:
        return None
