"""Which thread a page, a form or a link asks for, and in which of the two views it is to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote_plus

from commentsvc.domain.article_urls import LONGEST, REMEMBERED, shortened
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.models import Order
from commentsvc.web.context import database

EMBED, STANDALONE = "/embed", "/thread"


@dataclass(frozen=True)
class ThreadRequest:
    """A thread as a page asks for it; the links of its views carry it on."""

    mode: str
    """FRAME or PAGE: inside somebody's article, or on its own."""
    url: str
    canonical: str = ""
    page_id: str = ""
    order: Order | None = None

    @classmethod
    def read(cls, mode: str, values: Mapping[str, str]) -> ThreadRequest:
        """Read query arguments or form fields."""
        order = values.get("order", "")
        # Every link of the page repeats them, so what only hangs on a long one is left out.
        url, canonical = shortened(values.get("url", "")), shortened(values.get("canonical", ""))
        return cls(
            mode=mode,
            url=url,
            canonical=canonical if len(canonical) <= LONGEST and canonical.isprintable() else "",
            page_id=values.get("id", ""),
            order=Order(order) if order in set(Order) else None,
        )

    def address(self) -> ThreadAddress:
        """Find which thread it means; raises BadAddressError, UnknownOriginError."""
        return threads.locate(database(), url=self.url, canonical=self.canonical, page_id=self.page_id)

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
        return f"{self.mode}?{'&'.join(written.values())}"

    @cached_property
    def reply_link(self) -> str:
        """The path of the form for a reply, to be followed by the id of the comment: a page has a hundred of them."""
        return self.link(reply="")

    def page_link(self) -> str:
        """Return the path of the same thread on a page of its own."""
        return replace(self, mode=STANDALONE).link()


@lru_cache(REMEMBERED)
def _argument(name: str, value: str) -> str:
    return f"{name}={quote_plus(value)}"
