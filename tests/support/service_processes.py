"""The service as processes of its own, and guests who write and read over HTTP."""

from __future__ import annotations

import http.client
import json
import re
import secrets
import signal
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from commentsvc.config import Settings
from commentsvc.domain import article_urls
from commentsvc.integrations import signing
from tests.conftest import BASE_URL, SECRET, environment
from tests.support import processes
from tests.support.processes import Process

SHOWN = re.compile(rb'id="comment-(\d+)"')


@dataclass(frozen=True)
class Running:
    """A service under way."""

    port: int
    process: Process

    def kill(self) -> None:
        """End it without warning, with every process of its own."""
        self.process.send_to_all(signal.SIGKILL)
        self.process.child.wait(processes.PATIENCE)


@contextmanager
def service(
    settings: Settings, folder: Path, *, workers: int = 1, environ: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """`commentsvc serve` on the database of `settings`, with a data directory of its own: as on another machine."""
    folder.mkdir(exist_ok=True)
    port = processes.free_port()
    variables = environment(folder, COMMENTSVC_DATABASE_URL=settings.database_url) | dict(environ or {})
    arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
    with processes.running(folder / "output", variables, *arguments) as process:
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        yield Running(port, process)


@dataclass(frozen=True)
class Answer:
    """What a post came to."""

    status: int
    body: dict[str, object]

    @property
    def id(self) -> int:
        number = self.body["id"]
        assert isinstance(number, int)
        return number


class Guest:
    """Somebody with a browser that keeps its connection."""

    def __init__(
        self,
        port: int,
        name: str,
        *,
        site_id: int = 1,
        base_url: str = BASE_URL,
        host: str | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """`host` is what the guest takes 127.0.0.1 for; with a `context` by https."""
        self.name, self.site_id, self.base_url = name, site_id, base_url
        self.author_key = secrets.token_urlsafe(24)
        self.headers = {"Host": host} if host else {}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=processes.PATIENCE)
        if context:
            plain = socket.create_connection(("127.0.0.1", port), timeout=processes.PATIENCE)
            self.connection.sock = context.wrap_socket(plain, server_hostname=host)
            self.connection.auto_open = 0

    def post(self, page: str, text: str, *, key: str, parent: int | None = None) -> Answer:
        """Send a comment; raises OSError or HTTPException where no answer comes."""
        form = {
            "url": page,
            "token": self._token(page),
            "key": key,
            "author_key": self.author_key,
            "text": text,
            "name": self.name,
            "email": f"{self.name}@mail.example",
            "parent": str(parent or ""),
        }
        headers = {
            "Origin": self.base_url,
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        status, body = self._ask("POST", "/embed/comments", urlencode(form), headers)
        return Answer(status, json.loads(body) if status == 200 else {"said": body})

    def read(self, page: str) -> tuple[int, list[int]]:
        """Return the status of a thread's page and the comments on it."""
        status, body = self._ask("GET", f"/embed?url={quote(page, safe='')}")
        return status, [int(number) for number in SHOWN.findall(body)]

    def get(self, path: str) -> str:
        """Return the text of an answer that must be a good one."""
        status, body = self._ask("GET", path)
        assert status == 200, (path, status)
        return body.decode()

    def _ask(
        self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        try:
            self.connection.request(method, path, body, self.headers | dict(headers or {}))
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def _token(self, page: str) -> str:
        """A form's, of somebody who has had it for long."""
        key = article_urls.thread_key(article_urls.canonical(page))
        return signing.sign(SECRET, "form", f"again {self.site_id} {key}")
