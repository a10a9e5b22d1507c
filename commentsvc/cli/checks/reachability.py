"""Checks whether the service can be reached at the address that browsers use, and what answers there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from commentsvc.cli.checks.finding import Finding
from commentsvc.config import PREFIX, Settings
from commentsvc.errors import OutboundError, RedirectedError
from commentsvc.http_client import client
from commentsvc.http_client.client import Certificate, HttpResponse
from commentsvc.serving import service_lock

BASE_URL = f"{PREFIX}BASE_URL"
SUBJECT = "Answers there"
HEALTH = "/healthz"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SECONDS = 10.0
_SHARE, _LATEST = 6, timedelta(days=14)
_IN_FRONT = {
    401: "asks for a password",
    403: "refuses the request",
    429: "answers that there were too many requests",
    502: "gets no valid answer from the service behind it",
    503: "has no service to pass requests to",
    504: "waits in vain for the service behind it",
}
"""What a proxy, or something else in front of the service, does with a request, by status."""


@dataclass(frozen=True)
class Reached:
    """What a request to the base URL came to."""

    finding: Finding
    is_service: bool = False
    """Whether a service like ours answers, and its database works."""
    certificate: Certificate | None = None
    date: str = ""
    """The `Date` header."""


def address(settings: Settings) -> Finding:
    """Check the base URL itself."""
    host = urlsplit(settings.base_url).hostname or ""
    insecure = not settings.secure and host not in LOOPBACK
    advice = (
        "Without https, browsers keep no login inside other pages. Put a proxy with a certificate in front."
    )
    return Finding("Address", settings.base_url, advice if insecure else "")


def reached(settings: Settings) -> Reached:
    """Request our own service at the address that browsers use."""
    try:
        answer = client.fetch(
            f"{settings.base_url}{HEALTH}",
            largest=10_000,
            seconds=SECONDS,
            accept=frozenset({"application/", "text/"}),
            redirects=0,
            allow_private=True,
            is_cut=True,
        )
    except RedirectedError as error:
        return Reached(_redirected(settings, error.url))
    except OutboundError as error:
        return Reached(Finding(SUBJECT, "no", f"{error} {_unreachable(settings)}"))
    message = _health(answer)
    finding = _finding(settings, answer, message)
    return Reached(finding, message == "", answer.certificate, answer.headers.get("date", ""))


def certificate(shown: Certificate, *, at: datetime) -> Finding:
    """Check whether a certificate is renewed in time: proxies do so when a third of its period is left, or earlier."""
    state = f"valid until {shown.ends:%Y-%m-%d %H:%M} UTC"
    left, period = shown.ends - at, shown.ends - shown.begins
    if left > min(period / _SHARE, _LATEST):
        return Finding("Certificate", state)
    return Finding(
        "Certificate",
        state,
        "It should have been renewed by now. Look at the log of the proxy, or of what gets its certificates; "
        "after that date no comments are shown.",
    )


def listening(settings: Settings) -> str:
    """Say in a sentence where the service listens on this machine."""
    where = service_lock.address_of_service(settings.data_dir)
    if where:
        return f"The service listens at {where}: the proxy must pass requests there."
    return "No service runs with this data directory: start `commentsvc serve`."


def _health(answer: HttpResponse) -> str | None:
    """Return what /healthz says is wrong, empty for nothing; None if something else answered."""
    try:
        told = json.loads(answer.body)
        if told["status"] == "ok":
            return "" if answer.status == 200 else None
        return str(told["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _finding(settings: Settings, answer: HttpResponse, message: str | None) -> Finding:
    if message is not None:
        return Finding(SUBJECT, "yes") if not message else Finding(SUBJECT, f"with {answer.status}", message)
    state = f"with {answer.status}"
    if answer.status in _IN_FRONT:
        does = _IN_FRONT[answer.status]
        advice = (
            f"Something in front of the service, such as a proxy, {does}. {_at_the_proxy(settings, answer)}"
        )
        return Finding(SUBJECT, state, advice)
    return Finding(
        SUBJECT,
        state,
        f"Something else answers there. Is {BASE_URL} right, with its port? "
        f"If a proxy is in front, it must pass on the whole path. {listening(settings)}",
    )


def _at_the_proxy(settings: Settings, answer: HttpResponse) -> str:
    if answer.status in {401, 403, 429}:
        return "It must let everybody pass who reads comments."
    if answer.status == 504:
        return (
            f"{listening(settings)} If it does, restart the service; a firewall may also drop the connection."
        )
    return listening(settings)


def _redirected(settings: Settings, url: str) -> Finding:
    target = url.removesuffix(HEALTH)
    if target == url:
        return Finding(
            SUBJECT, f"with a redirect to {url}", f"Something else answers there. Is {BASE_URL} right?"
        )
    advice = f"Browsers end up there: set {BASE_URL}={target} and restart the service, or end the redirect."
    return Finding(SUBJECT, f"with a redirect to {target}", advice)


def _unreachable(settings: Settings) -> str:
    where = service_lock.address_of_service(settings.data_dir)
    if where:
        return (
            f"The service itself listens at {where}. Is {BASE_URL} right? "
            "If so, check the name in DNS, the firewall, and the proxy in front."
        )
    return f"Is {BASE_URL} right? Is `commentsvc serve` running, and the proxy in front of it?"
