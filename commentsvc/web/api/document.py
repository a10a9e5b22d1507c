"""The OpenAPI 3.1 document, made from the declarations that validate the calls."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from commentsvc.domain.fields import LARGEST_ROW, LARGEST_SITE
from commentsvc.web.api import calls
from commentsvc.web.api.operations import JSON, PREFIX, Operation
from commentsvc.web.api.shapes import ListOf, Record, Shape, Text, Whole, records_in
from commentsvc.web.problems import MEDIA_TYPE

VERSION = "1.0"
DEPRECATION = (
    "Within v1 nothing is removed and no meaning changes; if that is ever needed, v2 comes beside it and v1 goes on "
    "for at least twelve months, with the headers Deprecation (RFC 9745) and Sunset (RFC 8594)."
)
_PART = re.compile(r"<(?:int|site):(\w+)>")
_SECURITY = "token"
_ID = Whole(0, LARGEST_ROW)
_SITE = Whole(0, LARGEST_SITE)
_ERROR = Record("Fault", {"pointer": Text(about="A JSON pointer, or a parameter's name."), "detail": Text()})
PROBLEM = Record(
    "Problem",
    {
        "type": Text(),
        "title": Text(),
        "status": Whole(400, 599),
        "detail": Text(),
        "errors": ListOf(_ERROR),
    },
    frozenset({"errors"}),
    about="Problem details, RFC 9457.",
)


def build(operations: Iterable[Operation], *, server: str) -> dict[str, Any]:
    """Return the document of some operations at `server`, the base URL of the service."""
    paths: dict[str, dict[str, Any]] = {}
    records = records_in(PROBLEM)
    for operation in operations:
        path = PREFIX + _PART.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
        records |= records_in(operation.answer) | records_in(operation.body)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "commentsvc",
            "version": VERSION,
            "description": f"Comments of websites, to read and to moderate. {DEPRECATION} "
            "Any call may also be answered with 500 or 503, as problem details.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": {name: record.definition() for name, record in sorted(records.items())},
            "securitySchemes": {_SECURITY: {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": {
            str(operation.success): _success(operation),
            **({"304": {"description": "It has not changed."}} if operation.is_public else {}),
            **{str(status): _error(status) for status in sorted(operation.errors)},
        },
        "security": [] if operation.is_public else [{_SECURITY: []}],
    }
    if operation.scope is not None:
        described["description"] = f"Needs a token with the scope `{operation.scope}`."
    if operation.body is not None:
        schema = operation.body.schema()
        content = {media_type: {"schema": schema} for media_type in operation.takes}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters = [
        _parameter("path", name, _SITE if kind == "site" else _ID, required=True)
        for kind, name in re.findall(r"<(int|site):(\w+)>", operation.path)
    ]
    parameters += [
        _parameter("query", name, shape, required=name in operation.required)
        for name, shape in operation.query.items()
    ]
    if operation.if_match:
        tag = Text(about="The ETag of what is changed.", pattern='"[!#-~]{1,80}"', longest=82)
        parameters.append(_parameter("header", "If-Match", tag, required=True))
    if operation.idempotent:
        about = "A text of your own: a call that is sent again with it within 24 hours is answered again."
        key = Text(about=about, pattern=calls.KEY_PATTERN, longest=255)
        parameters.append(_parameter("header", "Idempotency-Key", key, required=False))
    return parameters


def _parameter(where: str, name: str, shape: Shape, *, required: bool) -> dict[str, Any]:
    parameter: dict[str, Any] = {"name": name, "in": where, "schema": shape.schema()}
    if required:
        parameter["required"] = True
    if isinstance(shape, ListOf):
        parameter |= {"style": "form", "explode": True}
    return parameter


def _success(operation: Operation) -> dict[str, Any]:
    response: dict[str, Any] = {"description": HTTPStatus(operation.success).phrase}
    if operation.answer is not None:
        response["content"] = {JSON: {"schema": operation.answer.schema()}}
    if operation.files:
        response["content"] = {media_type: {} for media_type in operation.files}
    headers = {}
    if operation.pages:
        headers["Link"] = _header("The next page, as rel=next; missing on the last one.")
    if operation.is_public or operation.has_tag:
        headers["ETag"] = _header("The version of the answer.")
    return response | ({"headers": headers} if headers else {})


def _header(about: str) -> dict[str, Any]:
    return {"description": about, "schema": {"type": "string"}}


def _error(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": PROBLEM.schema()}},
    }
    if status == 401:
        response["headers"] = {"WWW-Authenticate": _header("Bearer")}
    if status == 429:
        response["headers"] = {"Retry-After": _header("Seconds.")}
    return response
