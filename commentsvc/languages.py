"""The languages that the service speaks: their names, directions, plural categories, and how others' codes are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

ENGLISH = "en"
HEADER_READ = 200
"""Characters of an Accept-Language header that are read."""

# A number of each CLDR category; whole numbers alone, so `many` of Czech or Spanish is missing (sources: CLDR 46).
_OTHER = {"other": 2}
_ONE = {"one": 1, "other": 0}
_NONE_OR_ONE = {"one": 1, "other": 2}
_CZECH = {"one": 1, "few": 2, "other": 0}
_SLAVIC = {"one": 1, "few": 2, "many": 5}
_ROMANIAN = {"one": 1, "few": 2, "other": 20}
_HEBREW = {"one": 1, "two": 2, "other": 0}
_ARABIC = {"zero": 0, "one": 1, "two": 2, "few": 3, "many": 11, "other": 100}


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the service."""

    code: str
    """As in `lang` attributes: en, pt-BR."""
    name: str
    """In the language itself."""
    plurals: Mapping[str, int]
    """A whole number for each CLDR plural category."""
    rtl: bool = False
    admin: bool = False
    """Whether the admin view has it too."""

    @property
    def direction(self) -> str:
        return "rtl" if self.rtl else "ltr"


LANGUAGES = {
    row.code: row
    for row in (
        Language("ar", "العربية", _ARABIC, rtl=True),
        Language("cs", "Čeština", _CZECH),
        Language("da", "Dansk", _ONE),
        Language("de", "Deutsch", _ONE, admin=True),
        Language("el", "Ελληνικά", _ONE),
        Language(ENGLISH, "English", _ONE, admin=True),
        Language("es", "Español", _ONE, admin=True),
        Language("fa", "فارسی", _NONE_OR_ONE, rtl=True),
        Language("fi", "Suomi", _ONE),
        Language("fr", "Français", _NONE_OR_ONE, admin=True),
        Language("he", "עברית", _HEBREW, rtl=True),
        Language("hu", "Magyar", _ONE),
        Language("id", "Bahasa Indonesia", _OTHER),
        Language("it", "Italiano", _ONE),
        Language("ja", "日本語", _OTHER, admin=True),
        Language("ko", "한국어", _OTHER),
        Language("nb", "Norsk bokmål", _ONE),
        Language("nl", "Nederlands", _ONE),
        Language("pl", "Polski", _SLAVIC),
        Language("pt-BR", "Português do Brasil", _NONE_OR_ONE, admin=True),
        Language("pt-PT", "Português", _ONE),
        Language("ro", "Română", _ROMANIAN),
        Language("ru", "Русский", _SLAVIC, admin=True),
        Language("sv", "Svenska", _ONE),
        Language("tr", "Türkçe", _ONE),
        Language("uk", "Українська", _SLAVIC),
        Language("vi", "Tiếng Việt", _OTHER),
        Language("zh-CN", "简体中文", _OTHER, admin=True),
        Language("zh-TW", "繁體中文", _OTHER),
    )
}

_ALIASES = {
    "bp": "pt-BR",
    "gr": "el",
    "in": "id",
    "iw": "he",
    "jp": "ja",
    "kr": "ko",
    "nn": "nb",
    "no": "nb",
    # Brazil has nine of ten readers; other countries write as Portugal does.
    "pt": "pt-BR",
    "pt-ao": "pt-PT",
    "pt-mz": "pt-PT",
    "mo": "ro",
    "ua": "uk",
    "zh": "zh-CN",
    "zh-hant": "zh-TW",
    "zh-hk": "zh-TW",
    "zh-mo": "zh-TW",
}
_BY_LOWER_CASE = {code.lower(): code for code in LANGUAGES} | _ALIASES
_CODE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,4}")


def match(code: str) -> str:
    """Return our code for somebody else's, such as en for en_US; empty if we have no such language (RFC 4647)."""
    parts = code[:40].strip().lower().replace("_", "-").partition(".")[0]  # de_DE.UTF-8
    if not _CODE.fullmatch(parts):
        return ""
    while parts:
        if parts in _BY_LOWER_CASE:
            return _BY_LOWER_CASE[parts]
        parts = parts.rpartition("-")[0]
    return ""


def match_header(accepted: str, *, admin: bool = False) -> str:
    """Return the language that an Accept-Language header likes best among ours; empty for none.

    With `admin` only those of the admin view count.
    """
    wanted: list[tuple[float, str]] = []
    for part in accepted[:HEADER_READ].split(","):
        code, _, parameter = part.partition(";")
        quality = _quality(parameter)
        if quality > 0 and (ours := match(code)) and (LANGUAGES[ours].admin or not admin):
            wanted.append((quality, ours))
    return max(wanted, key=lambda pair: pair[0])[1] if wanted else ""


def for_admin(code: str) -> str:
    """Return the language of the admin view for somebody who would like this one."""
    language = LANGUAGES.get(code)
    return code if language is not None and language.admin else ENGLISH


def _quality(parameter: str) -> float:
    """Return the weight that `q=0.8` gives, 1 without, 0 for what nobody can read."""
    text = parameter.strip()
    if not text:
        return 1.0
    digits = re.fullmatch(r"q\s*=\s*([01](?:\.\d{0,3})?)", text)
    return float(digits[1]) if digits else 0.0
