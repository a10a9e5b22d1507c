"""Styles and scripts that stand in a page itself, so that it is painted without a further request.

The page's policy allows each by the hash of its text. Text and hash are read together, once, when the process starts.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from commentsvc.text.markup import SafeHtml, trusted
from commentsvc.web import headers, static_files


@dataclass(frozen=True)
class InlineFile:
    """A file of `static/` as an element, and what allows it: a hash source in a directive of the policy."""

    element: SafeHtml
    directive: str
    source: str

    @classmethod
    def read(cls, name: str) -> InlineFile:
        """Read a style sheet or a script."""
        tag = "style" if name.endswith(".css") else "script"
        text = (static_files.FOLDER / name).read_text()
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        return cls(trusted(f"<{tag}>{text}</{tag}>"), f"{tag}-src", f"'sha256-{digest}'")


_NAMES = ("frame.css", "frame/elsewhere.css", "frame/likes.css", "frame/rtl.css", "frame/first_paint.js")
_FILES = {name: InlineFile.read(name) for name in _NAMES}


def inline(name: str) -> SafeHtml:
    """Return a file as an element, which this response's policy now allows; raises KeyError for other files."""
    file = _FILES[name]
    headers.allow_inline(file.directive, file.source)
    return file.element
