"""`settings.env` in the data directory: what the environment does not say. The only importer of python-dotenv."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from commentsvc.config import PREFIX
from commentsvc.errors import SettingsError

NAME = "settings.env"
DATA_DIR = f"{PREFIX}DATA_DIR"


def path(environ: Mapping[str, str]) -> Path:
    """Return where the file lies, or would."""
    return Path(environ.get(DATA_DIR, "").strip() or "instance").absolute() / NAME


def merged(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment over the file's variables; what is set in both is the environment's.

    Raises SettingsError where the file cannot be read, or names the directory in which it was found.
    """
    file = path(environ)
    try:
        found = dotenv_values(file, interpolate=False, encoding="utf-8") if file.exists() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{file} cannot be read: {error}"]) from None
    if DATA_DIR in found:
        raise SettingsError([f"{file} cannot say where it lies itself: set {DATA_DIR} in the environment."])
    return {name: value for name, value in found.items() if value is not None} | dict(environ)


def append(file: Path, lines: Mapping[str, str]) -> None:
    """Add variables to the file, made readable for its owner alone where it is new."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(
        os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
    ) as out:
        out.writelines(f"{name}={value}\n" for name, value in lines.items())
