"""The logins that a browser has begun, in its own first-party cookie; what came of them is in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from flask import session as cookie

from commentsvc.errors import BadAddressError
from commentsvc.integrations.oauth.state import Attempt
from commentsvc.web.auth.login_outcomes import Start

_AT_ONCE = 4
_LARGEST = 2700
"""Characters of JSON, a third less than browsers keep of what is made of them."""
_NAME = "logins"


@dataclass(frozen=True)
class Begun:
    """A login under way: what the provider's answer must fit, and where it leads."""

    attempt: Attempt
    purpose: str
    asked: Mapping[str, str] = field(default_factory=dict)
    """The thread to go back to."""
    holder: str = ""
    """The session that a further account is linked to: the hash of its token. SQLite gives its id to the next."""
    page: str = ""
    invitation: str = ""

    @classmethod
    def of(cls, attempt: Attempt, start: Start, *, holder: str) -> Begun:
        """Return what is to be remembered of a login that was begun at `start`."""
        purpose = start.purpose or ""
        return cls(attempt, purpose, start.asked, holder, start.page, start.invitation)

    @property
    def start(self) -> Start:
        """Where it was begun."""
        return replace(
            Start.read({"purpose": self.purpose}),
            asked=self.asked,
            page=self.page,
            invitation=self.invitation,
        )


def remember(begun: Begun) -> None:
    """Keep a login, and as many earlier ones as there is room for; raises BadAddressError where there is none."""
    earlier = list(_all().items())[-(_AT_ONCE - 1) :]
    kept = {**dict(earlier), begun.attempt.state: asdict(begun)}
    while len(json.dumps(kept)) > _LARGEST:
        oldest = next(iter(kept))
        if oldest == begun.attempt.state:
            raise BadAddressError("This page's address is too long to log in from.")
        del kept[oldest]
    cookie[_NAME] = kept


def take(state: str, key: str, instance: str) -> Begun | None:
    """Return, once, the login that this browser began with this state at this provider."""
    found = _all().get(state)
    if found is None:
        return None
    begun = Begun(**{**found, "attempt": Attempt(**found["attempt"])})
    if (begun.attempt.provider, begun.attempt.instance) != (key, instance):
        return None
    cookie[_NAME] = {other: kept for other, kept in _all().items() if other != state}
    return begun


def _all() -> dict[str, dict[str, Any]]:
    found = cookie.get(_NAME)
    return found if isinstance(found, dict) else {}
