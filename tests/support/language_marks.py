"""Catalogues that show which language a text is in: every text begins with its code, such as “[ar] Reply”."""

from __future__ import annotations

from gettext import NullTranslations

import pytest

from commentsvc import messages


class MarkedWords(NullTranslations):
    """Our English words, each behind the code of a language."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.mark = f"[{code}] "

    def gettext(self, message: str) -> str:
        return self.mark + message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.mark + super().ngettext(msgid1, msgid2, n)

    def pgettext(self, context: str, message: str) -> str:
        return self.mark + message

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return self.ngettext(msgid1, msgid2, n)


def mark_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every text say its language."""
    monkeypatch.setattr(messages, "_catalogue", MarkedWords)
