"""The guarded way out: every request to an address that a stranger may choose is made here.

A destination is judged, then connected to by the address that was judged, so that a name cannot change its mind in
between; its certificate must bear the name. Each redirect is checked in the same way. http.client speaks HTTP over
a wire that has one deadline and one allowance for all that comes, headers and framing included. It knows no proxies,
no cookies and no decompression.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import NoReturn
from urllib.parse import quote, urljoin, urlsplit

from commentsvc.errors import BadAddressError, ForbiddenDestinationError, OutboundError
from commentsvc.http_client import ssrf
from commentsvc.http_client.deadline import Deadline, DeadlineSocket
from commentsvc.http_client.ssrf import Destination, Resolver
from commentsvc.origins import origin_of

HTTPS = frozenset({"https"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FRAMING = 65_536
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")


@dataclass(frozen=True)
class HttpResponse:
    """What came back; `url` is where it came from in the end."""

    url: str
    status: int
    content_type: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """By their names in small letters."""


@cache
def _system_tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _dial(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


@dataclass(frozen=True)
class Network:
    """How a name becomes addresses, an address a connection, and whose certificates are believed."""

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
    network: Network = INTERNET,
) -> HttpResponse:
    """Ask `url` and return its answer, whatever its status; a failure of another kind than asked has no body.

    `largest` is in bytes of body, `seconds` for everything together: names, redirects, headers, body. `accept` has
    content types, or their beginnings such as "image/"; an empty one leaves the body unread. At most `redirects`
    are followed, and only for GET and HEAD; `headers` are not sent on to another origin. `allow_private` opens
    http, loopback and private networks, also to redirects. `within` has the only origins that may be asked. With
    `is_cut` the first `largest` bytes of a longer body are good enough.

    Raises ForbiddenDestinationError where this must not be asked, OutboundError where no good answer came.
    """
    wish = _Request(method, data, largest, accept, is_cut, Deadline(seconds), network)
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
    raise OutboundError("The server sent us from one address to the next too often.")


@dataclass(frozen=True)
class _Request:
    method: str
    data: bytes | None
    largest: int
    accept: frozenset[str]
    is_cut: bool
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
        raise ForbiddenDestinationError("This leads to another website than may be asked.")


def _ask(there: Destination, wish: _Request, headers: Mapping[str, str]) -> HttpResponse | str:
    """Return the answer, or the URL that it points to."""
    with closing(_connected(there, wish)) as sock:
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
            return HttpResponse(there.url, response.status, kind, _body(response, kind, wish), came)


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
    """Return a connection to the first address that takes one, under TLS where the scheme says so."""
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
    fault: OSError = OSError()
    for tried, address in enumerate(there.addresses):
        share = wish.deadline.remaining() / (len(there.addresses) - tried)
        try:
            return wish.network.connect(address, there.port, share)
        except OSError as error:
            fault = error
    raise fault


def _next(there: Destination, wish: _Request, location: str) -> str:
    if wish.method not in {"GET", "HEAD"}:
        raise OutboundError("The server sent us elsewhere, which is not followed with a message.")
    # http.client reads headers as Latin-1; the bytes are the server's.
    location = quote(location.encode("latin-1", "replace"), safe=ssrf.SAFE + "#")
    try:
        url = urljoin(there.url, location)
        scheme = urlsplit(url).scheme
    except ValueError:
        raise ForbiddenDestinationError("The server sent us to no address of a web server.") from None
    if there.scheme == "https" and scheme == "http":
        raise ForbiddenDestinationError("The server sent us from a secure address to one that is not.")
    return url


def _body(response: HTTPResponse, kind: str, wish: _Request) -> bytes:
    good = 200 <= response.status < 300
    if not wish.accept or wish.method == "HEAD" or response.status == 204 or not (good or wish.takes(kind)):
        return b""
    if not wish.takes(kind):
        raise OutboundError("The server sent another kind of content than was asked for.")
    if (response.getheader("Content-Encoding") or "identity").strip().lower() != "identity":
        raise OutboundError("The server sent compressed content, which was not asked for.")
    if response.length is not None and response.length > wish.largest and not wish.is_cut:
        raise OutboundError("The server sent more than is read.")
    body = response.read(wish.largest + 1)
    if len(body) > wish.largest:
        if wish.is_cut:
            return body[: wish.largest]
        raise OutboundError("The server sent more than is read.")
    if response.length:
        raise OutboundError("The server broke off in the middle of its answer.")
    return body


def _explain(error: OSError | HTTPException, seconds: float) -> NoReturn:
    if isinstance(error, TimeoutError):
        raise OutboundError(f"The server did not answer within {seconds:g} seconds.") from error
    if isinstance(error, ssl.SSLCertVerificationError):
        raise OutboundError("The server could not prove that it is the one of this name.") from error
    if isinstance(error, HTTPException):
        raise OutboundError("The server did not answer as a web server does.") from error
    raise OutboundError("The server could not be reached.") from error
