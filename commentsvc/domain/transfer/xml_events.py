"""Reads XML of any length with constant memory, and refuses the dangerous parts of XML.

No DTD, no entities except XML's own five, no external access, a limited depth. It repairs harmless defects that real
exports often have: control characters, invalid bytes, empty lines before the declaration.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from commentsvc.errors import TransferError

DEEPEST = 100
_CHUNK = 1 << 16
_NO_XML_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
# Only text encodings: Python's codecs include "zip" and "rot13".
_TEXT_ENCODING = re.compile(
    r"utf-8|utf-16|ascii|iso8859-\d+|cp125\d|koi8-[rtu]|gbk|gb\d+|big5\w*|euc_\w+|shift_jis\w*"
)
_ENDS_EARLY = frozenset({3, 5, 20})  # expat: no element found, unclosed token, unclosed CDATA section
_AGAIN = "Importing again later adds only what is missing."


class XmlHandler(Protocol):
    """Receives a document's events, with names as `{namespace}name`. It may raise TransferError without a line."""

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...
    def end(self, tag: str) -> None: ...
    def data(self, text: str) -> None: ...
    def close(self) -> None: ...


def events(
    source: Path | BinaryIO, target: XmlHandler, *, on_read: Callable[[int], object] | None = None
) -> Iterator[None]:
    """Send the events of a document to `target`; yields after each part of the file.

    `on_read` is called with the number of bytes just read. Raises TransferError with the line and what to do.
    """
    parser = XMLParser(target=_Shallow(target), forbid_dtd=True)
    expat: Any = parser.parser  # still knows the line after the parser is closed
    line = 0
    try:
        with _opened(source) as file:
            for text, dropped_lines in _texts(file, on_read):
                line += dropped_lines
                with _located(expat, line):
                    parser.feed(text)
                yield
    except OSError as error:
        raise TransferError(f"The file cannot be read: {error.strerror or error}.") from None
    with _located(expat, line):
        parser.close()
    yield


@contextmanager
def _located(expat: Any, dropped_lines: int) -> Iterator[None]:
    """Turn the errors of the parser and its target into a TransferError that begins with the line."""
    try:
        yield
    except ParseError as error:
        raise TransferError(_sentence(error, dropped_lines)) from None
    except DefusedXmlException:
        raise TransferError(
            f"Line {expat.CurrentLineNumber + dropped_lines}: this declares a DTD or an entity, which exports do "
            "not have and which can do harm. Export again; a page saved from a browser is not an export."
        ) from None
    except TransferError as error:
        raise TransferError(f"Line {expat.CurrentLineNumber + dropped_lines}: {error}") from None


class _Shallow:
    """Passes events on, down to a depth that no real document exceeds."""

    def __init__(self, target: XmlHandler) -> None:
        self._target = target
        self._depth = 0
        self.end, self.data, self.close = self._end, target.data, target.close

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise TransferError(
                f"elements are nested more than {DEEPEST} deep, which no export does. Export the site again."
            )
        self._target.start(tag, attributes)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._target.end(tag)


def _opened(source: Path | BinaryIO) -> AbstractContextManager[BinaryIO]:
    return source.open("rb") if isinstance(source, Path) else nullcontext(source)


def _texts(file: BinaryIO, on_read: Callable[[int], object] | None) -> Iterator[tuple[str, int]]:
    """Yield the file's text without characters that XML forbids, and the number of empty lines removed before it."""
    decoder: codecs.IncrementalDecoder | None = None
    while chunk := file.read(_CHUNK):
        if on_read is not None:
            on_read(len(chunk))
        dropped = 0
        if decoder is None:
            _require_plain(chunk)
            decoder = _decoder(chunk)
            text = decoder.decode(chunk)
            dropped = text[: len(text) - len(text.lstrip("\ufeff \t\r\n"))].count("\n")
            text = text.lstrip("\ufeff \t\r\n")
            if not text.startswith("<"):
                raise TransferError(
                    "The file is not XML: it does not begin with “<”. Choose the export itself."
                )
        else:
            text = decoder.decode(chunk)
        yield _NO_XML_CHARACTER.sub("", text), dropped
    if decoder is None:
        raise TransferError("The file is empty. Export the site again.")
    yield _NO_XML_CHARACTER.sub("", decoder.decode(b"", final=True)), 0


def _require_plain(start: bytes) -> None:
    if start.startswith((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf")):
        raise TransferError("The file is compressed. Unpack it and import the .xml file inside.")


def _decoder(start: bytes) -> codecs.IncrementalDecoder:
    """Return a decoder that replaces invalid bytes with U+FFFD: one broken byte must not stop an import."""
    if start.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)):
        return codecs.getincrementaldecoder("utf-16")("replace")
    match = _ENCODING.search(start[:500])
    name = match[1].decode() if match else "utf-8"
    try:
        codec = codecs.lookup(name)
    except LookupError:
        codec = None
    if codec is None or not _TEXT_ENCODING.fullmatch(codec.name):
        raise TransferError(f"The file's encoding {name!r} is not supported. Save it as UTF-8.")
    return codec.incrementaldecoder("replace")


def _sentence(error: ParseError, dropped_lines: int) -> str:
    line = error.position[0] + dropped_lines
    if error.code in _ENDS_EARLY:
        return f"Line {line}: the file ends in the middle. Export the site again. {_AGAIN}"
    why = str(error).partition(":")[0]
    return (
        f"Line {line}: this is not valid XML ({why}). Correct that line, or export the site again. {_AGAIN}"
    )
