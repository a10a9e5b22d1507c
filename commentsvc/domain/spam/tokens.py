"""What the spam filter reads in a comment: its words, and features such as many links or capitals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from commentsvc.domain.bans import bans
from commentsvc.messages import gettext_noop

MOST = 400
"""Tokens per comment: enough to classify it, and few enough for one query."""
LONGEST_TEXT = 20_000
SHORT_TEXT = 25
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W\d_]+)?")
_LINK = re.compile(r'<a [^>]*?href="([^"]+)"', re.IGNORECASE)
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_SIGNS = {
    "sign:links:1": gettext_noop("one link"),
    "sign:links:2": gettext_noop("two links"),
    "sign:links:3": gettext_noop("three or more links"),
    "sign:links:0": gettext_noop("no link"),
    "sign:short": gettext_noop("a very short text"),
    "sign:caps": gettext_noop("a text in capitals"),
    "sign:digits": gettext_noop("many digits"),
    "sign:exclaims": gettext_noop("several exclamation marks"),
    "sign:mixed": gettext_noop("words with mixed alphabets"),
    "sign:website": gettext_noop("a website"),
    "sign:no-website": gettext_noop("no website"),
}


@dataclass(frozen=True, slots=True)
class TokenSource:
    """The parts of a comment that the filter reads."""

    source: str
    html: str = ""
    name: str | None = None
    email: str | None = None
    website: str | None = None


def links(html: str) -> list[str]:
    """Return every link target in a rendered comment, including `mailto:` and repetitions."""
    return [address.replace("&amp;", "&") for address in _LINK.findall(html)]


def tokens_of(comment: TokenSource) -> list[str]:
    """Return a comment's features and words, each once, at most `MOST`."""
    text = unicodedata.normalize("NFKC", comment.source[:LONGEST_TEXT])
    addresses = links(comment.html)
    collected: dict[str, None] = {}
    for token in (*_signs(text, addresses, comment), *_places(addresses, comment), *_words(text)):
        collected.setdefault(token[:80])
        if len(collected) == MOST:
            break
    return list(collected)


def in_words(token: str) -> str:
    """Return a description of a token that fits into a sentence."""
    kind, _, rest = token.partition(":")
    if token in _SIGNS:
        return _SIGNS[token]
    if rest and kind == "domain":
        return f"a link to {rest}"
    if rest and kind == "email":
        return f"an e-mail address at {rest}"
    if rest and kind == "name":
        return f"“{rest}” in the name"
    return f"“{token}”"


def _signs(text: str, addresses: list[str], comment: TokenSource) -> Iterator[str]:
    yield f"sign:links:{min(len(addresses), 3)}"
    yield "sign:website" if comment.website else "sign:no-website"
    letters = [char for char in text if char.isalpha()]
    if len(text) < SHORT_TEXT:
        yield "sign:short"
    if len(letters) >= 10 and sum(char.isupper() for char in letters) > 0.6 * len(letters):
        yield "sign:caps"
    if sum(char.isdigit() for char in text) >= max(5, len(text) // 10):
        yield "sign:digits"
    if text.count("!") >= 3:
        yield "sign:exclaims"
    if any(_is_mixed(word) for word in _WORD.findall(text)):
        yield "sign:mixed"


def _is_mixed(word: str) -> bool:
    """Whether a word mixes Latin with Cyrillic or Greek letters: a way to evade word lists."""
    latin = any("a" <= char <= "z" for char in word.lower())
    return latin and any("\u0370" <= char <= "\u052f" for char in word)


def _places(addresses: list[str], comment: TokenSource) -> Iterator[str]:
    for host in bans.hosts_of([*addresses[: bans.MOST_HOSTS], comment.website]):
        yield f"domain:{host.removeprefix('www.')}"
    if comment.email and "@" in comment.email:
        yield f"email:{comment.email.rpartition('@')[2].casefold()}"
    for word in _words(unicodedata.normalize("NFKC", comment.name or "")):
        yield f"name:{word}"


def _words(text: str) -> Iterable[str]:
    for word in _WORD.findall(text.casefold()):
        if _UNSPACED.search(word):  # written without spaces: pairs of letters serve as words
            yield from (word[at : at + 2] for at in range(max(1, len(word) - 1)))
        elif len(word) > 1:
            yield word[:40]
