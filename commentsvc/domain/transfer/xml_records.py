"""Reads XML whose root has many small records, such as the posts of a feed, one record at a time."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from commentsvc.domain.transfer import xml_events

_FIELD_LONGEST = 300_000
"""Limit for the text of one element, far above the limit of a comment."""
_PARTS_MOST = 200
"""Texts, and elements with attributes, that are kept of one record."""


@dataclass(slots=True)
class XmlRecord:
    """A child of the root element. Names have the prefix of their namespace: `thr:in-reply-to`."""

    name: str
    attributes: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict)
    """The text of each element below it by its path, such as "author/name"; of several, the first."""
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and attributes of each element below it that has attributes, in the document's order."""

    def text(self, path: str) -> str:
        """Return the text of an element without spaces around it; empty if there is none."""
        return self.texts.get(path, "").strip()

    def attribute(self, path: str, wanted: str, /, **others: str) -> str:
        """Return an attribute of the first element at `path` that has the `others`; empty if there is none."""
        for tag, attributes in self.tags:
            if tag == path and all(attributes.get(key) == value for key, value in others.items()):
                return attributes.get(wanted, "").strip()
        return ""


def records(
    file: BinaryIO,
    *,
    prefixes: Mapping[str, str],
    on_root: Callable[[str], None],
    notes: Counter[str] | None = None,
) -> Iterator[XmlRecord]:
    """Yield the children of the root element, in the document's order.

    `prefixes` has the prefix of each namespace that is read, without its colon; elements of others are left out.
    `on_root` gets the root's name and may raise TransferError. `notes` counts what was repaired in the file. Raises
    TransferError with the line and what to do.
    """
    document = _Document(prefixes, on_root)
    for _ in xml_events.events(file, document, notes=notes):
        while document.finished:
            yield document.finished.popleft()


class _Document:
    """The parser's target: collects one record at a time."""

    def __init__(self, prefixes: Mapping[str, str], on_root: Callable[[str], None]) -> None:
        self.finished: deque[XmlRecord] = deque()
        self._prefixes, self._on_root = prefixes, on_root
        self._path: list[str] = []
        self._texts: list[list[str]] = []
        self._length = 0
        self._record: XmlRecord | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = self._name(tag)
        named = {self._name(key): value for key, value in attributes.items()}
        if not self._path:
            self._on_root(name)
        elif len(self._path) == 1:
            self._record = XmlRecord(name, named)
        elif self._record is not None and named and len(self._record.tags) < _PARTS_MOST:
            self._record.tags.append(("/".join([*self._path[2:], name]), named))
        self._path.append(name)
        self._texts.append([])
        self._length = 0

    def data(self, text: str) -> None:
        if self._record is not None and self._length < _FIELD_LONGEST:
            self._texts[-1].append(text)
            self._length += len(text)

    def end(self, _tag: str) -> None:
        path = "/".join(self._path[2:])
        text = "".join(self._texts.pop())
        self._path.pop()
        if self._record is None:
            return
        if len(self._path) == 1:
            self._record.texts.setdefault("", text)
            self.finished.append(self._record)
            self._record = None
        elif len(self._record.texts) < _PARTS_MOST:
            self._record.texts.setdefault(path, text)

    def close(self) -> None:
        pass

    def _name(self, tag: str) -> str:
        space, bracket, name = tag.rpartition("}")
        if not bracket:
            return tag
        prefix = self._prefixes.get(space[1:])
        return "?" if prefix is None else f"{prefix}:{name}" if prefix else name
