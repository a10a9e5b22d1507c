"""What an operation of the API is: everything that validates its calls and stands in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Response

from commentsvc.models import TokenScope
from commentsvc.web.api.shapes import Record, Shape

PREFIX = "/api/v1"
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    name: str
    """Its name in the document and in the URL map."""
    method: str
    path: str
    """Below `PREFIX`, as in Flask's rules; a number in it is an id."""
    summary: str
    view: Callable[..., Response]
    """Answers a `Call`."""
    answer: Record | None = None
    """The body of the answer; None if there is none, or if it is a file of one of `files`."""
    scope: TokenScope | None = None
    """The scope that a token needs; None: everybody may call it."""
    query: Mapping[str, Shape] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    """The parameters of the query that are required."""
    body: Record | None = None
    success: int = 200
    raises: frozenset[int] = frozenset()
    """The statuses of errors that the view raises, in addition to those that `errors` adds."""
    if_match: bool = False
    """Whether the call names the version that it changes."""
    idempotent: bool = False
    """Whether the call may have an Idempotency-Key."""
    pages: bool = False
    """Whether the answer is a page of a longer list, with a Link to the next one."""
    has_tag: bool = False
    """Whether the answer has the ETag that a change needs; public ones have one anyway."""
    files: tuple[str, ...] = ()
    """The media types of an answer that is a file."""

    @property
    def is_public(self) -> bool:
        return self.scope is None

    @property
    def errors(self) -> frozenset[int]:
        """The statuses of all errors that a call can be answered with, but for faults of the service itself."""
        errors = {400, 429, *self.raises}  # an unknown parameter is refused everywhere
        if not self.is_public:
            errors |= {401, 403}
        if "<" in self.path:
            errors |= {404}
        if self.body is not None:
            errors |= {413, 415, 422}
        if self.if_match:
            errors |= {412, 428}
        return frozenset(errors)

    @property
    def takes(self) -> tuple[str, ...]:
        """The media types of the body."""
        return (MERGE_PATCH, JSON) if self.method == "PATCH" else (JSON,)
