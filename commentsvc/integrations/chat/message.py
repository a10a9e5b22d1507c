"""What a chat message says, before a service's form is given to it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

TEXT_LONGEST = 500
"""Characters of a comment in a message."""
LINE_LONGEST = 100
"""Characters of a name or a title."""
_JOINER = "\u2060"
"""A word joiner: it shows nothing, and after an @ no service reads a name."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Categories of control characters, also those that turn the direction of a text."""


@dataclass(frozen=True, slots=True)
class ChatLink:
    """A link of ours below a message."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message: a headline of ours, what strangers wrote, and links of ours."""

    headline: str
    quoted: str = ""
    """The author, the title and the text, made harmless by `harmless`; empty if there is none."""
    links: Sequence[ChatLink] = ()

    def text(self) -> str:
        """Return it as plain text."""
        lines = [f"{link.label}: {link.url}" for link in self.links]
        return "\n".join(filter(None, [self.headline, self.quoted, *lines]))

    def fenced(self) -> str:
        """Return it with the strangers' part as a block of code, in which no Markdown and no name works."""
        lines = [f"{link.label}: {link.url}" for link in self.links]
        # A backtick could end the block.
        fence = ["```\n" + self.quoted.replace("`", "ˋ") + "\n```"] if self.quoted else []  # noqa: RUF001
        return "\n".join([self.headline, *fence, *lines])


def harmless(text: str, longest: int = TEXT_LONGEST) -> str:
    """Return a stranger's text without control characters, cut, and with every @ separated from the name after it."""
    normal = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\u2028", "\n")
    shown = "".join(c for c in normal if c == "\n" or unicodedata.category(c) not in _UNSEEN)
    apart = shown.replace("@", f"@{_JOINER}").replace("\uff20", f"\uff20{_JOINER}").strip()
    return apart if len(apart) <= longest else apart[: longest - 1].rstrip() + "…"


def harmless_line(text: str) -> str:
    """Return a name or a title as one harmless line."""
    return harmless(" ".join(text.split()), LINE_LONGEST)
