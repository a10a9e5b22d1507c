"""What all commands share: the data directory, exit codes, progress bars."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest

from commentsvc.cli.commands import main
from tests.support.cli_service import fail, succeed

pytestmark = pytest.mark.usefixtures("bare_environment")


def every(command: click.Command) -> list[click.Command]:
    """The command and all below it, without the demonstration, which has a directory of its own."""
    below = command.commands.values() if isinstance(command, click.Group) else []
    found = [command, *(each for group in below for each in every(group))]
    return [each for each in found if each.name != "demo"]


class TestDataDir:
    def test_every_command_takes_it(self) -> None:
        for command in every(main):
            named = [option for option in command.params if "--data-dir" in option.opts]
            assert len(named) == 1, command.name

    def test_before_or_after_the_command(self, tmp_path: Path) -> None:
        succeed("--data-dir", "here", "init")
        assert (tmp_path / "here" / "settings.env").exists()
        succeed("site", "add", "Blog", "https://blog.example", "--data-dir", "here")
        succeed("site", "--data-dir", "here", "list")
        assert "Blog" in succeed("--data-dir", "here", "site", "list")
        assert not (tmp_path / "instance").exists()

    def test_the_last_one_counts_and_wins_over_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COMMENTSVC_DATA_DIR", str(tmp_path / "environment"))
        succeed("--data-dir", "first", "init", "--data-dir", "second")
        assert [path.name for path in tmp_path.iterdir()] == ["second"]
        assert os.environ["COMMENTSVC_DATA_DIR"] == str(tmp_path / "environment")

    def test_it_ends_with_the_command(self) -> None:
        succeed("--data-dir", "here", "init")
        assert "COMMENTSVC_DATA_DIR" not in os.environ
        assert "There is no" in fail("site", "list")

    def test_it_ends_with_a_command_that_fails(self) -> None:
        fail("--data-dir", "nowhere", "site", "list", "--data-dir", "elsewhere")
        assert "COMMENTSVC_DATA_DIR" not in os.environ

    def test_none_is_a_usage_error(self) -> None:
        assert "needs a directory" in fail("site", "list", "--data-dir", "", code=2)

    def test_the_demonstration_keeps_nothing_there(self) -> None:
        assert "No such option" in fail("demo", "--data-dir", "here", code=2)


class TestExitCodes:
    def test_a_wrong_word_or_option(self) -> None:
        for words in (["nonsense"], ["site", "nonsense"], ["site", "add"], ["stats", "--nonsense"]):
            fail(*words, code=2)

    def test_a_refusal(self) -> None:
        assert "COMMENTSVC_SECRET_KEY is not set" in fail("stats")


class TestProgressBars:
    """On a terminal only: elsewhere they would fill a log."""

    COMMAND = (sys.executable, "-m", "commentsvc", "rerender", "--all")

    @pytest.fixture(autouse=True)
    def comments(self, written: list[int]) -> None:
        """Something to render."""

    def test_a_log_gets_none(self) -> None:
        done = subprocess.run(self.COMMAND, capture_output=True, text=True, check=True)
        assert done.stdout == "Rendered again: 4 of 4 comments.\n"
        assert done.stderr == ""

    def test_a_terminal_gets_one(self) -> None:
        mine, theirs = pty.openpty()
        done = subprocess.run(self.COMMAND, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True)
        os.close(theirs)
        shown = os.read(mine, 10_000).decode()
        os.close(mine)
        assert done.stdout == "Rendered again: 4 of 4 comments.\n"
        assert "Rendering" in shown
        assert "100%" in shown
