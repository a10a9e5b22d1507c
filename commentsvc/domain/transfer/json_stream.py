"""Reads JSON of any length with little memory: the elements of its arrays, one at a time."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from commentsvc.errors import TransferError

ELEMENT_LONGEST = 8 << 20
"""Characters of one element, far more than a comment has."""
_CHUNK = 1 << 16
_DEEPEST = 4
_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = 40
"""Characters at the end of a part of the file that may be the beginning of a longer word, number or escape."""
_CUT = "the file ends in the middle"
_DECODER = json.JSONDecoder()
_AGAIN = "Export again; nothing of this file was imported."


def elements(file: BinaryIO) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) for each element of the document's arrays and for each other value.

    An element of `{"data": {"Comment": […]}}` has the name "data.Comment", one of a bare array the name "". Raises
    TransferError, which says in which line.
    """
    text = _Text(file)
    yield from _values(text, "", 0)
    if text.next():
        raise text.error("something follows the end of the data")


def lines(file: BinaryIO) -> Iterator[Any]:
    """Yield the value of each line that is not empty; raises TransferError, which says in which line."""
    number = 0
    while line := file.readline(ELEMENT_LONGEST):
        number += 1
        text = line.decode("utf-8-sig" if number == 1 else "utf-8", "replace").strip()
        if not text:
            continue
        try:
            yield json.loads(text)
        except (ValueError, RecursionError):
            raise TransferError(f"Line {number}: this is not valid JSON. {_AGAIN}") from None


def _values(text: _Text, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    opening = text.next()
    if opening == "[":
        for _ in text.parts("]"):
            yield name, text.value()
    elif opening == "{" and depth < _DEEPEST:
        for _ in text.parts("}"):
            key = text.value()
            text.expect(":")
            yield from _values(text, f"{name}.{key}" if name else str(key), depth + 1)
    else:
        yield name, text.value()


def _begins_word(text: str) -> bool:
    return any(word.startswith(text) for word in ("true", "false", "null", "-"))


class _Text:
    """The text from the current position on, of which only a part is in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._text, self._position, self._line = "", 0, 1
        self._is_whole = False

    def next(self) -> str:
        """Return the next character that is not a space, without moving beyond it; "" at the end."""
        while True:
            match = _SPACE.match(self._text, self._position)
            self._position = match.end() if match else self._position
            if self._position < len(self._text) or self._is_whole:
                return self._text[self._position : self._position + 1]
            self._fill(_CHUNK)

    def expect(self, character: str) -> None:
        """Move beyond `character`; raises TransferError for another."""
        if self.next() != character:
            raise self.error()
        self._position += 1

    def parts(self, closing: str) -> Iterator[None]:
        """Yield before each part of an array or object, from its opening to its closing character."""
        self._position += 1
        if self.next() == closing:
            self._position += 1
            return
        while True:
            yield
            after = self.next()
            if after not in {",", closing} or not after:
                raise self.error()
            self._position += 1
            if after == closing:
                return

    def value(self) -> Any:
        """Return the value at this position and move beyond it."""
        self.next()
        wanted = _CHUNK
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._position)
            except RecursionError:
                raise self.error("it is nested too deep") from None
            except json.JSONDecodeError as error:
                rest = self._text[error.pos :].strip()
                is_open = error.msg.startswith("Unterminated string") or _begins_word(rest)
                may_go_on = is_open or error.pos > len(self._text) - _WORD
                if self._is_whole or not may_go_on or len(self._text) - self._position > ELEMENT_LONGEST:
                    raise self.error(_CUT if is_open and self._is_whole else "") from None
            else:
                # A number may go on in the next part of the file.
                if end < len(self._text) or self._is_whole:
                    self._position = end
                    return value
            self._fill(wanted)
            wanted *= 2  # so that a long element is not parsed from its beginning too often

    def error(self, why: str = "") -> TransferError:
        line = self._line + self._text.count("\n", 0, self._position)
        if self._is_whole and self._position >= len(self._text):
            why = _CUT
        return TransferError(f"Line {line}: {why or 'this is not valid JSON'}. {_AGAIN}")

    def _fill(self, size: int) -> None:
        self._line += self._text.count("\n", 0, self._position)
        chunk = self._file.read(size)
        self._is_whole = not chunk
        self._text = self._text[self._position :] + self._decoder.decode(chunk, final=not chunk)
        self._position = 0
