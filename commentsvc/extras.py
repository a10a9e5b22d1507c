"""The optional packages, and the command that installs one beside this installation, whichever tool made that."""

from __future__ import annotations

import shlex
import sys
from importlib import metadata, util


def install_command(extra: str) -> str:
    """Return the command that installs what an extra of this package needs, such as `postgresql` or `redis`.

    It names no `commentsvc[…]`, which an installer would look for on an index.
    """
    pip = [sys.executable, "-m", "pip", "install"]
    if util.find_spec("pip") is None:  # uv makes environments without it
        pip = ["uv", "pip", "install", "--python", sys.executable]
    return shlex.join([*pip, *_requirements(extra)])


def _requirements(extra: str) -> list[str]:
    lines = [line.split(";") for line in metadata.requires("commentsvc") or []]
    return [
        line[0].strip()
        for line in lines
        if len(line) == 2 and line[1].split() == ["extra", "==", f"'{extra}'"]
    ]
