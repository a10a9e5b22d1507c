"""Whole numbers with their thousands apart, as browsers write them in each language (`Intl.NumberFormat`)."""

from __future__ import annotations

from commentsvc import messages

_NO_BREAK, _NARROW = "\u00a0", "\u202f"
_SEPARATORS = {
    **dict.fromkeys(("da", "de", "el", "es", "id", "it", "nl", "pt-BR", "ro", "tr", "vi"), "."),
    **dict.fromkeys(("cs", "fi", "hu", "nb", "pl", "pt-PT", "ru", "sv", "uk"), _NO_BREAK),
    "fr": _NARROW,
}
"""Other languages have a comma (CLDR, with Latin digits)."""
_FROM_10_000 = frozenset({"es", "hu", "it", "pl", "pt-PT"})
"""Languages that write 1234 and 12.345."""


def number(value: int) -> str:
    """Return a whole number as people read it in the current language, such as 12,345."""
    language = messages.language().code
    if abs(value) < 10_000 and language in _FROM_10_000:
        return str(value)
    return f"{value:,}".replace(",", _SEPARATORS.get(language, ","))
