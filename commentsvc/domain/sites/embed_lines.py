"""The lines that owners copy into their pages."""

from __future__ import annotations

from urllib.parse import quote_plus

FEEDS = (("application/atom+xml", "atom"), ("application/feed+json", "json"))


def thread(base_url: str) -> str:
    """Return the two lines that show the thread of an article.

    The height is reserved so that what is below does not move when the comments come.
    """
    place = '<div id="comments" style="min-height: 90vh"></div>'
    return f'{place}\n<script async src="{base_url}/embed.js"></script>'


def feeds(base_url: str, origin: str) -> str:
    """Return the two lines for the head of a page at `origin` by which feed readers find a site's comments."""
    return "\n".join(
        f'<link rel="alternate" type="{kind}" title="Comments" '
        f'href="{base_url}/feeds/site.{ending}?origin={quote_plus(origin)}">'
        for kind, ending in FEEDS
    )
