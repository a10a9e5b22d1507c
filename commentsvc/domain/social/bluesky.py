"""Answers to an article's post on Bluesky, as posts that can be stored here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from commentsvc.domain.social.networks import AskedLink, NetworkAnswer, SocialNetwork
from commentsvc.domain.social.social_post import SocialPost
from commentsvc.errors import OutboundError
from commentsvc.http_client.refusals import AskedTooOftenError, GoneError
from commentsvc.integrations.bluesky_posts import ASKED_AT_ONCE, AppView, BlueskyAnswer, BlueskyThread
from commentsvc.integrations.bluesky_records import HOST, BlueskyAddress, BlueskyPost, parse_address
from commentsvc.models import SocialOrigin, now
from commentsvc.text.linked_text import linked_html

if TYPE_CHECKING:
    from commentsvc.integrations.article_links import PageLinks

MOST_PROVED = 100
"""Missing answers that are asked for after each list, in ten requests."""


def network(server: AppView) -> SocialNetwork:
    """Return Bluesky as `server` shows it."""
    return SocialNetwork(
        SocialOrigin.BLUESKY, fetch=lambda asked: fetch(server, asked), find=find, normal=normal
    )


def find(links: PageLinks) -> str | None:
    """Return the page of the post that an article names, first on our element."""
    addresses = [links.attributes.get("bluesky", ""), *links.syndication]
    return next(filter(None, map(normal, addresses)), None)


def normal(address: str) -> str | None:
    """Return the page of a post that is named by this page or by its at-uri; None for anything else."""
    parsed = parse_address(address.strip())
    return parsed.page if parsed else None


def fetch(server: AppView, asked: AskedLink) -> NetworkAnswer:
    """Ask for the answers to a post; the result says what failed.

    Bluesky sends no ETag. The answer's is the post's at-uri instead, so that its author's handle, which may change,
    is resolved only once.
    """
    at = now()
    address = parse_address(asked.etag or "") or parse_address(asked.address)
    if address is None:
        return NetworkAnswer(error="This is not the address of a post on Bluesky.", is_final=True)
    try:
        address = server.resolved(address, at=at)
        thread = server.thread(address, at=at)
    except AskedTooOftenError as error:
        return NetworkAnswer(error=str(error), ask_again_in=_seconds(error.until, at))
    except GoneError as error:
        return _without_post(server, address, asked, str(error), at)
    except OutboundError as error:
        return NetworkAnswer(error=str(error))
    return _answer(server, address, thread, asked, at)


def _answer(
    server: AppView, address: BlueskyAddress, thread: BlueskyThread, asked: AskedLink, at: datetime
) -> NetworkAnswer:
    shown = {answer.post.address.uri for answer in thread.answers}
    proof = _prove(server, asked.known_keys - shown - thread.hidden, at)
    withdrawn = (thread.hidden & asked.known_keys) | proof.hidden
    return NetworkAnswer(
        posts=[*map(_social_post, thread.answers), *(_withdrawn(uri, at) for uri in sorted(withdrawn))],
        gone=proof.gone,
        likes=thread.likes,
        boosts=thread.reposts,
        etag=address.uri,
        ask_again_in=proof.ask_again_in,
    )


def _without_post(
    server: AppView, address: BlueskyAddress, asked: AskedLink, error: str, at: datetime
) -> NetworkAnswer:
    """Answer for a post that is gone: the answers to it may still exist, and only those that do not are gone."""
    if not address.is_resolved:
        return NetworkAnswer(error=error, is_final=True)
    proof = _prove(server, asked.known_keys, at)
    return NetworkAnswer(gone=proof.gone | proof.hidden, error=error, is_final=True)


@dataclass(frozen=True)
class _Proof:
    """What the network says of posts that were missing from a thread."""

    gone: frozenset[str]
    hidden: frozenset[str]
    ask_again_in: int | None = None


def _prove(server: AppView, uris: Iterable[str], at: datetime) -> _Proof:
    """Ask for posts by their at-uris. An error proves nothing, and leaves the rest for the next time.

    Of more than `MOST_PROVED`, each time others are asked for.
    """
    known = [uri for uri in uris if parse_address(uri)]
    asked = sorted(known, key=lambda uri: hashlib.sha256(f"{at} {uri}".encode()).digest())[:MOST_PROVED]
    gone: set[str] = set()
    hidden: set[str] = set()
    pause = None
    try:
        for start in range(0, len(asked), ASKED_AT_ONCE):
            batch = asked[start : start + ASKED_AT_ONCE]
            posts = server.posts(batch, at=at)
            gone.update(uri for uri in batch if uri not in posts)
            hidden.update(uri for uri in batch if uri in posts and posts[uri].is_hidden)
    except AskedTooOftenError as error:
        pause = _seconds(error.until, at)
    except OutboundError:
        pass
    return _Proof(frozenset(gone), frozenset(hidden), pause)


def _seconds(until: datetime, at: datetime) -> int:
    return max(int((until - at).total_seconds()) + 1, 1)


def _social_post(answer: BlueskyAnswer) -> SocialPost:
    post = answer.post
    return SocialPost(
        origin=SocialOrigin.BLUESKY,
        key=post.address.uri,
        url=post.address.page,
        parent_key=answer.parent,
        author_name=post.name or post.handle,
        author_handle=post.handle,
        author_url=f"{HOST}/profile/{post.address.author}",
        picture_url=post.picture,
        html=linked_html(
            post.text,
            [(link.start, link.end, link.address) for link in post.links],
            below=_below(post),
        ),
        text=None,
        published_at=post.posted_at,
        content_warning=post.warning,
        language=post.language,
        author_id=post.address.author,
    )


def _below(post: BlueskyPost) -> Sequence[tuple[str, str]]:
    """Return what is attached, unless the text has a link to it; pictures are seen at the original."""
    linked = {link.address for link in post.links}
    attached = [(address, address) for address in post.attached if address not in linked]
    pictures = [(f"[Picture: {text}]" if text else "[Picture]", post.address.page) for text in post.pictures]
    return attached + pictures


def _withdrawn(uri: str, at: datetime) -> SocialPost:
    """Return a post that must not be shown: only what identifies it."""
    address = parse_address(uri)
    page = address.page if address else ""
    return SocialPost(
        origin=SocialOrigin.BLUESKY,
        key=uri,
        url=page,
        parent_key=None,
        author_name="",
        author_handle="",
        author_url="",
        picture_url=None,
        html=None,
        text="",
        published_at=at,
        noindex=True,
    )
