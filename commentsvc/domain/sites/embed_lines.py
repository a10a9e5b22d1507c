"""The lines that owners copy into their pages."""

from __future__ import annotations

from urllib.parse import quote_plus

FEEDS = (("application/atom+xml", "atom"), ("application/feed+json", "json"))


def feeds(base_url: str, origin: str) -> str:
    """Return the two lines for the head of a page at `origin` by which feed readers find a site's comments."""
    return "\n".join(
        f'<link rel="alternate" type="{kind}" title="Comments" '
        f'href="{base_url}/feeds/site.{ending}?origin={quote_plus(origin)}">'
        for kind, ending in FEEDS
    )
