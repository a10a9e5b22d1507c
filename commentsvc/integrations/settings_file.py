"""`settings.env` in the data directory: what the environment does not say. The only importer of python-dotenv."""

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
    """Return where the file lies, or would; raises SettingsError where the directory cannot be told."""
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
        # Whoever runs a command elsewhere than the service would otherwise be told to make another one.
        where = f"There is no {file}. Is {DATA_DIR} {'right' if environ.get(DATA_DIR) else 'set'}?"
        raise SettingsError([*error.faults, where]) from None


def merged(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment over the file's variables; what is set in both is the environment's.

    Raises SettingsError where the file or a line of it cannot be read, or names the directory in which it was found.
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
    results = {one.key: one.value for one in bindings if one.key and one.value is not None}
    if DATA_DIR in results:
        raise SettingsError([f"{file} cannot say where it lies itself: set {DATA_DIR} in the environment."])
    return results | dict(environ)


def append(file: Path, lines: Mapping[str, str]) -> None:
    """Add variables to the file, on lines of their own; made readable for its owner alone where it is new."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = file.exists() and file.read_bytes()[-1:] not in {b"", b"\n"}
    with os.fdopen(
        os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
    ) as out:
        out.writelines(["\n"] * unfinished)
        out.writelines(f"{name}={value}\n" for name, value in lines.items())


def _line(binding: Binding) -> int:
    """Return the number of its line; the parser counts from the empty ones before it."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
