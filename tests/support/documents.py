"""README.md, CONTRIBUTING.md and docs/, read as Markdown: their blocks, commands and settings.

An indented block has lines for a shell, and settings; everything else is a fenced block with its language.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from markdown_it import MarkdownIt

from commentsvc.config import PREFIX

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs").glob("recipes/*.md")),
]
SHELL = "sh"
_SETTING = re.compile(rf"{PREFIX}[A-Z_]+=")


@dataclass(frozen=True)
class Block:
    """A block of code."""

    heading: str
    """The heading above it."""
    language: str
    text: str


def name_of(document: Path) -> str:
    """Return the document's path from the root of the repository."""
    return document.relative_to(ROOT).as_posix()


def blocks(document: Path) -> list[Block]:
    """Return the blocks of code of a document; the language of an indented one is "sh"."""
    result, heading = [], ""
    tokens = MarkdownIt().parse(document.read_text())
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[at + 1].content
        elif token.type == "code_block":
            result.append(Block(heading, SHELL, token.content))
        elif token.type == "fence":
            result.append(Block(heading, token.info, token.content))
    return result


def commands(document: Path, heading: str | None = None) -> list[str]:
    """Return the commands of a document, or of the parts of it under one heading, as they are typed."""
    return [line for line in _lines(document, heading) if not _is_setting(line)]


def settings(document: Path) -> list[tuple[str, str]]:
    """Return the names and values of the settings in a document, as lines of settings.env are read."""
    lines = [line for line in _lines(document, None) if _is_setting(line)]
    pairs = [pair for line in lines for pair in dotenv_values(stream=StringIO(line)).items()]
    return [(name, value or "") for name, value in pairs]


def words_of(command: str) -> list[str]:
    """Return the words of a command, without a comment at its end."""
    return shlex.split(command, comments=True)


def _lines(document: Path, heading: str | None) -> list[str]:
    return [line for block in blocks(document) if heading in (None, block.heading) for line in _joined(block)]


def _joined(block: Block) -> list[str]:
    """Return the lines of a block for a shell; one that ends with a backslash goes on in the next."""
    if block.language != SHELL:
        return []
    text = re.sub(r"\\\n\s*", "", block.text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def _is_setting(line: str) -> bool:
    return _SETTING.match(line) is not None
