"""Answers on Mastodon, and on servers with its API, as answers from a social network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from commentsvc.domain.social.networks import AskedLink, NetworkAnswer, SocialNetwork
from commentsvc.domain.social.social_post import SocialPost
from commentsvc.errors import OutboundError
from commentsvc.integrations.mastodon_addresses import PostAddress, address_of
from commentsvc.integrations.mastodon_posts import (
    MastodonReader,
    PausedError,
    PostGoneError,
)
from commentsvc.integrations.mastodon_statuses import MastodonStatus
from commentsvc.models import SocialOrigin, now

if TYPE_CHECKING:
    from commentsvc.integrations.article_links import PageLinks

MOST_PROOFS = 10
"""Missing answers of which a server is asked, one by one, whether they were deleted, after each list."""


def network(reader: MastodonReader, clock: Callable[[], datetime] = now) -> SocialNetwork:
    """Return how articles' posts are found and asked for, with `reader`."""
    return SocialNetwork(
        SocialOrigin.MASTODON,
        fetch=lambda asked: fetch(reader, asked, at=clock()),
        find=find,
        normal=normal,
    )


def normal(address: str) -> str | None:
    """Return a post's address as it is stored; None if it is no post on a server with Mastodon's API."""
    post = address_of(address)
    return post.page if post is not None else None


def find(links: PageLinks) -> str | None:
    """Return the address of an article's post: what our element says, else the first link; None if there is none."""
    addresses = (links.attributes.get("mastodon", ""), *links.syndication)
    return next((post.page for post in map(address_of, addresses) if post is not None), None)


def fetch(reader: MastodonReader, asked: AskedLink, *, at: datetime) -> NetworkAnswer:
    """Ask for the answers to a post, and which of those that the thread has were deleted."""
    address = address_of(asked.address)
    if address is None:
        return NetworkAnswer(error="This is not the address of a post on Mastodon.", is_final=True)
    try:
        conversation = reader.conversation(address, at=at)
    except PausedError as error:
        return NetworkAnswer(error=str(error), ask_again_in=_seconds(error.until, at))
    except PostGoneError as error:
        return NetworkAnswer(error=str(error), is_final=True)
    except OutboundError as error:
        return NetworkAnswer(error=str(error))
    uris = {answer.id: answer.uri for answer in conversation.answers}
    return NetworkAnswer(
        posts=[_post(answer, uris.get(answer.answered_id or "")) for answer in conversation.answers],
        gone=_gone(reader, address, asked.known_keys - set(uris.values()), at),
        likes=conversation.post.likes,
        boosts=conversation.post.boosts,
        ask_again_in=_seconds(conversation.next_request, at),
    )


def _post(status: MastodonStatus, parent_key: str | None) -> SocialPost:
    return SocialPost(
        origin=SocialOrigin.MASTODON,
        key=status.uri,
        url=status.url,
        parent_key=parent_key,
        author_name=f"{status.author_name} (bot)" if status.is_bot else status.author_name,
        author_handle=status.author_handle,
        author_url=status.author_url,
        picture_url=status.picture_url,
        html=status.html,
        text=None,
        published_at=status.published_at,
        edited_at=status.edited_at,
        content_warning=status.content_warning,
        language=status.language,
        # A token may also show what was written for followers, for one server or by people that it has limited.
        noindex=status.noindex or status.visibility != "public" or not status.is_shown,
    )


def _gone(
    reader: MastodonReader, address: PostAddress, missing: Iterable[str], at: datetime
) -> frozenset[str]:
    """Return which answers were deleted.

    A list that was cut says nothing of most answers, so each time others are asked for.
    """
    gone = set()
    for key in sorted(missing, key=lambda key: hashlib.sha256(f"{at} {key}".encode()).digest())[:MOST_PROOFS]:
        with suppress(PausedError):
            if reader.is_gone(key, address, at=at):
                gone.add(key)
    return frozenset(gone)


def _seconds(until: datetime | None, at: datetime) -> int | None:
    return max(int((until - at).total_seconds()) + 1, 1) if until is not None else None
