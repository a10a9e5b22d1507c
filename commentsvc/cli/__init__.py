"""The operator's commands, a file per group."""

from __future__ import annotations

import gc
import io
import os
import sys

NEWEST = 10_000
"""Objects that are made before garbage is looked for among them. Python's own 700 are made by each page of a hundred
comments, none of them garbage that has to be looked for: a twentieth of its time. Workers have it from here."""


def main(prog_name: str | None = None) -> None:
    """Run the command that the process was started with."""
    os.umask(0o077)  # what is written is nobody else's on this machine to read
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that has no ✓ shows something else
    gc.disable()  # a third of the loading was looking for garbage among what stays for good
    from commentsvc.cli import commands

    gc.freeze()
    gc.set_threshold(NEWEST)
    gc.enable()
    commands.main(prog_name=prog_name)
