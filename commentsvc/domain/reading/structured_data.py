"""Comments as schema.org describes them, for search engines. Only what the page beside it shows is in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from commentsvc.domain.reading import old_anchors
from commentsvc.domain.reading.conversations import CommentView
from commentsvc.domain.threads import threads
from commentsvc.errors import BadAddressError
from commentsvc.models import Site
from commentsvc.text import markup

NESTED = 10
"""How deep replies are nested; those below stand side by side."""
_FRAGMENT = re.compile(r"#[\w.:/!-]{1,200}")
_ADDRESS = re.compile(r"""[^\s<>"'\\^`{|}]{1,2000}""")

Node = dict[str, Any]


def article(views: Iterable[CommentView], *, url: str, count: int, node_id: str | None = None) -> Node:
    """Return the article's node with its comments: `node_id`, which the page describes itself, or one by its URL."""
    named: Node = {"@id": node_id} if node_id else {"@type": "Article", "url": url}
    return {
        "@context": "https://schema.org",
        **named,
        "commentCount": count,
        "comment": _nested(views, url),
    }


def checked_node_id(site: Site, text: str) -> str | None:
    """Return the `@id` of a node of the host page, None for an empty one; raises BadAddressError.

    It is a fragment such as `#article`, or a URL on one of the site's origins.
    """
    if not text:
        return None
    if _FRAGMENT.fullmatch(text) or (_ADDRESS.fullmatch(text) and threads.is_on(site, text)):
        return text
    raise BadAddressError("`node` must be a fragment such as #article, or a URL of the site.")


def _nested(views: Iterable[CommentView], url: str) -> list[Node]:
    """Return the comments with their replies in them. Replies to a removed comment take its place."""
    roots: list[Node] = []
    lists: dict[int, tuple[list[Node], int]] = {}
    """Where the replies to a comment go, and how deep that is."""
    for view in views:
        siblings, depth = lists.get(view.parent_id or 0, (roots, 0))
        if view.placeholder:
            lists[view.id] = siblings, depth
            continue
        node = _comment(view, url)
        siblings.append(node)
        lists[view.id] = (node.setdefault("comment", []), depth + 1) if depth < NESTED else (siblings, depth)
    return [_without_empty_lists(root) for root in roots]


def _without_empty_lists(node: Node) -> Node:
    replies = node.pop("comment", [])
    return {**node, "comment": [_without_empty_lists(reply) for reply in replies]} if replies else node


def _comment(view: CommentView, url: str) -> Node:
    author: Node = {"@type": "Person", "name": view.name}
    if view.website:
        author["url"] = view.website
    node: Node = {
        "@type": "Comment",
        "url": f"{url.partition('#')[0]}{old_anchors.own(view.id)}",
        "author": author,
        "datePublished": _time(view.created_at),
        "text": view.warning or markup.plain(view.html),
    }
    if view.origin_url:
        node["isBasedOn"] = view.origin_url
    if view.edited_at:
        node["dateModified"] = _time(view.edited_at)
    return node


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
