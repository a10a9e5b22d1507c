"""Reads the little that webmentions need of a page's microformats2: entries, their links and their authors."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from urllib.parse import urljoin

DEEPEST = 200
"""Elements inside each other; what is deeper counts as text of the element around it."""
_MOST_LINKS = 5000
_MOST_ITEMS = 200
_MOST_VALUES = 20
_LONGEST = 64 * 1024
"""Characters of one property."""
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_HREF = frozenset({"a", "area", "link"})
_SRC = frozenset({"img", "audio", "video", "source", "iframe", "embed"})


@dataclass(eq=False)
class Item:
    """A microformat, such as an h-entry or h-card."""

    types: frozenset[str]
    values: dict[str, list[str]] = field(default_factory=dict)
    children: dict[str, list[Item]] = field(default_factory=dict)
    html: str = field(default="", repr=False)
    """Its `e-content`."""
    links: set[str] = field(default_factory=set)
    """The addresses in it."""

    def first(self, name: str) -> str:
        """Return the first value of a property on one line; empty if there is none."""
        return " ".join(next(iter(self.values.get(name, ())), "").split())

    def child(self, name: str) -> Item | None:
        """Return the first microformat that is a property of this one."""
        return next(iter(self.children.get(name, ())), None)

    def addresses(self, name: str) -> set[str]:
        """Return the addresses of a property, also those of microformats such as an h-cite."""
        nested = [value for item in self.children.get(name, ()) for value in item.values.get("url", ())]
        return {*self.values.get(name, ()), *nested}

    def add(self, name: str, value: str) -> None:
        """Add a value to a property."""
        values = self.values.setdefault(name, [])
        if len(values) < _MOST_VALUES:
            values.append(value)


@dataclass(eq=False)
class Page:
    """What a page says."""

    title: str = ""
    links: set[str] = field(default_factory=set)
    """Every address that an element of it links to or shows."""
    entries: list[Item] = field(default_factory=list)
    author: Item | None = None
    """The first h-card outside of all entries."""


def page_of(html: str, url: str) -> Page:
    """Read a page's HTML; `url` is its address."""
    reader = _Reader(url)
    with suppress(
        AssertionError
    ):  # Python's parser has few, for broken declarations; what it has read counts
        reader.feed(html)  # never `close`: an unfinished end of the page does not matter
    reader.finish()
    return reader.page


@dataclass(eq=False)
class _Capture:
    """The text, or the HTML, of an element."""

    item: Item
    name: str
    as_html: bool = False
    pieces: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, piece: str) -> None:
        if self.length < _LONGEST:
            self.pieces.append(piece)
            self.length += len(piece)

    def end(self) -> None:
        text = "".join(self.pieces)
        if self.as_html:
            self.item.html = self.item.html or text
        elif self.name not in self.item.values or self.name != "name":
            self.item.add(self.name, text)


@dataclass(eq=False)
class _Element:
    tag: str
    item: Item | None = None
    captures: Sequence[_Capture] = ()


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._url = url
        self._elements: list[_Element] = []
        self._items: list[Item] = []
        self._captures: list[_Capture] = []
        self._title: list[str] | None = None
        self._count = 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in reversed(attrs)}
        if tag == "base" and given.get("href"):
            self._url = urljoin(self._url, given["href"])
        address = self._address(tag, given)
        if tag == "title" and not self.page.title:
            self._title = []
        for capture in self._captures:
            if capture.as_html:
                capture.add(self.get_starttag_text() or "")
        if tag not in _VOID and len(self._elements) >= DEEPEST:
            return
        element = _Element(tag)
        self._begin(element, given, address)
        if tag in _VOID:
            self._end(element)
        else:
            self._elements.append(element)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # as browsers do: "/>" ends no element

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._end_title()
        index = next(
            (at for at in range(len(self._elements) - 1, -1, -1) if self._elements[at].tag == tag), None
        )
        if index is None:
            return
        while len(self._elements) > index:
            self._end(self._elements.pop())
        for capture in self._captures:
            if capture.as_html:
                capture.add(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._title is not None:
            self._title.append(data)
        if self._elements and self._elements[-1].tag in {"script", "style"}:
            return
        for capture in self._captures:
            capture.add(escape(data, quote=False) if capture.as_html else data)

    def finish(self) -> None:
        """End what the page has left open."""
        self._end_title()
        while self._elements:
            self._end(self._elements.pop())

    def _end_title(self) -> None:
        if self._title is not None:
            self.page.title = " ".join("".join(self._title)[:1000].split())
            self._title = None

    def _address(self, tag: str, given: dict[str, str]) -> str:
        """Note and return the address that an element has."""
        name = "href" if tag in _HREF else "src" if tag in _SRC else ""
        raw = given.get(name, "").strip() if name else ""
        if not raw or len(raw) > 2000:
            return ""
        try:
            address = urljoin(self._url, raw)
        except ValueError:
            return ""
        if len(self.page.links) < _MOST_LINKS:
            self.page.links.add(address)
            for item in self._items[:10]:
                item.links.add(address)
        return address

    def _begin(self, element: _Element, given: dict[str, str], address: str) -> None:
        names = given.get("class", "").split()[:40]
        parent = self._items[-1] if self._items else None
        properties = [name for name in names if name[:2] in {"p-", "u-", "e-"} or name[:3] == "dt-"]
        types = frozenset(name for name in names if name.startswith("h-"))
        if types and self._count < _MOST_ITEMS:
            self._begin_item(element, types, properties, address, given)
        elif parent is not None:
            captures = []
            for name in properties:
                capture = self._property(parent, name, element.tag, given, address)
                if capture is not None and len(self._captures) < DEEPEST:
                    captures.append(capture)
                    self._captures.append(capture)
            element.captures = captures

    def _begin_item(
        self,
        element: _Element,
        types: frozenset[str],
        properties: Sequence[str],
        address: str,
        given: dict[str, str],
    ) -> None:
        self._count += 1
        item = Item(types)
        if address:
            item.links.add(address)
            item.add("photo" if element.tag == "img" else "url", address)
            if given.get("alt"):
                item.add("name", given["alt"])
        parent = self._items[-1] if self._items else None
        for name in properties if parent is not None else ():
            if parent is not None:
                parent.children.setdefault(name.partition("-")[2], []).append(item)
        if "h-entry" in types:
            self.page.entries.append(item)
        elif "h-card" in types and not self._items:
            self.page.author = self.page.author or item
        element.item = item
        self._items.append(item)
        if "h-card" in types:  # whose name may be nothing but its text
            capture = _Capture(item, "name")
            element.captures = [capture]
            self._captures.append(capture)

    def _property(
        self, item: Item, name: str, tag: str, given: dict[str, str], address: str
    ) -> _Capture | None:
        """Add a property that an attribute says, or return what captures its text."""
        kind, _, plain = name.partition("-")
        if kind == "u" and address:
            item.add(plain, address)
            return None
        if kind == "dt" and given.get("datetime"):
            item.add(plain, given["datetime"])
            return None
        if kind == "p" and tag in {"img", "area", "data", "abbr"}:
            item.add(plain, given.get("alt") or given.get("value") or given.get("title") or "")
            return None
        return _Capture(item, plain, as_html=name == "e-content")

    def _end(self, element: _Element) -> None:
        for capture in element.captures:
            if capture in self._captures:
                self._captures.remove(capture)
            capture.end()
        if element.item is not None and element.item in self._items:
            self._items.remove(element.item)
