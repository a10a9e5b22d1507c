"""Notices as login providers send them, signed as theirs are, or in any way that a test wants."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import BASE_URL
from tests.support.provider_fakes import CLIENT_ID, CLIENT_SECRET, Apple, changed

ADA_AT_FACEBOOK = "10158354585751622"
NOBODY_AT_FACEBOOK = "10158354585751699"
ADA_AT_APPLE = "248289761001"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed_request(secret: str = CLIENT_SECRET, *, digest: str = "sha256", **changes: Any) -> str:
    """Return Meta's signed request about Ada; None takes a value away."""
    usual = {"algorithm": "HMAC-SHA256", "issued_at": int(time.time()), "user_id": ADA_AT_FACEBOOK}
    payload = base64url(json.dumps(changed(usual, changes)).encode())
    return f"{base64url(hmac.digest(secret.encode(), payload.encode(), digest))}.{payload}"


def apple_token(vendor: Apple, kind: str = "consent-revoked", **changes: Any) -> str:
    """Return Apple's token about Ada, signed with the key that the vendor signs with."""
    now = int(time.time())
    event = {"type": kind, "sub": ADA_AT_APPLE, "event_time": now * 1000}
    usual = {
        "iss": vendor.issuer,
        "aud": CLIENT_ID,
        "iat": now,
        "exp": now + 86_400,
        "jti": secrets.token_urlsafe(16),
        "events": json.dumps(event),
    }
    return vendor.signed(changed(usual, changes))


def send_meta(app: Flask, what: str, text: str) -> TestResponse:
    """Send a signed request as Meta does: from a server, without cookies and Origin."""
    return app.test_client().post(f"/login/facebook/{what}", base_url=BASE_URL, data={"signed_request": text})


def send_apple(app: Flask, token: object) -> TestResponse:
    """Send a token as Apple does."""
    return app.test_client().post("/login/apple/notices", base_url=BASE_URL, json={"payload": token})
