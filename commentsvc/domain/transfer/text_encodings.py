"""Decodes the text of files from other systems, and counts what is not in the encoding that a file names."""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

from commentsvc import encoding_labels
from commentsvc.errors import TransferError

_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
# Only text encodings: Python's codecs include "zip" and "rot13".
_TEXT_ENCODING = re.compile(
    r"utf-8|iso8859-\d+|cp125\d|cp8[67]\d|cp9\d\d|koi8-[rtu]|gbk|gb\d+|big5\w*|euc_\w+"
    r"|shift_jis\w*|mac-\w+"
)
# Files that say ASCII without being it are UTF-8, unlike pages of the web.
_MEANT = {**encoding_labels.MEANT, "ascii": "utf-8"}
PART = 1 << 16
"""Bytes of a file that are read at once."""
_REPLACEMENT = "\ufffd"


class Decoder:
    """Decodes a file part by part. Bytes that are invalid in its encoding become U+FFFD and are counted."""

    def __init__(self, start: bytes) -> None:
        """Choose the encoding by the file's first bytes; raises TransferError for one that is not supported."""
        self.name, codec = _encoding(start)
        self._decoder = codec.incrementaldecoder("strict")
        self._lenient = codec.incrementaldecoder("replace")
        self._is_valid = True
        self.invalid = 0
        """Number of characters replaced so far."""

    def decode(self, data: bytes, *, final: bool = False) -> str:
        # A valid file may itself contain U+FFFD, so the strict decoder comes first.
        if self._is_valid:
            state = self._decoder.getstate()
            try:
                return self._decoder.decode(data, final)
            except UnicodeDecodeError:
                self._is_valid = False
                self._lenient.setstate(state)
        text = self._lenient.decode(data, final)
        self.invalid += text.count(_REPLACEMENT)
        return text


def invalid_in(file: BinaryIO) -> tuple[int, str]:
    """Return how many characters of a file are not in its encoding, and the report's words for them.

    Reads the file to its end, if it is an export. Raises TransferError for an encoding that is not supported.
    """
    decoder = Decoder(start := file.read(PART))
    if b"<rss" not in start.replace(b"\0", b""):
        return 0, ""
    decoder.decode(start)
    while part := file.read(PART):
        decoder.decode(part)
    decoder.decode(b"", final=True)
    return decoder.invalid, note(decoder)


def note(decoder: Decoder) -> str:
    """Return the report's words for the characters that were not in the file's encoding."""
    return (
        f"characters that are not {decoder.name}, which the file says it is, and show as “{_REPLACEMENT}”; save it "
        "as UTF-8 with a text editor that knows its encoding"
    )


def _encoding(start: bytes) -> tuple[str, codecs.CodecInfo]:
    if start.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)):
        return "UTF-16", codecs.lookup("utf-16")
    if start.startswith(codecs.BOM_UTF8):
        return "UTF-8", codecs.lookup("utf-8")
    match = _DECLARED.search(start.partition(b"<rss")[0])
    name = match[1].decode() if match else "UTF-8"
    if name.lower().startswith(("utf-16", "utf-32")):
        name = "UTF-8"  # or its declaration could not be read byte by byte
    try:
        codec = codecs.lookup(name)
        codec = codecs.lookup(_MEANT.get(codec.name, codec.name))
    except LookupError:
        codec = None
    if codec is None or not _TEXT_ENCODING.fullmatch(codec.name):
        raise TransferError(f"The file's encoding {name!r} is not supported. Save it as UTF-8.")
    return name, codec
