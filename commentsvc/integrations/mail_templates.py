"""Renders mails from `templates/mail`: a text that says everything, and the same as HTML.

The first line of the text template is the subject. Values are strangers' words: HTML escapes them, and both forms lose
the characters that change the direction of what follows.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "mail"
WIDTH = 74
"""Columns of a text mail."""
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
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
    """Return a name for a text in another direction."""
    return f"\u2068{line(text)}\u2069" if not text.isascii() else line(text)


def wrapped(text: str, indent: str = "") -> str:
    """Return a text in lines that fit, with its own line breaks; long addresses stay whole."""
    lines: list[str] = []
    for paragraph in plain(text).split("\n"):
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
    )
    environment.filters.update(plain=plain, line=line, isolated=isolated, wrapped=wrapped)
    return environment
