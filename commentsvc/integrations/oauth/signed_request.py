"""Meta's signed requests: a JSON object in base64url, signed with HMAC-SHA256 by the app's secret.

Meta sends one when a person removes the app, and one when they ask for the deletion of their data.
"""

from __future__ import annotations

import base64
import hmac

from commentsvc import strict_json
from commentsvc.errors import InvalidNoticeError
from commentsvc.integrations import claims
from commentsvc.integrations.oauth.id_token import LEEWAY, seconds
from commentsvc.integrations.oauth.received_notice import OLDEST, ReceivedNotice
from commentsvc.models import NoticeKind

ALGORITHM = "HMAC-SHA256"
"""The only algorithm."""
LONGEST = 4000
"""Characters of a request."""


def read(text: str, secret: str, kind: NoticeKind, *, at: float) -> ReceivedNotice:
    """Return the notice in a signed request; `at` is the Unix time. Raises InvalidNoticeError."""
    if len(text) > LONGEST:
        raise InvalidNoticeError("it is too long")
    signature, _, payload = text.partition(".")
    try:
        genuine = hmac.compare_digest(
            _decoded(signature), hmac.digest(secret.encode(), payload.encode(), "sha256")
        )
        if not genuine:
            raise InvalidNoticeError("it is not signed with the app's secret")
        given = strict_json.read_object(_decoded(payload))
        subject = claims.subject(given.get("user_id"))
    except ValueError as error:
        raise InvalidNoticeError("it is not a signed request") from error
    if given.get("algorithm") != ALGORITHM:
        raise InvalidNoticeError("it names another algorithm")
    issued = seconds(given.get("issued_at"))
    if not at - OLDEST < issued < at + LEEWAY:
        raise InvalidNoticeError("it is too old, or from the future")
    return ReceivedNotice(kind, subject, f"{issued:.3f}")


def _decoded(text: str) -> bytes:
    """Decode base64url, with or without padding; raises ValueError."""
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
