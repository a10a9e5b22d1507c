"""URLs of articles and origins of sites, normalised so that they can be compared."""

from __future__ import annotations

import re
import string
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from commentsvc.errors import BadAddressError
from commentsvc.match_keys import article_path, match_key, without_ignored
from commentsvc.origins import LONGEST, REMEMBERED, origin_of

__all__ = ["LONGEST", "REMEMBERED", "canonical", "match_key", "origin_of", "thread_key"]

GIVEN_LONGEST = 16 * 1024
"""Characters of an address as it is given, with all that hangs on it."""
_ESCAPE = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)
_COMMENT = re.compile(r"#comment-\d+$")
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
# What earlier releases took off. Threads that they stored are found by what they left.
_EARLIER_TRACKING = re.compile(
    r"utm_\w+|(fb|g|dc|msc|tw|tt|y|wbra|gbra)clid|gclsrc|igshid|mc_[ce]id|_(ga|gl|hsenc|hsmi|openstat)|mkt_tok"
    r"|vero_(id|conv)|oly_(anon|enc)_id|wickedid|srsltid|ref_src|ref_url|s_cid|(at|pk|mtm|hsa|matomo)_\w+"
    r"|fb_(action_ids|action_types|source|ref)|_branch_match_id|spm|epik|li_fat_id",
    re.IGNORECASE,
)


def canonical(url: str, ignored: str = "") -> str:
    """Return an article's URL: its host lower-cased, without fragment, default port and ignored arguments.

    A fragment that is the path of a hash router (`#/article`, `#!/article`) names an article, and stays. `ignored` is
    the site's own list of arguments. Raises BadAddressError for what is no page's URL, and for an article's that is
    longer than 2,000 characters without all that.
    """
    return _canonical(shortened(url, ignored), ignored)


@lru_cache(REMEMBERED)
def _canonical(url: str, ignored: str) -> str:
    query = without_ignored(urlsplit(_required(url)).query, ignored)
    article = origin_of(url) + article_path(_path(url)) + (f"?{query}" if query else "")
    return check_length(article + _route(urlsplit(url).fragment))


def earlier_key(url: str) -> str:
    """Return the key under which earlier releases stored an article's thread; empty for what they refused."""
    return _earlier_key(url) if len(url) <= LONGEST else ""


@lru_cache(REMEMBERED)
def _earlier_key(url: str) -> str:
    try:
        parts = urlsplit(_required(url))
        if _route(parts.fragment):  # they took all of a hash router's articles for one
            return ""
        pairs = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
        kept = [pair for pair in pairs if not _EARLIER_TRACKING.fullmatch(pair[0])]
        query = urlencode(kept, errors="surrogateescape")
        return _bare(check_length(origin_of(url) + _path(url) + (f"?{query}" if query else "")))
    except BadAddressError:
        return ""


def shortened(url: str, ignored: str = "") -> str:
    """Return an address that is too long without its fragment and ignored arguments; any other as it is."""
    if not LONGEST < len(url) <= GIVEN_LONGEST:
        return url
    page, _, fragment = url.partition("#")
    route = f"#{fragment}" if _route(fragment) else ""
    page, mark, query = page.partition("?")
    kept = without_ignored(query, ignored) if query.isprintable() and not set(query) & set(" \\") else query
    return page + (mark + kept if kept else "") + route


def page_origin(url: str) -> str:
    """Return the origin of a page whose address may be long for what hangs on it; raises BadAddressError."""
    if LONGEST < len(url) <= GIVEN_LONGEST:
        url = url.partition("#")[0].partition("?")[0]
    return origin_of(url)


def _required(url: str) -> str:
    origin_of(url)  # raises for what is no address, before it is taken apart
    return url


def _path(url: str) -> str:
    return _ESCAPE.sub(_normal, quote(urlsplit(url).path or "/", safe="/%:@!$&'()*+,;=~-._"))


def check_length(address: str) -> str:
    """Return an article's address as it is; raises BadAddressError for one that cannot be stored."""
    if len(address) > LONGEST:
        raise BadAddressError("This page's address is too long to have a thread.")
    return address


def _route(fragment: str) -> str:
    """Return the part of a fragment by which a hash router finds an article, with its mark; empty for any other."""
    route = _COMMENT.sub("", fragment)
    if not route.startswith(("/", "!/")) or not route.strip("!/"):  # the router's home is the page itself
        return ""
    return "#" + _ESCAPE.sub(_normal, quote(route, safe="/%:@!$&'()*+,;=~-._?"))


def _normal(escape: re.Match[str]) -> str:
    """One way to write a character: itself where it needs no escape, else an escape in capitals."""
    char = chr(int(escape[0][1:], 16))
    return char if char in _UNRESERVED else escape[0].upper()


def thread_key(canonical_url: str) -> str:
    """Return an article's address without scheme and slash at the end: under this its thread is stored."""
    return _bare(canonical_url)


def _bare(address: str) -> str:
    bare, hash_mark, route = address.partition("://")[2].partition("#")
    path, mark, query = bare.partition("?")
    return path.rstrip("/") + mark + query + hash_mark + route.rstrip("/")
