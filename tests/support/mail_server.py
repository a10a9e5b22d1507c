"""A mail server of a test's own: speaks SMTP on a port, keeps what it gets, and is as unfriendly as it is told."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mailbox:
    """What a server got, and how it behaves."""

    port: int = 0
    context: ssl.SSLContext | None = None
    """Offers STARTTLS with it."""
    login: tuple[str, str] | None = None
    refusals: dict[str, list[str]] = field(default_factory=dict)
    """Answers to the next commands of a kind, in place of the usual ones."""
    raw: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    @property
    def mails(self) -> list[EmailMessage]:
        return [
            message_from_bytes(raw.replace(b"\r\n", b"\n"), policy=policy.default)  # type: ignore[misc]
            for raw in self.raw
        ]

    @property
    def url(self) -> str:
        user = f"{self.login[0]}:{self.login[1]}@" if self.login else ""
        return f"smtp://{user}localhost:{self.port}"


class _Conversation(socketserver.StreamRequestHandler):
    box: Mailbox

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        self.encrypted = self.known = False
        self.say("220 mail.test")
        while line := self.rfile.readline().decode("latin-1").strip():
            word = line.split()[0].upper()
            self.box.commands.append(line)
            if answers := self.box.refusals.get(word):
                self.say(answers.pop(0))
            elif not getattr(self, f"on_{word}", self.unknown)(line):
                break

    def unknown(self, _: str) -> bool:
        self.say("250 OK")
        return True

    def on_EHLO(self, _: str) -> bool:
        offers = ["mail.test", "8BITMIME"]
        if self.box.context and not self.encrypted:
            offers.append("STARTTLS")
        if self.box.login:
            offers.append("AUTH PLAIN")
        self.say("\r\n".join([*(f"250-{one}" for one in offers[:-1]), f"250 {offers[-1]}"]))
        return True

    def on_STARTTLS(self, _: str) -> bool:
        assert self.box.context is not None
        self.say("220 go on")
        try:
            self.request = self.box.context.wrap_socket(self.request, server_side=True)
        except (ssl.SSLError, ConnectionError):
            return False
        self.setup()
        self.encrypted = True
        return True

    def on_AUTH(self, line: str) -> bool:
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        self.known = (user, password) == self.box.login
        self.say("235 welcome" if self.known else "535 no such user")
        return True

    def on_RCPT(self, line: str) -> bool:
        self.box.recipients.append(line.partition("<")[2].partition(">")[0])
        self.say("250 OK")
        return True

    def on_DATA(self, _: str) -> bool:
        if self.box.login and not self.known:
            self.say("530 log in first")
            return True
        self.say("354 go on")
        lines = iter(self.rfile.readline, b".\r\n")
        self.box.raw.append(b"".join(line.removeprefix(b".") for line in lines))
        self.box.encrypted.append(self.encrypted)
        self.say("250 taken")
        return True

    def on_QUIT(self, _: str) -> bool:
        self.say("221 bye")
        return False

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.request.close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def mail_server(**how: object) -> Iterator[Mailbox]:
    """Run a server on a free port of localhost."""
    box = Mailbox(**how)  # type: ignore[arg-type]
    handler = type("Conversation", (_Conversation,), {"box": box})
    with _Server(("127.0.0.1", 0), handler) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
