"""Asks an AppView of Bluesky for a post and the answers to it, without a login."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from commentsvc.errors import OutboundError
from commentsvc.http_client import client
from commentsvc.http_client.client import INTERNET, HttpResponse, Network
from commentsvc.http_client.refusals import AskedTooOftenError, GoneError
from commentsvc.integrations.bluesky_records import BlueskyAddress, BlueskyPost, is_did, read_post

PUBLIC = "https://public.api.bsky.app"
"""The AppView that Bluesky runs for those who are not logged in."""
LARGEST = 8 * 1024 * 1024
"""Bytes of an answer."""
SECONDS = 15.0
DEPTH = 10
"""Levels of answers below the post that are asked for."""
MOST_ANSWERS = 1_000
"""Answers that are read; those nearest to the post come first."""
ASKED_AT_ONCE = 10
"""Posts that one request asks for. The AppView takes 25, but their addresses must fit into one of 2,000 characters."""
LONGEST_WAIT = 86_400
TOO_OFTEN = "Bluesky wants fewer requests. It is asked again later."
_JSON = frozenset({"application/json"})
_THREAD, _NOT_FOUND, _BLOCKED = (
    f"app.bsky.feed.defs#{name}" for name in ("threadViewPost", "notFoundPost", "blockedPost")
)


@dataclass(frozen=True, slots=True)
class BlueskyAnswer:
    """An answer to a post, or to another answer."""

    post: BlueskyPost
    parent: str | None
    """The at-uri of the nearest answer above it that may be shown; None below the post itself."""


@dataclass(frozen=True, slots=True)
class BlueskyThread:
    """A post's answers and counts."""

    answers: tuple[BlueskyAnswer, ...]
    hidden: frozenset[str]
    """At-uris of answers that the network has but that must not be shown here."""
    likes: int
    reposts: int


@dataclass(frozen=True)
class AppView:
    """A server that answers questions about posts, unless it has demanded a pause."""

    contact: str
    """The address of this service, for those who run the server."""
    origin: str = PUBLIC
    """The operator's choice, so that it may be in a private network."""
    network: Network = INTERNET
    pauses: dict[str, datetime] = field(default_factory=dict)
    """Until when servers want no more requests, by origin; the pauses hold for the requests of all articles."""

    def resolved(self, address: BlueskyAddress, *, at: datetime) -> BlueskyAddress:
        """Return a post's address with its author's DID; raises OutboundError, GoneError if nobody has the handle."""
        if address.is_resolved:
            return address
        did = self._ask("com.atproto.identity.resolveHandle", {"handle": address.author}, at).get("did")
        if not is_did(did):
            raise OutboundError("Bluesky did not say whose handle this is.")
        return address.by(str(did))

    def thread(self, address: BlueskyAddress, *, at: datetime) -> BlueskyThread:
        """Return the answers to a post; raises OutboundError, GoneError if there is no such post (any more)."""
        query = {"uri": address.uri, "depth": str(DEPTH), "parentHeight": "0"}
        answer = self._ask("app.bsky.feed.getPostThread", query, at)
        top = answer.get("thread")
        top = top if isinstance(top, dict) else {}
        if top.get("$type") == _NOT_FOUND:
            raise GoneError("Bluesky has no such post.")
        if top.get("$type") == _BLOCKED:
            raise OutboundError("Bluesky does not show this post.")
        post = read_post(top.get("post"), at=at)
        if top.get("$type") != _THREAD or post is None:
            raise OutboundError("Bluesky answered with something else than a post.")
        return _ThreadReader(_hidden_by_author(answer) | _hidden_by_author(top.get("post")), at).read(
            top, post
        )

    def posts(self, uris: Iterable[str], *, at: datetime) -> dict[str, BlueskyPost]:
        """Return those of at most `ASKED_AT_ONCE` posts that exist, by at-uri; raises OutboundError."""
        listed = self._ask("app.bsky.feed.getPosts", [("uris", uri) for uri in uris], at).get("posts")
        if not isinstance(listed, list):
            raise OutboundError("Bluesky answered with something else than posts.")
        posts = [read_post(view, at=at) for view in listed]
        if None in posts:
            raise OutboundError("Bluesky answered with a post that cannot be read.")
        return {post.address.uri: post for post in posts if post}

    def _ask(
        self, method: str, query: Mapping[str, str] | list[tuple[str, str]], at: datetime
    ) -> dict[str, Any]:
        if (until := self.pauses.get(self.origin)) is not None and until > at:
            raise AskedTooOftenError(TOO_OFTEN, until)
        answer = client.fetch(
            f"{self.origin}/xrpc/{method}?{urlencode(query, safe=':/')}",
            largest=LARGEST,
            seconds=SECONDS,
            accept=_JSON,
            headers={"User-Agent": f"commentsvc (+{self.contact})"},
            redirects=0,
            allow_private=self.origin != PUBLIC,
            within=frozenset({self.origin}),
            network=self.network,
        )
        if answer.status == 429:
            until = self.pauses[self.origin] = at + timedelta(seconds=_wait(answer, at))
            raise AskedTooOftenError(TOO_OFTEN, until)
        body = _object_in(answer)
        if answer.status == 400 and body.get("error") == "NotFound":
            raise GoneError("Bluesky has no such post.")
        if answer.status == 400 and "resolve handle" in str(body.get("message", "")).lower():
            raise GoneError("Nobody at Bluesky has this handle.")
        if answer.status != 200:
            raise OutboundError(f"Bluesky answered with status {answer.status}.")
        return body


