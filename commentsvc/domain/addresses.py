"""URLs of articles and origins of sites, in the one form in which they are compared."""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from commentsvc.errors import BadAddressError
from commentsvc.origins import LONGEST, REMEMBERED, origin_of

__all__ = ["LONGEST", "REMEMBERED", "canonical", "host_in_ascii", "origin_of", "thread_key"]

_LABEL_LONGEST = 63
_ESCAPE = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)
_COMMENT = re.compile(r"#comment-\d+$")
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
# What advertisers and mail tools hang on a link; the article is the same without it.
_TRACKING = re.compile(
    r"utm_\w+|(fb|g|dc|msc|tw|tt|y|wbra|gbra)clid|gclsrc|igshid|mc_[ce]id|_(ga|gl|hsenc|hsmi|openstat)|mkt_tok"
    r"|vero_(id|conv)|oly_(anon|enc)_id|wickedid|srsltid|ref_src|ref_url|s_cid|(at|pk|mtm|hsa|matomo)_\w+"
    r"|fb_(action_ids|action_types|source|ref)|_branch_match_id|spm|epik|li_fat_id",
    re.IGNORECASE,
)


@lru_cache(REMEMBERED)
def canonical(url: str) -> str:
    """Return a page's URL with its host lower-cased, without default port, tracking parameters and fragment.

    A fragment that is the path of a hash router (`#/article`, `#!/article`) names an article, and stays.
    """
    origin = origin_of(url)
    parts = urlsplit(url)
    path = _ESCAPE.sub(_normal, quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._"))
    pairs = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
    query = urlencode([pair for pair in pairs if not _TRACKING.fullmatch(pair[0])], errors="surrogateescape")
    result = origin + path + (f"?{query}" if query else "") + _route(parts.fragment)
    if len(result) > LONGEST:
        raise BadAddressError("This page's address is too long to have a thread.")
    return result


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


def host_in_ascii(host: str) -> str:
    """Return a host as DNS has it, however it was written: in capitals, in wide letters, with a dot at its end."""
    host = unicodedata.normalize("NFKC", host).lower().rstrip(".")
    return ".".join(map(_label_in_ascii, host.split(".")))


def _label_in_ascii(label: str) -> str:
    # A longer one names nothing, and encoding it takes time that grows with its square.
    if label.isascii() or len(label) > _LABEL_LONGEST:
        return label
    return f"xn--{label.encode('punycode').decode()}"


def thread_key(canonical_url: str) -> str:
    """Return what two addresses of one article have in common: no scheme, no slash at the end."""
    bare, hash_mark, route = canonical_url.partition("://")[2].partition("#")
    path, mark, query = bare.partition("?")
    return path.rstrip("/") + mark + query + hash_mark + route.rstrip("/")
