"""Requests of readers and writers go in one by one, with all that they bring; slow senders stop nobody else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.serving import server
from commentsvc.serving.request_bodies import BODY_LARGEST, BUSY, WAITING, RequestBodyReader
from commentsvc.serving.wsgi_bridge import CAN_WAIT, DeferredResponse
from tests.conftest import dispose
from tests.support.compute_lock_thread import LATE, is_free

Environ = dict[str, Any]


class Asked:
    """An application that notes whether somebody else could go on meanwhile, and what came."""

    def __init__(self) -> None:
        self.free: list[bool] = []
        self.bodies: list[bytes] = []

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        self.free.append(is_free())
        self.bodies.append(environ["wsgi.input"].read())
        return [b"answer"]


def request(path: str, body: bytes = b"", **more: str) -> Environ:
    length = {"CONTENT_LENGTH": str(len(body))} if body else {}
    return {"PATH_INFO": path, "REQUEST_METHOD": "POST", "wsgi.input": BytesIO(body)} | length | more


class Slow(BytesIO):
    """A body whose sender takes their time."""

    def __init__(self, body: bytes = b"slow") -> None:
        super().__init__(body)
        self.begun, self.rest = threading.Event(), threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        self.begun.set()
        assert self.rest.wait(LATE)
        return super().read(size)


def go_in(app: Asked, environ: Environ, *, one_by_one: bool = True) -> None:
    assert list(RequestBodyReader(app, one_by_one=one_by_one)(environ, lambda *_: None)) == [b"answer"]
    assert is_free()


@pytest.mark.parametrize(
    "path", ["/embed", "/embed/comments", "/embed/own", "/thread", "/thread/comments", "/counts"]
)
def test_who_reads_or_writes_goes_in_alone(path: str) -> None:
    app = Asked()
    go_in(app, request(path, b"text=Hello"))
    assert (app.free, app.bodies) == ([False], [b"text=Hello"])


@pytest.mark.parametrize("path", ["/", "/admin", "/login/wordpress", "/account", "/health", "/static/embed"])
def test_others_keep_nobody_waiting(path: str) -> None:
    app = Asked()
    go_in(app, request(path, b"a=b"))
    assert (app.free, app.bodies) == ([True], [b"a=b"])


@pytest.mark.parametrize(
    "environ",
    [
        request("/embed/comments", b"x" * (BODY_LARGEST + 1)),
        request("/embed/comments", b"x", HTTP_TRANSFER_ENCODING="chunked"),
        request("/embed/comments", b"x", CONTENT_LENGTH="-1"),
        request("/embed/comments", b"x", CONTENT_LENGTH="many"),
        request("/embed/comments", b"x", CONTENT_LENGTH="9" * 5000),
    ],
    ids=["large", "chunked", "negative", "no-number", "endless-number"],
)
def test_a_body_that_may_come_slowly_is_left_to_the_application(environ: Environ) -> None:
    app = Asked()
    sent = environ["wsgi.input"].getvalue()
    go_in(app, environ)
    assert (app.free, app.bodies) == ([True], [sent])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_a_reader_announces_and_never_sends_is_not_waited_for(method: str) -> None:
    app, body = Asked(), Slow()
    go_in(app, request("/embed", CONTENT_LENGTH="10", REQUEST_METHOD=method) | {"wsgi.input": body})
    assert not body.begun.is_set()
    assert app.bodies == [b""]


def test_who_sends_slowly_keeps_nobody_waiting() -> None:
    app = Asked()
    entrance = RequestBodyReader(app, one_by_one=True)
    body = Slow()
    sender = threading.Thread(
        target=entrance, args=(request("/embed/comments", b"slow") | {"wsgi.input": body}, lambda *_: None)
    )
    sender.start()
    assert body.begun.wait(LATE)
    entrance(request("/embed/comments", b"quick"), lambda *_: None)
    body.rest.set()
    sender.join()
    assert app.bodies == [b"quick", b"slow"]


@pytest.mark.parametrize("path", ["/embed/comments", "/admin/rules", "/login/apple/callback"])
def test_many_who_send_slowly_keep_only_those_waiting_who_send_something(path: str) -> None:
    app = Asked()
    entrance = RequestBodyReader(app, one_by_one=True)
    bodies = [Slow() for _ in range(WAITING)]
    senders = [
        threading.Thread(
            target=entrance, args=(request(path, b"slow") | {"wsgi.input": body}, lambda *_: None)
        )
        for body in bodies
    ]
    for sender, body in zip(senders, bodies, strict=True):
        sender.start()
        assert body.begun.wait(LATE)
    answers = [refusal(entrance, accept) for accept in ("application/json", "text/html")]
    entrance(request("/embed", REQUEST_METHOD="GET"), lambda *_: None)
    assert app.bodies == [b""]  # a reader is let in
    assert [json.loads(answers[0])["message"].encode(), BUSY.encode()] == [answers[1]] * 2
    for sender, body in zip(senders, bodies, strict=True):
        body.rest.set()
        sender.join()
    entrance(request("/embed/comments", b"quick"), lambda *_: None)
    assert app.bodies[1:] == [b"slow", b"slow", b"quick"]


def refusal(entrance: RequestBodyReader, accept: str) -> bytes:
    """What somebody is told who sends something and is not waited for."""
    told: list[Any] = []
    sent = request("/embed/comments", b"quick", HTTP_ACCEPT=accept)
    answer = b"".join(entrance(sent, lambda *given: told.extend(given)))
    status, headers = told
    assert status.startswith("503")
    assert dict(headers)["Retry-After"] == "1"
    assert int(dict(headers)["Content-Length"]) == len(answer)
    return answer


def test_a_process_has_threads_for_those_who_send_nothing() -> None:
    # On a machine with a single processor it has three.
    assert min(server.THREADS, 2 * 1 + 1) > WAITING


PATIENT = {CAN_WAIT: True}
"""What a server says that has other threads for what can wait."""


@pytest.mark.parametrize(
    "environ",
    [
        request("/embed/comments", b"text=Hello"),
        request("/counts", b"a=b"),
        request("/admin/", REQUEST_METHOD="GET"),
        request("/login/github/callback", REQUEST_METHOD="GET"),
        request("/account", b"a=b"),
    ],
    ids=["comment", "counts", "admin", "login", "account"],
)
def test_who_can_wait_is_answered_later(environ: Environ) -> None:
    app = Asked()
    answer = RequestBodyReader(app, one_by_one=True)(environ | PATIENT, lambda *_: None)
    assert isinstance(answer, DeferredResponse)
    assert app.free == []
    assert list(answer) == [b"answer"]
    assert len(app.free) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/embed",
        "/embed.js",
        "/embed/own",
        "/thread",
        "/counts",
        "/static/x.css",
        "/comment/1",
        "/picture/1/a",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_reads_is_answered_at_once(path: str, method: str) -> None:
    app = Asked()
    entrance = RequestBodyReader(app, one_by_one=True)
    assert list(entrance(request(path, REQUEST_METHOD=method) | PATIENT, lambda *_: None)) == [b"answer"]
    assert not isinstance(
        entrance(request(path, REQUEST_METHOD=method) | PATIENT, lambda *_: None), DeferredResponse
    )


def test_a_body_is_there_before_somebody_is_answered_later() -> None:
    app, body = Asked(), BytesIO(b"text=Hello")
    sent = request("/embed/comments", b"text=Hello") | PATIENT | {"wsgi.input": body}
    answer = RequestBodyReader(app, one_by_one=True)(sent, lambda *_: None)
    assert body.read() == b""
    assert list(answer) == [b"answer"]
    assert app.bodies == [b"text=Hello"]


def test_an_empty_body_of_no_length_is_none() -> None:
    app = Asked()
    go_in(app, request("/embed", CONTENT_LENGTH=""))
    assert (app.free, app.bodies) == ([False], [b""])


def test_a_fault_lets_the_next_in() -> None:
    def faulty(_environ: Environ, _start: Callable[..., Any]) -> Iterable[bytes]:
        raise LookupError

    with pytest.raises(LookupError):
        RequestBodyReader(faulty, one_by_one=True)(request("/embed"), lambda *_: None)
    assert is_free()


def waits(app: Flask) -> bool:
    """Whether its requests wait for each other."""
    inner: Any = app.wsgi_app
    entrance = inner if isinstance(inner, RequestBodyReader) else inner._app
    assert isinstance(entrance, RequestBodyReader)
    return entrance._one_by_one


@pytest.mark.parametrize("cache_mb", [0, 8])
def test_where_everything_is_in_one_file_requests_wait_for_each_other(
    settings: Settings, cache_mb: int
) -> None:
    app = create_app(replace(settings, cache_mb=cache_mb))
    assert waits(app)
    dispose(app)


@pytest.mark.parametrize(
    "elsewhere",
    [{"database_url": "postgresql+psycopg://nobody@127.0.0.1/none"}, {"redis_url": "redis://127.0.0.1:1/0"}],
    ids=["postgresql", "redis"],
)
def test_where_servers_are_asked_they_do_not(settings: Settings, elsewhere: dict[str, str]) -> None:
    app = create_app(replace(settings, **elsewhere))  # type: ignore[arg-type]
    assert not waits(app)
    dispose(app)
