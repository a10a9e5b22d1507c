"""Gives imported articles the addresses that a person has listed, and leaves out those of other hosts."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from commentsvc.domain.transfer.records import ImportedThread
from commentsvc.errors import TransferError

LEFT_OUT = "on articles that the map leaves out"
OTHER_HOST = "on articles of other hosts than --host names"
_ANY = "*"


@dataclass(frozen=True)
class ArticleMap:
    """Old addresses and their new ones, as a CSV file lists them."""

    exact: Mapping[str, str]
    prefixes: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> ArticleMap:
        """Read lines of `old,new`, of which the first may be a heading; raises TransferError.

        Addresses are URLs or paths. An old one that ends with `*` stands for all that begin like it, and what follows
        is kept if the new one ends with `*`, too. Articles with an empty new address are left out.
        """
        exact: dict[str, str] = {}
        prefixes: dict[str, str] = {}
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                for number, row in enumerate(csv.reader(file), 1):
                    old, new = cls._pair(path, number, row)
                    if old.endswith(_ANY):
                        prefixes[_bare(old.removesuffix(_ANY))] = new
                    elif old:
                        exact[_bare(old).rstrip("/")] = new
        except (UnicodeDecodeError, csv.Error):
            raise TransferError(f"{path} is not a CSV file in UTF-8.") from None
        return cls(exact, prefixes)

    @staticmethod
    def _pair(path: Path, number: int, row: list[str]) -> tuple[str, str]:
        if not any(cell.strip() for cell in row) or (
            number == 1 and row[0].strip().lower() in {"old", "from"}
        ):
            return "", ""
        if len(row) != 2:
            raise TransferError(
                f"{path}, line {number}: there must be two columns, the old and the new address."
            )
        old, new = (cell.strip() for cell in row)
        if new and not new.startswith(("/", "http://", "https://")):
            raise TransferError(
                f"{path}, line {number}: {new!r} is neither a URL nor a path that begins with “/”."
            )
        return old, new

    def __call__(self, articles: Iterable[ImportedThread]) -> Iterator[ImportedThread]:
        """Yield the articles with their new addresses."""
        for article in articles:
            new = self._new(article.url)
            if new is None:
                yield article
            elif new:
                yield replace(article, url=new)
            else:
                yield _refused(article, LEFT_OUT)

    def _new(self, url: str) -> str | None:
        """Return the new address, "" for an article to leave out, None for one that is not listed."""
        bare = _bare(url)
        for address in (bare, _path(bare)):
            if address.rstrip("/") in self.exact:
                return self.exact[address.rstrip("/")]
        # The longest match is the most specific one.
        for prefix in sorted(self.prefixes, key=len, reverse=True):
            for address in (bare, _path(bare)):
                if address.startswith(prefix):
                    new = self.prefixes[prefix]
                    return new.removesuffix(_ANY) + address[len(prefix) :] if new.endswith(_ANY) else new
        return None


def only_hosts(articles: Iterable[ImportedThread], hosts: Collection[str]) -> Iterator[ImportedThread]:
    """Yield the articles, of which those on other hosts are left out; addresses without a host stay."""
    wanted = {host.strip().lower() for host in hosts}
    for article in articles:
        host = host_of(article.url)
        yield article if not host or host in wanted else _refused(article, OTHER_HOST)


def host_of(url: str) -> str:
    """Return the host of a URL, with its port; empty for a path."""
    return "" if "://" not in url else _bare(url).partition("/")[0].partition("?")[0].partition("#")[0]


def _refused(article: ImportedThread, reason: str) -> ImportedThread:
    return replace(article, comments=tuple(replace(one, refused=reason) for one in article.comments))


def _bare(url: str) -> str:
    """Return a URL without scheme and fragment, its host in lower case."""
    bare = url.partition("://")[2] or url
    bare = bare.partition("#")[0]
    host, slash, path = bare.partition("/")
    return host.lower() + slash + path


def _path(bare: str) -> str:
    return bare if bare.startswith("/") else f"/{bare.partition('/')[2]}"