class _ThreadReader:
    """Reads the tree of answers level by level, so that a limit leaves out the deepest."""

    def __init__(self, hidden_by_author: frozenset[str], at: datetime) -> None:
        self._hidden_by_author, self._at = hidden_by_author, at
        self._answers: dict[str, BlueskyAnswer] = {}
        self._hidden: set[str] = set()
        self._due: deque[tuple[object, str | None]] = deque()

    def read(self, top: Mapping[str, Any], post: BlueskyPost) -> BlueskyThread:
        self._add_replies(top, None)
        while self._due and len(self._answers) < MOST_ANSWERS:
            self._read_node(*self._due.popleft())
        return BlueskyThread(tuple(self._answers.values()), frozenset(self._hidden), post.likes, post.reposts)

    def _read_node(self, node: object, parent: str | None) -> None:
        if not isinstance(node, dict):
            return
        if node.get("$type") == _BLOCKED and isinstance(node.get("uri"), str):
            self._hidden.add(node["uri"])
        post = read_post(node.get("post"), at=self._at) if node.get("$type") == _THREAD else None
        if post is None or post.address.uri in self._answers:
            return
        uri = post.address.uri
        if uri in self._hidden_by_author:
            self._hide_with_answers(node, uri)
            return
        if post.is_hidden:
            self._hidden.add(uri)
        else:
            self._answers[uri] = BlueskyAnswer(post, parent)
            parent = uri
        self._add_replies(node, parent)

    def _add_replies(self, node: Mapping[str, Any], parent: str | None) -> None:
        replies = node.get("replies")
        self._due.extend((reply, parent) for reply in (replies if isinstance(replies, list) else []))

    def _hide_with_answers(self, node: Mapping[str, Any], uri: str) -> None:
        """Hide an answer that the post's author has hidden, and what was answered to it, as Bluesky's own app does."""
        self._hidden.add(uri)
        due = deque([node])
        while due:
            replies = due.popleft().get("replies")
            for reply in replies if isinstance(replies, list) else []:
                post = read_post(reply.get("post"), at=self._at) if isinstance(reply, dict) else None
                if post:
                    self._hidden.add(post.address.uri)
                    due.append(reply)


def _hidden_by_author(holder: object) -> frozenset[str]:
    """Return the at-uris that a threadgate hides: it is beside the thread, or at its post."""
    gate = holder.get("threadgate") if isinstance(holder, dict) else None
    record = gate.get("record") if isinstance(gate, dict) else None
    uris = record.get("hiddenReplies") if isinstance(record, dict) else None
    return frozenset(uri for uri in (uris if isinstance(uris, list) else []) if isinstance(uri, str))


def _object_in(answer: HttpResponse) -> dict[str, Any]:
    try:
        body = json.loads(answer.body or b"{}")
    except (ValueError, RecursionError):
        raise OutboundError("Bluesky's answer is no valid JSON.") from None
    return body if isinstance(body, dict) else {}


def _wait(answer: HttpResponse, at: datetime) -> int:
    """Return the seconds to wait: `Retry-After`, or until `RateLimit-Reset`, or five minutes."""
    after, reset = (answer.headers.get(name, "") for name in ("retry-after", "ratelimit-reset"))
    if after.isascii() and after.isdigit() and len(after) < 10:
        seconds = int(after)
    elif reset.isascii() and reset.isdigit() and len(reset) < 15:
        seconds = int(reset) - int(at.timestamp())
    else:
        seconds = 300
    return min(max(seconds, 60), LONGEST_WAIT)
