"""The command move."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from commentsvc.cli.commands import main
from tests.support.cli_service import fail, succeed

URL = "COMMENTSVC_DATABASE_URL"


@pytest.fixture
def other(tmp_path: Path) -> str:
    """The URL of a file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'other.sqlite'}"


def test_it_prints_both_sides_and_says_what_to_do(
    written: list[int], other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = succeed("move", "--to", other)
    (comments,) = [line.split() for line in printed.splitlines() if line.startswith("comment ")]
    assert comments[1:3] == ["4", "4"]
    assert comments[3] == comments[4]
    assert comments[5] == "equal"
    assert "DIFFERS" not in printed
    assert URL in printed
    assert "nothing can be saved" in fail("comments", "trash", str(written[0]), "--yes")
    doctor = CliRunner().invoke(main, ["doctor"]).output
    assert "nothing can be changed in this database" in doctor
    assert "other.sqlite" in doctor
    assert "commentsvc move --cancel" in doctor
    with monkeypatch.context() as changed:
        changed.setenv(URL, other)
        assert "Its move" not in CliRunner().invoke(main, ["doctor"]).output
        succeed("comments", "trash", str(written[0]), "--yes")
    assert "is cancelled" in succeed("move", "--cancel")
    succeed("comments", "trash", str(written[0]), "--yes")
    assert "nothing to cancel" in succeed("move", "--cancel")


def test_a_difference_is_printed_and_fails(written: list[int], other: str, tmp_path: Path) -> None:
    succeed("move", "--to", other)
    succeed("move", "--cancel")
    (tmp_path / "other.sqlite").rename(tmp_path / "used.sqlite")
    second = f"sqlite:///{tmp_path / 'second.sqlite'}"
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv(URL, second)
        Path(tmp_path / "second.sqlite").touch()
        succeed("upgrade")
    with closing(sqlite3.connect(tmp_path / "second.sqlite")) as file:
        file.execute("CREATE TRIGGER spoil AFTER INSERT ON site BEGIN DELETE FROM origin; END")
        file.execute("CREATE TRIGGER spoil2 AFTER INSERT ON origin BEGIN UPDATE site SET name = 'x'; END")
    result = CliRunner().invoke(main, ["move", "--to", second])
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.output.splitlines() if line.endswith("DIFFERS")] == ["site"]
    assert "nothing was moved" in result.output
    succeed("comments", "trash", str(written[0]), "--yes")


def test_what_is_not_ours_or_nowhere_is_refused(written: list[int], other: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as file:
        file.execute("CREATE TABLE recipes (id INTEGER)")
    assert "not ours, such as recipes" in fail("move", "--to", other)
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as file:
        assert file.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    assert "No such file or directory" in fail("move", "--to", f"sqlite:///{tmp_path}/no/other.sqlite")
    assert "is not empty" in fail("move", "--to", f"sqlite:///{tmp_path}/instance/comments.sqlite")
    assert "not a supported database" in fail("move", "--to", "mysql://other")
    fail("move", code=2)
    fail("move", "--to", other, "--cancel", code=2)
    succeed("comments", "trash", str(written[0]), "--yes")
