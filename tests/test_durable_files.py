"""A file takes the place of another one whole, or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from commentsvc import durable_files


def test_an_error_leaves_the_former_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("before")

    def write_half() -> None:
        with durable_files.replacing(path) as file:
            file.write(b"half")
            raise RuntimeError("full")

    with pytest.raises(RuntimeError, match="full"):
        write_half()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_new_file_is_there_once_it_is_whole(tmp_path: Path, mode: int) -> None:
    path, other = tmp_path / "x", tmp_path / "other"
    other.write_text("of somebody else")
    path.symlink_to(other)
    with durable_files.replacing(path, mode=mode, prefix=".new-") as file:
        file.write(b"after")
        assert Path(file.name).name.startswith(".new-")
        assert path.read_text() == "of somebody else"
    assert (path.read_text(), other.read_text()) == ("after", "of somebody else")
    assert not path.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert set(tmp_path.iterdir()) == {path, other}
