"""One line of `commentsvc doctor`."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass

import click

_UNLIMITED = 10_000
"""The width for files and pipes, where lines are searched."""


@dataclass(frozen=True)
class Finding:
    """One check and its outcome; `advice` is set if something is wrong."""

    subject: str
    state: str
    advice: str = ""
    is_known: bool = True
    """False if the check could not tell whether something is wrong."""

    def show(self) -> None:
        """Print the finding."""
        click.echo(f"{self._mark()} {self.subject:<16} {self.state}")
        if self.advice:
            margin = " " * 19
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNLIMITED
            click.echo(click.wrap_text(self.advice, max(width, 60), margin, margin))

    def _mark(self) -> str:
        if self.advice:
            return click.style("!", fg="red", bold=True)
        return click.style("✓", fg="green") if self.is_known else "?"
