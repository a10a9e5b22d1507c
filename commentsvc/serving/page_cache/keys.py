"""Cache keys: equivalent queries have the same key, so that each page is stored once."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from commentsvc.domain.article_urls import LONGEST, shortened
from commentsvc.domain.reading.page_sizes import LONGEST_LIST
from commentsvc.models import Order

QUERY_LONGEST = 16 * 1024
_THREAD = ("url", "canonical", "id", "order", "after", "comment", "replies", "fragment", "live")
_FEED, _SITE = ("url", "canonical", "id"), ("origin",)
PARAMETERS = {
    "/embed": _THREAD,
    "/thread": _THREAD,
    "/fragment": ("url", "canonical", "id", "after", "node"),
    "/counts": ("url",),
    "/feeds/thread.atom": _FEED,
    "/feeds/thread.json": _FEED,
    "/feeds/site.atom": _SITE,
    "/feeds/site.json": _SITE,
    "/latest": ("origin", "number"),
    "/embed.js": (),
    "/latest.js": (),
    "/": (),
}
_NUMBERS = frozenset(str(number) for number in range(1, LONGEST_LIST + 1))
_PERSONAL = frozenset({"posted", "reply"})


def cache_key(path: str, query: str) -> str | None:
    """Return the normal form of a query; None for a page that only one person may see."""
    known = PARAMETERS.get(path, ())
    if not known or not query:
        return ""
    if len(query) > QUERY_LONGEST:
        return None
    given = parse_qsl(query.encode("latin-1", "replace").decode("utf-8", "replace"), keep_blank_values=True)
    if path == "/counts":
        return urlencode(sorted({pair for pair in given if pair[0] == "url"}))
    named = dict(reversed(given))  # the first of several counts, as in Flask
    if not named.keys().isdisjoint(_PERSONAL):
        return None
    # Keep in step with `Asked.read`: values without a meaning, or with the same one, must not create another page.
    for name in {"fragment", "live"} & named.keys():
        named[name] = ""
    if named.get("number") not in _NUMBERS:
        named.pop("number", None)
    if named.get("order") not in set(Order):
        named.pop("order", None)
    for name in {"url", "canonical"} & named.keys():
        named[name] = shortened(named[name])
    if len(named.get("canonical", "")) > LONGEST:
        del named["canonical"]
    return urlencode([(name, named[name]) for name in known if name in named])
