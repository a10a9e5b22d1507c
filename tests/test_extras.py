"""The command that a message names where an optional package is missing."""

from __future__ import annotations

import shlex
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest
from click.testing import CliRunner

from commentsvc import extras
from commentsvc.cli.commands import main
from tests.conftest import environment


def test_it_names_the_packages_and_this_installation_but_not_our_own_package() -> None:
    command = shlex.split(extras.install_command("redis"))
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert [word.partition("<")[0].partition(">")[0] for word in command[4:]] == ["redis"]


def test_pip_can_read_it() -> None:
    command = shlex.split(extras.install_command("postgresql"))
    done = subprocess.run([*command, "--dry-run", "--no-index"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "psycopg[binary]" in done.stdout


def test_an_installation_without_pip_is_uvs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    assert extras.install_command("redis").startswith(f"uv pip install --python {sys.executable} 'redis<")


def test_a_missing_driver_is_a_sentence_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    variables = environment(tmp_path, COMMENTSVC_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    result = CliRunner().invoke(main, ["upgrade"], env=variables)
    assert result.exit_code == 1
    assert result.stderr == f"Error: PostgreSQL needs its driver: {extras.install_command('postgresql')}\n"


def test_redis_that_is_missing_is_a_sentence_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    variables = environment(tmp_path, COMMENTSVC_REDIS_URL="redis://127.0.0.1:9/0")
    result = CliRunner().invoke(main, ["upgrade"], env=variables)
    assert result.exit_code == 1
    assert f"COMMENTSVC_REDIS_URL needs its driver: {extras.install_command('redis')}" in result.stderr
