"""What the doors that show a thread share: which thread is asked for, and the page in its two dresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote_plus

from flask import Response, current_app, make_response, render_template, request
from jinja2.runtime import Macro

from commentsvc.domain.addresses import LONGEST, REMEMBERED, shortened
from commentsvc.domain.discussions import places, threads
from commentsvc.domain.discussions.threads import Address
from commentsvc.domain.showing import reading
from commentsvc.domain.showing.reading import CommentView, ThreadPage
from commentsvc.models import LoginSession, Order
from commentsvc.web import access, headers, reader
from commentsvc.web.context import database, providers

FRAME, PAGE = "/embed", "/thread"


@dataclass(frozen=True)
class Asked:
    """A thread as a page asks for it; the doors' links carry it on."""

    door: str
    """FRAME or PAGE: inside somebody's article, or on its own."""
    url: str
    canonical: str = ""
    page_id: str = ""
    order: Order | None = None

    @classmethod
    def read(cls, door: str, values: Mapping[str, str]) -> Asked:
        """Read query arguments or form fields."""
        order = values.get("order", "")
        # Every link of the page repeats them, so what only hangs on a long one is left out.
        url, canonical = shortened(values.get("url", "")), shortened(values.get("canonical", ""))
        return cls(
            door=door,
            url=url,
            canonical=canonical if len(canonical) <= LONGEST and canonical.isprintable() else "",
            page_id=values.get("id", ""),
            order=Order(order) if order in set(Order) else None,
        )

    def address(self) -> Address:
        """Find the thread's place, for a GET as it is to be read alone; raises BadAddressError, UnknownOriginError."""
        if request.method in {"GET", "HEAD"}:
            return self.place()
        return threads.locate(database(), url=self.url, canonical=self.canonical, page_id=self.page_id)

    def place(self) -> Address:
        """Find the thread's place in one query; site and thread are to be read alone. Raises what `address` does."""
        return places.find(database(), url=self.url, canonical=self.canonical, page_id=self.page_id)

    def fields(self) -> dict[str, str]:
        """What a link or form must carry to mean the same thread."""
        order = self.order.value if self.order else ""
        named = {"url": self.url, "canonical": self.canonical, "id": self.page_id, "order": order}
        return {name: value for name, value in named.items() if value}

    @cached_property
    def _written(self) -> dict[str, str]:
        """Its fields as a query has them."""
        return {name: _argument(name, value) for name, value in self.fields().items()}

    def link(self, **more: Any) -> str:
        """Return the path of this page with further arguments."""
        written = self._written.copy()
        for name, value in more.items():
            if value is not None:
                written[name] = f"{name}={quote_plus(str(value))}"
        return f"{self.door}?{'&'.join(written.values())}"

    def page_link(self) -> str:
        """Return the path of the same thread on a page of its own."""
        return replace(self, door=PAGE).link()


@lru_cache(REMEMBERED)
def _argument(name: str, value: str) -> str:
    return f"{name}={quote_plus(value)}"


@dataclass(frozen=True)
class Draft:
    """The form as it is to be shown: what was typed so far, whom it answers, what is wrong with it."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    parent: CommentView | None = None
    again: bool = False
    """It comes back because it had grown too old."""

    @property
    def touched(self) -> bool:
        """Whether the form is to be shown open."""
        return bool(self.errors or self.parent or self.values.get("text"))


def show(
    asked: Asked,
    address: Address,
    page: ThreadPage,
    *,
    at: datetime,
    draft: Draft | None = None,
    own: list[CommentView] | None = None,
    notice: str | None = None,
    holder: LoginSession | None = None,
    as_guest: bool = False,
    conversation: reading.Conversation | None = None,
    status: int = 200,
) -> Response:
    """Render the thread's page as of the moment `at`, for everybody, or with one person's draft in it.

    `as_guest`: the holder of the session wants to comment as a guest, and is told that they are still logged in.
    """
    site = address.site
    html = render_template(
        "thread/page.html",
        asked=asked,
        site=site,
        address=address,
        page=page,
        order=page.order,
        draft=draft or Draft(),
        own=own or [],
        notice=notice,
        conversation=conversation,
        closed=threads.closed_reason(site, page.thread, at=at),
        announced=threads.announcement(site, page.thread, at=at),
        token=access.form_token(address, again=draft is not None and draft.again),
        providers=list(providers().values()),
        member=reader.described(holder) if holder and not as_guest else None,
        still_name=holder.commenter.name if holder and as_guest else "",
        csrf=reader.csrf_token() if holder else "",
        origins=" ".join(origin.origin for origin in site.origins),
    )
    response = make_response(html, status)
    if asked.door == FRAME:
        headers.allow_framing(origin.origin for origin in site.origins)
    return response


def piece(asked: Asked, view: CommentView) -> str:
    """Render one comment as it stands in a list."""
    # By the macro alone: what a page of its own needs around it takes twice as long as the comment.
    comments: Macro = current_app.jinja_env.get_template("thread/comment.html").module.comments  # type: ignore[attr-defined]
    if view.root_id:
        return comments([(None, [view], 0, 0)], asked, only="replies")
    return comments([(view, [], 0, 0)], asked)
