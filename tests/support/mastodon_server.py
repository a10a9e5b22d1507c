"""A stand-in for servers with Mastodon's API, by https and under several names, and an internet that leads to it.

It answers as Mastodon's documentation says: what a server shows to whom, its limits without a token, its headers.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from commentsvc.http_client.client import Network
from tests.support.certificates import Authority
from tests.support.comment_builders import NOON
from tests.support.strange_server import PUBLIC

DOMAIN = "servers.example"
HOST, OTHER_HOST = f"social.{DOMAIN}", f"other.{DOMAIN}"
POST = f"https://{HOST}/@blog/1"
"""The post that announces an article."""
_MOST_WITHOUT_TOKEN, _DEEPEST_WITHOUT_TOKEN = 60, 20


@dataclass(frozen=True)
class RawAnswer:
    """An answer that replaces the stand-in's own."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class MastodonServer:
    """What all servers know; every request is recorded as host and path."""

    def __init__(self, port: int, authority: Authority) -> None:
        self.requests: list[str] = []
        self.headers_of_requests: list[Mapping[str, str]] = []
        self.statuses: dict[str, dict[str, Any]] = {}
        """By id, on the server HOST."""
        self.raw: dict[str, RawAnswer] = {}
        """By path."""
        self.token = ""
        """With one, HOST answers nobody else."""
        self.headers: dict[str, str] = {}
        """Sent with each list of answers."""
        self.network = Network(
            resolve=lambda name: [PUBLIC] if name.endswith(f".{DOMAIN}") else [],
            connect=lambda _address, _port, seconds: socket.create_connection(("127.0.0.1", port), seconds),
            tls=authority.client,
        )
        self.write("1", author="blog", content="<p>A new article</p>", favourites_count=12, reblogs_count=3)

    def write(
        self, number: str, *, to: str | None = None, author: str = "anna", host: str = HOST, **more: Any
    ) -> dict[str, Any]:
        """Add a public post, perhaps an answer to the post `to`; `more` replaces members of it or of its `account`."""
        account = {
            "id": author,
            "acct": author if host == HOST else f"{author}@{host}",
            "display_name": author.title(),
            "url": f"https://{host}/@{author}",
            "avatar_static": f"https://{host}/avatars/{author}.png",
            "bot": False,
            "noindex": False,
            "emojis": [],
            **more.pop("account", {}),
        }
        status = {
            "id": number,
            "uri": f"https://{host}/users/{author}/statuses/{number}",
            "url": f"https://{host}/@{author}/{number}",
            "created_at": (NOON + timedelta(seconds=int(number))).isoformat().replace("+00:00", ".000Z"),
            "edited_at": None,
            "in_reply_to_id": to,
            "visibility": "public",
            "sensitive": False,
            "spoiler_text": "",
            "language": "en",
            "content": f"<p>Answer number {number}</p>",
            "reblog": None,
            "media_attachments": [],
            "emojis": [],
            "favourites_count": 0,
            "reblogs_count": 0,
            **more,
            "account": account,
        }
        self.statuses[number] = status
        return status

    def answer(self, host: str, path: str, headers: Mapping[str, str]) -> RawAnswer:
        """Answer a request as the server `host`."""
        if path in self.raw:
            return self.raw[path]
        if not path.startswith("/api/"):
            uri = f"https://{host}{path}"
            known = any(status["uri"] == uri for status in self.statuses.values())
            body = json.dumps({"id": uri, "type": "Note"}).encode()
            return RawAnswer(200, body, "application/activity+json") if known else RawAnswer(404)
        has_token = headers.get("authorization") == f"Bearer {self.token}" and self.token != ""
        if self.token and not has_token:
            return _error(401, "This method requires an authenticated user")
        number, _, part = path.removeprefix("/api/v1/statuses/").partition("/")
        status = self.statuses.get(number)
        if status is None or host != HOST:
            return _error(404, "Record not found")
        if part == "context":
            descendants = list(self._below(number, 1, has_token))
            if not has_token:
                del descendants[_MOST_WITHOUT_TOKEN:]
            body = json.dumps({"ancestors": [], "descendants": descendants}).encode()
            return RawAnswer(200, body, headers=self.headers)
        return RawAnswer(200, json.dumps(status).encode())

    def _below(self, number: str, depth: int, has_token: bool) -> Iterator[dict[str, Any]]:
        if depth > _DEEPEST_WITHOUT_TOKEN and not has_token:
            return
        for status in list(self.statuses.values()):
            if status["in_reply_to_id"] == number:
                yield status
                yield from self._below(status["id"], depth + 1, has_token)


def _error(status: int, message: str) -> RawAnswer:
    return RawAnswer(status, json.dumps({"error": message}).encode())


@contextmanager
def mastodon_server(folder: Path) -> Iterator[MastodonServer]:
    """Run the stand-in on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = self.headers["Host"]
            headers = {name.lower(): value for name, value in self.headers.items()}
            servers.requests.append(f"{host}{self.path}")
            servers.headers_of_requests.append(headers)
            answer = servers.answer(host, self.path, headers)
            sent = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
            try:
                self.send_response(answer.status)
                for name, value in {**sent, **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)
            except OSError:  # the reader had enough
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Write no log."""

    authority = Authority()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tls = authority.server(f"*.{DOMAIN}", folder)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    servers = MastodonServer(server.server_port, authority)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield servers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def time_of(status: Mapping[str, Any]) -> datetime:
    """Return when a post of the stand-in was written."""
    return datetime.fromisoformat(status["created_at"])
