"""Whether readers can be told apart by their networks, or seem to come from a few: those of a CDN or a proxy."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from commentsvc.models import Comment

LATEST = 500
"""Comments that are looked at."""
FEWEST_PEOPLE = 20
"""The fewest writers that allow a conclusion."""
PEOPLE_PER_NETWORK = 5
"""From this number of people per network on, it is a proxy's or a CDN's. A reader's network has one or two."""


@dataclass(frozen=True, slots=True)
class ReaderNetworks:
    """How many people wrote lately, and from how many networks."""

    people: int
    networks: int

    @property
    def are_few(self) -> bool:
        return self.people >= FEWEST_PEOPLE and self.people >= self.networks * PEOPLE_PER_NETWORK


def lately(session: Session) -> ReaderNetworks:
    """Count who wrote the latest comments; hashes of networks change every month, which makes them a few more."""
    account = cast(Comment.commenter_id, String)
    person = func.coalesce(account, Comment.author_key_hash, func.lower(Comment.guest_email))
    latest = (
        select(person.label("person"), Comment.network_hash)
        .where(Comment.network_hash.is_not(None))
        .order_by(Comment.id.desc())
        .limit(LATEST)
        .subquery()
    )
    row = session.execute(
        select(func.count(latest.c.person.distinct()), func.count(latest.c.network_hash.distinct()))
    ).one()
    return ReaderNetworks(*row)
