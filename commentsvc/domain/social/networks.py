"""What the service needs to know of a social network: how to find an article's post, and how to ask for the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from commentsvc.domain.social.social_post import SocialPost
from commentsvc.models import Site, SocialOrigin

if TYPE_CHECKING:
    from commentsvc.integrations.article_links import PageLinks


@dataclass(frozen=True)
class AskedLink:
    """A post whose answers are asked for."""

    address: str
    etag: str | None
    known_keys: frozenset[str]
    """The keys of its answers that the thread has; one that is missing now may have been deleted."""


@dataclass(frozen=True)
class NetworkAnswer:
    """What a network answered, or the reason why it did not."""

    posts: Sequence[SocialPost] = ()
    """The answers, without the post itself."""
    gone: frozenset[str] = frozenset()
    """Keys of answers of which the network has said, one by one, that they do not exist any more."""
    likes: int = 0
    boosts: int = 0
    etag: str | None = None
    unchanged: bool = False
    """Nothing has changed since `etag`: the other fields mean nothing."""
    ask_again_in: int | None = None
    """Seconds after which the network wants to be asked again: for an answer that is not complete, or a limit."""
    error: str = ""
    """What failed, as a sentence for the owner."""
    is_final: bool = False
    """With `error`: asking again is of no use, because the post does not exist or is not for everybody."""


Fetch = Callable[[AskedLink], NetworkAnswer]
"""Asks a network, without any access to the database; must not raise for whatever the network answers."""


@dataclass(frozen=True)
class SocialNetwork:
    """A network from which answers come."""

    origin: SocialOrigin
    fetch: Fetch
    find: Callable[[PageLinks], str | None] = field(default=lambda _links: None)
    """Returns the address of an article's post in the form in which it is stored; None if there is none."""
    normal: Callable[[str], str | None] = field(default=lambda address: address)
    """Returns an address that an owner typed in the form in which it is stored; None if it is no post."""


Networks = Mapping[SocialOrigin, SocialNetwork]


def switched_on(site: Site) -> frozenset[SocialOrigin]:
    """Return the networks whose answers a site shows."""
    switches = {SocialOrigin.MASTODON: site.mastodon, SocialOrigin.BLUESKY: site.bluesky}
    return frozenset(origin for origin, is_on in switches.items() if is_on)
