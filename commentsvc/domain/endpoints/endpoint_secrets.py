"""What an endpoint needs to be reached, which the database has only encrypted."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from commentsvc.errors import BadAddressError, ForbiddenDestinationError
from commentsvc.http_client import client, ssrf
from commentsvc.integrations import sealing, webhook_signature
from commentsvc.messages import gettext
from commentsvc.models import Endpoint
from commentsvc.origins import origin_of

OLD_KEY_FOR = timedelta(days=1)
"""After a rotation requests are signed with the former secret, too, for this time."""
_PURPOSE = "endpoint"
_PUBLIC = "1.1.1.1"
"""Used as the address of every host name: names are resolved only when something is sent."""


@dataclass(frozen=True, slots=True)
class EndpointSecrets:
    """How to reach an endpoint; which fields it needs depends on its kind."""

    url: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    target: str = ""
    """A chat, room, topic or repository."""
    key: str = field(default="", repr=False)
    """The secret that signs webhooks."""
    old_key: str = field(default="", repr=False)
    old_key_until: str = ""
    """In ISO 8601, UTC."""

    def signing_keys(self, at: datetime) -> list[str]:
        """Return the secrets that sign a request now, the newest first."""
        is_rotating = self.old_key and at < datetime.fromisoformat(self.old_key_until)
        return [self.key, self.old_key] if is_rotating else [self.key]

    def rotated(self, at: datetime) -> EndpointSecrets:
        """Return the same with a new signing secret."""
        until = (at + OLD_KEY_FOR).isoformat()
        return EndpointSecrets(
            self.url, self.token, self.target, webhook_signature.new_secret(), self.key, until
        )

    def strings(self) -> list[str]:
        """Return everything that must be shown nowhere."""
        return [text for text in (self.url, self.token, self.key, self.old_key) if text]


def seal(secret_key: str, secrets: EndpointSecrets) -> str:
    """Return the secrets, encrypted."""
    return sealing.seal(secret_key, _PURPOSE, json.dumps(asdict(secrets)))


def unseal(secret_key: str, endpoint: Endpoint) -> EndpointSecrets | None:
    """Return an endpoint's secrets; None if the secret key has changed since."""
    text = sealing.unseal(secret_key, _PURPOSE, endpoint.sealed)
    return EndpointSecrets(**json.loads(text)) if text is not None else None


def is_private(url: str, private_origins: Collection[str]) -> bool:
    """Whether the operator allows this URL to lead into a private network."""
    try:
        return origin_of(url) in private_origins
    except BadAddressError:
        return False


def require_allowed(url: str, private_origins: Collection[str]) -> None:
    """Raise ForbiddenDestinationError if nothing may be sent to a URL, as far as that is known without DNS."""
    allow_private = is_private(url, private_origins)
    schemes = client.HTTPS | {"http"} if allow_private else client.HTTPS
    ssrf.find(url, schemes=schemes, allow_private=allow_private, resolve=lambda _: [_PUBLIC], seconds=5)
    if urlsplit(url).fragment:
        raise ForbiddenDestinationError(gettext("This address has a # part, which is never sent."))
