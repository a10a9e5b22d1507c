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


def placed() -> str:
    """Return an element that shows the page's thread."""
    return "<comment-thread></comment-thread>"


def on_click() -> str:
    """Return an element that loads nothing before it is clicked."""
    return '<comment-thread load="click"></comment-thread>'


def for_article(article: str) -> str:
    """Return an element that shows the thread of another page."""
    return f'<comment-thread url="{article}"></comment-thread>'


def number(base_url: str, article: str) -> str:
    """Return the lines that show an article's number of comments."""
    return f'<span data-comment-count="{article}"></span>\n<script async src="{base_url}/embed.js"></script>'


def latest(base_url: str) -> str:
    """Return the lines that show a site's latest comments."""
    return (
        f'<latest-comments number="5"></latest-comments>\n<script async src="{base_url}/latest.js"></script>'
    )


def webmention(base_url: str) -> str:
    """Return the line for the head of an article by which other sites find where to send mentions."""
    return f'<link rel="webmention" href="{base_url}/webmention">'


def feeds(base_url: str, origin: str) -> str:
    """Return the two lines for the head of a page at `origin` by which feed readers find a site's comments."""
    return "\n".join(
        f'<link rel="alternate" type="{kind}" title="Comments" '
        f'href="{base_url}/feeds/site.{ending}?origin={quote_plus(origin)}">'
        for kind, ending in FEEDS
    )
