"""Asks a server with Mastodon's API for a post, the answers to it, and whether an answer still exists.

Requests need no login; a token (scope `read:statuses`) gives longer lists, and some servers answer nobody without one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from commentsvc.errors import BadAddressError, OutboundError
from commentsvc.http_client import client
from commentsvc.http_client.client import INTERNET, HttpResponse, Network
from commentsvc.integrations.mastodon_addresses import PostAddress, address_of
from commentsvc.integrations.mastodon_statuses import MastodonStatus, status_of
from commentsvc.origins import origin_of

LARGEST = 8 * 1024 * 1024
"""Bytes of an answer, about 2,500 posts."""
SECONDS = 20.0
MOST_ANSWERS = 2000
"""Answers to a post that are read; servers send at most 60 without a token, and 4,096 with one."""
FULL_LIST = 60
"""A list of so many answers may not be complete."""
_JSON = frozenset({"application/json"})
_OBJECT = frozenset({"application/activity+json", "application/ld+json"})
_LONGEST_PAUSE = timedelta(hours=24)
_SHORTEST_PAUSE = timedelta(minutes=1)
_PART = re.compile(r'([a-z_]+)\s*=\s*(?:"([^"]*)"|([^\s,;]+))')


class PostGoneError(OutboundError):
    """The post that was asked for does not exist (any more)."""


class PausedError(OutboundError):
    """A server wants no requests before `until`."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__("The server wants fewer requests. It is asked again later.")


@dataclass(frozen=True)
class MastodonConversation:
    """A post and the answers to it, in the order of the server."""

    post: MastodonStatus
    answers: tuple[MastodonStatus, ...]
    is_complete: bool
    """False if there may be more answers than those."""
    next_request: datetime | None = None
    """When the server expects to know more answers, or accepts more requests; None if it said nothing."""


@dataclass
class MastodonReader:
    """Reads posts, and asks no server during a pause that it has demanded."""

    contact: str
    """The address of this service, for those who run a server."""
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    """An access token for each host that needs one."""
    network: Network = INTERNET
    pauses: dict[str, datetime] = field(default_factory=dict)

    def conversation(self, address: PostAddress, *, at: datetime) -> MastodonConversation:
        """Return a post and the answers to it.

        Raises PostGoneError, PausedError, or OutboundError, which says in words why there is no answer.
        """
        post_answer = self._api(address, "", at)
        post = status_of(_json(post_answer), address.host)
        if post is None:
            raise OutboundError("The server's answer is not a post.")
        context_answer = self._api(address, "/context", at)
        context = _json(context_answer)
        sent = context.get("descendants") if isinstance(context, Mapping) else None
        if not isinstance(sent, list):
            raise OutboundError("The server's answer is not a list of answers.")
        answers = [status_of(value, address.host) for value in sent[:MOST_ANSWERS]]
        refresh = _refresh(context_answer, at)
        is_complete = (len(sent) < FULL_LIST or address.host in self.tokens) and len(sent) <= MOST_ANSWERS
        times = [time for time in (refresh, self.pauses.get(address.origin)) if time is not None]
        return MastodonConversation(
            post,
            tuple(answer for answer in answers if answer is not None),
            is_complete and refresh is None,
            max(times, default=None),
        )

    def is_gone(self, uri: str, server: PostAddress, *, at: datetime) -> bool:
        """Return whether an answer was deleted, by the word of the server that it was written on.

        `uri` is the answer's address and `server` the post that it answers: its server is asked by its API, another
        one for the object of ActivityPub. Anything but "not found" and "gone" proves nothing, nor does a redirect.
        Raises PausedError.
        """
        address = address_of(uri)
        try:
            if address is not None and address.origin == server.origin:
                self._api(address, "", at, redirects=0)
            else:
                return self._request(uri, _OBJECT, at, redirects=0).status in {404, 410}
        except PostGoneError:
            return True
        except PausedError:
            raise
        except OutboundError:
            pass
        return False

    def _api(self, address: PostAddress, part: str, at: datetime, *, redirects: int = 2) -> HttpResponse:
        token = self.tokens.get(address.host, "")
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self._request(address.api + part, _JSON, at, bearer, redirects=redirects)
        if answer.status == 200:
            return answer
        if answer.status in {404, 410} and answer.content_type in _JSON:
            raise PostGoneError("The post does not exist, or is not public.")
        if answer.status in {401, 403}:
            raise OutboundError(
                "The server shows this post only to those who are logged in. It needs a token."
                if not token
                else "The server does not accept the token that was set for it."
            )
        raise OutboundError(f"The server answered with status {answer.status}.")

    def _request(
        self,
        url: str,
        accept: frozenset[str],
        at: datetime,
        headers: Mapping[str, str] | None = None,
        *,
        redirects: int,
    ) -> HttpResponse:
        origin = _origin(url)
        if (until := self.pauses.get(origin)) is not None and until > at:
            raise PausedError(until)
        self.pauses.pop(origin, None)
        answer = client.fetch(
            url,
            largest=LARGEST,
            seconds=SECONDS,
            accept=accept,
            headers={"User-Agent": f"commentsvc (+{self.contact})", **(headers or {})},
            redirects=redirects,
            network=self.network,
        )
        pause = _pause(answer, at)
        if pause is not None:
            self.pauses[origin] = pause
        if answer.status == 429 and pause is not None:
            raise PausedError(pause)
        return answer


def _origin(url: str) -> str:
    try:
        return origin_of(url)
    except BadAddressError:
        raise OutboundError("This is not the address of a web server.") from None


def _pause(answer: HttpResponse, at: datetime) -> datetime | None:
    """Return until when a server wants no more requests; None if it accepts them."""
    is_busy = answer.status == 429 or (answer.status == 503 and "retry-after" in answer.headers)
    if not is_busy and answer.headers.get("x-ratelimit-remaining", "").strip() != "0":
        return None
    until = _later(answer.headers.get("retry-after", ""), at) or _later(
        answer.headers.get("x-ratelimit-reset", ""), at
    )
    return min(max(until or at + timedelta(minutes=5), at + _SHORTEST_PAUSE), at + _LONGEST_PAUSE)


def _later(value: str, at: datetime) -> datetime | None:
    """Return a time from a header: seconds from now, an HTTP date, or as in ISO 8601."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return at + timedelta(seconds=min(int(value[:9]), _LONGEST_PAUSE.total_seconds()))
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(ValueError, TypeError, OverflowError, IndexError):
            time = read(value)
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    return None


def _refresh(answer: HttpResponse, at: datetime) -> datetime | None:
    """Return when a server will know more answers, which it has begun to fetch from other servers."""
    parts = {
        name: quoted or bare
        for name, quoted, bare in _PART.findall(answer.headers.get("mastodon-async-refresh", ""))
    }
    if "id" not in parts:
        return None
    seconds = int(parts["retry"]) if re.fullmatch(r"[0-9]{1,6}", parts.get("retry", "")) else 60
    return at + max(timedelta(seconds=seconds), _SHORTEST_PAUSE)


def _json(answer: HttpResponse) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise OutboundError("The server's answer is no valid JSON.") from None
