"""Reads XML of any length with constant memory, and refuses the dangerous parts of XML.

No DTD, no entities except XML's own five and the characters that HTML names, no external access, a limited depth. It
accepts what real exports often have before and after the document (empty lines, messages of PHP); `xml_repair.py` mends
defects inside.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol
from xml.parsers import expat

from commentsvc.domain.transfer import text_encodings, xml_repair
from commentsvc.domain.transfer.xml_repair import XmlRepair
from commentsvc.errors import TransferError

DEEPEST = 100
_START = re.compile(r"<\?xml[\s?]|<rss[\s>]|<!DOCTYPE|<[a-z][\w:-]*\s[^<>]*xmlns", re.IGNORECASE)
_SECOND = re.compile(r"<\?xml\s|<rss[\s>]")
_ENDS_EARLY = frozenset({3, 5, 20})  # expat: no element found, unclosed token, unclosed CDATA section
BEFORE = "lines before the XML, such as messages of PHP, which were passed over"
AFTER = "files with text after the end of the XML, such as messages of PHP, which was passed over"
_NAMESPACE_END = "}"
_AGAIN = "Importing again later adds only what is missing."


class XmlHandler(Protocol):
    """Receives a document's events, with names as `{namespace}name`. It may raise TransferError without a line."""

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...
    def end(self, tag: str) -> None: ...
    def data(self, text: str) -> None: ...
    def close(self) -> None: ...


def events(
    source: Path | BinaryIO,
    target: XmlHandler,
    *,
    on_read: Callable[[int], object] | None = None,
    notes: Counter[str] | None = None,
) -> Iterator[None]:
    """Send the events of a document to `target`; yields after each part of the file.

    `on_read` is called with the number of bytes just read. `notes` counts what was repaired, by its words for the
    report. Raises TransferError with the line and what to do.
    """
    reading = _Reading(target, Counter() if notes is None else notes)
    try:
        with _opened(source) as file:
            for text in reading.texts(file, on_read):
                reading.feed(text)
                yield
    except OSError as error:
        raise TransferError(f"The file cannot be read: {error.strerror or error}.") from None
    reading.close()
    yield


class _Reading:
    """A document that is being read: the parser, and how many lines stand before what it was given."""

    def __init__(self, target: XmlHandler, notes: Counter[str]) -> None:
        self._target = _Shallow(target)
        self._parser = _parser(self._target)
        self._notes = notes
        self._dropped_lines = 0
        self._fed = 0
        """Bytes that the parser was given before."""
        self._is_complete = False

    def texts(self, file: BinaryIO, on_read: Callable[[int], object] | None) -> Iterator[str]:
        """Yield the file's text, repaired, from where the document begins."""
        decoder: text_encodings.Decoder | None = None
        repair = XmlRepair()
        try:
            while chunk := file.read(text_encodings.PART):
                if on_read is not None:
                    on_read(len(chunk))
                if decoder is None:
                    _require_plain(chunk)
                    decoder = text_encodings.Decoder(chunk)
                    text = self._from_start(decoder.decode(chunk))
                else:
                    text = decoder.decode(chunk)
                yield repair.feed(text)
            if decoder is None:
                raise TransferError("The file is empty. Export the site again.")
            yield repair.feed(decoder.decode(b"", final=True), final=True)
        finally:
            if decoder is not None and decoder.invalid:
                self._notes[text_encodings.note(decoder)] += decoder.invalid

    def _from_start(self, text: str) -> str:
        """Cut what stands before the document."""
        match = _START.search(text)
        blank = len(text) - len(text.lstrip("\ufeff \t\r\n"))
        start = match.start() if match else blank
        if not text.startswith("<", start):
            raise TransferError("The file is not XML: it does not begin with “<”. Choose the export itself.")
        self._dropped_lines = text.count("\n", 0, start)
        if start > blank:
            self._notes[BEFORE] += text[:start].strip().count("\n") + 1
        return text[start:]

    def feed(self, text: str) -> None:
        if self._is_complete:
            self._pass_over(text)
            return
        data = text.encode()
        with self._located():
            try:
                self._parser.Parse(data)
            except expat.ExpatError:
                if not self._target.has_ended:
                    raise
                self._is_complete = True
        if self._is_complete:
            self._notes[AFTER] += 1
            end = max(self._parser.ErrorByteIndex - self._fed, 0)
            self._pass_over(data[end:].decode(errors="ignore"))
        self._fed += len(data)

    def _pass_over(self, text: str) -> None:
        if _SECOND.search(text):
            raise TransferError(
                "A second document begins after the end of the first. Save each in a file of its own."
            )

    def close(self) -> None:
        with self._located():
            if not self._is_complete:
                try:
                    self._parser.Parse(b"", True)
                except expat.ExpatError:
                    if not self._target.has_ended:
                        raise
                    self._notes[AFTER] += 1
            self._target.close()

    @contextmanager
    def _located(self) -> Iterator[None]:
        """Turn the errors of the parser and its target into a TransferError that begins with the line."""
        try:
            yield
        except expat.ExpatError as error:
            raise TransferError(_sentence(error, self._dropped_lines)) from None
        except TransferError as error:
            raise TransferError(f"Line {self._line}: {error}") from None

    @property
    def _line(self) -> int:
        return self._parser.CurrentLineNumber + self._dropped_lines


class _Shallow:
    """Passes events on, down to a depth that no real document exceeds."""

    def __init__(self, target: XmlHandler) -> None:
        self._target = target
        self._depth = 0
        self.has_ended = False
        """Whether the root element has ended."""
        self.close = target.close

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise TransferError(
                f"elements are nested more than {DEEPEST} deep, which no export does. Export the site again."
            )
        self._target.start(_tag(name), {_tag(key): value for key, value in attributes.items()})

    def data(self, text: str) -> None:
        self._target.data(xml_repair.windows_1252(text))

    def end(self, name: str) -> None:
        self._depth -= 1
        self.has_ended = self._depth == 0
        self._target.end(_tag(name))


def _parser(target: _Shallow) -> expat.XMLParserType:
    """Return a parser of UTF-8 that refuses every declaration: entities can grow without end, or name other files."""
    parser = expat.ParserCreate("utf-8", _NAMESPACE_END)
    parser.buffer_text = True
    parser.StartElementHandler = target.start
    parser.EndElementHandler = target.end
    parser.CharacterDataHandler = target.data
    parser.StartDoctypeDeclHandler = _refuse_declaration
    parser.EntityDeclHandler = _refuse_declaration
    return parser


def _refuse_declaration(*_: object) -> NoReturn:
    raise TransferError(
        "this declares a DTD or an entity, which exports do not have and which can do harm. Export again; a page "
        "saved from a browser is not an export."
    )


def _tag(name: str) -> str:
    """Return a name as ElementTree writes it; expat writes `namespace}name`."""
    return f"{{{name}" if _NAMESPACE_END in name else name


def _opened(source: Path | BinaryIO) -> AbstractContextManager[BinaryIO]:
    return source.open("rb") if isinstance(source, Path) else nullcontext(source)


def _require_plain(start: bytes) -> None:
    if start.startswith((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf")):
        raise TransferError("The file is compressed. Unpack it and import the .xml file inside.")


def _sentence(error: expat.ExpatError, dropped_lines: int) -> str:
    line = error.lineno + dropped_lines
    if error.code in _ENDS_EARLY:
        return f"Line {line}: the file ends in the middle. Export the site again. {_AGAIN}"
    why = str(error).partition(":")[0]
    return (
        f"Line {line}: this is not valid XML ({why}). Correct that line, or export the site again. {_AGAIN}"
    )
