"""Cache keys: equivalent queries have the same key, so that each page is stored once."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from commentsvc import languages
from commentsvc.domain.article_urls import LONGEST, shortened
from commentsvc.domain.reading.page_sizes import LONGEST_LIST
from commentsvc.models import Order

QUERY_LONGEST = 16 * 1024
_THREAD = ("url", "canonical", "id", "order", "lang", "after", "comment", "replies", "fragment", "live")
_FEED, _SITE = ("url", "canonical", "id"), ("origin",)
PARAMETERS = {
    "/embed": _THREAD,
    "/thread": _THREAD,
    "/fragment": ("url", "canonical", "id", "lang", "after", "node"),
    "/counts": ("url",),
    "/feeds/thread.atom": _FEED,
    "/feeds/thread.json": _FEED,
    "/feeds/site.atom": _SITE,
    "/feeds/site.json": _SITE,
    "/latest": ("origin", "number", "lang"),
    "/embed.js": (),
    "/latest.js": (),
    "/": ("lang",),
}
_NUMBERS = frozenset(str(number) for number in range(1, LONGEST_LIST + 1))
STANDALONE = frozenset({"/", "/thread"})
"""Pages that speak the browser's language where the query names none."""
_PERSONAL = frozenset({"posted", "reply"})


def with_language(query: str, accept_language: str) -> str:
    """Return a query that names one of our languages, if it does not yet: the one that the browser asks for."""
    language = languages.match_header(accept_language)
    if not language or ("lang=" in query and languages.match(_first(_pairs(query)).get("lang", ""))):
        return query
    # In front, because the first of several counts: before an empty or unknown one.
    return f"lang={language}&{query}".rstrip("&")


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query.encode("latin-1", "replace").decode("utf-8", "replace"), keep_blank_values=True)


def _first(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return parameters by their names; the first of several counts, as in Flask."""
    return dict(reversed(pairs))


def cache_key(path: str, query: str) -> str | None:
    """Return the normal form of a query; None for a page that only one person may see."""
    known = PARAMETERS.get(path, ())
    if not known or not query:
        return ""
    if len(query) > QUERY_LONGEST:
        return None
    given = _pairs(query)
    if path == "/counts":
        return urlencode(sorted({pair for pair in given if pair[0] == "url"}))
    named = _first(given)
    if not named.keys().isdisjoint(_PERSONAL):
        return None
    # Keep in step with `Asked.read`: values without a meaning, or with the same one, must not create another page.
    for name in {"fragment", "live"} & named.keys():
        named[name] = ""
    if named.get("number") not in _NUMBERS:
        named.pop("number", None)
    named["lang"] = languages.match(named.get("lang", ""))
    if not named["lang"]:
        del named["lang"]
    if named.get("order") not in set(Order):
        named.pop("order", None)
    for name in {"url", "canonical"} & named.keys():
        named[name] = shortened(named[name])
    if len(named.get("canonical", "")) > LONGEST:
        del named["canonical"]
    return urlencode([(name, named[name]) for name in known if name in named])
