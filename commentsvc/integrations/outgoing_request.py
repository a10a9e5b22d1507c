"""A request to an endpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """What is sent where; `repr` shows neither the URL nor the headers, which may be secrets."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: str = "POST"


def json_request(
    url: str, body: Any, *, token: str = "", method: str = "POST", **headers: str
) -> OutgoingRequest:
    """Return a request with a JSON body; `token` becomes a bearer token."""
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return OutgoingRequest(
        url,
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        {"Content-Type": "application/json", **bearer, **named},
        method,
    )
