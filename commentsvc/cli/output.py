"""What commands print: lists as columns or as JSON, and progress bars."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click


def print_json(items: Sequence[Mapping[str, Any]], *, more: bool = False) -> None:
    """Print a list in the one form of all commands; `more` says that the list goes on.

    Only ASCII is printed, so nothing that a stranger wrote can control a terminal.
    """
    click.echo(json.dumps({"items": items, "more": more}, indent=2, default=_written))


def print_columns(rows: Iterable[Sequence[str]]) -> None:
    """Print rows, each cell but the last as wide as the widest of its column."""
    lines = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def plain(text: str) -> str:
    """Return a text in one line, without characters that could control a terminal or hide something."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def plain_line(text: str) -> str:
    """Return a text as `plain` does, with all its spaces."""
    return "".join(char if char.isprintable() else " " for char in text)


def cut(text: str, taken: int) -> str:
    """Return the beginning of a text that fits on the terminal's line beside `taken` characters."""
    room = max(shutil.get_terminal_size().columns - taken, 20)
    line = plain(text)
    return line if len(line) <= room else f"{line[: room - 1].rstrip()}…"


def minute(at: datetime) -> str:
    """Return a time in UTC, such as 2026-11-23 14:05."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 comment", "1,204 comments"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def bar(length: int, label: str) -> Any:
    """Return a progress bar, which only a terminal shows."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(value)
