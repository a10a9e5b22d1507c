"""Makes the catalogues of `commentsvc/translations/` from the code's words: `make translations`.

The `.pot` files list our English words, each `LANGUAGE/*.po` has them in a language, and the `.mo` beside it is what
the service reads. A changed English text loses its translations: nothing is guessed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from commentsvc.languages import ENGLISH, LANGUAGES, Language
from commentsvc.messages import ADMIN, FOLDER, READER
from tests.support.words import CALLS, ROOT

ADMIN_PATHS = (
    "templates/admin/",
    "templates/mail/held",
    "templates/mail_decision",
    "web/admin/",
    "web/mail_decisions.py",
    "web/admin_forms.py",
    "domain/accounts/api_tokens.py",
    "domain/accounts/invitations.py",
    "domain/admin/",
    "domain/archive/",
    "domain/bans/ban_values.py",
    "domain/endpoints/",
    "domain/moderation/",
    "domain/sites/",
    "domain/social/",
    "domain/spam/",
    "domain/subscriptions/moderator_mail.py",
    "domain/surge/",
    "domain/thread_admin/",
    "domain/transfer/",
    "static/admin",
)
"""Words that are in these files alone are in the catalogue of the admin view."""
READER_PATHS = frozenset({"domain/moderation/reports.py", "domain/social/elsewhere.py"})
"""Files below them that readers see the words of."""
NEVER = datetime(2026, 1, 1, tzinfo=UTC)
"""The time in every file, so that a file changes only with its words."""
_NO_HEADERS = tuple(
    f'"{name}: '
    for name in (
        "Generated-By",
        "Language-Team",
        "Last-Translator",
        "PO-Revision-Date",
        "POT-Creation-Date",
        "Project-Id-Version",
        "Report-Msgid-Bugs-To",
    )
)
NOTE = "needs a native reader"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "N_": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "plural_forms": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
assert KEYWORDS.keys() == CALLS
RULES = {
    ("other",): "0",
    ("one", "other"): "(n != 1)",
    ("one", "few", "other"): "(n==1 ? 0 : n>=2 && n<=4 ? 1 : 2)",
    (
        "one",
        "few",
        "many",
    ): "(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2)",
    ("one", "two", "other"): "(n==1 ? 0 : n==2 ? 1 : 2)",
    ("zero", "one", "two", "few", "many", "other"): (
        "(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5)"
    ),
}
"""gettext's rules by the CLDR categories that a language has."""
OWN_RULES = {
    "fa": "(n > 1)",
    "fr": "(n > 1)",
    "pt-BR": "(n > 1)",
    "pl": "(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2)",
    "ro": "(n==1 ? 0 : n==0 || n%100>=1 && n%100<=19 ? 1 : 2)",
}
"""Those of languages whose categories have other numbers."""


def plural_rule(language: Language) -> str:
    """Return a language's `Plural-Forms`."""
    rule = OWN_RULES.get(language.code) or RULES[tuple(language.plurals)]
    return f"nplurals={len(language.plurals)}; plural={rule};"


def extracted() -> dict[str, Catalog]:
    """Return our English words, by the name of the catalogue."""
    rows = list(_rows())
    reader = {key for path, _, key, _ in rows if path in READER_PATHS or not path.startswith(ADMIN_PATHS)}
    catalogues = {READER: _empty(READER), ADMIN: _empty(ADMIN)}
    for path, message, key, notes in rows:
        catalogue = catalogues[READER if key in reader else ADMIN]
        identity = message[:2] if len(message) > 1 else message[0]
        catalogue.add(identity, locations=[(path, None)], auto_comments=notes, context=key[0])
    return catalogues


@cache
def extracted_once() -> dict[str, Catalog]:
    """Return the same, read once in a process."""
    return extracted()


def _rows() -> Iterator[tuple[str, tuple[str, ...], tuple[str | None, str], list[str]]]:
    """Yield (path, forms in English, (context, singular), notes for translators)."""
    options = {"trimmed": "true", "newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
    for path in sorted(ROOT.rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix == ".py":
            method: object = extract_python
        elif name.startswith("templates/") and path.suffix in {".html", ".txt"}:
            method = babel_extract
        else:
            continue
        found = extract(method, io.BytesIO(path.read_bytes()), KEYWORDS, ["translators:"], options)  # type: ignore[arg-type]
        for _, message, notes, context in found:
            forms = (message,) if isinstance(message, str) else tuple(message)
            yield name, forms, (context, forms[0]), [" ".join(notes)] if notes else []


def _empty(name: str, language: Language | None = None) -> Catalog:
    catalogue = Catalog(
        locale=language.code.replace("-", "_") if language else None,
        project="commentsvc",
        domain=name,
        creation_date=NEVER,
        revision_date=NEVER,
        last_translator="",
        language_team="",
        charset="utf-8",
        fuzzy=False,
        header_comment=f"# commentsvc, {name}: {language.name if language else 'our English words'}",
    )
    if language:
        catalogue._num_plurals = len(language.plurals)
        catalogue._plural_expr = plural_rule(language).partition("plural=")[2].rstrip(";")
    return catalogue


def update(code: str, name: str, template: Catalog) -> Catalog:
    """Return a language's catalogue with exactly the words of `template`; new ones are empty."""
    path = FOLDER / code / f"{name}.po"
    language = LANGUAGES[code]
    before = read_po(io.BytesIO(path.read_bytes())) if path.exists() else Catalog()
    catalogue = _empty(name, language)
    comment = before.header_comment if path.exists() else f"{catalogue.header_comment}\n# {NOTE}"
    catalogue.header_comment = comment
    for message in template:
        if not message.id:
            continue
        known = before.get(message.id, message.context)
        catalogue.add(
            message.id,
            known.string if known is not None and _fits(known, message, language) else None,
            locations=message.locations,
            auto_comments=message.auto_comments,
            context=message.context,
            user_comments=known.user_comments if known is not None else (),
        )
    return catalogue


def _fits(known: Message, message: Message, language: Language) -> bool:
    if not message.pluralizable:
        return known.id == message.id and isinstance(known.string, str)
    return (
        known.id == message.id
        and isinstance(known.string, tuple)
        and len(known.string) == len(language.plurals)
    )


def as_text(catalogue: Catalog) -> bytes:
    """Return a catalogue as a `.po` file."""
    file = io.BytesIO()
    write_po(file, catalogue, width=110, include_lineno=False)
    lines = file.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_NO_HEADERS)).encode()


def compiled(catalogue: Catalog) -> bytes:
    """Return a catalogue as the service reads it; what is not translated is left out."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def names_of(language: Language) -> tuple[str, ...]:
    """Return the catalogues that a language has."""
    return (READER, ADMIN) if language.admin else (READER,)


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def main() -> None:
    templates = extracted()
    for name, template in templates.items():
        write(FOLDER / f"{name}.pot", as_text(template))
    for code, language in LANGUAGES.items():
        if code == ENGLISH:
            continue
        for name in names_of(language):
            catalogue = update(code, name, templates[name])
            write(FOLDER / code / f"{name}.po", as_text(catalogue))
            write(FOLDER / code / f"{name}.mo", compiled(catalogue))


if __name__ == "__main__":
    main()
