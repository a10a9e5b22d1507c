"""Requests go in with all that they bring; slow senders stop nobody else, and what can wait is answered later."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import pytest

from commentsvc.serving import request_bodies, server
from commentsvc.serving.request_bodies import BODY_LARGEST, BUSY, INCOMPLETE, WAITING, RequestBodyReader
from commentsvc.serving.wsgi_bridge import ABORT, CAN_WAIT, DeferredResponse
from tests.support.processes import PATIENCE

Environ = dict[str, Any]


class Asked:
    """An application that notes what came."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        self.bodies.append(environ["wsgi.input"].read())
        return [b"answer"]


def request(path: str, body: bytes = b"", **more: str) -> Environ:
    length = {"CONTENT_LENGTH": str(len(body))} if body else {}
    return {"PATH_INFO": path, "REQUEST_METHOD": "POST", "wsgi.input": BytesIO(body)} | length | more


class Interrupted(BytesIO):
    """A body that ends when the server ends its connection."""

    def __init__(self) -> None:
        super().__init__(b"half")
        self.ended = threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        assert self.ended.wait(PATIENCE)
        return super().read(size)


class Slow(BytesIO):
    """A body whose sender takes their time."""

    def __init__(self, body: bytes = b"slow") -> None:
        super().__init__(body)
        self.begun, self.rest = threading.Event(), threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        self.begun.set()
        assert self.rest.wait(PATIENCE)
        return super().read(size)


def go_in(app: Asked, environ: Environ) -> None:
    assert list(RequestBodyReader(app)(environ, lambda *_: None)) == [b"answer"]


@pytest.mark.parametrize("path", ["/", "/embed", "/embed/comments", "/thread/comments", "/counts", "/admin"])
def test_an_application_gets_a_body_whole(path: str) -> None:
    app = Asked()
    go_in(app, request(path, b"text=Hello"))
    assert app.bodies == [b"text=Hello"]


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
    assert app.bodies == [sent]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_a_reader_announces_and_never_sends_is_not_waited_for(method: str) -> None:
    app, body = Asked(), Slow()
    go_in(app, request("/embed", CONTENT_LENGTH="10", REQUEST_METHOD=method) | {"wsgi.input": body})
    assert not body.begun.is_set()
    assert app.bodies == [b""]


def test_who_sends_slowly_keeps_nobody_waiting() -> None:
    app = Asked()
    entrance = RequestBodyReader(app)
    body = Slow()
    sender = threading.Thread(
        target=entrance, args=(request("/embed/comments", b"slow") | {"wsgi.input": body}, lambda *_: None)
    )
    sender.start()
    assert body.begun.wait(PATIENCE)
    entrance(request("/embed/comments", b"quick"), lambda *_: None)
    body.rest.set()
    sender.join()
    assert app.bodies == [b"quick", b"slow"]


@pytest.mark.parametrize("path", ["/embed/comments", "/admin/rules", "/login/apple/callback"])
def test_many_who_send_slowly_keep_only_those_waiting_who_send_something(path: str) -> None:
    app = Asked()
    entrance = RequestBodyReader(app)
    bodies = [Slow() for _ in range(WAITING)]
    senders = [
        threading.Thread(
            target=entrance, args=(request(path, b"slow") | {"wsgi.input": body}, lambda *_: None)
        )
        for body in bodies
    ]
    for sender, body in zip(senders, bodies, strict=True):
        sender.start()
        assert body.begun.wait(PATIENCE)
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


def told(environ: Environ, app: Asked) -> tuple[str, bytes]:
    """Return the status and the body of an answer."""
    lines: list[Any] = []
    body = b"".join(RequestBodyReader(app)(environ, lambda *given: lines.extend(given)))
    return lines[0], body


def test_the_connection_of_a_body_that_is_late_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_bodies, "BODY_WITHIN", 0.05)
    app, body = Asked(), Interrupted()
    environ = request("/embed/comments", b"half of it") | {"wsgi.input": body, ABORT: body.ended.set}
    assert told(environ, app) == ("408 Request Timeout", INCOMPLETE.encode())
    assert app.bodies == []


UPLOAD = "/admin/sites/12/import"


class Reading(Asked):
    """An application to which a body is left unread."""

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        assert isinstance(environ["wsgi.input"], Slow | Interrupted)
        return super().__call__(environ, start)


def test_an_upload_is_left_to_its_view_which_has_one_of_the_threads_for_bodies() -> None:
    app = Reading()
    entrance = RequestBodyReader(app)
    bodies = [Slow(b"x" * (BODY_LARGEST + 1)) for _ in range(WAITING)]
    length = {"CONTENT_LENGTH": str(BODY_LARGEST + 1)}
    senders = [
        threading.Thread(
            target=entrance, args=(request(UPLOAD) | length | {"wsgi.input": body}, lambda *_: None)
        )
        for body in bodies
    ]
    for sender, body in zip(senders, bodies, strict=True):
        sender.start()
        assert body.begun.wait(PATIENCE)
    busy = request(UPLOAD) | length | {"wsgi.input": Slow()}
    assert b"".join(entrance(busy, lambda *_: None)) == BUSY.encode()
    for sender, body in zip(senders, bodies, strict=True):
        body.rest.set()
        sender.join()
    assert [len(body) for body in app.bodies] == [BODY_LARGEST + 1] * WAITING


def test_the_connection_of_an_upload_that_is_late_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_bodies, "BODY_WITHIN", 0.05)
    monkeypatch.setattr(request_bodies, "UPLOAD_BYTES_PER_SECOND", 10**9)
    app, body = Reading(), Interrupted()
    length = {"CONTENT_LENGTH": str(BODY_LARGEST + 1)}
    go_in(app, request(UPLOAD) | length | {"wsgi.input": body, ABORT: body.ended.set})
    assert app.bodies == [b"half"]


def test_half_a_body_is_not_taken_for_a_whole_one() -> None:
    app = Asked()
    environ = request("/embed/comments", b"text=Hel") | {"CONTENT_LENGTH": "10"}
    assert told(environ, app)[0] == "408 Request Timeout"
    assert app.bodies == []


def test_a_program_is_refused_with_problem_details() -> None:
    environ = request("/api/v1/sites/1/decisions", b"half") | {"CONTENT_LENGTH": "10"}
    status, body = told(environ, Asked())
    assert status == "408 Request Timeout"
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Request Timeout",
        "status": 408,
        "detail": INCOMPLETE,
    }


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
    answer = RequestBodyReader(app)(environ | PATIENT, lambda *_: None)
    assert isinstance(answer, DeferredResponse)
    assert app.bodies == []
    assert list(answer) == [b"answer"]
    assert len(app.bodies) == 1


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
    entrance = RequestBodyReader(app)
    assert list(entrance(request(path, REQUEST_METHOD=method) | PATIENT, lambda *_: None)) == [b"answer"]
    assert not isinstance(
        entrance(request(path, REQUEST_METHOD=method) | PATIENT, lambda *_: None), DeferredResponse
    )


def test_a_body_is_there_before_somebody_is_answered_later() -> None:
    app, body = Asked(), BytesIO(b"text=Hello")
    sent = request("/embed/comments", b"text=Hello") | PATIENT | {"wsgi.input": body}
    answer = RequestBodyReader(app)(sent, lambda *_: None)
    assert body.read() == b""
    assert list(answer) == [b"answer"]
    assert app.bodies == [b"text=Hello"]


def test_an_empty_body_of_no_length_is_none() -> None:
    app = Asked()
    go_in(app, request("/embed", CONTENT_LENGTH=""))
    assert app.bodies == [b""]
