"""The logins that a browser has begun, in its own first-party cookie."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from flask import session as cookie

from commentsvc.errors import BadAddressError
from commentsvc.integrations.oauth.state import OAuthState
from commentsvc.web.auth.login_outcomes import Start

_AT_ONCE = 4
_LARGEST = 2700
"""Characters of JSON, a third less than browsers keep of what is made of them."""
_NAME = "logins"


@dataclass(frozen=True)
class PendingLogin:
    """A login under way: what the provider's answer must fit, and where it leads."""

    attempt: OAuthState
    purpose: str
    request: Mapping[str, str] = field(default_factory=dict)
    """The thread to go back to."""
    holder: str = ""
    """The session that a further account is linked to: the hash of its token. SQLite gives its id to the next."""
    page: str = ""
    invitation: str = ""

    @classmethod
    def read(cls, attempt: OAuthState, start: Start, *, holder: str) -> PendingLogin:
        """Return what is to be remembered of a login that was begun at `start`."""
        purpose = start.purpose or ""
        return cls(attempt, purpose, start.thread_request, holder, start.page, start.invitation)

    @property
    def start(self) -> Start:
        """Where it was begun."""
        return replace(
            Start.read({"purpose": self.purpose}),
            thread_request=self.request,
            page=self.page,
            invitation=self.invitation,
        )


def remember(begun: PendingLogin) -> None:
    """Keep a login, and as many earlier ones as there is room for; raises BadAddressError where there is none."""
    earlier = list(_pending().items())[-(_AT_ONCE - 1) :]
    kept = {**dict(earlier), begun.attempt.state: asdict(begun)}
    while len(json.dumps(kept)) > _LARGEST:
        oldest = next(iter(kept))
        if oldest == begun.attempt.state:
            raise BadAddressError("This page's address is too long to log in from.")
        del kept[oldest]
    cookie[_NAME] = kept


def pop(state: str, key: str, instance: str) -> PendingLogin | None:
    """Return, once, the login that this browser began with this state at this provider."""
    result = _pending().get(state)
    if result is None:
        return None
    begun = PendingLogin(**{**result, "attempt": OAuthState(**result["attempt"])})
    if (begun.attempt.provider, begun.attempt.instance) != (key, instance):
        return None
    cookie[_NAME] = {other: kept for other, kept in _pending().items() if other != state}
    return begun


def _pending() -> dict[str, dict[str, Any]]:
    result = cookie.get(_NAME)
    return result if isinstance(result, dict) else {}
