"""Reads posts of Bluesky as its AppView describes them; whatever in them is not as documented is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

HOST = "https://bsky.app"
MOST_FACETS = 100
"""Links in one post."""
LONGEST_TEXT = 10_000
_DID = r"did:(?:plc:[a-z2-7]{24}|web:[a-z0-9.-]{1,80})"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HANDLE = rf"(?=[a-z0-9.-]{{1,253}}(?![a-z0-9.-]))(?:{_LABEL}\.)+(?=[a-z]){_LABEL}"
_KEY = r"[A-Za-z0-9._:~-]{1,40}"
_AT_URI = re.compile(rf"at://(?P<author>{_DID}|{_HANDLE})/app\.bsky\.feed\.post/(?P<key>{_KEY})")
_PAGE = re.compile(
    rf"https://bsky\.app/profile/(?P<author>{_DID}|{_HANDLE})/post/(?P<key>{_KEY})/?(?:[?#].*)?"
)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A time before it is not believed."""
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_HIDING = frozenset({"!hide", "!takedown", "!suspend", "!no-unauthenticated", "spam"})
"""Labels of what may not be shown to readers who are not logged in at Bluesky, or to anybody."""
_WARNINGS = {
    "!warn": "Labelled by Bluesky's moderators",
    "porn": "Adult content",
    "sexual": "Sexually suggestive",
    "nudity": "Nudity",
    "graphic-media": "Graphic media",
    "gore": "Graphic media",
    "self-harm": "Self-harm",
    "intolerant": "Intolerance",
    "threat": "Threats",
    "rude": "Rude",
    "sensitive": "Sensitive",
    "misleading": "Misleading",
}
"""What a comment's warning says where a post or its author has this label."""


@dataclass(frozen=True, slots=True)
class BlueskyAddress:
    """A post's address: `author` is a DID, or a handle that is still to be resolved."""

    author: str
    key: str

    @property
    def uri(self) -> str:
        """The address in the network's own form."""
        return f"at://{self.author}/app.bsky.feed.post/{self.key}"

    @property
    def page(self) -> str:
        """The post's page on the web."""
        return f"{HOST}/profile/{self.author}/post/{self.key}"

    @property
    def is_resolved(self) -> bool:
        """Whether the author is a DID, which unlike a handle never changes."""
        return self.author.startswith("did:")

    def by(self, did: str) -> BlueskyAddress:
        """Return the address with its author's DID."""
        return replace(self, author=did)


@dataclass(frozen=True, slots=True)
class LinkedBytes:
    """A link in a post's text: from byte `start` to before byte `end` of its UTF-8."""

    start: int
    end: int
    address: str


@dataclass(frozen=True, slots=True)
class BlueskyPost:
    """A post, with the strings of strangers as they came."""

    address: BlueskyAddress
    handle: str
    """Empty if the author has no valid one now."""
    name: str
    picture: str | None
    text: str
    links: tuple[LinkedBytes, ...]
    """In order; they do not overlap, and none begins or ends inside a character."""
    attached: tuple[str, ...]
    """Addresses of web pages and quoted posts that are shown below the text."""
    pictures: tuple[str, ...]
    """The descriptions of its pictures and videos, which may be empty."""
    language: str
    posted_at: datetime
    labels: frozenset[str]
    likes: int
    reposts: int

    @property
    def is_hidden(self) -> bool:
        """Whether its labels say that it must not be shown to everybody."""
        return not self.labels.isdisjoint(_HIDING)

    @property
    def warning(self) -> str:
        """What a reader is told before opening it; empty for most posts."""
        return ", ".join(dict.fromkeys(text for label, text in _WARNINGS.items() if label in self.labels))


def parse_address(text: str) -> BlueskyAddress | None:
    """Return the post that an address of bsky.app or an at-uri names; None for anything else."""
    match = len(text) <= 1000 and (_PAGE.fullmatch(text) or _AT_URI.fullmatch(text))
    return BlueskyAddress(match["author"], match["key"]) if match else None


def is_did(text: object) -> bool:
    """Whether this is a DID of a kind that Bluesky has."""
    return isinstance(text, str) and re.fullmatch(_DID, text) is not None


