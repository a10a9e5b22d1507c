"""URLs of articles and origins of sites, normalised so that they can be compared."""

from __future__ import annotations

import re
import string
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from commentsvc.errors import BadAddressError
from commentsvc.match_keys import article_path, match_key, without_ignored
from commentsvc.messages import gettext
from commentsvc.origins import LONGEST, REMEMBERED, origin_of

__all__ = ["LONGEST", "REMEMBERED", "canonical", "match_key", "origin_of", "thread_key"]

GIVEN_LONGEST = 16 * 1024
"""Longest URL accepted, in characters, including fragment and ignored parameters."""
_ESCAPE = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)
_COMMENT = re.compile(r"#(?=[\w-]{0,100}\d)(?:[\w-]{0,20}com{1,2}ent|isso|c\d{5})[\w-]{0,80}$", re.ASCII)
"""A link to a comment, here or in another system, as in static/embed.js."""
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
# Parameters that earlier releases removed. Their threads are stored under the keys without them.
_EARLIER_TRACKING = re.compile(
    r"utm_\w+|(fb|g|dc|msc|tw|tt|y|wbra|gbra)clid|gclsrc|igshid|mc_[ce]id|_(ga|gl|hsenc|hsmi|openstat)|mkt_tok"
    r"|vero_(id|conv)|oly_(anon|enc)_id|wickedid|srsltid|ref_src|ref_url|s_cid|(at|pk|mtm|hsa|matomo)_\w+"
    r"|fb_(action_ids|action_types|source|ref)|_branch_match_id|spm|epik|li_fat_id",
    re.IGNORECASE,
)


def canonical(url: str, ignored: str = "") -> str:
    """Return an article's URL: its host in lower case, without fragment, default port and ignored parameters.

    A fragment that is the path of a hash router (`#/article`, `#!/article`) names an article, and stays. `ignored` is
    the site's own list of parameters. Raises BadAddressError if `url` is not a page's URL, or if the article's URL is
    longer than 2,000 characters.
    """
    return _canonical(shortened(url, ignored), ignored)


@lru_cache(REMEMBERED)
def _canonical(url: str, ignored: str) -> str:
    query = without_ignored(urlsplit(_required(url)).query, ignored)
    article = origin_of(url) + article_path(_path(url)) + (f"?{query}" if query else "")
    return check_length(article + _route(urlsplit(url).fragment))


def text_link_prefix(url: str) -> str:
    """Return how links to a text in an article begin: its URL and a text directive, to which the text is appended.

    A parenthesis would end a link's address in Markdown.
    """
    address = url.replace("(", "%28").replace(")", "%29")
    return f"{address}{'' if '#' in url else '#'}:~:text="


def earlier_key(url: str) -> str:
    """Return the key under which earlier releases stored an article's thread; empty if they refused `url`."""
    return _earlier_key(url) if len(url) <= LONGEST else ""


@lru_cache(REMEMBERED)
def _earlier_key(url: str) -> str:
    try:
        parts = urlsplit(_required(url))
        if _route(parts.fragment):  # earlier releases had one thread for all articles of a hash router
            return ""
        pairs = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
        kept = [pair for pair in pairs if not _EARLIER_TRACKING.fullmatch(pair[0])]
        query = urlencode(kept, errors="surrogateescape")
        return _bare(check_length(origin_of(url) + _path(url) + (f"?{query}" if query else "")))
    except BadAddressError:
        return ""


def shortened(url: str, ignored: str = "") -> str:
    """Return a URL longer than `LONGEST` without its fragment and ignored parameters; any other unchanged."""
    if not LONGEST < len(url) <= GIVEN_LONGEST:
        return url
    page, _, fragment = url.partition("#")
    route = f"#{fragment}" if _route(fragment) else ""
    page, mark, query = page.partition("?")
    kept = without_ignored(query, ignored) if query.isprintable() and not set(query) & set(" \\") else query
    return page + (mark + kept if kept else "") + route


def page_origin(url: str) -> str:
    """Return the origin of a page, even if its query and fragment are long; raises BadAddressError."""
    if LONGEST < len(url) <= GIVEN_LONGEST:
        url = url.partition("#")[0].partition("?")[0]
    return origin_of(url)


def _required(url: str) -> str:
    origin_of(url)  # raises for invalid URLs, before anything parses them
    return url


def _path(url: str) -> str:
    return _ESCAPE.sub(_normal, quote(urlsplit(url).path or "/", safe="/%:@!$&'()*+,;=~-._"))


def check_length(address: str) -> str:
    """Return an article's URL unchanged; raises BadAddressError if it is too long to be stored."""
    if len(address) > LONGEST:
        raise BadAddressError(gettext("This page's address is too long to have a thread."))
    return address


def _route(fragment: str) -> str:
    """Return the part of a fragment by which a hash router finds an article, with its `#`; empty for any other."""
    route = _COMMENT.sub("", fragment)
    if not route.startswith(("/", "!/")) or not route.strip("!/"):  # the router's home is the page itself
        return ""
    return "#" + _ESCAPE.sub(_normal, quote(route, safe="/%:@!$&'()*+,;=~-._?"))


def _normal(escape: re.Match[str]) -> str:
    """Return the normal form of an escaped character: itself if it needs no escape, else the escape in capitals."""
    char = chr(int(escape[0][1:], 16))
    return char if char in _UNRESERVED else escape[0].upper()


def thread_key(canonical_url: str) -> str:
    """Return the key of an article's thread: its URL without scheme and trailing slash."""
    return _bare(canonical_url)


def _bare(address: str) -> str:
    bare, hash_mark, route = address.partition("://")[2].partition("#")
    path, mark, query = bare.partition("?")
    return path.rstrip("/") + mark + query + hash_mark + route.rstrip("/")
