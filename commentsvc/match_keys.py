"""What the addresses of one article have in common, however they are written: the form in which they are compared.

A thread is stored under its article's address as it is (`addresses.thread_key`). Beside it stands this form, which is
never shown and leads nowhere.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from contextlib import suppress
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode

from commentsvc.ignored_parameters import is_ignored
from commentsvc.origins import LONGEST, REMEMBERED

NAMED = "id:"
"""How the key of a thread begins that its page gave a name."""
_COMMENT_PAGE = re.compile(r"(?:/comment-page-\d{1,9})+(/?)\Z", re.IGNORECASE)
_COMMENT_PAGE_OR_INDEX = re.compile(r"comment-page-\d{1,9}|index\.html?", re.IGNORECASE)
_SESSION = re.compile(r";jsessionid=[^;/]*", re.IGNORECASE)
_WWW = re.compile(r"\A(?:www\.)+")


@lru_cache(REMEMBERED)
def match_key(key: str, ignored: str = "") -> str:
    """Return the form in which a thread's key is compared; `ignored` is the site's own list of arguments.

    Without what tells no articles apart: the order of arguments and those that are ignored, `www.`, empty steps of
    the path and a slash at its end, how characters are escaped or composed, the page of WordPress's comments,
    `index.html`. Idempotent, and at most 2,000 characters.
    """
    if key.startswith(NAMED):
        return key
    page, hash_mark, route = key.partition("#")  # of a hash router, which names an article by it
    address, _, query = page.partition("?")
    host, _, path = address.partition("/")
    steps = _steps(path)
    pairs = sorted(_arguments(query, ignored, composed=True))
    result = "/".join([_WWW.sub("", host), *steps])
    if pairs:
        result += "?" + urlencode(pairs, errors="surrogateescape")
    result += hash_mark + route.rstrip("/")
    return result if len(result) <= LONGEST else f"sha256:{hashlib.sha256(result.encode()).hexdigest()}"


def without_ignored(query: str, ignored: str) -> str:
    """Return a query without the arguments that are ignored, the others in their order."""
    return urlencode(_arguments(query, ignored), errors="surrogateescape")


def article_path(path: str) -> str:
    """Return a path without what names a page of the article's comments, or a visitor's session."""
    return _COMMENT_PAGE.sub(r"\1", _SESSION.sub("", path)) or "/"


def host_of(key: str) -> str:
    """Return host and port of a key that is an address; empty for a name."""
    return "" if key.startswith(NAMED) else re.split(r"[/?#]", key, maxsplit=1)[0]


def _arguments(query: str, ignored: str, *, composed: bool = False) -> list[tuple[str, str]]:
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    if composed:
        pairs = [
            (unicodedata.normalize("NFC", name), unicodedata.normalize("NFC", value)) for name, value in pairs
        ]
    return [(name, value) for name, value in pairs if not is_ignored(name, value, ignored)]


def _steps(path: str) -> list[str]:
    """Return a path's steps, each written in one way, as a browser would ask for them."""
    steps: list[str] = []
    for given in path.split("/"):
        step = _SESSION.sub("", _written(given))
        if step == "..":
            del steps[-1:]
        elif step not in {"", "."}:
            steps.append(step)
    while steps and _COMMENT_PAGE_OR_INDEX.fullmatch(steps[-1]):
        steps.pop()
    return steps


def _written(step: str) -> str:
    raw = unquote_to_bytes(step)
    with suppress(UnicodeDecodeError):  # an old page's Latin-1
        raw = unicodedata.normalize("NFC", raw.decode()).encode()
    return quote(raw, safe="!$&'()*+,;=:@~-._")
