"""Renders mails from `templates/mail`: a text that says everything, and the same as HTML.

The first line of the text template is the subject. The words are in the current language. Values are
strangers' words: HTML escapes them, and both forms lose the characters that change the direction of what follows.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from commentsvc import messages

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "mail"
WIDTH = 74
"""Columns of a text mail."""
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r"https?://\S+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class MailWords:
    """A rendered mail."""

    subject: str
    text: str
    html: str


def render(name: str, **facts: object) -> MailWords:
    """Return the mail of this name, such as `digest`."""
    written = _environment().get_template(f"{name}.txt").render(**facts)
    subject, _, text = written.strip().partition("\n")
    html = _environment().get_template(f"{name}.html").render(**facts)
    return MailWords(subject.strip(), f"{text.strip()}\n", html)


def plain(text: str) -> str:
    """Return somebody's words without control characters and without those that change the direction of others."""
    return _CONTROL.sub("", _DIRECTION.sub("", text))


def line(text: str) -> str:
    """Return somebody's words on one line."""
    return " ".join(plain(text.replace("\n", " ")).split())


def isolated(text: str) -> str:
    """Return a name for a text that may run in another direction."""
    shown = line(text)
    if shown.isascii() and not messages.language().rtl:
        return shown
    # Mail programs would take the mark behind an address for a part of it.
    return shown if _ADDRESS.fullmatch(shown) else f"\u2068{shown}\u2069"


def wrapped(text: str, indent: str = "") -> str:
    """Return somebody's words in lines that fit, with their own line breaks; long addresses stay whole."""
    return filled(plain(text), indent)


def filled(text: str, indent: str = "") -> str:
    """Return a text of ours in lines that fit; names in it have gone through `isolated`, whose marks stay."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += textwrap.wrap(
            paragraph,
            WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        messages.gettext,
        messages.ngettext,
        newstyle=True,
        pgettext=messages.pgettext,
        npgettext=messages.npgettext,
    )
    environment.globals["language"] = messages.language
    environment.filters.update(plain=plain, line=line, isolated=isolated, wrapped=wrapped, filled=filled)
    return environment
