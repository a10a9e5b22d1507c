"""Previews of a website, such as those of a branch: origins with a wildcard for the first part of the host.

`https://*.preview.example` stands for `https://one.preview.example`, with exactly one part in the place of the star, as
in a certificate. Whose preview a page is, is decided by equality: the star takes the place of the first part of the
page's own host, and the result is looked up. Nothing else knows of wildcards: a page that is rendered for a preview
names the one origin that asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.errors import BadAddressError, InvalidFieldsError
from commentsvc.integrations import public_suffixes
from commentsvc.messages import gettext
from commentsvc.models import PreviewOrigin, Site
from commentsvc.origins import origin_of

MOST = 20
"""Patterns of one site."""
_TYPED = re.compile(r"(https?)://\*\.([^/?#]+)/?", re.IGNORECASE)
_STAND_IN = "x"
"""A part in the place of the star, so that the rest is checked like any origin."""
_ADDRESS = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)(?::[0-9]+)?", re.DOTALL)
"""A host that ends in a number: browsers take it for an IPv4 address."""


def pattern_of(origin: str) -> str:
    """Return the one pattern that stands for an origin, as `origin_of` returns it; empty if none can."""
    scheme, _, host = origin.partition("://")
    first, _, rest = host.partition(".")
    if not first or not rest or host.startswith("[") or _ADDRESS.fullmatch(host):
        return ""
    return f"{scheme}://*.{rest}"


def of_page(session: Session, origin: str) -> PreviewOrigin | None:
    """Return the site's pattern that stands for the origin of a page; None if no site has one."""
    pattern = pattern_of(origin)
    if not pattern:
        return None
    return session.scalar(select(PreviewOrigin).where(PreviewOrigin.pattern == pattern))


def set_patterns(
    session: Session, site: Site, typed: Iterable[str], *, takes_comments: bool, base_url: str
) -> None:
    """Set the patterns of a site's previews; raises InvalidFieldsError on `previews`. Needs `begin_write`."""
    wanted = list(dict.fromkeys(_checked(text, base_url) for text in typed))
    if len(wanted) > MOST:
        raise InvalidFieldsError({"previews": gettext("At most %(number)s, please.") % {"number": MOST}})
    _require_free(session, site, wanted)
    present = {item.pattern: item for item in site.previews}
    if wanted != list(present):
        site.previews = [present.get(pattern) or PreviewOrigin(pattern=pattern) for pattern in wanted]
    for item in site.previews:
        item.takes_comments = takes_comments


def takes_comments(site: Site) -> bool:
    """Whether readers may comment on a site's previews."""
    return any(item.takes_comments for item in site.previews)


def _require_free(session: Session, site: Site, wanted: Sequence[str]) -> None:
    taken = session.execute(
        select(PreviewOrigin.pattern, Site.name)
        .join(Site)
        .where(PreviewOrigin.pattern.in_(wanted), Site.id != site.id)
    ).first()
    if taken:
        raise InvalidFieldsError(
            {
                "previews": gettext("%(address)s already belongs to the site %(site)s.")
                % {"address": taken[0], "site": repr(taken[1])}
            }
        )


def _checked(text: str, base_url: str) -> str:
    """Return a pattern in the form in which it is stored; raises InvalidFieldsError."""
    match = _TYPED.fullmatch(text.strip())
    try:
        if match is None or "*" in match[2]:
            raise BadAddressError
        pattern = pattern_of(origin_of(f"{match[1].lower()}://{_STAND_IN}.{match[2]}"))
    except BadAddressError:
        pattern = ""
    if not pattern:
        raise InvalidFieldsError(
            {
                "previews": gettext(
                    "%(text)s does not look like https://*.preview.example: "
                    "the star stands for the whole first part of the host, and for nothing else."
                )
                % {"text": repr(text.strip()[:80])}
            }
        )
    host = pattern.partition("://*.")[2].partition(":")[0]
    if any(map(public_suffixes.is_public, (host, f"{_STAND_IN}.{host}"))):
        raise InvalidFieldsError(
            {
                "previews": gettext(
                    "Anybody can have a name below %(host)s, so strangers could show your comments. "
                    "Enter the previews one by one under Origins, or give them a domain of your own."
                )
                % {"host": host}
            }
        )
    if pattern == pattern_of(origin_of(base_url)):
        raise InvalidFieldsError(
            {
                "previews": gettext(
                    "%(pattern)s would include the comment service itself. "
                    "Give the previews a domain of their own, such as https://*.preview.blog.example."
                )
                % {"pattern": pattern}
            }
        )
    return pattern
