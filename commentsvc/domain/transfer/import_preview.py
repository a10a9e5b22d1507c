"""What an import would look like: hosts, addresses on the site, addresses that the site does not have, ten comments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from commentsvc.domain.threads import threads
from commentsvc.domain.transfer import article_map, import_plan
from commentsvc.domain.transfer.import_plan import NotImported
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.errors import BadAddressError
from commentsvc.models import Site, Status
from commentsvc.text import markup

SAMPLES = 10
LISTED = 20
"""Addresses that a list has before it says how many more there are."""
_OF_ONE_ARTICLE = 3
_EXCERPT = 200


@dataclass(frozen=True, slots=True)
class SampleComment:
    """A comment as readers will see it."""

    url: str
    name: str
    at: datetime
    is_reply: bool
    text: str
    """Its beginning, without markup."""


@dataclass
class ImportPreview:
    """Looks at the articles of an import while they pass through `watch`."""

    site: Site
    to: str | None = None
    sitemap: set[str] | None = None
    """Addresses that exist on the site; None if unknown."""
    articles: dict[str, str] = field(default_factory=dict)
    """Each article's new address by its old one; empty for one that cannot be used."""
    comments: Counter[str] = field(default_factory=Counter)
    """Comments by their article's host, which is empty for paths."""
    samples: list[SampleComment] = field(default_factory=list)

    def watch(self, articles: Iterable[ImportedThread]) -> Iterator[ImportedThread]:
        """Yield the articles unchanged."""
        for article in articles:
            if article.url:
                self._add(article)
            yield article

    def lines(self) -> list[str]:
        """Return the preview as lines of text, for a terminal."""
        return [
            f"Articles:     {len(self.articles)} with comments",
            *self._host_lines(),
            *self._address_lines(),
            *self._missing_lines(),
            *self._sample_lines(),
        ]

    def missing(self) -> list[str]:
        """Return the new addresses that the sitemap does not list, in alphabetical order."""
        known = {self._match(address) for address in self.sitemap or ()}
        news = {new for new in self.articles.values() if new}
        return sorted(new for new in news if self._match(new) not in known)

    def _add(self, article: ImportedThread) -> None:
        is_left_out = all(comment.refused for comment in article.comments)
        if article.url not in self.articles and not is_left_out:
            self.articles[article.url] = self._address(article)
        self.comments[article_map.host_of(article.url)] += len(article.comments)
        if len(self.samples) < SAMPLES:
            self.samples += self._sampled(article, min(_OF_ONE_ARTICLE, SAMPLES - len(self.samples)))

    def _address(self, article: ImportedThread) -> str:
        origins = [item.origin for item in self.site.origins]
        try:
            home = import_plan.home_of(article.url, origins=origins, to=self.to)
            url = import_plan.moved_url(article, home)
            return threads.address_on(self.site, url, page_id=article.page_id).url
        except BadAddressError:
            return ""

    def _match(self, address: str) -> str:
        try:
            origin = self.site.origins[0].origin
            return threads.address_on(
                self.site, origin + address if address.startswith("/") else address
            ).match
        except BadAddressError:
            return ""

    def _sampled(self, article: ImportedThread, number: int) -> list[SampleComment]:
        seen = (comment for comment in article.comments if comment.status is Status.APPROVED)
        samples = (self._sample(article, comment) for comment in seen)
        return list(islice(filter(None, samples), number))

    def _sample(self, article: ImportedThread, comment: ImportedComment) -> SampleComment | None:
        try:
            planned = import_plan.plan(article, comment, key="", parent_key=comment.parent_id)
        except NotImported:
            return None
        text = markup.plain(planned.draft.rendered.html)
        return SampleComment(
            url=self.articles.get(article.url, ""),
            name=planned.guest.name or "Anonymous",
            at=planned.created_at,
            is_reply=comment.parent_id is not None,
            text=text if len(text) <= _EXCERPT else f"{text[:_EXCERPT].rstrip()}…",
        )

    def _host_lines(self) -> list[str]:
        hosts = threads.hosts_of(self.site)
        articles = Counter(article_map.host_of(url) for url in self.articles)
        lines = ["Hosts in the file:"] if self.comments else []
        for host, number in self.comments.most_common(LISTED):
            where = host or "paths without a host"
            belongs = "" if not host or host in hosts else ", not of this site"
            lines.append(
                f"  {where}: {_counted(articles[host], 'article')}, {_counted(number, 'comment')}{belongs}"
            )
        return lines + _more(len(self.comments))

    def _address_lines(self) -> list[str]:
        pairs = [(old, new) for old, new in self.articles.items() if new]
        lines = ["Addresses on this site:"] if pairs else []
        for old, new in pairs[:LISTED]:
            lines.append(f"  {new}" if old == new else f"  {new} (in the file: {old})")
        return lines + _more(len(pairs))

    def _missing_lines(self) -> list[str]:
        if self.sitemap is None:
            return []
        missing = self.missing()
        if not missing:
            return ["Sitemap:      every address is in it"]
        return [
            f"Not in the sitemap: {len(missing)} of {len(self.articles)}; --map says where these articles are now",
            *(f"  {address}" for address in missing),
        ]

    def _sample_lines(self) -> list[str]:
        lines = ["Some comments as they will look:"] if self.samples else []
        for sample in self.samples:
            how = " (reply)" if sample.is_reply else ""
            lines += [
                f"  {sample.name}, {sample.at:%Y-%m-%d %H:%M} UTC{how}, {sample.url}",
                f"    {sample.text}",
            ]
        return lines


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _more(number: int) -> list[str]:
    return [f"  … and {number - LISTED:,} more"] if number > LISTED else []