def read_post(view: object, *, at: datetime) -> BlueskyPost | None:
    """Return the post of a `postView`, which was received at `at`; None if it is none."""
    post = _object(view)
    author, record = _object(post.get("author")), _object(post.get("record"))
    address = parse_address(_text(post.get("uri")))
    if address is None or address.author != author.get("did") or not address.is_resolved:
        return None
    text = _text(record.get("text"))[:LONGEST_TEXT]
    handle = _text(author.get("handle"))
    attached, pictures = _embedded(_object(record.get("embed")))
    return BlueskyPost(
        address=address,
        handle=handle if re.fullmatch(_HANDLE, handle) and handle != "handle.invalid" else "",
        name=_text(author.get("displayName")).strip(),
        picture=_web_address(author.get("avatar"), schemes=("https",)),
        text=text,
        links=tuple(_links(text, record.get("facets"))),
        attached=attached,
        pictures=pictures,
        language=next((code for code in _list(record.get("langs")) if isinstance(code, str)), "")[:35],
        posted_at=_posted_at(record.get("createdAt"), post.get("indexedAt"), at),
        labels=_labels(post, at) | _labels(author, at) | _own_labels(record),
        likes=_count(post.get("likeCount")),
        reposts=_count(post.get("repostCount")),
    )


def _posted_at(created: object, indexed: object, at: datetime) -> datetime:
    """Return the earliest time: `created` is the author's claim, and `indexed` when the network received it."""
    times = (_time(created), _time(indexed), at)
    return min(time for time in times if time and time >= _EARLIEST)


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(_text(value))
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _labels(holder: Mapping[str, Any], at: datetime) -> frozenset[str]:
    """Return the labels of a post or an author, without those that were withdrawn or have expired."""
    labels = [_object(label) for label in _list(holder.get("labels"))]
    return frozenset(
        _text(label.get("val"))
        for label in labels
        if label.get("neg") is not True and (_time(label.get("exp")) or at) >= at
    )


def _own_labels(record: Mapping[str, Any]) -> frozenset[str]:
    values = _list(_object(record.get("labels")).get("values"))
    return frozenset(_text(_object(value).get("val")) for value in values)


def _links(text: str, facets: object) -> Iterator[LinkedBytes]:
    """Yield the links that can be shown; of two that overlap the first."""
    data = text.encode()
    links = []
    for facet in (_object(facet) for facet in _list(facets)[:MOST_FACETS]):
        index = _object(facet.get("index"))
        start, end = index.get("byteStart"), index.get("byteEnd")
        address = next(filter(None, map(_facet_address, _list(facet.get("features")))), None)
        # `type`, because True is an int too.
        if address and type(start) is int and type(end) is int and 0 <= start < end <= len(data):
            links.append(LinkedBytes(start, end, address))
    shown_to = 0
    for link in sorted(links, key=lambda link: (link.start, link.end)):
        if (
            link.start >= shown_to
            and _begins_character(data, link.start)
            and _begins_character(data, link.end)
        ):
            shown_to = link.end
            yield link


def _begins_character(data: bytes, index: int) -> bool:
    return index == len(data) or data[index] & 0xC0 != 0x80


def _facet_address(value: object) -> str | None:
    feature = _object(value)
    kind = feature.get("$type")
    if kind == "app.bsky.richtext.facet#link":
        return _web_address(feature.get("uri"))
    if kind == "app.bsky.richtext.facet#mention" and is_did(feature.get("did")):
        return f"{HOST}/profile/{feature['did']}"
    if kind == "app.bsky.richtext.facet#tag" and _text(feature.get("tag")):
        return f"{HOST}/hashtag/{quote(_text(feature['tag'])[:640], safe='')}"
    return None


def _embedded(embed: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is below a post's text: addresses, and the descriptions of pictures."""
    media = _object(embed.get("media")) or embed
    pictures = [_text(_object(image).get("alt")) for image in _list(media.get("images"))[:4]]
    if media.get("$type") == "app.bsky.embed.video":
        pictures = [_text(media.get("alt"))]
    record = _object(embed.get("record"))
    quoted = parse_address(_text(record.get("uri")) or _text(_object(record.get("record")).get("uri")))
    attached = (_web_address(_object(media.get("external")).get("uri")), quoted.page if quoted else None)
    return tuple(filter(None, attached)), tuple(" ".join(text.split())[:1000] for text in pictures)


def _web_address(value: object, schemes: tuple[str, ...] = ("https", "http")) -> str | None:
    address = _text(value)
    if len(address) > 2000 or re.search(r"[\s\\\x00-\x1f\"<>]", address):
        return None
    try:
        parts = urlsplit(address)
        return address if parts.scheme in schemes and parts.hostname and "@" not in parts.netloc else None
    except ValueError:
        return None


def _count(value: object) -> int:
    return min(max(value, 0), 2**31 - 1) if type(value) is int else 0


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """Return a string, in which half of a surrogate pair has become U+FFFD, of as many bytes."""
    return _HALF_PAIR.sub("\ufffd", value) if isinstance(value, str) else ""
