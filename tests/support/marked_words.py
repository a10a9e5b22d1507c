"""A catalogue that puts each text into brackets, and the words of a page that stand outside them."""

from __future__ import annotations

import gettext as files
from html.parser import HTMLParser

import pytest

from commentsvc import messages
from commentsvc.text import dates
from tests.support.words import SHOWN_ATTRIBUTES, has_words

BEGIN, END = "⟦⟧"


class MarkedCatalogue(files.NullTranslations):
    """Translates a text into itself, in brackets."""

    def gettext(self, message: str) -> str:
        return f"{BEGIN}{message}{END}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return self.ngettext(msgid1, msgid2, n)


def mark(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    """Have a language's texts be ours in brackets, for one test."""
    real = messages._catalogue
    monkeypatch.setattr(messages, "_catalogue", lambda code: _catalogue(code, language, real(code)))
    for remembered in (dates._date, dates._months, dates._short_months):  # they outlive the test
        monkeypatch.setattr(dates, remembered.__name__, remembered.__wrapped__)


def _catalogue(code: str, marked: str, real: files.NullTranslations) -> files.NullTranslations:
    return MarkedCatalogue() if code == marked else real


def outside(html: str) -> list[str]:
    """Return the words of a page, or of a plain text, that no catalogue has."""
    page = _Page()
    page.feed(html)
    page.close()
    texts = [*page.attributes, "".join(page.texts)]
    return [part.strip() for text in texts for part in _unbracketed(text).split("\n") if has_words(part)]


def _unbracketed(text: str) -> str:
    """Return what is in no brackets, which may stand within each other."""
    depth, left = 0, []
    for character in text:
        if character in {BEGIN, END}:
            depth += 1 if character == BEGIN else -1
            left.append("\n")
        elif depth == 0:
            left.append(character)
    return "".join(left)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.attributes: list[str] = []
        self._is_silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_silent = tag in {"script", "style", "textarea"}
        self.attributes += [value for name, value in attrs if name in SHOWN_ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        self._is_silent = False

    def handle_data(self, data: str) -> None:
        if not self._is_silent:
            self.texts.append(data)
