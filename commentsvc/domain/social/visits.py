"""Notes that a reader opened an article, so that social networks are asked only for what is read.

A visit is written only if it makes something due, thus at most once for each request to a network; in between, the
process remembers that there is nothing to write.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from commentsvc.domain.social import article_looks, links, networks
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.models import Thread

QUIET = timedelta(minutes=2)
"""How long a process does not look again whether a visit makes something due."""
_REMEMBERED = 5000


class Visits:
    """The articles of which a process knows that a visit changes nothing for a while."""

    def __init__(self) -> None:
        self._until: OrderedDict[tuple[int, str], datetime] = OrderedDict()
        self._lock = threading.Lock()

    def is_news(
        self, session: Session, address: ThreadAddress, thread: Thread | None, *, at: datetime
    ) -> bool:
        """Whether a visit has to be noted with `note`."""
        if not networks.switched_on(address.site) or not self._is_first(address, at):
            return False
        if thread is not None and links.due_on_visit(session, thread.id, at=at):
            return True
        return article_looks.is_due(session, address, at=at)

    def _is_first(self, address: ThreadAddress, at: datetime) -> bool:
        place = (address.site.id, address.key)
        with self._lock:
            until = self._until.get(place)
            if until is not None and at < until:
                return False
            self._until[place] = at + QUIET
            self._until.move_to_end(place)
            while len(self._until) > _REMEMBERED:
                self._until.popitem(last=False)
        return True


def note(session: Session, address: ThreadAddress, thread: Thread | None, *, at: datetime) -> None:
    """Note a reader's visit. Needs `begin_write`; the caller commits."""
    if thread is not None:
        links.want(session, links.due_on_visit(session, thread.id, at=at), at=at)
    article_looks.want(session, address, at=at)


def seconds_until_due(
    session: Session, address: ThreadAddress, thread: Thread | None, *, at: datetime
) -> float:
    """Return after how many seconds a visit may have to be noted again; infinite where nothing is switched on.

    A cached page must not be served for longer, because its readers are not seen.
    """
    if not networks.switched_on(address.site):
        return float("inf")
    times = [article_looks.due_at(session, address) or at]
    times += links.due_times(session, thread.id, at=at) if thread is not None else []
    return max((min(times) - at).total_seconds(), QUIET.total_seconds())
