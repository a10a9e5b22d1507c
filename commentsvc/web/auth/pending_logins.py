"""The pending logins of a browser, in its own first-party cookie."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from flask import session as cookie

from commentsvc.errors import BadAddressError
from commentsvc.integrations.oauth.state import OAuthState
from commentsvc.messages import gettext
from commentsvc.web.auth.login_outcomes import Start

_AT_ONCE = 4
_LARGEST = 2700
"""Characters of JSON; encoding adds about half, which reaches the browsers' limit for a cookie."""
_NAME = "logins"


@dataclass(frozen=True)
class PendingLogin:
    """A pending login: what the provider's answer must match, and where to go afterwards."""

    attempt: OAuthState
    purpose: str
    request: Mapping[str, str] = field(default_factory=dict)
    """The thread to return to."""
    holder: str = ""
    """The hash of the token of the session to link an account to. Not its id, which SQLite may reuse."""
    page: str = ""
    invitation: str = ""
    receipt: str = ""

    @classmethod
    def read(cls, attempt: OAuthState, start: Start, *, holder: str) -> PendingLogin:
        """Return what to remember of a login that began at `start`."""
        purpose = start.purpose or ""
        return cls(
            attempt, purpose, start.thread_request, holder, start.page, start.invitation, start.receipt
        )

    @property
    def start(self) -> Start:
        """Where it began."""
        return replace(
            Start.read({"purpose": self.purpose}),
            thread_request=self.request,
            page=self.page,
            invitation=self.invitation,
            receipt=self.receipt,
        )


def remember(begun: PendingLogin) -> None:
    """Store a login, with as many earlier ones as fit; raises BadAddressError if it does not fit itself."""
    earlier = list(_pending().items())[-(_AT_ONCE - 1) :]
    # Without what is empty: the previous release, which may run beside this one, knows fewer fields.
    named = {name: value for name, value in asdict(begun).items() if value}
    kept = {**dict(earlier), begun.attempt.state: named}
    while len(json.dumps(kept)) > _LARGEST:
        oldest = next(iter(kept))
        if oldest == begun.attempt.state:
            raise BadAddressError(gettext("This page's address is too long to log in from."))
        del kept[oldest]
    cookie[_NAME] = kept


def pop(state: str, key: str, instance: str) -> PendingLogin | None:
    """Return and remove this browser's login with this state at this provider."""
    stored = _pending().get(state)
    if stored is None:
        return None
    begun = PendingLogin(**{**stored, "attempt": OAuthState(**stored["attempt"])})
    if (begun.attempt.provider, begun.attempt.instance) != (key, instance):
        return None
    cookie[_NAME] = {other: kept for other, kept in _pending().items() if other != state}
    return begun


def _pending() -> dict[str, dict[str, Any]]:
    logins = cookie.get(_NAME)
    return logins if isinstance(logins, dict) else {}
