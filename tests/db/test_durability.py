"""What is acknowledged is on the disk, and writers who wait for that wait together."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from commentsvc.db import sqlite
from commentsvc.db.sqlite import QueuedConnection, SharedDatabase
from tests.support.processes import PATIENCE

SOON = 0.1
"""Seconds."""


class Disk:
    """Stands between a database and its disk: counts who asks it to write, and lets them wait."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.asked: list[int] = []
        self.came = threading.Semaphore(0)
        self.fault: OSError | None = None

    def sync(self, descriptor: int) -> None:
        self.asked.append(os.fstat(descriptor).st_ino)
        self.came.release()
        assert self.open.wait(PATIENCE)
        if self.fault:
            raise self.fault
        os.fsync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(sqlite, "_SYNC", disk.sync)
    return disk


@pytest.fixture
def file() -> SharedDatabase:
    return SharedDatabase()


@pytest.fixture
def path(tmp_path: Path, file: SharedDatabase) -> Iterator[Path]:
    path = tmp_path / "comments.sqlite"
    with closing(file.connect(path)) as connection:
        write(connection, "CREATE TABLE said (number INTEGER)")
        yield path


def write(connection: QueuedConnection, statement: str = "INSERT INTO said VALUES (1)") -> None:
    connection.begin(to_write=True)
    connection.execute(statement)
    connection.commit()


class Writer(threading.Thread):
    """Somebody who writes one row, and is told when it is safe."""

    def __init__(self, file: SharedDatabase, path: Path) -> None:
        super().__init__(daemon=True)
        self._file, self._path = file, path
        self.told = threading.Event()
        self.start()

    def run(self) -> None:
        with closing(self._file.connect(self._path, check_same_thread=False)) as connection:
            write(connection)
            self.told.set()


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM said").fetchone()[0])


def test_a_commit_asks_for_the_log_that_it_was_written_to(
    tmp_path: Path, disk: Disk, file: SharedDatabase
) -> None:
    path = tmp_path / "comments.sqlite"
    for statement in ("CREATE TABLE said (number INTEGER)", "INSERT INTO said VALUES (1)"):
        # With the last connection goes the log; the next one begins another.
        with closing(file.connect(path)) as connection:
            write(connection, statement)
            assert disk.asked[-1] == Path(f"{path}-wal").stat().st_ino
        assert not Path(f"{path}-wal").exists()
    assert len(disk.asked) == 2


def test_nobody_is_told_before_the_disk_has_it_and_others_write_meanwhile(
    path: Path, disk: Disk, file: SharedDatabase
) -> None:
    disk.open.clear()
    first = Writer(file, path)
    assert disk.came.acquire(timeout=PATIENCE)
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")  # the lock is free
        another.execute("ROLLBACK")
    assert not first.told.wait(SOON)
    disk.open.set()
    assert first.told.wait(PATIENCE)


def test_who_waits_together_waits_for_one(path: Path, disk: Disk, file: SharedDatabase) -> None:
    disk.asked.clear()
    disk.open.clear()
    writers = [Writer(file, path)]
    assert disk.came.acquire(timeout=PATIENCE)
    writers += [Writer(file, path) for _ in range(5)]
    while rows(path) < 6:
        pass
    time.sleep(SOON)  # from the lock to the queue for the disk is a step
    disk.open.set()
    for writer in writers:
        assert writer.told.wait(PATIENCE)
    # The first one's, and one for all who had committed since that began; more where some are very slow.
    assert 2 <= len(disk.asked) < 6


def test_an_fsync_that_had_begun_before_is_not_enough(path: Path, disk: Disk, file: SharedDatabase) -> None:
    disk.asked.clear()
    disk.open.clear()
    first = Writer(file, path)
    assert disk.came.acquire(timeout=PATIENCE)
    second = Writer(file, path)
    while rows(path) < 2:
        pass
    disk.open.set()
    assert first.told.wait(PATIENCE)
    assert second.told.wait(PATIENCE)
    assert len(disk.asked) == 2


def test_a_disk_that_fails_is_said_and_the_next_one_asks_again(
    path: Path, disk: Disk, file: SharedDatabase
) -> None:
    with closing(file.connect(path)) as connection:
        disk.fault = OSError(5, "Input/output error")
        with pytest.raises(sqlite3.OperationalError, match="Input/output error"):
            write(connection)
        disk.fault = None
        disk.asked.clear()
        write(connection)
    assert len(disk.asked) == 1


def test_a_database_without_a_log_is_left_to_sqlite(disk: Disk, file: SharedDatabase) -> None:
    with closing(file.connect(":memory:")) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        write(connection, "CREATE TABLE said (number INTEGER)")
    assert disk.asked == []
