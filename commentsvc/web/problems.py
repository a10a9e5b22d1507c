"""Errors of the API as problem details, RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, json, request

from commentsvc.errors import CommentsvcError

MEDIA_TYPE = "application/problem+json"
_PREFIX = "/api/"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one part of a request."""

    pointer: str
    """The JSON pointer of a member of the body, or the name of a parameter."""
    detail: str


class RefusedCallError(CommentsvcError):
    """A call of the API is refused with an HTTP status, headers, and the faults of its parts."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status, self.faults, self.headers = status, tuple(faults), dict(headers or {})
        super().__init__(detail)


def is_asked_for() -> bool:
    """Whether the current request is for the API, which answers every error as problem details."""
    return request.path.startswith(_PREFIX)


def faults_of_fields(fields: Mapping[str, str]) -> list[Fault]:
    """Return the faults that the validator found, which names fields as the API does."""
    return [Fault(f"/{name}", message) for name, message in fields.items()]


def answer(status: int, detail: str, faults: Sequence[Fault] = ()) -> Response:
    """Return the response to an error."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if faults:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults]
    return Response(json.dumps(body), status, mimetype=MEDIA_TYPE)
