"""The catalogues: complete, up to date, and sound in every language that is offered."""

from __future__ import annotations

import calendar
import gettext
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

import pytest
from babel import Locale
from babel.messages import Catalog, Message
from babel.messages.pofile import read_po

from commentsvc.languages import ENGLISH, LANGUAGES
from commentsvc.messages import ADMIN, FOLDER, READER
from tests.support import catalogues, words

NUMBERS = (0, 1, 2, 3, 4, 5, 10, 11, 12, 14, 20, 21, 22, 25, 100, 101, 102, 103, 111, 112, 1000)
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%|%.")
TAG = re.compile(r"</?\w+[^>]*>")
CYRILLIC, GREEK = {"ru", "uk"}, {"el"}
FILES = [
    (code, name) for code in LANGUAGES if code != ENGLISH for name in catalogues.names_of(LANGUAGES[code])
]
ENGLISH_ON_PURPOSE = (
    "cli/",
    "config.py",
    "db/",
    "demo/",
    "domain/archive/",
    "domain/ledger/",
    "domain/reading/public_changes.py",
    "domain/reading/structured_data.py",
    "domain/recovery/",
    "domain/service_move/",
    "domain/sites/sites.py",
    "domain/social/webmentions.py",
    "domain/transfer/",
    "extras.py",
    "http_client/",
    "integrations/",
    "logs.py",
    "origins.py",
    "serving/",
    "setting_values.py",
    "static/doctor.js",
    *("static/embed.js", "static/latest.js", "static/quotes.js"),  # said before the service has answered
    "text/images.py",
    "web/api/",
    "web/thread/avatars.py",
    "web/thread/counts.py",
)
"""For operators and programmers."""
SAME = frozenset({"%(date)s, %(time)s UTC", "JSON Feed", *calendar.month_name, *calendar.month_abbr})
"""What any language may write like English."""
SAME_IN = {
    "%(hours)s h %(minutes)s min": "es pt-BR",
    "%(minutes)s min": "es pt-BR",
    "%(name)s via %(site)s": "da fr nl",
    "%(number)s minute": "ro",
    "%(shown)s article": "fr",
    "Archive": "fr",
    "Article": "fr",
    "Articles": "fr",
    "Build": "de",
    "Chat": "es fr pt-BR",
    "Code": "fr",
    "Email": "el id it pt-PT ro vi",
    "Feed": "da de es id it nl pt-BR pt-PT",
    "Feeds": "de es pt-BR",
    "Invitation": "fr",
    "Link (Ctrl+K)": "it",
    "mention": "fr",
    "Mentions": "fr",
    "Moderation": "de",
    "Moderator": "da de id nb nl pl sv",
    "Name": "de",
    "Note": "fr",
    "Notes": "fr",
    "Pages": "fr",
    "Pingback": "de es fr pt-BR",
    "Privacy": "it nl",
    "Repository": "de",
    "Secret": "fr",
    "Sections": "fr",
    "Site": "fr pt-BR",
    "Sites": "fr pt-BR",
    "Spam": "de es pt-BR",
    "Status": "de",
    "Team": "de",
    "Test": "fr",
    "text": "ro",
    "Token": "de es pt-BR",
    "Tokens": "pt-BR",
    "Trackback": "de es fr pt-BR",
    "via %(network)s": "fr nl",
    "Webhook": "de es fr pt-BR",
    "Webmentions": "de fr pt-BR",
    "Website": "de",
}
"""Words that some languages have taken over, with the languages."""


def read(code: str, name: str) -> Catalog:
    return read_po(io.BytesIO((FOLDER / code / f"{name}.po").read_bytes()))


def messages_of(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def test_the_lists_of_our_words_are_those_of_the_code() -> None:
    for name, catalogue in catalogues.extracted().items():
        assert (FOLDER / f"{name}.pot").read_bytes() == catalogues.as_text(catalogue), (
            "run `make translations`"
        )


def test_no_words_are_outside_the_catalogues() -> None:
    left = [f"{path}: {text}" for path, text in words.everywhere() if not path.startswith(ENGLISH_ON_PURPOSE)]
    assert not left, "\n".join(left)


def test_there_is_a_folder_for_each_language_that_is_offered() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.is_dir()} == LANGUAGES.keys() - {ENGLISH}


