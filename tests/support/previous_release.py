"""The release before the last change of the tables, out of the repository's own history."""

from __future__ import annotations

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from tests.conftest import missing

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = "migrations/versions"


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, check=False)
    if done.returncode != 0:
        missing("the repository's history", done.stderr.decode().strip() or f"git {words[0]} failed")
    return done.stdout


def unpack(migration: str, folder: Path) -> Path:
    """Unpack the sources as they were before `migration`, a file's name, came; return their folder."""
    if _git("rev-parse", "--is-shallow-repository").strip() == b"true":
        _git("fetch", "--quiet", "--unshallow")
    result = _git("log", "--format=%H", "--diff-filter=A", "--", f"{VERSIONS}/{migration}").split()
    if not result:
        missing("the repository's history", f"no commit brought {migration}")
    archive = _git("archive", f"{result[-1].decode()}^", "commentsvc", "migrations")
    with tarfile.open(fileobj=BytesIO(archive)) as file:
        file.extractall(folder, filter="data")
    return folder
