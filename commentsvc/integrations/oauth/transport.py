"""Sends Authlib's requests to providers through the guarded client, with one deadline and without redirects.

The operator chooses the providers, so they may be on this machine or in a private network; their responses are still
limited in size.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter

from commentsvc.errors import OutboundError
from commentsvc.http_client import client

SECONDS = 8.0
"""Timeout for one response."""
LARGEST = 1024 * 1024
"""Bytes of one response."""
_KINDS = frozenset({"application/", "text/"})
_OURS = frozenset({"user-agent", "accept-encoding", "connection", "host"})


class GuardedAdapter(BaseAdapter):
    """Sends requests through `client.fetch`; raises requests' ConnectionError if there is no usable response."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return the response with its whole body."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = {name: str(value) for name, value in request.headers.items() if name.lower() not in _OURS}
        try:
            fetched = client.fetch(
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
        answer.status_code, answer.url, answer.request = fetched.status, fetched.url, request
        answer.headers["Content-Type"] = fetched.content_type
        answer.headers["Date"] = fetched.headers.get("date", "")
        answer.raw = BytesIO(fetched.body)
        return answer

    def close(self) -> None:
        """Do nothing: no connection outlives its response."""


def guard(session: requests.Session) -> None:
    """Make a session use only this adapter, and ignore proxies and credentials in the environment."""
    session.trust_env = False
    session.adapters.clear()
    for scheme in ("https://", "http://"):
        session.mount(scheme, GuardedAdapter())
