"""A call of the API: who makes it, and what its path, query, headers and body say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from flask import g, request

from commentsvc import strict_json
from commentsvc.domain.accounts import api_tokens
from commentsvc.errors import NotFoundError
from commentsvc.integrations import signing
from commentsvc.models import ApiToken, Role, Site
from commentsvc.web.api.operations import Operation
from commentsvc.web.api.shapes import ListOf, Shape, ShapeError
from commentsvc.web.context import database, settings
from commentsvc.web.problems import Fault, RefusedCallError

KEY_PATTERN = "[!-~]{1,255}"
"""What an Idempotency-Key may be; most clients put it in quotation marks, which count as part of it."""


@dataclass(frozen=True)
class Call:
    """A call whose shape is valid."""

    operation: Operation
    path: Mapping[str, int]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> ApiToken:
        """The token of a call that needs one."""
        return cast(ApiToken, g.api_token)

    @property
    def maker_id(self) -> int:
        """The account for which the token acts."""
        return self.token.commenter_id

    @property
    def site_id(self) -> int:
        return self.path["site_id"]

    @property
    def site(self) -> Site:
        return database().get_one(Site, self.site_id)

    @property
    def role(self) -> Role:
        """The role with which the token acts; raises NotFoundError if it was taken away a moment ago."""
        role = api_tokens.role_on(database(), self.token, self.site_id)
        if role is None:
            raise NotFoundError
        return role

    def require_owner(self) -> None:
        """Refuse what only owners may do; raises RefusedCallError."""
        if self.role is not Role.OWNER:
            raise RefusedCallError(403, "Only a token of somebody who owns the site may do this.")

    def require_match(self, tag: str) -> None:
        """Refuse a change of another version than the one that the caller has seen; raises RefusedCallError."""
        if not request.headers.get("If-Match", "").strip():
            raise RefusedCallError(428, "Please send the ETag of what you change as If-Match.")
        if not request.if_match.contains(tag):
            raise RefusedCallError(412, "It was changed meanwhile. Please read it again.")

    def idempotency(self) -> tuple[str, str] | None:
        """Return the hashes of the call's Idempotency-Key and of what was sent; None without a key."""
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return None
        if not re.fullmatch(KEY_PATTERN, key, re.ASCII):
            raise RefusedCallError(400, "An Idempotency-Key has 1 to 255 visible characters of ASCII.")
        sent = f"{request.method} {request.path}\n{request.get_data().decode('latin-1')}"
        secret = settings().secret_key
        return signing.keyed_hash(secret, "api key", key), signing.keyed_hash(secret, "api request", sent)


def method() -> str:
    """Return the method by which the current request's operation is declared."""
    return "GET" if request.method == "HEAD" else request.method


def read(operation: Operation, path: Mapping[str, int]) -> Call:
    """Read the current request as a call of an operation; raises RefusedCallError."""
    query = _query(operation)
    return Call(operation, path, query, _body(operation) if operation.body is not None else {})


def _query(operation: Operation) -> dict[str, Any]:
    given = request.args.to_dict(flat=False)
    faults = [Fault(name, "is not a parameter here") for name in given if name not in operation.query]
    values: dict[str, Any] = {}
    for name, shape in operation.query.items():
        try:
            if name in given:
                values[name] = _parameter(shape, name, given[name])
            elif name in operation.required:
                faults.append(Fault(name, "is missing"))
        except ShapeError as error:
            faults += error.faults
    if faults:
        raise RefusedCallError(400, "The query of this address is not valid.", faults=faults)
    return values


def _parameter(shape: Shape, name: str, texts: list[str]) -> Any:
    if isinstance(shape, ListOf):
        return shape.read(texts, name)
    if len(texts) > 1:
        raise ShapeError(Fault(name, "may be given once"))
    return shape.read_text(texts[0], name)


def _body(operation: Operation) -> dict[str, Any]:
    if request.mimetype not in operation.takes:
        raise RefusedCallError(415, f"The body must be {operation.takes[0]}.")
    try:
        value = strict_json.read_utf8(request.get_data())
    except ValueError:
        raise RefusedCallError(400, "The body is not valid JSON.") from None
    try:
        return operation.body.read(value, "") if operation.body else {}
    except ShapeError as error:
        raise RefusedCallError(422, "The body has another shape.", faults=error.faults) from None
