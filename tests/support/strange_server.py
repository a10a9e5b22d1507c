"""A server on this machine that answers as badly as it is told to, and an internet in which every way leads to it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Sequence

from commentsvc.http_client.client import Network

PUBLIC = "93.184.215.14"
Play = Callable[[socket.socket], None]


class Server:
    """Plays one part after the other to those who connect; a part is what is sent, or does the sending."""

    def __init__(self, *parts: bytes | Play, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        self.names: list[str | None] = []
        self.speaks_first = False
        self.over = threading.Event()
        self._parts = list(parts)
        self._tls = tls
        if tls:
            tls.sni_callback = lambda _sock, name, _context: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def drip(self, before: bytes, each: bytes) -> Play:
        """Send a little every 20 ms, for as long as anybody listens."""

        def play(sock: socket.socket) -> None:
            sock.sendall(before)
            while not self.over.wait(0.02):
                sock.sendall(each)

        return play

    def play(self, *parts: bytes | Play) -> None:
        self._parts.extend(parts)

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                sock, _peer = self._listener.accept()
            except OSError:
                return
            sock.settimeout(5)
            try:
                with self._tls.wrap_socket(sock, server_side=True) if self._tls else sock as sock:
                    self._serve(sock)
            except OSError:
                sock.close()

    def _serve(self, sock: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head and not self.speaks_first:
            received = sock.recv(65536)
            if not received:
                return
            head += received
        self.requests.append(head.decode("latin-1"))
        part = self._parts.pop(0)
        if callable(part):
            part(sock)
        else:
            sock.sendall(part)


class Internet:
    """Names and addresses of a world in which every connection ends at one local server; it keeps count."""

    def __init__(self, server: Server, trust: ssl.SSLContext, **names: Sequence[str]) -> None:
        self.looked_up: list[str] = []
        self.connected: list[tuple[str, int]] = []
        self.names = {name.replace("_", "."): list(answers) for name, answers in names.items()}
        self._server = server
        self.network = Network(resolve=self._resolve, connect=self._connect, tls=lambda: trust)

    def _resolve(self, name: str) -> Sequence[str]:
        self.looked_up.append(name)
        return self.names.get(name, [PUBLIC])

    def _connect(self, address: str, port: int, seconds: float) -> socket.socket:
        self.connected.append((address, port))
        return socket.create_connection(("127.0.0.1", self._server.port), timeout=seconds)
