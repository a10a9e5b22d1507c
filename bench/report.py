"""The table of figures, comparisons and goals."""

# ruff: noqa: RUF001 - these signs are meant; it is a table for people
from __future__ import annotations

import operator
import os
import platform
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- made by `make bench`: begin -->", "<!-- made by `make bench`: end -->"
_HEAD = ("work", "unit", "commentsvc", "nginx", "Isso", "× nginx", "× Isso", "goal", "")


@dataclass(frozen=True)
class Goal:
    """A goal."""

    words: str
    holds: Callable[[float], bool]
    of: str
    """The value to check: `ours`, `nginx` (times nginx), `isso` (times Isso)."""


def at_least(ratio: float, peer: str) -> Goal:
    """Return a goal of at least this many times the figure of `nginx` or `isso`."""
    return Goal(f"≥ {ratio:g} × {peer.replace('isso', 'Isso')}", lambda measured: measured >= ratio, peer)


def at_most(ratio: float, peer: str) -> Goal:
    """Return a goal of at most this many times the figure of `nginx` or `isso`."""
    return Goal(f"≤ {ratio:g} × {peer.replace('isso', 'Isso')}", lambda measured: measured <= ratio, peer)


def bound(sign: str, limit: float, unit: str) -> Goal:
    """Return a goal for our own figure: below (`≤`, `<`) or above (`≥`) a limit."""
    compare = {"≤": operator.le, "<": operator.lt, "≥": operator.ge}[sign]
    return Goal(f"{sign} {limit:g} {unit}".rstrip(), lambda figure: compare(figure, limit), "ours")


@dataclass(frozen=True)
class Row:
    """One line: the measurement and the figure of each service."""

    work: str
    unit: str
    ours: float
    nginx: float | None = None
    isso: float | None = None
    goal: Goal | None = None
    note: str = ""
    """A remark beside Isso's figure, or instead of it."""

    def ratio(self, peer: str) -> float | None:
        """Return our figure divided by that of a peer; None without one."""
        other = {"nginx": self.nginx, "isso": self.isso}[peer]
        return self.ours / other if other else None

    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal or without a figure to compare with."""
        if self.goal is None:
            return None
        result = self.ours if self.goal.of == "ours" else self.ratio(self.goal.of)
        return None if result is None else self.goal.holds(result)

    def cells(self) -> tuple[str, ...]:
        """Return the line as it is printed."""
        isso = " ".join(
            part for part in (_shown(self.isso) if self.isso is not None else "", self.note) if part
        )
        verdict = {True: "met", False: "missed", None: ""}[self.met()]
        return (
            self.work,
            self.unit,
            _shown(self.ours),
            _shown(self.nginx),
            isso or "–",
            _shown(self.ratio("nginx")),
            _shown(self.ratio("isso")),
            self.goal.words if self.goal else "",
            verdict,
        )


def table(rows: Iterable[Row]) -> str:
    """Return the rows as an aligned Markdown table."""
    lines = [_HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(_HEAD))]
    left = {0, 1, 7, 8}
    rule = ["-" * (width + 2) if at in left else "-" * (width + 1) + ":" for at, width in enumerate(widths)]

    def put(line: Iterable[str]) -> str:
        cells = zip(line, widths, range(len(_HEAD)), strict=True)
        return "| " + " | ".join(f"{c:<{w}}" if at in left else f"{c:>{w}}" for c, w, at in cells) + " |"

    return "\n".join([put(lines[0]), f"|{'|'.join(rule)}|", *map(put, lines[1:])])


def machine() -> str:
    """Return a sentence about the machine and the versions."""
    match = re.search(r"^model name\s*: (.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal: +(\d+) kB", _read("/proc/meminfo"), re.MULTILINE)
    has = f", {int(memory[1]) / 1e6:.1f} GB of memory" if memory else ""
    return (
        f"{os.cpu_count()} cores of {match[1] if match else platform.machine()}{has}, "
        f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}"
    )


def into(document: str, made: str) -> str:
    """Return a document with the text between its two marks replaced; raises ValueError without marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no place between {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{made.strip()}\n\n{END}{after}"


def _shown(figure: float | None) -> str:
    if figure is None:
        return "–"
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}"


def _read(path: str) -> str:
    file = Path(path)
    return file.read_text() if file.exists() else ""
