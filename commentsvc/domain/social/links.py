"""Posts that belong to articles: when their networks are asked for answers, and what is done with those.

A network is asked only after a reader has opened the article, first every few minutes, then ever more rarely.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows, take_first
from commentsvc.db.session import begin_write
from commentsvc.domain.social import networks, posts
from commentsvc.domain.social.networks import AskedLink, NetworkAnswer, Networks, SocialNetwork
from commentsvc.domain.threads import threads
from commentsvc.models import FoundBy, Site, SocialLink, SocialOrigin, Thread

FIRST = timedelta(minutes=5)
LONGEST = timedelta(hours=24)
STOP = timedelta(days=45)
"""After this time a post is not asked for any more, until an owner starts it again."""
BATCH = 5
"""Links per round, so that other work does not wait long."""
MOST = 10
"""Links of one thread."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _DueLink:
    id: int
    thread_id: int
    origin: SocialOrigin
    asked: AskedLink
    is_on: bool
    """Whether the site shows the answers of the network, so that it is asked."""


def pause(tries: int) -> timedelta:
    """Return how long a network is left alone after it was asked for the `tries`-th time."""
    return min(FIRST * (1 << min(max(tries - 1, 0), 20)), LONGEST)


def connect(
    session: Session, thread: Thread, origin: SocialOrigin, address: str, *, by: FoundBy, at: datetime
) -> SocialLink | None:
    """Connect a post with an article, or start it again; None if there are too many. Needs `begin_write`."""
    threads.lock(session, thread.id)
    links = of_thread(session, thread.id)
    known = next((link for link in links if link.address == address), None)
    if known is not None:
        if by is FoundBy.ADMIN:
            restart(known, at=at)
        return known
    if len(links) >= MOST or len(address) > 500:
        return None
    link = SocialLink(
        thread_id=thread.id,
        origin=origin,
        address=address,
        found_by=by,
        created_at=at,
        started_at=at,
        due_at=at,
        wanted_at=at,
    )
    session.add(link)
    session.flush()
    threads.mark_changed(session, thread.id)  # the page has a link to the post
    return link


def restart(link: SocialLink, *, at: datetime) -> None:
    """Ask again at once, and from then on as for a new post. Needs `begin_write`."""
    link.tries, link.started_at, link.due_at, link.wanted_at = 0, at, at, at
    link.stopped_at, link.error, link.etag = None, None, None


def of_thread(session: Session, thread_id: int) -> list[SocialLink]:
    """Return the posts that belong to a thread, in the order in which they were connected."""
    query = select(SocialLink).where(SocialLink.thread_id == thread_id).order_by(SocialLink.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def run_due(
    session: Session,
    known: Networks,
    *,
    at: datetime,
    own_hosts: Collection[str] = (),
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Ask for the answers to posts that are due and wanted, at most `BATCH`; return how many. Commits.

    No transaction is open during a request, and no other process asks for the same post.
    """
    asked = 0
    while asked < BATCH and not stopped() and (due := _take(session, known, at)) is not None:
        if due.is_on:
            asked += 1
            answer = _ask(known[due.origin], due.asked)
            _store(session, due, answer, own_hosts, at)
    return asked


def _take(session: Session, known: Networks, at: datetime) -> _DueLink | None:
    """Take the next due link, and set when it is due next, whatever becomes of this request."""
    due = select(SocialLink).where(
        text("wanted_at IS NOT NULL AND stopped_at IS NULL"),  # exactly as in the partial index
        SocialLink.due_at <= at,
        SocialLink.origin.in_(known),
    )
    link = take_first(session, due.order_by(SocialLink.due_at))
    if link is None:
        return None
    link.tries += 1
    link.asked_at, link.wanted_at, link.due_at = at, None, at + pause(link.tries)
    if at - link.started_at >= STOP:
        link.stopped_at = at
    thread = link.thread
    is_on = link.origin in networks.switched_on(thread.site)
    keys = posts.keys_in(session, thread.id, link.origin) if is_on else frozenset()
    taken = _DueLink(link.id, thread.id, link.origin, AskedLink(link.address, link.etag, keys), is_on)
    session.commit()
    return taken


def _ask(network: SocialNetwork, asked: AskedLink) -> NetworkAnswer:
    try:
        return network.fetch(asked)
    except Exception:  # what strangers answer ends neither the round nor the other links
        log.exception("the answer of a social network could not be read")
        return NetworkAnswer(error="The answer could not be read.")


def _store(
    session: Session, due: _DueLink, answer: NetworkAnswer, own_hosts: Collection[str], at: datetime
) -> None:
    begin_write(session)
    thread = session.get(Thread, due.thread_id)
    if thread is not None:
        threads.lock(session, thread.id)
    link = session.get(SocialLink, due.id, populate_existing=True, with_for_update=True)
    if thread is None or link is None or link.thread_id != thread.id:  # deleted or moved meanwhile
        session.rollback()
        return
    if answer.ask_again_in is not None:
        link.due_at = min(max(link.due_at, at + timedelta(seconds=answer.ask_again_in)), at + LONGEST)
    link.error = answer.error[:300] or None
    if answer.is_final:
        link.stopped_at = at
    if not answer.unchanged:
        posts.remove(session, thread, answer.gone & due.asked.known_keys, at)
    if not answer.error and not answer.unchanged:
        stored = posts.store(session, thread, answer.posts, at, own_hosts=own_hosts)
        _count(session, link, answer)
        if stored.new or stored.edited:  # a conversation that goes on is asked for more often
            link.tries = max(link.tries - 2, 1)
            link.due_at = (
                min(link.due_at, at + pause(link.tries)) if answer.ask_again_in is None else link.due_at
            )
    session.commit()


def _count(session: Session, link: SocialLink, answer: NetworkAnswer) -> None:
    numbers = max(answer.likes, 0), max(answer.boosts, 0)
    if numbers != (link.likes, link.boosts):
        link.likes, link.boosts = numbers
        session.flush()
        threads.mark_changed(session, link.thread_id)
    link.etag = answer.etag[:300] if answer.etag else None


def want(session: Session, link_ids: Iterable[int], *, at: datetime) -> None:
    """Note that a reader opened the article. Needs `begin_write`; the caller commits."""
    change = update(SocialLink).where(
        SocialLink.id.in_(list(link_ids)), SocialLink.wanted_at.is_(None), SocialLink.due_at <= at
    )
    change_rows(session, change.values(wanted_at=at))


def due_on_visit(session: Session, thread_id: int, *, at: datetime) -> list[int]:
    """Return the links of a thread that a reader's visit makes due: there is something to note only for these."""
    query = select(SocialLink.id).where(
        SocialLink.thread_id == thread_id,
        SocialLink.stopped_at.is_(None),
        SocialLink.wanted_at.is_(None),
        SocialLink.due_at <= at,
    )
    return list(session.scalars(query))


def due_times(session: Session, thread_id: int, *, at: datetime) -> list[datetime]:
    """Return when the posts of a thread are due next; those that are being asked for count as due at `at`."""
    query = select(SocialLink.due_at, SocialLink.wanted_at).where(
        SocialLink.thread_id == thread_id, SocialLink.stopped_at.is_(None)
    )
    return [due if wanted is None else at for due, wanted in session.execute(query).all()]


def is_shown_on(site: Site, link: SocialLink) -> bool:
    """Whether readers of a site see a link and its counts."""
    return link.origin in networks.switched_on(site)


def switches_of(site: Site) -> frozenset[SocialOrigin]:
    """Return the networks whose answers a site shows."""
    return networks.switched_on(site)
