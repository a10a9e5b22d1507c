"""The id of a request: whose it is, and that the error page and the log name the same one."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from commentsvc import create_app, logs
from commentsvc.config import Settings
from commentsvc.serving import server
from commentsvc.serving.access_log import AccessLog
from commentsvc.serving.request_ids import REQUEST_ID, RequestIds
from commentsvc.setting_values import READERS
from tests.conftest import dispose, environment

OWN = re.compile(r"[0-9a-f]{16}")


def failing(settings: Settings) -> Flask:
    """A service whose page about privacy fails."""
    app = create_app(settings)

    def fails() -> str:
        raise ZeroDivisionError("a mistake\nin two lines")

    app.view_functions["privacy.page"] = fails
    return app


@contextmanager
def logged() -> Iterator[StringIO]:
    """What is logged meanwhile, as JSON."""
    handler = logging.StreamHandler(StringIO())
    handler.setFormatter(logs.JsonFormatter())
    logging.getLogger().addHandler(handler)
    try:
        yield handler.stream
    finally:
        logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_the_error_page_and_the_log_name_the_same_request(tmp_path: Path, accept: str) -> None:
    app = failing(Settings.from_env(environment(tmp_path)))
    with logged() as stream:
        answers = [app.test_client().get("/privacy", headers={"Accept": accept}) for _ in range(2)]
    dispose(app)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len({line["request_id"] for line in lines}) == len(lines) == 2
    for answer, line in zip(answers, lines, strict=True):
        assert answer.status_code == 500
        assert OWN.fullmatch(line["request_id"])
        assert f"It has been noted as {line['request_id']};" in answer.text
        assert line["level"] == "ERROR"
        assert "ZeroDivisionError: a mistake" in line["exception"]


def test_text_has_the_number_beside_a_traceback_only() -> None:
    written = logs.TextFormatter("%(levelname)s: %(message)s")
    record = logging.LogRecord("name", logging.ERROR, "", 0, "said", None, None)
    token = logs.request_id.set("0123")
    try:
        assert written.format(record) == "ERROR: said"
        record.exc_info = (ValueError, ValueError("wrong"), None)
        assert written.format(record) == "ERROR: said [0123]\nValueError: wrong"
    finally:
        logs.request_id.reset(token)


def test_only_a_trusted_proxy_names_the_request_and_only_in_plain_letters() -> None:
    trusted = READERS["trusted_proxies"]("10.0.0.0/8, 127.0.0.1")
    for peer, sent, is_believed in (
        ("10.1.2.3", "abc-DEF_1.2", True),
        ("", "abc", True),  # a unix socket, so this machine
        ("::ffff:10.1.2.3", "abc", True),
        ("192.0.2.1", "abc", False),
        ("10.1.2.3", "", False),
        ("10.1.2.3", "a" * 65, False),
        ("10.1.2.3", 'a"b', False),
        ("10.1.2.3", "a\nb", False),
        ("10.1.2.3", "abc\n", False),
        ("10.1.2.3", "<b>", False),
        ("10.1.2.3", "a,b", False),
        ("10.1.2.3", "é", False),
    ):
        environ: dict[str, Any] = {"REMOTE_ADDR": peer, "HTTP_X_REQUEST_ID": sent}
        RequestIds(lambda *_: [], trusted)(environ, lambda *_: None)  # type: ignore[arg-type, return-value]
        assert (environ[REQUEST_ID] == sent) is is_believed, (peer, sent)
        assert is_believed or OWN.fullmatch(environ[REQUEST_ID]), (peer, sent)


def test_a_proxys_id_is_on_the_page(settings: Settings) -> None:
    for trusted, shown in (("127.0.0.1", True), ("10.0.0.0/8", False)):
        app = failing(replace(settings, trusted_proxies=READERS["trusted_proxies"](trusted)))
        answer = app.test_client().get("/privacy", headers={"X-Request-ID": "from-the-proxy"})
        dispose(app)
        assert ("noted as from-the-proxy;" in answer.text) is shown


def test_the_access_log_is_json_on_request() -> None:
    lines: list[str] = []

    def answering(environ: dict[str, Any], start: Any) -> list[bytes]:
        environ[REQUEST_ID] = "0123"
        start("404 NOT FOUND", [])
        return []

    log = AccessLog(answering, write=lines.append, as_json=True)
    path = '/admin/sign-in/secret"\n'
    log({"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "url=private"}, lambda *_: None)
    (line,) = lines
    fields = json.loads(line)
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    assert fields.pop("time") > "2026"
    assert fields.pop("milliseconds") >= 0
    assert fields == {
        "level": "INFO",
        "logger": "access",
        "method": "GET",
        "path": "/admin/sign-in/…",
        "status": 404,
        "request_id": "0123",
    }


def test_the_servers_own_lines_are_json_too() -> None:
    assert server._logging("json")["formatters"]["line"] == {"()": logs.JsonFormatter}
    record = logging.LogRecord("_granian", logging.INFO, "", 0, "Started %s", ("worker",), None)
    fields = json.loads(logs.JsonFormatter().format(record))
    assert (fields["logger"], fields["message"]) == ("_granian", "Started worker")
    assert "request_id" not in fields
