"""The answers of the API."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import api_answers
from commentsvc.web.api.calls import Call
from commentsvc.web.context import now, settings, writing

PUBLIC_SECONDS = 60
"""How long anybody may keep a public answer."""


def answer(
    body: Mapping[str, Any], *, status: int = 200, next_after: object = None, tag: str = ""
) -> Response:
    """Return a JSON answer. `next_after` is the cursor of the next page; `tag` what If-Match must say."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    response = Response(text, status, mimetype="application/json")
    if next_after is not None:
        response.headers["Link"] = f'<{_here(after=str(next_after))}>; rel="next"'
    if tag:
        response.set_etag(tag)
    return response


def public(body: Mapping[str, Any], *, next_after: object = None) -> Response:
    """Return an answer that is the same for everybody: with a tag, so that asking again costs nothing."""
    response = answer(body, next_after=next_after)
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:24])
    response.headers["Cache-Control"] = f"public, max-age={PUBLIC_SECONDS}"
    response.make_conditional(request)
    return response


def once(call: Call, change: Callable[[Session], Mapping[str, Any]]) -> Response:
    """Make a change in one transaction and answer with what it returns; a call that was made before changes nothing.

    What it returns must have no personal data: it is stored for a day, if the call has an Idempotency-Key.
    """
    key = call.idempotency()
    with writing() as session:
        if key is None:
            return answer(change(session), status=call.operation.success)
        row = api_answers.claim(session, call.token.id, key_hash=key[0], request_hash=key[1], at=now())
        if not row.status:
            row.body, row.status = dict(change(session)), call.operation.success
        return answer(row.body, status=row.status)


def tag_of(*parts: object) -> str:
    """Return the tag of something from everything that a change of it would change."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def moment(at: datetime | None) -> str | None:
    """Return a time in UTC, RFC 3339."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def _here(**changed: str) -> str:
    """Return the address of this request with other parameters."""
    given = request.args.to_dict(flat=False) | (request.view_args or {}) | changed
    return settings().origin + url_for(request.endpoint or "", **given)
