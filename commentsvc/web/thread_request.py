"""The thread that a page, form or link refers to, and which of the two views shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote_plus

from flask import url_for

from commentsvc import match_keys
from commentsvc.domain.article_urls import LONGEST, REMEMBERED, shortened
from commentsvc.domain.reading import thread_pages
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.models import Order, Site
from commentsvc.web import page_language
from commentsvc.web.context import database, settings

_OF_FEED = ("url", "canonical", "id")
EMBED, STANDALONE = "/embed", "/thread"


@dataclass(frozen=True)
class ThreadRequest:
    """A request for a thread; the links of its views repeat it."""

    mode: str
    """EMBED or STANDALONE: inside an article, or on its own page."""
    url: str
    canonical: str = ""
    page_id: str = ""
    order: Order | None = None
    language: str = ""
    """One of ours, as the page around the frame or a link names it; empty for none."""

    @classmethod
    def read(cls, mode: str, values: Mapping[str, str]) -> ThreadRequest:
        """Read URL parameters or form fields."""
        order = values.get("order", "")
        # Every link on the page repeats them, so long ones are shortened.
        url, canonical = shortened(values.get("url", "")), shortened(values.get("canonical", ""))
        return cls(
            mode=mode,
            url=url,
            canonical=canonical if len(canonical) <= LONGEST and canonical.isprintable() else "",
            page_id=values.get("id", ""),
            order=Order(order) if order in set(Order) else None,
            language=page_language.asked(values),
        )

    @classmethod
    def of_comment(cls, mode: str, address: ThreadAddress, values: Mapping[str, str]) -> ThreadRequest:
        """Return the request for the thread to which a page about one comment leads back.

        `values` are the URL's parameters and the form's fields.
        """
        given = match_keys.page_id(address.key)
        return cls(mode=mode, url=address.url, page_id=given, language=page_language.asked(values))

    def address(self) -> ThreadAddress:
        """Return the thread's address, and speak its language; raises BadAddressError, UnknownOriginError."""
        address = threads.locate(database(), url=self.url, canonical=self.canonical, page_id=self.page_id)
        self.speak(address.site)
        return address

    def speak(self, site: Site) -> None:
        """Use the language of the thread, from now on."""
        page_language.use_for_site(site, self.language, framed=self.mode != STANDALONE)

    def order_on(self, site: Site) -> Order:
        """Return the order in which the site's threads are read."""
        return thread_pages.order_on(site, self.order)

    def fields(self) -> dict[str, str]:
        """Return the fields that a link or form needs for the same thread."""
        order = self.order.value if self.order else ""
        named = {
            "url": self.url,
            "canonical": self.canonical,
            "id": self.page_id,
            "order": order,
            page_language.PARAMETER: self.language,
        }
        return {name: value for name, value in named.items() if value}

    def feed_path(self, form: str) -> str:
        """Return the path of the thread's feed in `form`, "atom" or "json"; it has an order of its own."""
        given: dict[str, Any] = {name: value for name, value in self.fields().items() if name in _OF_FEED}
        return url_for("feeds.of_thread", form=form, **given)

    @cached_property
    def path(self) -> str:
        """The path of the view, as browsers request it."""
        return settings().base_path + self.mode

    @cached_property
    def _written(self) -> dict[str, str]:
        """The fields, encoded for a URL's query."""
        return {name: _argument(name, value) for name, value in self.fields().items()}

    def link(self, **more: Any) -> str:
        """Return the path of this page with more parameters."""
        written = self._written.copy()
        for name, value in more.items():
            if value is not None:
                written[name] = f"{name}={quote_plus(str(value))}"
        return f"{self.path}?{'&'.join(written.values())}"

    @cached_property
    def reply_link(self) -> str:
        """The path of a reply form, without the comment's id at its end: a page has a hundred of them."""
        return self.link(reply="")

    def page_link(self) -> str:
        """Return the path of the same thread's standalone page."""
        return replace(self, mode=STANDALONE).link()


@lru_cache(REMEMBERED)
def _argument(name: str, value: str) -> str:
    return f"{name}={quote_plus(value)}"
