"""Renders a thread as plain HTML without script: for `/fragment`, `commentsvc fragment` and published files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import json, render_template
from sqlalchemy.orm import Session

from commentsvc import match_keys
from commentsvc.domain.reading import structured_data, thread_pages, whole_threads
from commentsvc.domain.reading.structured_data import Node
from commentsvc.domain.reading.whole_threads import ThreadPart
from commentsvc.domain.threads import threads
from commentsvc.models import Site, Thread
from commentsvc.text.markup import SafeHtml, trusted
from commentsvc.web.context import settings
from commentsvc.web.thread_request import STANDALONE, ThreadRequest

FRAGMENT = "/fragment"
_ESCAPED = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&"})


@dataclass(frozen=True)
class FragmentSource:
    """What a fragment is rendered from."""

    site: Site
    thread: Thread | None
    """None while the article has no comments."""
    page_url: str
    """The address of the thread's own page, with a query."""


def source_of(thread: Thread) -> FragmentSource:
    """Return the source for a thread of the database."""
    page_id = match_keys.page_id(thread.key)
    return FragmentSource(
        thread.site, thread, page_url(ThreadRequest(STANDALONE, thread.url, page_id=page_id))
    )


def page_url(thread_request: ThreadRequest) -> str:
    """Return the whole address of a thread's own page."""
    return settings().origin + thread_request.page_link()


def first_part(session: Session, source: FragmentSource, *, after: str | None = None) -> ThreadPart:
    """Return the part of a thread after a cursor; empty for an article without comments."""
    if source.thread is None:
        return ThreadPart()
    return whole_threads.part(session, source.thread, thread_pages.order_on(source.site), after=after)


def render(source: FragmentSource, part: ThreadPart, *, at: datetime, node_id: str | None = None) -> str:
    """Return the HTML of a part of a thread; `node_id` as in `structured_data.article`."""
    thread = source.thread
    count = thread.approved_count if thread else 0
    views = [view for conversation in part.conversations for view in conversation.views]
    linked = None
    if thread and any(not view.placeholder for view in views):
        linked = structured_data.article(views, url=thread.url, count=count, node_id=node_id)
    return render_template(
        "thread/fragment.html",
        part=part,
        count=count,
        page_url=source.page_url,
        closed=threads.closed_reason(source.site, thread, at=at),
        linked_data=_data_block(linked) if linked else "",
    )


def _data_block(node: Node) -> SafeHtml:
    """Return JSON that cannot end the `<script>` around it, whatever people wrote."""
    return trusted(json.dumps(node).translate(_ESCAPED))
