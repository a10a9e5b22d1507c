"""Apple's server-to-server notices: tokens signed with the keys that also sign its ID tokens."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from commentsvc import strict_json
from commentsvc.errors import InvalidNoticeError, ProviderError, ProviderUnavailableError
from commentsvc.integrations import claims
from commentsvc.integrations.oauth import id_token
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.integrations.oauth.id_token import LEEWAY, UnknownKeyError, seconds
from commentsvc.integrations.oauth.metadata import Metadata
from commentsvc.integrations.oauth.received_notice import OLDEST, ReceivedNotice
from commentsvc.messages import gettext
from commentsvc.models import NoticeKind

log = logging.getLogger(__name__)

LONGEST = 8000
"""Characters of a token."""
KEYS_KEPT = 60.0
"""Seconds in which an unknown key does not make the service fetch the keys again: anybody can send a token."""
KINDS: Mapping[str, NoticeKind | None] = {
    "consent-revoked": NoticeKind.WITHDRAWAL,
    "account-delete": NoticeKind.DELETION,
    "account-deleted": NoticeKind.DELETION,  # Apple's documents have both spellings
    "email-enabled": None,  # no e-mail address of an account is stored
    "email-disabled": None,
}
_STRANGE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


def read(token: str, provider: Provider, metadata: Metadata, *, at: float) -> ReceivedNotice | None:
    """Return the notice in a token; None if there is nothing to do. `at` is the Unix time.

    Raises InvalidNoticeError, and ProviderUnavailableError if Apple's keys cannot be fetched.
    """
    if len(token) > LONGEST:
        raise InvalidNoticeError("it is too long")
    try:
        given = _signed(token, provider, metadata)
        _require_ours(given, provider, at)
        return _notice(given)
    except (ProviderUnavailableError, InvalidNoticeError):
        raise
    except (ProviderError, *_STRANGE) as error:
        raise InvalidNoticeError("it is not signed with Apple's keys, or not a notice") from error


def _signed(token: str, provider: Provider, metadata: Metadata) -> dict[str, Any]:
    try:
        return id_token.signed_claims(token, _keys(provider, metadata))
    except UnknownKeyError:
        return id_token.signed_claims(token, _keys(provider, metadata, kept=KEYS_KEPT))


def _keys(provider: Provider, metadata: Metadata, **how: float) -> dict[str, Any]:
    try:
        return metadata.get(provider.keys_url, **how)
    except (OSError, ValueError) as error:
        log.warning("the keys of %s cannot be fetched: %.200r", provider.key, error)
        raise ProviderUnavailableError(
            gettext("%(provider)s is not available right now.") % {"provider": provider.label}
        ) from error


def _require_ours(given: Mapping[str, Any], provider: Provider, at: float) -> None:
    ours = {provider.client_id, provider.options.get("app_id") or provider.client_id}
    audience = given.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    if given.get("iss") != provider.issuer:
        raise InvalidNoticeError("it has another issuer")
    if len(several) != 1 or several[0] not in ours:
        raise InvalidNoticeError(
            f"it is for {audience!r:.100}; if that is your primary App ID, set COMMENTSVC_APPLE_APP_ID to it"
        )
    expires = seconds(given["exp"]) if "exp" in given else at
    if not (at - OLDEST < seconds(given.get("iat")) < at + LEEWAY and expires > at - LEEWAY):
        raise InvalidNoticeError("it is too old, or from the future")


def _notice(given: Mapping[str, Any]) -> ReceivedNotice | None:
    """Read the claim `events`, which is one event, as JSON within the JSON."""
    events = given["events"]
    event = strict_json.read_object(events) if isinstance(events, str) else events
    kind = KINDS.get(event["type"])
    if kind is None:
        log.info("Apple sent a notice of type %.60r; nothing to do", event["type"])
        return None
    return ReceivedNotice(kind, claims.subject(event["sub"]), claims.subject(given["jti"]))
