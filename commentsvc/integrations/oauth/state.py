"""What one login must remember between leaving for the provider and coming back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OAuthState:
    """Kept in the browser that began it."""

    provider: str
    state: str
    nonce: str
    verifier: str
    instance: str = ""
