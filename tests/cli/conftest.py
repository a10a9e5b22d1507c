"""An empty directory, and none of this machine's settings, for each command."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from commentsvc.config import PREFIX
from tests.support.cli_service import succeed, write_comments


def isolate(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COMMENTSVC_LOG_LEVEL", "ERROR")
    monkeypatch.chdir(directory)


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A directory of its own and none of this machine's settings; log lines go nowhere."""
    isolate(monkeypatch, tmp_path)


@pytest.fixture(scope="session")
def written_service(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A data directory with the site "Blog" and its comments, to be copied, and their ids."""
    directory = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as monkeypatch:
        isolate(monkeypatch, directory)
        succeed("init")
        succeed("site", "add", "Blog", "https://blog.example")
        return directory / "instance", write_comments("Blog")


@pytest.fixture
def written(bare_environment: None, written_service: tuple[Path, list[int]]) -> list[int]:
    """A service with the site "Blog"; the ids of its comments, which `write_comments` describes."""
    instance, ids = written_service
    shutil.copytree(instance, "instance")
    return ids
