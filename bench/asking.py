"""Sends one request and checks its response, before anything is measured."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import brotli

ENCODING = "br"
"""The `Accept-Encoding` of every measured request."""
PATIENCE = 60.0


class WrongAnswerError(Exception):
    """A service sent a wrong response."""


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    """As received, possibly compressed."""

    @property
    def encoding(self) -> str:
        """The content coding of the body, "" for none."""
        return self.headers.get("content-encoding", "")

    def plain(self) -> str:
        """Return the body as text."""
        match self.encoding:
            case "br":
                return str(brotli.decompress(self.body), "utf-8")
            case "gzip":
                return gzip.decompress(self.body).decode()
            case _:
                return self.body.decode()

    def require(self, status: int, why: str, right: bool = True) -> Answer:
        """Return the response itself; raises WrongAnswerError for another status, or if it is not `right`."""
        if self.status != status or not right:
            raise WrongAnswerError(f"{why}: {self.status}, {self.body[:300]!r}")
        return self


def get(url: str, **headers: str) -> Answer:
    """Request an address with the `Accept-Encoding` of the measurements."""
    return ask("GET", url, headers={"Accept-Encoding": ENCODING} | headers)


def ask(method: str, url: str, *, headers: Mapping[str, str], body: str | None = None) -> Answer:
    """Send one request over its own connection; raises OSError if there is no response."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection.request(
            method, target, body=body.encode() if body is not None else None, headers=dict(headers)
        )
        answer = connection.getresponse()
        results = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, results, answer.read())
    except http.client.HTTPException as error:
        raise ConnectionError(f"{url}: {error!r}") from None
    finally:
        connection.close()


def json_of(answer: Answer) -> Any:
    """Return the content of a JSON response; raises WrongAnswerError for anything else."""
    try:
        return json.loads(answer.plain())
    except ValueError:
        raise WrongAnswerError(f"no JSON: {answer.status}, {answer.body[:300]!r}") from None
