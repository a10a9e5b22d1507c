"""Requests of readers and writers go in one by one, and only with all that they bring."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from conftest import dispose
from flask import Flask
from floors import is_free

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.web.entrance import BODY_LARGEST, Entrance

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


def go_in(app: Asked, environ: Environ) -> None:
    assert list(Entrance(app)(environ, lambda *_: None)) == [b"answer"]
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


def test_who_sends_slowly_keeps_nobody_waiting() -> None:
    app, begun, rest = Asked(), threading.Event(), threading.Event()

    class Slow(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            begun.set()
            assert rest.wait(10)
            return super().read(size)

    slow = request("/embed/comments", b"slow") | {"wsgi.input": Slow(b"slow")}
    sender = threading.Thread(target=go_in, args=(app, slow))
    sender.start()
    assert begun.wait(10)
    go_in(app, request("/embed/comments", b"quick"))
    rest.set()
    sender.join()
    assert app.bodies == [b"quick", b"slow"]


def test_an_empty_body_of_no_length_is_none() -> None:
    app = Asked()
    go_in(app, request("/embed", CONTENT_LENGTH=""))
    assert (app.free, app.bodies) == ([False], [b""])


def test_a_fault_lets_the_next_in() -> None:
    def faulty(_environ: Environ, _start: Callable[..., Any]) -> Iterable[bytes]:
        raise LookupError

    with pytest.raises(LookupError):
        Entrance(faulty)(request("/embed"), lambda *_: None)
    assert is_free()


def waits(app: Flask) -> bool:
    """Whether its requests wait for each other."""
    inner: Any = app.wsgi_app
    return isinstance(inner, Entrance) or isinstance(getattr(inner, "_app", None), Entrance)


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
