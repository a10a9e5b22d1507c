"""`serve --bind unix:…`, from the words of the option to the address of a reader behind the proxy."""

from __future__ import annotations

import os
import signal
import socket
import stat
from pathlib import Path

import pytest

from commentsvc.errors import BadAddressError
from commentsvc.serving.server import Bind, read_bind
from commentsvc.serving.unix_socket import UnixSocket
from tests.conftest import environment
from tests.support import processes


def serve(path: Path) -> list[str]:
    return ["-m", "commentsvc", "serve", "--workers", "1", "--bind", f"unix:{path}"]


def status(path: Path) -> bytes:
    """Return the status of /healthz, empty while nothing answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        try:
            connection.connect(str(path))
            connection.sendall(
                b"GET /healthz HTTP/1.1\r\nHost: comments.example\r\nConnection: close\r\n\r\n"
            )
            return connection.recv(4096).split(b" ")[1]
        except OSError:
            return b""


def listen(path: Path) -> socket.socket:
    """Return a socket of another server."""
    other = socket.socket(socket.AF_UNIX)
    other.bind(str(path))
    other.listen()
    return other


def test_words_become_an_address() -> None:
    assert read_bind("unix:/run/commentsvc/socket") == UnixSocket(Path("/run/commentsvc/socket"))
    assert str(read_bind("unix:/run/commentsvc/socket")) == "unix:/run/commentsvc/socket"
    assert read_bind("[::1]:8600") == Bind("::1", 8600)


@pytest.mark.parametrize("text", ["unix:", "unix:socket", "unix:/run/", "unix:/a\0b"])
def test_words_that_are_no_path_are_refused(text: str) -> None:
    with pytest.raises(BadAddressError, match="is not unix:/PATH"):
        UnixSocket.read(text)


def test_a_path_that_is_too_long_is_refused_in_words() -> None:
    UnixSocket.read(f"unix:/{'a' * 106}")
    with pytest.raises(BadAddressError, match="longer than 107 bytes"):
        UnixSocket.read(f"unix:/{'a' * 107}")


def test_what_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with pytest.raises(BadAddressError, match="no socket"):
        UnixSocket(file).require_free()
    assert file.read_text() == "mine"


def test_a_socket_that_another_server_uses_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with listen(path), pytest.raises(BadAddressError, match="Address already in use"):
        UnixSocket(path).require_free()
    assert path.is_socket()
    UnixSocket(path).require_free()  # the other server is gone
    assert not path.exists()


def test_a_directory_that_is_missing_or_closed_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadAddressError, match=f"there is no directory {tmp_path}/run"):
        UnixSocket(tmp_path / "run" / "socket").require_free()
    if os.geteuid() == 0:
        return  # nothing is closed to root
    tmp_path.chmod(0o500)
    with pytest.raises(BadAddressError, match="must be allowed to write"):
        UnixSocket(tmp_path / "socket").require_free()


def test_it_serves_any_user_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    variables = environment(tmp_path / "data", COMMENTSVC_LOG_LEVEL="INFO")
    with processes.running(tmp_path / "output", variables, *serve(path)) as process:
        processes.until(lambda: status(path) == b"200", "/healthz")
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        assert f" at unix:{path}\n" in process.said()
        with processes.running(tmp_path / "second", variables, *serve(path)) as second:
            assert second.child.wait(processes.PATIENCE) == 1
        assert second.said() == f"Error: Cannot listen at unix:{path}: Address already in use.\n"
        process.send(signal.SIGTERM)
        assert process.child.wait(processes.PATIENCE) == 0
    assert not path.exists()


def test_it_starts_again_after_it_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with processes.running(tmp_path / "output", environment(tmp_path / "data"), *serve(path)) as process:
        processes.until(lambda: status(path) == b"200", "/healthz")
        process.send_to_all(signal.SIGKILL)
        process.child.wait(processes.PATIENCE)
        processes.until(lambda: status(path) == b"", "the end of the workers")
    assert path.is_socket()
    with processes.running(tmp_path / "output", environment(tmp_path / "data"), *serve(path)):
        processes.until(lambda: status(path) == b"200", "/healthz")
