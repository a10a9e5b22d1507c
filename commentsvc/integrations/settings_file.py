"""Reads `settings.env` in the data directory, which supplements the environment; the only importer of python-dotenv."""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from commentsvc.config import PREFIX, Settings
from commentsvc.errors import SettingsError
from commentsvc.setting_values import read_data_dir

NAME = "settings.env"
DATA_DIR = f"{PREFIX}DATA_DIR"


def path(environ: Mapping[str, str]) -> Path:
    """Return the path of the file, whether it exists or not; raises SettingsError for a bad data directory."""
    try:
        return read_data_dir(environ.get(DATA_DIR, "").strip() or "instance") / NAME
    except ValueError as error:
        raise SettingsError([f"{DATA_DIR}: {error}"]) from None


def settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings of the environment and the file; raises SettingsError."""
    present, file = merged(environ), path(environ)
    try:
        return Settings.from_env(present)
    except SettingsError as error:
        if file.exists():
            raise
        # Without this, a command run in another directory than the service would suggest to create a new one.
        where = f"There is no {file}. Is {DATA_DIR} {'right' if environ.get(DATA_DIR) else 'set'}?"
        raise SettingsError([*error.faults, where]) from None


def merged(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the file and the environment; the environment wins.

    Raises SettingsError if the file or a line of it cannot be read, or if it sets its own directory.
    """
    file = path(environ)
    try:
        bindings = list(parse_stream(StringIO(file.read_text("utf-8-sig"))))
    except (FileNotFoundError, NotADirectoryError):
        bindings = []
    except OSError as error:
        raise SettingsError([f"{file} cannot be read: {error.strerror}."]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{file} cannot be read: it is not text in UTF-8."]) from None
    if odd := [_line(one) for one in bindings if one.error or (one.key and one.value is None)]:
        raise SettingsError([f"{file}, line {number}, is not NAME=value." for number in odd])
    variables = {one.key: one.value for one in bindings if one.key and one.value is not None}
    if DATA_DIR in variables:
        raise SettingsError([f"{file} cannot set its own directory: set {DATA_DIR} in the environment."])
    return variables | dict(environ)


def append(file: Path, lines: Mapping[str, str]) -> None:
    """Append variables to the file; a new file is readable only by its owner."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = file.exists() and file.read_bytes()[-1:] not in {b"", b"\n"}
    with os.fdopen(
        os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
    ) as out:
        out.writelines(["\n"] * unfinished)
        out.writelines(f"{name}={value}\n" for name, value in lines.items())


def _line(binding: Binding) -> int:
    """Return its line number; the parser's own count includes preceding empty lines."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
