"""What a call may look like: every fault is answered as problem details, with a status that the document declares."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write
from commentsvc.integrations.rate_limits import Limiter
from commentsvc.models import Action, TokenScope
from commentsvc.serving.request_bodies import BODY_LARGEST
from commentsvc.web.api import surface
from commentsvc.web.api.operations import Operation
from commentsvc.web.context import services_of
from tests.conftest import BLOG
from tests.support.api_client import ApiSite, Program, program
from tests.web.api.conftest import LIMITS
from tests.web.api.test_tokens import BODIES, query_of

MALFORMED = {
    "nothing": b"",
    "no JSON": b"{",
    "a name twice": b'{"text": "a", "text": "b"}',
    "a name twice, deep inside": b'{"text": "a", "more": [{"a": 1, "a": 2}]}',
    "not a number": b'{"text": "a", "more": NaN}',
    "infinity": b'{"text": "a", "more": -Infinity}',
    "infinity in digits": b'{"text": "a", "more": 1e999}',
    "thousands of digits": b'{"text": "a", "more": ' + b"9" * 9000 + b"}",
    "half a surrogate pair": rb'{"text": "\ud800"}',
    "half a surrogate pair as a name": rb'{"text": "a", "\udfff": 1}',
    "not UTF-8": b'{"text": "\xff"}',
    "a byte order mark": b'\xef\xbb\xbf{"text": "a"}',
    "nested 100,000 deep": b'{"text": "a", "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}
MISSHAPEN: list[Any] = [
    [], "text", 7, None, {}, {"text": 7}, {"text": None}, {"text": ["a"]}, {"text": "a", "approve": "yes"},
    {"text": "x" * 100_001}, {"text": ""}, {"text": " \n\x00"}, {"text": "x" * 30_000},
]  # fmt: skip
"""Replies that are JSON, but that the shape or the validator refuses."""
CONFLICTS: dict[str, Any] = {"reply": {"text": "On Blog: again"}, "delete_comment": None, "undo": None}
"""What is refused with 409: a reply that was sent before, deleting an approved comment, undoing too much."""
QUERIES = [
    "limit=0", "limit=201", "limit=-1", "limit=1e1", "limit=NaN", "limit=", "limit=" + "9" * 30, "limit=1&limit=2",
    "after=x", "after=0", "after=" + "9" * 19, "since=2026-13-01", "since=20260101", "status=king", "kind=x",
    "thread=x", "q=", "q=" + "x" * 201, "Limit=1", "unknown=1", "%ff=1", "limit=%00", "status=%ed%a0%80",
]  # fmt: skip


def is_problem(answer: TestResponse, status: int) -> bool:
    """Whether an answer is a problem of this status, with a sentence."""
    assert answer.mimetype == "application/problem+json", answer.text
    assert answer.json is not None
    assert answer.json["status"] == answer.status_code
    assert answer.json["title"]
    assert answer.json["detail"].endswith((".", "…", "!")) or answer.status_code == 422, answer.json
    return answer.status_code == status


def test_no_body_is_read_in_two_ways(blog: ApiSite, robot: Program) -> None:
    path = f"/sites/{blog.id}/comments/{blog.approved}/replies"
    for name, data in MALFORMED.items():
        assert is_problem(robot.call("POST", path, data=data), 400), name
    for body in MISSHAPEN:
        answer = robot.call("POST", path, data=json.dumps(body).encode())
        assert is_problem(answer, 422), body
        assert answer.json is not None
        assert answer.json["errors"], body
    answer = robot.call("POST", path, {"text": "Known", "unknown": {"deep": [1]}})
    assert answer.status_code == 201  # what a newer client sends is ignored


def test_faults_name_their_place(blog: ApiSite, robot: Program) -> None:
    wrong = {"comments": ["1", 2, "x"], "seen_status": "king"}
    answer = robot.call("POST", f"/sites/{blog.id}/decisions", wrong)
    assert answer.json is not None
    places = [fault["pointer"] for fault in answer.json["errors"]]
    assert places == ["/comments/1", "/status", "/seen_status"]
    answer = robot.call("POST", f"/sites/{blog.id}/bans", {**BODIES["add_ban"], "value": "no domain"})
    assert answer.json is not None
    assert [fault["pointer"] for fault in answer.json["errors"]] == ["/value"]


def test_no_query_is_guessed(blog: ApiSite, robot: Program) -> None:
    for query in QUERIES:
        assert is_problem(robot.call("GET", f"/sites/{blog.id}/comments?{query}"), 400), query
    for path in (
        f"/sites/{10**12}/comments",
        "/sites/x/comments",
        "/sites/-1/comments",
        "/comments/%00",
        "/x",
    ):
        assert is_problem(robot.call("GET", path), 404), path
    assert is_problem(robot.call("PUT", "/sites"), 405)
    assert robot.call("PUT", "/sites").headers["Allow"]
    for key in ("", "é", "x" * 256, "a b"):
        path = f"/sites/{blog.id}/decisions"
        assert is_problem(robot.call("POST", path, BODIES["decide"], Idempotency_Key=key), 400), key


def provocations(
    app: Flask, session: Session, blog: ApiSite, robot: Program, operation: Operation
) -> Iterator[tuple[int, Callable[[], TestResponse]]]:
    """Yield a call for each status that an operation declares, but for 429."""
    method, body = operation.method, BODIES.get(operation.name)
    path = blog.path(operation) + query_of(operation)
    yield 400, lambda: robot.call(method, f"{path.partition('?')[0]}?x=1", body)
    if operation.scope is not None:
        lacking = program(app, session, blog, scopes=set(TokenScope) - {operation.scope})
        yield 401, lambda: Program(app).call(method, path, body)
        yield 403, lambda: lacking.call(method, path, body)
    if 404 in operation.errors:
        yield 404, lambda: robot.call(method, absent(blog, operation), body)
    if operation.name in CONFLICTS:
        what = CONFLICTS[operation.name]
        yield 409, lambda: robot.call(method, path, what)
    if operation.body is not None:
        yield 413, lambda: robot.call(method, path, data=b'"' + b"x" * BODY_LARGEST + b'"')
        yield 415, lambda: robot.call(method, path, data=b"{}", content_type="text/plain")
        yield 422, lambda: robot.call(method, path, [])
    if operation.if_match:
        yield 412, lambda: robot.call(method, path, body, If_Match='"other"')
        yield 428, lambda: robot.call(method, path, body)


def absent(blog: ApiSite, operation: Operation) -> str:
    """Return the address of something that does not exist."""
    if "_id>" not in operation.path:
        name = "url" if operation.name == "find_thread" else "site"
        return f"{blog.path(operation)}?{name}=https://unknown.example"
    nothing = 2**31 - 1
    return blog.path(operation, **dict.fromkeys(blog.ids, nothing)) + query_of(operation)


def test_each_declared_status_is_raised_and_no_other(
    app: Flask, session: Session, blog: ApiSite, robot: Program
) -> None:
    path = f"/sites/{blog.id}/comments/{blog.approved}/replies"
    assert robot.call("POST", path, {"text": "On Blog: again"}).status_code == 201
    raised: dict[str, set[int]] = {operation.name: set() for operation in surface.OPERATIONS}
    begin_write(session)
    action = session.get_one(Action, blog.action)
    action.facts = {**action.facts, "comments": 10**6}  # more than a call undoes
    session.commit()
    for operation in surface.OPERATIONS:
        for status, provoke in provocations(app, session, blog, robot, operation):
            assert is_problem(provoke(), status), (operation.name, status)
            raised[operation.name].add(status)
    for name in LIMITS:
        services_of(app).limiters[name] = Limiter("1/hour", name=name)
        services_of(app).limiters[name].count("1")
    for operation in surface.OPERATIONS:
        for _ in range(2):
            answer = robot.call(operation.method, blog.path(operation), BODIES.get(operation.name))
        assert is_problem(answer, 429), operation.name
        assert int(answer.headers["Retry-After"]) > 0
        raised[operation.name].add(429)
    assert raised == {operation.name: set(operation.errors) for operation in surface.OPERATIONS}


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_browser_gets_problem_details_too(anybody: Program, accept: str) -> None:
    assert is_problem(anybody.call("GET", f"/comments?site={BLOG}&limit=x", Accept=accept), 400)
