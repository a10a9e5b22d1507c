"""The social networks whose answers the background work asks for: a line for each."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from commentsvc.config import Settings
from commentsvc.domain.social.article_looks import ReadLinks
from commentsvc.domain.social.foreign_pictures import ReadPicture
from commentsvc.domain.social.mention_posts import ReadSource
from commentsvc.domain.social.networks import Networks, SocialNetwork
from commentsvc.errors import OutboundError, PictureError

if TYPE_CHECKING:
    from commentsvc.integrations.article_links import PageLinks
    from commentsvc.integrations.webmention_source import MentionSource

_mastodon_pauses: dict[str, datetime] = {}
"""Until when servers want no more requests from this process, by origin."""
_bluesky_pauses: dict[str, datetime] = {}


def known(settings: Settings) -> Networks:
    """Return the networks; what they need is loaded only where a site has one switched on."""
    every: tuple[SocialNetwork, ...] = (_mastodon(settings), _bluesky(settings))
    return {network.origin: network for network in every}


def _mastodon(settings: Settings) -> SocialNetwork:
    from commentsvc.domain.social import mastodon
    from commentsvc.integrations.mastodon_posts import MastodonReader

    tokens = dict(settings.mastodon_tokens)
    return mastodon.network(MastodonReader(settings.base_url, tokens, pauses=_mastodon_pauses))


def _bluesky(settings: Settings) -> SocialNetwork:
    from commentsvc.domain.social import bluesky
    from commentsvc.integrations.bluesky_posts import AppView

    return bluesky.network(AppView(settings.base_url, settings.bluesky_url, pauses=_bluesky_pauses))


def own_hosts(settings: Settings) -> frozenset[str]:
    """Return the hosts whose posts are our own comments coming back."""
    return frozenset({urlsplit(settings.origin).hostname or ""})


def link_reader(settings: Settings) -> ReadLinks:
    """Return a function that reads the links of an article's page."""

    def read(url: str, origins: frozenset[str]) -> PageLinks | None:
        from commentsvc.integrations import article_links  # here, because few services need it

        return article_links.read(url, within=origins, allow_private=settings.private_articles)

    return read


def source_reader(settings: Settings) -> ReadSource:
    """Return a function that reads the source of a webmention."""

    def read(source: str, target: str) -> MentionSource:
        from commentsvc.integrations import webmention_source  # here, because few services need it

        return webmention_source.read(source, target, allow_private=settings.private_articles)

    return read


def picture_reader(settings: Settings) -> ReadPicture:
    """Return a function that requests the picture of somebody who wrote elsewhere."""

    def read(address: str) -> bytes | None:
        from commentsvc.http_client import client
        from commentsvc.text import images

        try:
            answer = client.fetch(
                address,
                largest=images.LARGEST,
                seconds=10.0,
                accept=frozenset({"image/"}),
                allow_private=settings.private_articles,
            )
            return images.shrink(answer.body) if answer.status == 200 else None
        except (OutboundError, PictureError):
            return None

    return read
