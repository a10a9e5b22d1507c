"""A cache of the discovery documents and keys that login providers publish, for an hour and in this process."""

from __future__ import annotations

import time
from typing import Any

import requests

from commentsvc.integrations.oauth import transport
from commentsvc.integrations.oauth.catalogue import Provider

_KEPT_SECONDS = 3600


class Metadata:
    """A cache of JSON documents by address."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def get(self, url: str, *, kept: float = _KEPT_SECONDS) -> dict[str, Any]:
        """Return a JSON document, fetched at most `kept` seconds ago; raises requests' errors and ValueError."""
        cached = self._kept.get(url)
        if cached and cached[0] > time.monotonic() - kept:
            return cached[1]
        with requests.Session() as session:
            transport.guard(session)
            answer = session.get(url, headers={"Accept": "application/json"}, allow_redirects=False)
            answer.raise_for_status()
            document = answer.json()
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")
        self._kept[url] = (time.monotonic(), document)
        return document

    def forget(self, url: str) -> None:
        """Drop a document that is of no use, so that the next call fetches it again."""
        self._kept.pop(url, None)

    def forget_provider(self, provider: Provider) -> None:
        """Drop all documents of a provider after a failed login, because a wrong one may have been the reason."""
        _, document = self._kept.pop(discovery_url(provider), (0.0, {}))
        self.forget(str(document.get("jwks_uri", "")))
        self.forget(provider.keys_url)


def discovery_url(provider: Provider) -> str:
    """Return the address of a provider's discovery document (OpenID Connect Discovery 1.0, section 4)."""
    return f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
