"""The operator's commands, a file per group."""

from __future__ import annotations

import gc
import io
import os
import sys

NEWEST = 10_000
"""GC threshold, which the server's workers inherit. Rendering a page of a hundred comments allocates more objects than
Python's default of 700, and collecting on every page would take a twentieth of its time."""


def main(prog_name: str | None = None) -> None:
    """Run the command line."""
    os.umask(0o077)  # no other user of this machine may read our files
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # not every terminal can show ✓
    gc.disable()  # a third of the time of loading went into collecting modules, which all stay
    from commentsvc.cli import commands

    gc.freeze()
    gc.set_threshold(NEWEST)
    gc.enable()
    commands.main(prog_name=prog_name)
