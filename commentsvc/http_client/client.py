"""The guarded HTTP client: makes every request to a URL that a stranger may choose.

It checks the addresses of a host and connects to a checked address, so that DNS cannot answer differently in between
(DNS rebinding); the certificate must match the host name. It checks each redirect in the same way. One deadline and
one limit in bytes hold for everything received, including headers and framing. There are no proxies, no cookies and no
decompression.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import NoReturn
from urllib.parse import quote, urljoin, urlsplit

from commentsvc.errors import BadAddressError, ForbiddenDestinationError, OutboundError, RedirectedError
from commentsvc.http_client import ssrf
from commentsvc.http_client.deadline import Deadline, DeadlineSocket
from commentsvc.http_client.ssrf import Destination, Resolver
from commentsvc.origins import origin_of

HTTPS = frozenset({"https"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FRAMING = 65_536
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")


@dataclass(frozen=True)
class Certificate:
    """The period in which a server's certificate is valid."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class HttpResponse:
    """A response; `url` is the address after all redirects."""

    url: str
    status: int
    content_type: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """Names are in lower case."""
    certificate: Certificate | None = field(default=None, repr=False, compare=False)
    """The server's certificate; None without https."""


@cache
def _system_tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _dial(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


@dataclass(frozen=True)
class Network:
    """How to resolve names, how to connect, and which certificates to trust."""

    resolve: Resolver = ssrf.lookup
    connect: Callable[[str, int, float], socket.socket] = _dial
    tls: Callable[[], ssl.SSLContext] = _system_tls


INTERNET = Network()


def fetch(
    url: str,
    *,
    largest: int,
    seconds: float,
    accept: frozenset[str],
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
    redirects: int = 3,
    schemes: frozenset[str] = HTTPS,
    allow_private: bool = False,
    within: frozenset[str] | None = None,
    is_cut: bool = False,
    is_remark: bool = False,
    network: Network = INTERNET,
) -> HttpResponse:
    """Request `url` and return the response, whatever its status.

    `largest` is the limit of the body in bytes; `seconds` the limit of everything together: DNS, redirects, headers,
    body. `accept` lists content types or prefixes such as "image/"; if it is empty, the body is not read. The body of
    an error response of another type is empty. At most `redirects` are followed, and only for GET and HEAD;
    `headers` are not sent to another origin. `allow_private` also allows http, loopback and private networks, for
    redirects too. `within` lists the only origins allowed. With `is_cut` a longer body is cut at `largest`.
    With `is_remark` the body is only for a log: whatever its type, as much of it as came.

    Raises ForbiddenDestinationError if the destination is not allowed, RedirectedError with the next address after
    too many redirects, OutboundError if there is no usable response.
    """
    wish = _Request(method, data, largest, accept, is_cut, is_remark, Deadline(seconds), network)
    headers = headers or {}
    schemes = schemes | {"http"} if allow_private else schemes
    try:
        for _ in range(redirects + 1):
            _require_within(url, within)
            there = ssrf.find(
                url,
                schemes=schemes,
                allow_private=allow_private,
                resolve=network.resolve,
                seconds=wish.deadline.remaining(),
            )
            came = _ask(there, wish, headers)
            if isinstance(came, HttpResponse):
                return came
            url = came
            if not url.startswith(f"{there.origin}/"):
                headers = {}
    except (OSError, HTTPException) as error:
        _explain(error, seconds)
    raise RedirectedError(url)


@dataclass(frozen=True)
class _Request:
    method: str
    data: bytes | None
    largest: int
    accept: frozenset[str]
    is_cut: bool
    is_remark: bool
    deadline: Deadline
    network: Network

    def takes(self, kind: str) -> bool:
        return kind in self.accept or any(
            part.endswith("/") and kind.startswith(part) for part in self.accept
        )


def _require_within(url: str, origins: frozenset[str] | None) -> None:
    if origins is None:
        return
    try:
        known = origin_of(url) in origins
    except BadAddressError:
        known = False
    if not known:
        raise ForbiddenDestinationError("This leads to another website, which is not allowed.")


def _ask(there: Destination, wish: _Request, headers: Mapping[str, str]) -> HttpResponse | str:
    """Return the response, or the URL that it redirects to."""
    with closing(_connected(there, wish)) as sock:
        certificate = _certificate(sock)  # now, because reading a body to its end closes the socket
        connection = HTTPConnection(there.host, there.port)
        connection.sock = DeadlineSocket(sock, wish.deadline, 2 * wish.largest + _FRAMING)
        connection.request(wish.method, there.path, body=wish.data, headers=_headers(there, wish, headers))
        with connection.getresponse() as response:
            location = response.getheader("Location")
            if response.status in _REDIRECTS and location:
                return _next(there, wish, location)
            kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
            kind = kind if _TYPE.fullmatch(kind) else ""
            came = {name.lower(): value for name, value in response.getheaders()}
            return HttpResponse(
                there.url, response.status, kind, _body(response, kind, wish), came, certificate
            )


def _certificate(sock: socket.socket) -> Certificate | None:
    shown = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    if not shown:
        return None
    begins, ends = (ssl.cert_time_to_seconds(str(shown[name])) for name in ("notBefore", "notAfter"))
    return Certificate(datetime.fromtimestamp(begins, UTC), datetime.fromtimestamp(ends, UTC))


def _headers(there: Destination, wish: _Request, given: Mapping[str, str]) -> dict[str, str]:
    kinds = ", ".join(sorted(f"{kind}*" if kind.endswith("/") else kind for kind in wish.accept))
    return {
        "User-Agent": "commentsvc",
        "Accept": kinds or "*/*",
        **{name.title(): value for name, value in given.items()},
        "Host": there.authority,
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _connected(there: Destination, wish: _Request) -> socket.socket:
    """Return a connection to the first address that accepts one, with TLS for https."""
    sock = _reached(there, wish)
    if there.scheme == "http":
        return sock
    try:
        sock.settimeout(wish.deadline.remaining())
        return wish.network.tls().wrap_socket(sock, server_hostname=there.host)
    except BaseException:
        sock.close()
        raise


def _reached(there: Destination, wish: _Request) -> socket.socket:
    last_error: OSError = OSError()
    for tried, address in enumerate(there.addresses):
        share = wish.deadline.remaining() / (len(there.addresses) - tried)
        try:
            return wish.network.connect(address, there.port, share)
        except OSError as error:
            last_error = error
    raise last_error


def _next(there: Destination, wish: _Request, location: str) -> str:
    if wish.method not in {"GET", "HEAD"}:
        raise OutboundError("The server answered a POST with a redirect, which is not followed.")
    # http.client decodes headers as Latin-1; restore the server's bytes.
    location = quote(location.encode("latin-1", "replace"), safe=ssrf.SAFE + "#")
    try:
        url = urljoin(there.url, location)
        scheme = urlsplit(url).scheme
    except ValueError:
        raise ForbiddenDestinationError("The server redirected to an invalid address.") from None
    if there.scheme == "https" and scheme == "http":
        raise ForbiddenDestinationError("The server redirected from https to http.")
    return url


def _body(response: HTTPResponse, kind: str, wish: _Request) -> bytes:
    if wish.is_remark:
        return _remark(response, wish.largest)
    good = 200 <= response.status < 300
    if not wish.accept or wish.method == "HEAD" or response.status == 204 or not (good or wish.takes(kind)):
        return b""
    if not wish.takes(kind):
        raise OutboundError("The server sent another type of content than was requested.")
    if (response.getheader("Content-Encoding") or "identity").strip().lower() != "identity":
        raise OutboundError("The server sent compressed content, which was not requested.")
    if response.length is not None and response.length > wish.largest and not wish.is_cut:
        raise OutboundError("The server sent too much.")
    body = response.read(wish.largest + 1)
    if len(body) > wish.largest:
        if wish.is_cut:
            return body[: wish.largest]
        raise OutboundError("The server sent too much.")
    if response.length:
        raise OutboundError("The server closed the connection before the end of its response.")
    return body


def _remark(response: HTTPResponse, largest: int) -> bytes:
    """Return the beginning of a body; the status counts, so that errors in the body do not."""
    try:
        return response.read(largest)
    except (OSError, HTTPException, OutboundError):
        return b""


def _explain(error: OSError | HTTPException, seconds: float) -> NoReturn:
    if isinstance(error, TimeoutError):
        raise OutboundError(f"The server did not answer within {seconds:g} seconds.") from error
    if isinstance(error, ssl.SSLCertVerificationError):
        raise OutboundError(
            f"The server's certificate cannot be verified: {error.verify_message.rstrip('.')}."
        ) from error
    if isinstance(error, ssl.SSLError):
        raise OutboundError("The server does not speak https, or not as we do.") from error
    if isinstance(error, HTTPException):
        raise OutboundError("The server did not send a valid HTTP response.") from error
    raise OutboundError("The server could not be reached.") from error
