"""Match keys: the form in which the addresses of articles are compared, equal for all spellings of one article.

A thread has its article's address as its key (`article_urls.thread_key`) and, beside it, the match key, which is never
shown and is not a working address.
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
"""Prefix of the key of a thread whose page gave it an id."""
_COMMENT_PAGE = re.compile(r"(?:/comment-page-\d{1,9})+(/?)\Z", re.IGNORECASE)
_COMMENT_PAGE_OR_INDEX = re.compile(r"comment-page-\d{1,9}|index\.html?", re.IGNORECASE)
_SESSION = re.compile(r";jsessionid=[^;/]*", re.IGNORECASE)
_WWW = re.compile(r"\A(?:www\.)+")


@lru_cache(REMEMBERED)
def match_key(key: str, ignored: str = "") -> str:
    """Return the match key of a thread's key; `ignored` is the site's own list of parameters.

    It omits everything that does not distinguish articles: the order of parameters, ignored parameters, `www.`, empty
    segments and a trailing slash of the path, differences in escaping and Unicode normalisation, the page of
    WordPress's comments, and `index.html`. Idempotent; at most 2,000 characters.
    """
    if key.startswith(NAMED):
        return key
    page, hash_mark, route = key.partition("#")  # a hash router identifies an article by it
    address, _, query = page.partition("?")
    host, _, path = address.partition("/")
    steps = _steps(path)
    pairs = sorted(_arguments(query, ignored, composed=True))
    normal = "/".join([_WWW.sub("", host), *steps])
    if pairs:
        normal += "?" + urlencode(pairs, errors="surrogateescape")
    normal += hash_mark + route.rstrip("/")
    return normal if len(normal) <= LONGEST else f"sha256:{hashlib.sha256(normal.encode()).hexdigest()}"


def without_ignored(query: str, ignored: str) -> str:
    """Return a query without the ignored parameters; the others keep their order."""
    return urlencode(_arguments(query, ignored), errors="surrogateescape")


def article_path(path: str) -> str:
    """Return a path without the number of a page of comments and without a session id."""
    return _COMMENT_PAGE.sub(r"\1", _SESSION.sub("", path)) or "/"


def page_id(key: str) -> str:
    """Return the id that a page gave its thread from the thread's key; an empty string if the key is an address."""
    return key.removeprefix(NAMED) if key.startswith(NAMED) else ""


def host_of(key: str) -> str:
    """Return the host and port of a key that is an address; an empty string for an id."""
    return "" if key.startswith(NAMED) else re.split(r"[/?#]", key, maxsplit=1)[0]


def _arguments(query: str, ignored: str, *, composed: bool = False) -> list[tuple[str, str]]:
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    if composed:
        pairs = [
            (unicodedata.normalize("NFC", name), unicodedata.normalize("NFC", value)) for name, value in pairs
        ]
    return [(name, value) for name, value in pairs if not is_ignored(name, value, ignored)]


def _steps(path: str) -> list[str]:
    """Return a path's segments in normal form, resolved as a browser would."""
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
    with suppress(UnicodeDecodeError):  # Latin-1, on an old page
        raw = unicodedata.normalize("NFC", raw.decode()).encode()
    return quote(raw, safe="!$&'()*+,;=:@~-._")
