"""The words that people read, in the language of whoever reads them now.

Words stand in English in the code, in calls of the functions here; `translations/` has them in other languages.
Catalogues are read when they are first needed.
"""

from __future__ import annotations

import gettext as files
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from commentsvc.languages import ENGLISH, LANGUAGES, Language

FOLDER = Path(__file__).resolve().parent / "translations"
READER, ADMIN = "reader", "admin"
"""Names of the catalogues: what readers and writers see, and what only the admin view shows."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The current language, and the sentences that a site's owner has replaced."""

    language: str = ENGLISH
    own: Mapping[str, str] = field(default_factory=dict)
    """The owner's sentences by our English ones."""


_wording: ContextVar[Wording] = ContextVar("wording", default=Wording())  # noqa: B039 - it is never changed


def use(language: str, own: Mapping[str, str] | None = None) -> None:
    """Use this language from now on, in this context."""
    _wording.set(Wording(language if language in LANGUAGES else ENGLISH, own or {}))


@contextmanager
def using(language: str) -> Iterator[None]:
    """Use this language in the block."""
    before = _wording.set(Wording(language if language in LANGUAGES else ENGLISH))
    try:
        yield
    finally:
        _wording.reset(before)


def language() -> Language:
    """Return the current language."""
    return LANGUAGES[_wording.get().language]


def own_words(message: str, context: str = "") -> str:
    """Return the site owner's own text instead of this one; empty if there is none."""
    return _wording.get().own.get(key(message, context), "")


def key(message: str, context: str = "") -> str:
    """Return the name of a text among the owner's own, as catalogues name it."""
    return f"{context}\4{message}" if context else message


def gettext(message: str) -> str:
    """Return a text in the current language."""
    return _catalogue(_wording.get().language).gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the form of a text that belongs to a number."""
    return _catalogue(_wording.get().language).ngettext(singular, plural, number)


def pgettext(context: str, message: str) -> str:
    """Return a text whose English is ambiguous; `context` says which is meant."""
    return _catalogue(_wording.get().language).pgettext(context, message)


def npgettext(context: str, singular: str, plural: str, number: int) -> str:
    """Return the form that belongs to a number, of a text whose English is ambiguous."""
    return _catalogue(_wording.get().language).npgettext(context, singular, plural, number)


def gettext_noop(message: str) -> str:
    """Mark a text that a table has, for the catalogues; `gettext` is called where it is shown."""
    return message


def plural_forms(singular: str, plural: str) -> dict[str, str]:
    """Return the forms of a text by CLDR plural category, for a script, which asks `Intl.PluralRules`."""
    plurals = language().plurals
    forms = {category: ngettext(singular, plural, number) for category, number in plurals.items()}
    # Scripts fall back to `other`, which fractions have where whole numbers never do.
    return forms if "other" in forms else {**forms, "other": forms["many"]}


@cache
def _catalogue(code: str) -> files.NullTranslations:
    if code == ENGLISH:
        return files.NullTranslations()
    catalogue = files.NullTranslations()
    for name in (ADMIN, READER):
        path = FOLDER / code / f"{name}.mo"
        if path.exists():
            with path.open("rb") as file:
                loaded = files.GNUTranslations(file)
            loaded.add_fallback(catalogue)
            catalogue = loaded
    return catalogue
