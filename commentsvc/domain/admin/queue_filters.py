"""The filters of the queue: a list, and conditions that narrow it; every filter is in the URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from commentsvc.domain import fields
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.errors import BadAddressError
from commentsvc.messages import gettext
from commentsvc.models import Status

LONGEST_WORDS = 200
_TOKEN = re.compile(r"[a-z0-9_-]{1,40}")


class Tab(StrEnum):
    """The lists of the queue: all that readers see or may see, one for each status, reported comments, held edits."""

    ALL = "all"
    HELD = "held"
    APPROVED = "approved"
    SPAM = "spam"
    TRASH = "trash"
    REPORTED = "reported"
    EDITS = "edits"
    """Published comments whose authors have changed them, while the new text waits for a moderator."""

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The statuses of comments in this list."""
        if self is Tab.EDITS:
            return (Status.APPROVED,)
        return (Status.APPROVED, Status.HELD) if self in {Tab.ALL, Tab.REPORTED} else (Status(self.value),)


class KindFilter(StrEnum):
    """What a reader wrote here, or what another website announced by a pingback or trackback."""

    COMMENT = "comment"
    MENTION = "mention"


@dataclass(frozen=True, slots=True)
class Filters:
    """The conditions that narrow a list; without any, the whole list."""

    q: str | None = None
    article: int | None = None
    author: AuthorRef | None = None
    kind: KindFilter | None = None
    provider: str | None = None
    """A login provider's key, or `guest`."""
    network: int | None = None
    """The id of a comment from the same network; the network's hash stays out of URLs."""
    since: date | None = None
    until: date | None = None
    """The last day, inclusive."""
    reason: str | None = None
    """The check that gave comments their status."""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Filters:
        """Read a URL's query, in which empty values do not count; raises BadAddressError."""
        query = {name: value for name, value in query.items() if value}
        return cls(
            q=query.get("q", "").replace("\0", "").strip()[:LONGEST_WORDS] or None,
            article=fields.row_argument(query, "article"),
            author=AuthorRef.parse(query["author"]) if "author" in query else None,
            kind=_kind(query),
            provider=_matching(query, "provider", _TOKEN),
            network=fields.row_argument(query, "network"),
            since=_day(query, "since"),
            until=_day(query, "until"),
            reason=_matching(query, "reason", _TOKEN),
        )

    def arguments(self) -> dict[str, str]:
        """Return the URL parameters for these filters."""
        named = {name: getattr(self, name) for name in self.__slots__}
        return {name: str(value) for name, value in named.items() if value is not None}

    @property
    def began(self) -> datetime | None:
        """The start of the period, inclusive."""
        return _midnight(self.since) if self.since else None

    @property
    def ended(self) -> datetime | None:
        """The end of the period, exclusive."""
        return _midnight(self.until) + timedelta(days=1) if self.until else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _kind(query: Mapping[str, str]) -> KindFilter | None:
    typed = query.get("kind")
    if typed is not None and typed not in set(KindFilter):
        raise BadAddressError(gettext("kind must be comment or mention."))
    return KindFilter(typed) if typed else None


def _matching(query: Mapping[str, str], name: str, form: re.Pattern[str]) -> str | None:
    typed = query.get(name)
    if typed is None:
        return None
    if not form.fullmatch(typed) or "\0" in typed:
        raise BadAddressError(gettext("%(name)s is not valid.") % {"name": name})
    return typed


def _day(query: Mapping[str, str], name: str) -> date | None:
    typed = query.get(name)
    if typed is None:
        return None
    try:
        day = date.fromisoformat(typed)
        _midnight(day) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise BadAddressError(
            gettext("%(name)s must be a day, such as 2026-11-23.") % {"name": name}
        ) from None
    return day
