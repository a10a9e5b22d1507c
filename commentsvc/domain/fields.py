"""The one validator of everything people type; posting, editing (also by moderators) and imports use it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from commentsvc import host_names
from commentsvc.errors import BadAddressError, InvalidFieldsError
from commentsvc.messages import gettext, ngettext
from commentsvc.models import FieldRule, Site
from commentsvc.text import numbers
from commentsvc.text.characters import is_seen, without_undrawn
from commentsvc.text.clusters import limited

NAME_LONGEST = 80
WEBSITE_LONGEST = 500
TITLE_LONGEST = 300
LARGEST_ROW = 2**63 - 1
"""The largest row id that databases accept."""
ROW_PATTERN = "[0-9]{1,18}"
"""A row id in a regular expression: with this many digits it is not above LARGEST_ROW."""
LARGEST_SITE = 2**31 - 1
"""The largest id of a site."""

_LOCAL_PART = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f]{1,64}")
# As DNS has them, so letters are those of ASCII.
_DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9_-]{0,62}")
_ADDRESS = re.compile(r"localhost|[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_NUMBER = re.compile("[0-9]{1,19}")
# The categories Cc and Cs, except line feed and tab.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Empty lines, and spaces without a meaning in Markdown: four begin code, fewer indent list items.
_BEGINNING = re.compile(r"\A(?:[^\S\n]*\n)*(?: {1,3}(?![ \t*+\d-]))?")


@dataclass(frozen=True)
class Guest:
    """A guest's details, cleaned; None if they gave none or the site does not ask."""

    name: str | None = None
    email: str | None = None
    website: str | None = None


def whole_number(value: str, largest: int = LARGEST_ROW) -> int | None:
    """Return a number written in ASCII digits only; None for any other text or a number above `largest`."""
    if not _NUMBER.fullmatch(value) or int(value) > largest:
        return None
    return int(value)


def row_argument(query: Mapping[str, str], name: str, largest: int = LARGEST_ROW) -> int | None:
    """Return a row id from a URL's query, None if the parameter is missing; raises BadAddressError."""
    value = query.get(name)
    if value is None:
        return None
    number = whole_number(value, largest)
    if number is None:
        raise BadAddressError(gettext("%(parameter)s must be a number.") % {"parameter": name})
    return number


def text(value: str, *, longest: int) -> str:
    """Return a comment's source with line feeds only and without control characters.

    Raises InvalidFieldsError on `text` if it is empty or has more than `longest` characters.
    """
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    value = _BEGINNING.sub("", limited(_CONTROL.sub("", value))).rstrip()
    if not is_seen(value):
        raise InvalidFieldsError({"text": gettext("Please enter a comment")})
    if len(value) > longest:
        message = ngettext(
            "This comment has %(number)s character; the limit is %(limit)s. Please shorten it.",
            "This comment has %(number)s characters; the limit is %(limit)s. Please shorten it.",
            len(value),
        )
        raise InvalidFieldsError(
            {"text": message % {"number": numbers.number(len(value)), "limit": numbers.number(longest)}}
        )
    return value


def name(value: str, *, missing: str = "") -> str:
    """Return the name of a person or website on one line; raises InvalidFieldsError on `name`, `missing` if empty."""
    cleaned = _one_line(value)
    if not is_seen(cleaned):
        raise InvalidFieldsError({"name": missing or gettext("Please enter your name here")})
    if len(cleaned) > NAME_LONGEST:
        message = ngettext(
            "Please use at most %(number)s character",
            "Please use at most %(number)s characters",
            NAME_LONGEST,
        )
        raise InvalidFieldsError({"name": message % {"number": NAME_LONGEST}})
    return cleaned


def email(value: str) -> str:
    """Return an e-mail address in the one form in which it is stored; raises InvalidFieldsError on `email`."""
    if not value.strip():
        raise InvalidFieldsError({"email": gettext("Please enter your email address here")})
    try:
        address = host_names.one_address(value)
    except ValueError:
        address = ""
    local, _, domain = address.rpartition("@")
    if not (local.isprintable() and _LOCAL_PART.fullmatch(local) and _is_domain(domain)):
        raise InvalidFieldsError({"email": gettext("Invalid email address")})
    return address


def website(value: str) -> str:
    """Return an http or https URL, with `https://` added if there is no scheme; raises on `website`."""
    cleaned = value.strip()
    if not cleaned:
        raise InvalidFieldsError({"website": gettext("Please enter your website here")})
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d+(/|$))", cleaned):
        cleaned = f"https://{cleaned.removeprefix('//')}"
    if len(cleaned) > WEBSITE_LONGEST or not _is_web_url(cleaned):
        raise InvalidFieldsError({"website": gettext("Invalid website address")})
    return cleaned


def title(value: str | None) -> str | None:
    """Return an article's title on one line, cut to fit; None if it is empty."""
    cleaned = _one_line(value or "")
    return cleaned[:TITLE_LONGEST].rstrip() or None


def guest(site: Site, *, name_: str, email_: str, website_: str) -> Guest:
    """Return a guest's details by the site's rules; raises InvalidFieldsError with all errors at once."""
    errors: dict[str, str] = {}

    def checked(rule: FieldRule, check: Callable[[str], str], value: str) -> str | None:
        if rule is FieldRule.OFF or (rule is FieldRule.OPTIONAL and not value.strip()):
            return None
        try:
            return check(value)
        except InvalidFieldsError as error:
            errors.update(error.fields)
            return None

    details = Guest(
        name=checked(site.name_field, name, name_),
        email=checked(site.email_field, email, email_),
        website=checked(site.website_field, website, website_),
    )
    if errors:
        raise InvalidFieldsError(errors)
    return details


def imported_guest(*, name_: str, email_: str, website_: str) -> Guest:
    """Return an imported author's details; leaves out invalid ones, so that the comment can stay."""

    def kept(check: Callable[[str], str], value: str) -> str | None:
        try:
            return check(value)
        except InvalidFieldsError:
            return None

    cut = _one_line(name_)[:NAME_LONGEST]
    return Guest(name=kept(name, cut), email=kept(email, email_), website=kept(website, website_))


def _one_line(value: str) -> str:
    """Return `value` on one line, without invisible characters and long stacks of combining marks."""
    kept: list[str] = []
    for char in without_undrawn(value):
        category = unicodedata.category(char)
        if category in {"Zs", "Zl", "Zp"} or char in "\t\n\r":
            kept.append(" ")
        elif category not in {"Cc", "Cs", "Co", "Cn"}:
            kept.append(char)
    # Cut first: normalising takes quadratic time with the length of a run of marks.
    cut = unicodedata.normalize("NFC", limited("".join(kept), between=""))
    return " ".join(cut.split()).strip("\u200c\u200d ")


def _is_web_url(url: str) -> bool:
    if any(char.isspace() or char in "\\<>\"'`{}|^" for char in url) or limited(url, between="") != url:
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or parts.username is not None or not parts.hostname:
        return False
    if "[" in parts.netloc:  # for "[v1.x]" urlsplit returns the host inside the brackets
        return False
    if not url.replace(parts.netloc, "", 1).isprintable():
        return False
    return _ADDRESS.fullmatch(parts.hostname) is not None or _is_domain(parts.hostname.removesuffix("."))


def _is_domain(host: str) -> bool:
    """Whether a host is a name on the internet, and nothing in it is invisible but a joiner that its script needs."""
    if not host_names.is_visible(host) or host.endswith("."):
        return False
    try:
        return _DOMAIN.fullmatch(host_names.in_ascii(host)) is not None
    except ValueError:
        return False
