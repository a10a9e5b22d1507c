"""What comes back from a server that a stranger chose is small, quick and of the kind asked for, or an error."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commentsvc.errors import ForbiddenDestinationError, OutboundError
from commentsvc.http_client import client as http_client
from commentsvc.http_client.client import HttpResponse, Network
from tests.support.certificates import Authority
from tests.support.strange_server import PUBLIC, Internet, Server

PNG = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server without TLS."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def secure(authority: Authority, tmp_path: Path) -> Iterator[Server]:
    """A server with a certificate for pictures.example."""
    server = Server(tls=authority.server("pictures.example", tmp_path))
    yield server
    server.close()


@pytest.fixture
def internet(secure: Server, authority: Authority) -> Internet:
    return Internet(secure, authority.client())


def local(server: Server, path: str = "/", **wishes: object) -> HttpResponse:
    """Ask the server without TLS, as an owner may have private addresses asked."""
    wanted = {
        "largest": 1000,
        "seconds": 5.0,
        "accept": frozenset({"image/"}),
        "allow_private": True,
    } | wishes
    return http_client.fetch(f"http://127.0.0.1:{server.port}{path}", **wanted)  # type: ignore[arg-type]


def public(internet: Internet, url: str = "https://pictures.example/a.png", **wishes: object) -> HttpResponse:
    """Ask as a stranger may have addresses asked."""
    wanted = {"largest": 1000, "seconds": 5.0, "accept": frozenset({"image/png"})} | wishes
    return http_client.fetch(url, network=internet.network, **wanted)  # type: ignore[arg-type]


def sized(body: bytes) -> bytes:
    return PNG + b"Content-Length: %d\r\n\r\n" % len(body) + body


def moved(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Type: image/png\r\n\r\n".encode()


@pytest.mark.parametrize(
    "sent",
    [
        sized(b"picture"),
        PNG + b"\r\npicture",
        PNG + b"Transfer-Encoding: chunked\r\n\r\n3\r\npic\r\n4;x=y\r\nture\r\n0\r\nTrailer: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + sized(b"picture"),
        b"HTTP/1.0 200\r\ncontent-type:  Image/PNG ; charset=x\r\n\r\npicture",
    ],
)
def test_a_picture_comes_back(server: Server, sent: bytes) -> None:
    server.play(sent)
    answer = local(server, "/a.png?b")
    assert answer == HttpResponse(f"http://127.0.0.1:{server.port}/a.png?b", 200, "image/png", b"picture")


def test_what_is_sent_says_little(server: Server) -> None:
    server.play(sized(b"x"))
    local(
        server,
        "/ä?ö",
        accept=frozenset({"image/", "text/plain"}),
        headers={"accept-encoding": "gzip", "X-A": "b"},
    )
    head, *lines = server.requests[0].rstrip().split("\r\n")
    assert head == "GET /%C3%A4?%C3%B6 HTTP/1.1"
    assert sorted(lines) == ["Accept-Encoding: identity", "Accept: image/*, text/plain", "Connection: close",
                             f"Host: 127.0.0.1:{server.port}", "User-Agent: commentsvc", "X-A: b"]  # fmt: skip


def test_a_message_is_sent_and_its_answer_left_unread(server: Server) -> None:
    server.play(b"HTTP/1.1 202 Accepted\r\nContent-Type: text/html\r\n\r\n" + b"x" * 5000)
    answer = local(server, method="POST", data=b'{"a": 1}', accept=frozenset())
    assert (answer.status, answer.body) == (202, b"")
    assert server.requests[0].startswith("POST / HTTP/1.1\r\n")
    assert "Content-Length: 8\r\n" in server.requests[0]


@pytest.mark.parametrize(("kind", "body"), [("text/html", b""), ("image/png", b"sorry")])
def test_a_failure_has_its_status_and_a_body_of_the_kind_asked_for(
    server: Server, kind: str, body: bytes
) -> None:
    server.play(f"HTTP/1.1 404 Not Found\r\nContent-Type: {kind}\r\n\r\nsorry".encode())
    assert (local(server)).body == body


def test_a_certificate_is_checked_against_the_name_and_the_address_is_the_one_judged(
    internet: Internet, secure: Server
) -> None:
    secure.play(sized(b"picture"))
    internet.names["pictures.example"] = [PUBLIC]
    answer = public(internet)
    assert answer.body == b"picture"
    assert answer.certificate
    assert answer.certificate.begins < datetime.now(UTC) < answer.certificate.ends
    assert internet.connected == [(PUBLIC, 443)]
    assert secure.names == ["pictures.example"]
    assert "\r\nHost: pictures.example\r\n" in secure.requests[0]


@pytest.mark.parametrize("url", ["https://other.example/", f"https://{PUBLIC}/", f"https://{PUBLIC}:8443/"])
def test_a_certificate_for_another_name_is_not_believed(internet: Internet, secure: Server, url: str) -> None:
    with pytest.raises(OutboundError, match="cannot be verified"):
        public(internet, url)
    assert secure.requests == []


def test_a_certificate_of_an_unknown_authority_is_not_believed(secure: Server) -> None:
    internet = Internet(secure, ssl.create_default_context())
    with pytest.raises(OutboundError, match="cannot be verified"):
        public(internet)


def test_a_name_that_changes_its_mind_is_asked_once_for_each_hop(internet: Internet, secure: Server) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    network = Network(
        resolve=lambda _name: next(answers), connect=internet.network.connect, tls=internet.network.tls
    )
    internet.network = network
    secure.play(moved("/again"), sized(b"picture"))
    with pytest.raises(ForbiddenDestinationError):
        public(internet)
    assert internet.connected == [(PUBLIC, 443)]


def test_the_next_address_is_tried_where_one_takes_no_connection(internet: Internet, secure: Server) -> None:
    secure.play(sized(b"picture"))
    internet.names["pictures.example"] = ["2606:4700::1111", PUBLIC]
    connect = internet.network.connect

    def refuse_first(address: str, port: int, seconds: float) -> socket.socket:
        if ":" in address:
            raise ConnectionRefusedError
        return connect(address, port, seconds)

    internet.network = Network(internet.network.resolve, refuse_first, internet.network.tls)
    assert public(internet).body == b"picture"


def test_proxies_of_the_environment_are_ignored(
    internet: Internet, secure: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    secure.play(sized(b"picture"))
    assert public(internet).body == b"picture"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_with_nothing_but_the_request(
    internet: Internet, secure: Server, status: int
) -> None:
    secure.play(moved("../b.png#part", status), sized(b"picture"))
    answer = public(internet, "https://pictures.example/x/y/", headers={"Authorization": "Bearer x"})
    assert (answer.url, answer.body) == ("https://pictures.example/x/b.png", b"picture")
    assert "Cookie" not in secure.requests[1]
    assert "Authorization" in secure.requests[1]


def test_another_origin_gets_no_headers_meant_for_the_first(internet: Internet, secure: Server) -> None:
    secure.play(moved("https://pictures.example:8443/b.png"), sized(b"picture"))
    public(internet, headers={"Authorization": "Bearer x"})
    assert "Authorization" in secure.requests[0]
    assert "Authorization" not in secure.requests[1]


@pytest.mark.parametrize(
    "to",
    ["https://127.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://[::1]/", "https://2130706433/",
     "https://localhost/", "https://inside.example/", "//10.0.0.1/", "https://user@pictures.example/",
     "https://pictures.example:22/", "file:///etc/passwd", "gopher://pictures.example/", "https://[",
     "http://pictures.example/", "HTTP://pictures.example/", "https://127.0.0.1\\@pictures.example/"],
)  # fmt: skip
def test_a_redirect_goes_through_the_same_door(internet: Internet, secure: Server, to: str) -> None:
    secure.play(moved(to))
    internet.names["inside.example"] = ["10.0.0.1"]
    with pytest.raises(ForbiddenDestinationError):
        public(internet)
    assert internet.connected == [(PUBLIC, 443)]


def test_http_is_not_gone_back_to_even_where_it_is_allowed(internet: Internet, secure: Server) -> None:
    secure.play(moved("http://pictures.example/"))
    with pytest.raises(ForbiddenDestinationError):
        public(internet, schemes=frozenset({"http", "https"}))


def test_a_circle_of_redirects_comes_to_an_end(internet: Internet, secure: Server) -> None:
    secure.play(*[moved("/")] * 10)
    with pytest.raises(OutboundError, match="too many redirects"):
        public(internet)
    assert len(secure.requests) == 4


def test_a_message_is_not_sent_on(server: Server) -> None:
    server.play(moved("/", 307))
    with pytest.raises(OutboundError, match="not followed"):
        local(server, method="POST", data=b"x")


@pytest.mark.parametrize(
    ("before", "each"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\n", b"X"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (PNG + b"\r\n", b"x"),
        (PNG + b"Content-Length: 999\r\n\r\n", b"x"),
        (PNG + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (PNG + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
        (PNG + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    ],
)
def test_a_slow_server_is_left_at_the_deadline(server: Server, before: bytes, each: bytes) -> None:
    server.play(server.drip(before, each))
    began = time.monotonic()
    with pytest.raises(OutboundError, match=r"within 0\.3 seconds"):
        local(server, seconds=0.3)
    assert time.monotonic() - began < 2


def test_the_deadline_is_one_for_all_redirects(server: Server) -> None:
    def dawdle(sock: socket.socket) -> None:
        server.over.wait(0.15)
        sock.sendall(moved("/"))

    server.play(*[dawdle] * 10)
    with pytest.raises(OutboundError, match=r"within 0\.4 seconds"):
        local(server, seconds=0.4, redirects=9)


def test_a_server_that_never_shakes_hands_is_left_at_the_deadline(
    server: Server, authority: Authority
) -> None:
    internet = Internet(server, authority.client())
    with pytest.raises(OutboundError, match="within"):
        public(internet, seconds=0.3)


def test_a_slow_look_up_is_left_at_the_deadline(internet: Internet) -> None:
    release = threading.Event()
    resolve = lambda _name: [PUBLIC] if release.wait(5) else []  # noqa: E731
    internet.network = Network(resolve, internet.network.connect, internet.network.tls)
    with pytest.raises(OutboundError, match="within"):
        public(internet, seconds=0.2)
    release.set()


CHUNKED = PNG + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "each"),
    [
        (PNG + b"\r\n", b"x" * 65536),
        (CHUNKED, b"8000\r\n" + b"x" * 0x8000 + b"\r\n"),
        (CHUNKED + b"-1\r\n", b"x" * 65536),
        (CHUNKED + b"ffffffffffffffffff\r\n", b"x" * 65536),
        (CHUNKED + b"0\r\n", b"X: y\r\n" * 10_000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n" + b"X: y\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\n", (b"X: " + b"y" * 60_000 + b"\r\n")),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536),
    ],
)
def test_an_endless_answer_is_not_kept(server: Server, before: bytes, each: bytes) -> None:
    def pour(sock: socket.socket) -> None:
        sock.sendall(before)
        while not server.over.is_set():
            sock.sendall(each)

    server.play(pour)
    with pytest.raises(OutboundError, match=r"too much|valid HTTP response"):
        local(server, seconds=3.0)


def test_what_says_it_is_too_large_is_not_begun(server: Server) -> None:
    server.play(server.drip(PNG + b"Content-Length: 1001\r\n\r\n", b""))
    with pytest.raises(OutboundError, match="too much"):
        local(server)


@pytest.mark.parametrize("length", [999, 1000, 1001])
def test_the_largest_is_the_last_that_fits(server: Server, length: int) -> None:
    server.play(PNG + b"\r\n" + b"x" * length)
    if length > 1000:
        with pytest.raises(OutboundError, match="too much"):
            local(server)
    else:
        assert len(local(server).body) == length


@pytest.mark.parametrize(
    "kind", ["text/html", "image", "image/svg+xml", "image/png, text/html", "image/", "", "a b"]
)
def test_another_kind_of_content_is_not_read(server: Server, kind: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n".encode() if kind else b"HTTP/1.1 200 OK\r\n"
    server.play(server.drip(head + b"\r\n", b""))
    with pytest.raises(OutboundError, match="another type"):
        local(server, accept=frozenset({"image/png", "image/webp"}))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity, gzip", "GZIP", "x"])
def test_compressed_content_is_not_read(server: Server, coding: str) -> None:
    server.play(PNG + f"Content-Encoding: {coding}\r\n\r\n".encode() + b"\x1f\x8b")
    with pytest.raises(OutboundError, match="compressed"):
        local(server)


@pytest.mark.parametrize(
    "sent", [PNG + b"Content-Length: 9\r\n\r\npart", CHUNKED + b"9\r\npart", CHUNKED + b"4\r\npart"]
)
def test_half_an_answer_is_none(server: Server, sent: bytes) -> None:
    server.play(sent)
    with pytest.raises(OutboundError):
        local(server)


@pytest.mark.parametrize(
    "sent",
    [b"", b"\x00", b"SSH-2.0-OpenSSH_9.9\r\n", b"220 mail ESMTP\r\n", b"<html></html>", b"HTTP/1.1\r\n\r\n",
     b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/1.1 99999 OK\r\n\r\n", b"HTTP/1.1 200 OK", b"\x16\x03\x01\x00\x05hello",
     CHUNKED + b"zz\r\n", CHUNKED + b"\r\n", CHUNKED],
)  # fmt: skip
def test_what_is_not_http_is_an_error(server: Server, sent: bytes) -> None:
    server.play(sent)
    with pytest.raises(OutboundError):
        local(server)


def test_what_is_not_tls_is_an_error(server: Server, authority: Authority) -> None:
    server.speaks_first = True
    server.play(b"220 mail.example ESMTP\r\n")
    with pytest.raises(OutboundError, match="does not speak https"):
        public(Internet(server, authority.client()))


def test_a_refused_connection_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(OutboundError, match="could not be reached"):
        http_client.fetch(
            f"https://127.0.0.1:{port}/", largest=1, seconds=2, accept=frozenset({"a/b"}), allow_private=True
        )


@pytest.mark.parametrize("url", ["https://127.0.0.1:{}/", "http://127.0.0.1:{}/", "https://localhost:{}/"])
def test_this_machine_is_not_asked_for_a_stranger(server: Server, url: str) -> None:
    with pytest.raises(ForbiddenDestinationError):
        http_client.fetch(url.format(server.port), largest=1, seconds=1, accept=frozenset({"a/b"}))
    assert server.requests == []
