"""Signatures of webhooks as Standard Webhooks (standardwebhooks.com) describes them, with a shared secret."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
SIZE = 32
"""Bytes of a new secret; the standard allows 24 to 64."""


def new_secret() -> str:
    """Return a new secret in the form that receivers are configured with."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SIZE)).decode()


def headers(number: str, at: datetime, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """Return the headers of a request; with several `keys` it has a signature by each. `number` has no dots."""
    time = str(int(at.timestamp()))
    signed = f"{number}.{time}.".encode() + body
    signatures = " ".join(f"v1,{_signature(key, signed)}" for key in keys)
    return {"webhook-id": number, "webhook-timestamp": time, "webhook-signature": signatures}


def _signature(key: str, signed: bytes) -> str:
    raw = base64.b64decode(key.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(raw, signed, "sha256")).decode()
