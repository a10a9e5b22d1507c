"""How providers are asked: Authlib's requests, sent by the guarded way out, under one deadline and never redirected.

An operator names the providers, so that they may be on this machine or a private network; what they send may
still be without end.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter

from commentsvc.errors import OutboundError
from commentsvc.http_client import client

SECONDS = 8.0
"""How long a provider may take for one answer."""
LARGEST = 1024 * 1024
"""Bytes of one answer."""
_KINDS = frozenset({"application/", "text/"})
_OURS = frozenset({"user-agent", "accept-encoding", "connection", "host"})


class GuardedAdapter(BaseAdapter):
    """Sends one request through `outbound.fetch`; raises requests' ConnectionError where nothing good comes."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return the whole answer, read."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = {name: str(value) for name, value in request.headers.items() if name.lower() not in _OURS}
        try:
            result = client.fetch(
                str(request.url),
                method=str(request.method),
                headers=headers,
                data=body,
                largest=LARGEST,
                seconds=SECONDS,
                accept=_KINDS,
                redirects=0,
                allow_private=True,
            )
        except OutboundError as error:
            raise requests.ConnectionError(str(error), request=request) from error
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = result.status, result.url, request
        answer.headers["Content-Type"] = result.content_type
        answer.raw = BytesIO(result.body)
        return answer

    def close(self) -> None:
        """Do nothing: no connection outlives its answer."""


def guard(session: requests.Session) -> None:
    """Let a session ask by this way alone, and learn nothing from the environment."""
    session.trust_env = False
    session.adapters.clear()
    for scheme in ("https://", "http://"):
        session.mount(scheme, GuardedAdapter())
