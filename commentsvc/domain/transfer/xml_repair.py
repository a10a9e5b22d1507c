"""Repairs the harmless defects of XML that real exports have, in the text before it is parsed.

Each defect costs at most the character that has it: a bare "&", a named reference of HTML such as "&nbsp;", a reference
to a character that XML forbids, control characters, and texts of windows-1252 that were stored as ISO-8859-1.
"""

from __future__ import annotations

import re
from html.entities import html5

_NO_XML_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_C1 = re.compile("[\x80-\x9f]")
_WINDOWS_1252 = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
_AMPERSAND = re.compile(r"&(?:#(?:x([0-9a-f]{1,8})|([0-9]{1,8}));|([a-z][a-z0-9]{1,31};))?", re.IGNORECASE)
_XML_NAMES = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})
_CDATA, _CDATA_END = "<![CDATA[", "]]>"
_LONGEST_REFERENCE = 40
_LARGEST = 0x10FFFF


def windows_1252(text: str) -> str:
    """Replace the invisible characters U+0080 to U+009F by what they mean in windows-1252."""
    return text.translate(_WINDOWS_1252) if _C1.search(text) else text


class XmlRepair:
    """Repairs a document's text part by part; outside of CDATA sections, also its references."""

    def __init__(self) -> None:
        self._rest = ""
        self._in_cdata = False

    def feed(self, text: str, *, final: bool = False) -> str:
        """Return the repaired text so far, without an end that the next part may complete, unless it is `final`."""
        text = self._rest + _NO_XML_CHARACTER.sub("", text)
        self._rest = ""
        repaired: list[str] = []
        position = 0
        while position < len(text):
            mark = _CDATA_END if self._in_cdata else _CDATA
            start = text.find(mark, position)
            end = len(text) if start < 0 else start + len(mark)
            if start < 0 and not final:
                end = self._complete(text, position)
                self._rest = text[end:]
            part = text[position:end]
            repaired.append(part if self._in_cdata else _AMPERSAND.sub(_reference, part))
            if start < 0:
                break
            self._in_cdata = not self._in_cdata
            position = end
        return "".join(repaired)

    def _complete(self, text: str, position: int) -> int:
        """Return where the last part of `text` begins that may continue, as a reference or a mark of CDATA."""
        if self._in_cdata:
            return max(position, len(text) - len(_CDATA_END) + 1)
        last = max(text.rfind("&", position), text.rfind("<", position))
        return last if last >= 0 and len(text) - last < _LONGEST_REFERENCE else len(text)


def _reference(match: re.Match[str]) -> str:
    hexadecimal, decimal, name = match.groups()
    if hexadecimal or decimal:
        code = int(hexadecimal, 16) if hexadecimal else int(decimal)
        return match[0] if _is_xml_character(code) else ""
    if name in _XML_NAMES:
        return match[0]
    if name in html5:
        return "".join(f"&#{ord(character)};" for character in html5[name])
    return f"&amp;{match[0][1:]}"


def _is_xml_character(code: int) -> bool:
    if code > _LARGEST or 0xD800 <= code <= 0xDFFF:
        return False
    return not _NO_XML_CHARACTER.match(chr(code))
