"""The state of one login, from leaving for the provider until coming back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OAuthState:
    """Stored in the browser that began the login."""

    provider: str
    state: str
    nonce: str
    verifier: str
    instance: str = ""
