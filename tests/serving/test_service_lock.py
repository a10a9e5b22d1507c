"""The lock that says whether a service runs with a data directory, and where it listens."""

from __future__ import annotations

from pathlib import Path

from commentsvc.serving import service_lock


def test_it_says_where_a_service_listens_as_long_as_it_runs(tmp_path: Path) -> None:
    assert service_lock.address_of_service(tmp_path) is None
    with service_lock.held(tmp_path, "127.0.0.1:8600") as other:
        assert other is None
        assert service_lock.address_of_service(tmp_path) == "127.0.0.1:8600"
    assert service_lock.address_of_service(tmp_path) is None


def test_a_second_service_learns_of_the_first_and_does_not_take_its_place(tmp_path: Path) -> None:
    with service_lock.held(tmp_path, "127.0.0.1:8600"), service_lock.held(tmp_path, "[::1]:8601") as other:
        assert other == "127.0.0.1:8600"
        assert service_lock.address_of_service(tmp_path) == "127.0.0.1:8600"


def test_a_shorter_address_takes_the_place_of_a_longer_one(tmp_path: Path) -> None:
    for address in ("127.0.0.100:18600", "[::]:1"):
        with service_lock.held(tmp_path, address):
            assert service_lock.address_of_service(tmp_path) == address


def test_a_directory_that_takes_no_file_stops_nobody(tmp_path: Path) -> None:
    with service_lock.held(tmp_path / "missing", "127.0.0.1:8600") as other:
        assert other is None
