"""What an owner types about an endpoint: which fields and events a kind has, and what is valid in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from commentsvc.domain import fields
from commentsvc.domain.endpoints import endpoint_secrets
from commentsvc.domain.endpoints.endpoint_secrets import EndpointSecrets
from commentsvc.domain.notifications import events
from commentsvc.errors import ForbiddenDestinationError, InvalidFieldsError, OutboundError
from commentsvc.messages import gettext
from commentsvc.models import BUILDS, CHATS, EndpointKind, Event

_URL_LONGEST, _TOKEN_LONGEST = 1000, 500
URLS = frozenset(
    {
        EndpointKind.WEBHOOK,
        EndpointKind.SLACK,
        EndpointKind.DISCORD,
        EndpointKind.NTFY,
        EndpointKind.MATRIX,
        EndpointKind.BUILD,
    }
)
TARGETS: Mapping[EndpointKind, re.Pattern[str]] = {
    EndpointKind.TELEGRAM: re.compile(r"-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{3,40}"),
    EndpointKind.NTFY: re.compile(r"[A-Za-z0-9_-]{1,64}"),
    EndpointKind.MATRIX: re.compile(r"[!][!-~]{1,254}"),
    EndpointKind.GITHUB: re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}"),
}
"""The kinds that need a target, and its form."""
TOKENS = frozenset({EndpointKind.TELEGRAM, EndpointKind.NTFY, EndpointKind.MATRIX, EndpointKind.GITHUB})
_TOKEN = re.compile(r"[A-Za-z0-9_.:~+/=-]*")
_HOSTS = {EndpointKind.TELEGRAM: "api.telegram.org", EndpointKind.GITHUB: "api.github.com"}
FOR_WEBHOOKS = tuple(event for event in Event if event is not Event.TEST)
FOR_CHATS = (
    *(Event.HELD, Event.PUBLISHED, Event.REPORTED, Event.CLOSED),
    *(Event.SURGE_BEGAN, Event.SURGE_ENDED),
)


@dataclass(frozen=True, slots=True)
class EndpointDraft:
    """What an owner typed."""

    name: str
    url: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    target: str = ""
    events: Collection[str] = ()
    has_links: bool = False


def offered(kind: EndpointKind) -> tuple[Event, ...]:
    """Return the events of which an endpoint of a kind can be told."""
    if kind in BUILDS:
        return events.BUILDING
    return FOR_CHATS if kind in CHATS else FOR_WEBHOOKS


def checked(kind: EndpointKind, draft: EndpointDraft, private_origins: Collection[str]) -> EndpointSecrets:
    """Return what was typed as secrets, of the fields that the kind has; raises InvalidFieldsError."""
    url, token, target = draft.url.strip(), draft.token.strip(), draft.target.strip()
    errors: dict[str, str] = {}
    if kind in URLS and len(url) > _URL_LONGEST:
        errors["url"] = gettext("Please use at most %(number)s characters") % {"number": _URL_LONGEST}
    elif kind in URLS:
        try:
            endpoint_secrets.require_allowed(url, private_origins)
        except ForbiddenDestinationError as error:
            errors["url"] = str(error) if url else gettext("Please enter an address")
        except (OutboundError, OSError):
            errors["url"] = gettext("This address cannot be checked just now.")
    is_base = kind in (EndpointKind.NTFY, EndpointKind.MATRIX)
    if is_base and "?" in url:
        errors["url"] = gettext("Please enter the address of the server alone")
    if kind in TARGETS and not TARGETS[kind].fullmatch(target):
        errors["target"] = gettext("This does not have the right form")
    if kind in TOKENS and (len(token) > _TOKEN_LONGEST or not _TOKEN.fullmatch(token)):
        errors |= {"token": gettext("This does not have the form of a token")}
    elif kind in TOKENS and not token and kind is not EndpointKind.NTFY:
        errors |= {"token": gettext("Please enter a token")}
    if errors:
        raise InvalidFieldsError(errors)
    return EndpointSecrets(
        url=(url.rstrip("/") if is_base else url) if kind in URLS else "",
        token=token if kind in TOKENS else "",
        target=target if kind in TARGETS else "",
    )


def name(typed: str) -> str:
    """Return an endpoint's name as one line; raises InvalidFieldsError on `name`."""
    return fields.name(typed, missing=gettext("Please enter a name"))


def event_words(kind: EndpointKind, chosen: Collection[str]) -> str:
    """Return the events in the form of the column; a build hook has no choice."""
    told = [event.value for event in offered(kind) if kind in BUILDS or event.value in chosen]
    if not told:
        raise InvalidFieldsError({"events": gettext("Please choose at least one")})
    return f" {' '.join(told)} "


def host(kind: EndpointKind, secrets: EndpointSecrets) -> str:
    """Return the host to be shown, with its port if it has one."""
    return _HOSTS.get(kind) or urlsplit(secrets.url).netloc[:255]
