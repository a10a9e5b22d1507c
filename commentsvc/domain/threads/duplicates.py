"""Finds threads that probably belong to one article, by similar URLs or equal titles."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.match_keys import match_key
from commentsvc.messages import gettext
from commentsvc.models import Thread

LOOKED_AT = 50_000
"""Threads of a site that are compared, the newest first."""
SHOWN = 200
_COMMON = 6
"""A title that this many threads share does not belong to one article; it may be the website's name."""
_INDEX = re.compile(r"(/(index|default)\.(html?|php|aspx?)|/amp|\.amp)$")
_TELLING = frozenset({"p", "page_id", "attachment_id", "id", "article", "post", "story", "node", "v", "lang"})
"""Parameters that name the article itself, or its language."""


@dataclass(frozen=True, slots=True)
class DuplicateThread:
    """One of the threads of a group."""

    id: int
    url: str
    title: str | None
    count: int


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Threads that probably belong to one article; the one with most comments first."""

    why: str
    members: list[DuplicateThread]


def find(session: Session, site_id: int) -> list[DuplicateGroup]:
    """Return groups of a site's threads with nearly the same URL or with the same title."""
    query = (
        select(Thread.id, Thread.url, Thread.title, Thread.approved_count, Thread.key)
        .where(Thread.site_id == site_id)
        .order_by(Thread.id.desc())
        .limit(LOOKED_AT)
    )
    by_address: dict[str, list[DuplicateThread]] = {}
    by_title: dict[str, list[DuplicateThread]] = {}
    for row in session.execute(query):
        member = DuplicateThread(row.id, row.url, row.title, row.approved_count)
        by_address.setdefault(simplified(row.url), []).append(member)
        if row.title:
            by_title.setdefault(" ".join(row.title.casefold().split()), []).append(member)
    groups = [
        _group(gettext("Nearly the same address"), some)
        for threads in by_address.values()
        for some in (_by_name(threads) if len(threads) >= _COMMON else [threads])
        if len(some) > 1
    ]
    group_of = {thread.id: number for number, group in enumerate(groups) for thread in group.members}
    groups += [
        _group(gettext("The same title"), threads)
        for threads in by_title.values()
        if 1 < len(threads) < _COMMON
        and len({group_of.get(thread.id, -thread.id - 1) for thread in threads}) > 1
    ]
    return groups[:SHOWN]


def simplified(url: str) -> str:
    """Return a URL without the parts that seldom distinguish two articles.

    In addition to `match_keys`: letter case, the name of an index page, `/amp`, and all parameters.
    """
    return _INDEX.sub("", _address_and_query(url)[0]).rstrip("/")


def _by_name(threads: list[DuplicateThread]) -> list[list[DuplicateThread]]:
    """Divide threads of one path with many articles, as in WordPress's `/?p=16`, by the article's parameter."""
    groups: dict[str, list[DuplicateThread]] = {}
    for member in threads:
        query = _address_and_query(member.url)[1]
        name = "&".join(part for part in query.split("&") if part.partition("=")[0] in _TELLING)
        groups.setdefault(name, []).append(member)
    return list(groups.values())


def _address_and_query(url: str) -> tuple[str, str]:
    address, _, query = match_key(url.partition("://")[2].partition("#")[0]).lower().partition("?")
    return address, query


def _group(why: str, threads: list[DuplicateThread]) -> DuplicateGroup:
    return DuplicateGroup(why, sorted(threads, key=lambda thread: (-thread.count, thread.id)))