@pytest.mark.parametrize(("code", "name"), FILES)
def test_a_catalogue_is_complete_and_sound(code: str, name: str) -> None:
    template = {(m.context, forms(m.id)): m for m in messages_of(catalogues.extracted_once()[name])}
    catalogue, language = read(code, name), LANGUAGES[code]
    rows = {(m.context, forms(m.id)): m for m in messages_of(catalogue)}
    assert rows.keys() == template.keys(), "run `make translations`"
    faults = []
    for (_, english), message in rows.items():
        count = len(language.plurals) if len(english) > 1 else 1
        texts = forms(message.string)
        if len(texts) != count or not all(texts) or message.fuzzy:
            faults.append(f"{english[0]!r} has {len([text for text in texts if text])} of {count} forms")
            continue
        faults += [
            f"{text!r} {fault}"
            for index, text in enumerate(texts)
            for fault in _faults(english, text, code, index)
        ]
    assert not faults, "\n".join(faults)
    assert catalogues.NOTE in catalogue.header_comment or "read by" in catalogue.header_comment


def _faults(english: tuple[str, ...], text: str, code: str, index: int) -> Iterator[str]:
    """Yield what is wrong with one form of a translation."""
    wanted = Counter(PLACEHOLDER.findall(english[-1]))
    given = Counter(PLACEHOLDER.findall(text))
    if given != wanted and not (_is_one_number(code, index, english) and given <= wanted):
        yield f"has other placeholders than {english[-1]!r}"
    if Counter(TAG.findall(text)) != Counter(TAG.findall(english[-1])):
        yield f"has other tags than {english[-1]!r}"
    if text.count('"') != english[-1].count('"'):
        yield "has a straight quotation mark, which would end an attribute"
    if (text != text.strip()) != (english[-1] != english[-1].strip()):
        yield "begins or ends with another space"
    if text == english[0] and re.search(r"[A-Za-z]{3}", _bare(text)) and not _may_be_same(text, code):
        yield "is not translated"
    if mixed := [word for word in re.findall(r"\w+", _bare(text)) if len(_scripts(word, code)) > 1]:
        yield f"mixes scripts in {mixed}"


def _may_be_same(text: str, code: str) -> bool:
    return text in SAME or code in SAME_IN.get(text, "").split()


def _is_one_number(code: str, index: int, english: tuple[str, ...]) -> bool:
    """Whether a form stands for a single number, so that it may name it in words."""
    if len(english) == 1:
        return False
    category = tuple(LANGUAGES[code].plurals)[index]
    rule = Locale.parse(code, sep="-").plural_form
    return sum(rule(number) == category for number in range(200)) <= 1


def _bare(text: str) -> str:
    return TAG.sub(" ", PLACEHOLDER.sub(" ", text))


def _scripts(word: str, code: str) -> set[str]:
    if code not in CYRILLIC | GREEK:
        return set()
    return {unicodedata.name(letter, "?").split()[0] for letter in word if letter.isalpha()}


@pytest.mark.parametrize(("code", "name"), FILES)
def test_a_compiled_catalogue_has_the_texts_of_its_source(code: str, name: str) -> None:
    with (FOLDER / code / f"{name}.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in messages_of(read(code, name)):
        english = forms(message.id)
        if len(english) == 1:
            text = (
                compiled.pgettext(message.context, english[0])
                if message.context
                else compiled.gettext(english[0])
            )
            assert text == message.string, "run `make translations`"


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != ENGLISH])
def test_each_number_has_the_form_that_cldr_gives_it(code: str) -> None:
    plurals, rule = tuple(LANGUAGES[code].plurals), Locale.parse(code, sep="-").plural_form
    index = gettext.c2py(catalogues.plural_rule(LANGUAGES[code]).partition("plural=")[2].rstrip(";"))  # type: ignore[attr-defined]
    for number in NUMBERS:
        # CLDR 48 has a form for 0 and 1 in Vietnamese, whose words never change.
        category = rule(number) if rule(number) in plurals else "other"
        assert plurals[index(number)] == category, number
    for category, number in LANGUAGES[code].plurals.items():
        assert rule(number) == category


def test_readers_words_are_few_and_the_admin_view_has_the_rest() -> None:
    lists = catalogues.extracted_once()
    keys = {name: {(m.context, forms(m.id)[0]) for m in messages_of(lists[name])} for name in (READER, ADMIN)}
    assert not keys[READER] & keys[ADMIN]
