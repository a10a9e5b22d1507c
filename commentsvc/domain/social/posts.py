"""Stores posts from elsewhere as comments: with the same checks, bans and queue as comments that are written here.

They have a `transfer_key` as imported comments have, so that nobody gets mail about them, a post that was deleted here
does not come back, and surge protection does not count them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.social.arrivals import MOST, Arrival, Stored
from commentsvc.domain.social.removing import GONE, remove
from commentsvc.domain.social.social_post import SocialPost
from commentsvc.domain.threads import threads
from commentsvc.models import (
    Comment,
    SocialOrigin,
    Status,
    Thread,
)

__all__ = ["GONE", "MOST", "MOST_READ", "SocialPost", "Stored", "keys_in", "remove", "store"]

MOST_READ = 3 * MOST
"""Posts that are looked at in one call."""


def store(
    session: Session,
    thread: Thread,
    posts: Iterable[SocialPost],
    at: datetime,
    *,
    own_hosts: Collection[str] = (),
    holds: bool = False,
) -> Stored:
    """Store new posts, and the changes of those that are stored. Needs `begin_write`; the caller commits.

    Posts may come in any order; each belongs below the one it answers. `own_hosts` are the hosts of this service,
    whose own comments do not come back. With `holds`, every new text is held, whatever the site's policy.
    """
    session.flush()
    threads.lock(session, thread.id)
    session.refresh(thread)
    arrival = Arrival(session, thread, at, holds, frozenset(own_hosts))
    for post in _in_order(posts):
        arrival.take(post)
    session.flush()
    return arrival.stored


def keys_in(session: Session, thread_id: int, origin: SocialOrigin) -> frozenset[str]:
    """Return the keys of the comments from an origin that a thread still has."""
    query = select(Comment.origin_key).where(
        Comment.thread_id == thread_id,
        Comment.origin_key.is_not(None),
        Comment.origin == origin,
        Comment.status != Status.TRASH,
    )
    return frozenset(key for key in session.scalars(query) if key is not None)


def _in_order(posts: Iterable[SocialPost]) -> list[SocialPost]:
    """Return each post once, parents before their answers; answers to a non-public post go to its parent."""
    by_key: dict[str, SocialPost] = {}
    for post in islice(posts, MOST_READ):
        by_key.setdefault(post.key, post)
    ordered: dict[str, SocialPost] = {}
    for post in by_key.values():
        chain: dict[str, SocialPost] = {}
        above: SocialPost | None = post
        while above is not None and above.key not in ordered and above.key not in chain:
            chain[above.key] = above
            above = by_key.get(above.parent_key or "")
        for key, link in reversed(chain.items()):
            parent = ordered.get(link.parent_key or "")
            passes_on = parent is not None and parent.noindex
            ordered[key] = replace(link, parent_key=parent.parent_key) if parent and passes_on else link
    return list(ordered.values())
