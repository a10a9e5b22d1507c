"""The SSRF guard: resolves a name once and refuses it if any of its addresses is not allowed.

The tables are written out because `is_global` of `ipaddress` changed between releases of Python.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from commentsvc import host_names
from commentsvc.errors import ForbiddenDestinationError, OutboundError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str], Sequence[str]]

LONGEST = 2000
SAFE = "%/:@!$&'()*+,;=?[]~|"
"""Characters that stay as they are in a URL; all others are percent-encoded."""
PORTS = {"http": 80, "https": 443}
_MOST_ADDRESSES = 4
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
# Everything that a browser or a C library would read as an IPv4 address: 0x7f000001, 2130706433, 127.1, 0177.0.0.1.
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_SPECIAL = _networks(
    "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"
)
_RELAYS = _networks("192.88.99.0/24", "192.52.193.0/24", "2002::/16")
_EXAMPLES = _networks("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
# Teredo, ORCHID and other protocols that have their own rules or embed another address.
_PROTOCOLS = _networks("2001::/23")
_FORBIDDEN = _LOOPBACK + _PRIVATE + _SPECIAL + _RELAYS + _EXAMPLES + _PROTOCOLS
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
# On a network without IPv4, DNS64 answers with one of these for every IPv4-only host.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Metadata services of cloud providers, which hand out a machine's credentials; forbidden even to the operator.
_METADATA = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254"))
)

# The system's resolver has no deadline: an unanswered name occupies a thread until the resolver gives up.
_LOOKUPS = threading.BoundedSemaphore(16)


@dataclass(frozen=True)
class Destination:
    """A URL in parts, and its checked addresses."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]

    @property
    def authority(self) -> str:
        """The `Host` header: the host, and the port unless it is the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        return self.origin + self.path


def find(
    url: str, *, schemes: frozenset[str], allow_private: bool, resolve: Resolver, seconds: float
) -> Destination:
    """Return the destination of `url`; resolves its name once, within `seconds`.

    Raises ForbiddenDestinationError if it is not allowed, OutboundError if the name has no address.
    """
    parts = _split(url)
    if parts.scheme not in schemes:
        raise ForbiddenDestinationError(f"Only {' and '.join(sorted(schemes))} addresses are allowed.")
    port = _port(parts)
    host, literal = _host(parts)
    if not (allow_private or literal) and ("." not in host or host.endswith(".localhost")):
        raise ForbiddenDestinationError("This is a name of a private network.")
    resolved = [literal] if literal else _resolved(resolve, host, seconds)
    # One forbidden address among allowed ones is an attack, not an accident.
    if any(is_forbidden(address, allow_private=allow_private) for address in resolved):
        raise ForbiddenDestinationError("This address belongs to a private or special network.")
    path = quote(parts.path or "/", safe=SAFE) + (f"?{quote(parts.query, safe=SAFE)}" if parts.query else "")
    addresses = tuple(map(str, resolved[:_MOST_ADDRESSES]))
    return Destination(parts.scheme, host, port, path, addresses)


def is_forbidden(address: Address, *, allow_private: bool = False) -> bool:
    """Return whether requests to `address` are forbidden; `allow_private` allows loopback and private networks."""
    if address in _METADATA:
        return True
    if allow_private and any(address in network for network in _LOOPBACK + _PRIVATE):
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return is_forbidden(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _GLOBAL_V6:
            return True
    return any(address in network for network in _FORBIDDEN)


def lookup(host: str) -> list[str]:
    """Return the addresses of `host` from the system's resolver, best first; raises OSError if there are none."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in answers]


def _split(url: str) -> SplitResult:
    if len(url) > LONGEST or not host_names.is_visible(url) or " " in url or "\\" in url:
        raise ForbiddenDestinationError("This is not the address of a web server.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ForbiddenDestinationError("This is not the address of a web server.") from None
    if "@" in parts.netloc:
        raise ForbiddenDestinationError("An address must not contain a user name or password.")
    return parts


def _port(parts: SplitResult) -> int:
    try:
        port = PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        port = 0
    # Ports below 1024 belong to mail, shells and printers, which may misinterpret an HTTP request.
    if port != PORTS[parts.scheme] and port < 1024:
        raise ForbiddenDestinationError("This port does not belong to a web server.")
    return port


def _host(parts: SplitResult) -> tuple[str, Address | None]:
    """Return the host name in ASCII, and its address if it is an address literal."""
    host = parts.hostname or ""
    try:
        if "[" in parts.netloc:
            address = ipaddress.IPv6Address(host.replace("%", " "))  # refuses a zone (our own interface)
            return str(address), address
        host = host_names.in_ascii(host)
        if _NUMBER.fullmatch(host):
            return host, ipaddress.IPv4Address(host)
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host):
        raise ForbiddenDestinationError("This is not the name of a web server.")
    return host, None


def _resolved(resolve: Resolver, host: str, seconds: float) -> list[Address]:
    if not _LOOKUPS.acquire(timeout=seconds):
        raise OutboundError("Too many names are being looked up; try again later.")
    answer: Future[Sequence[str]] = Future()

    def work() -> None:
        try:
            answer.set_result(resolve(host))
        except Exception as error:
            answer.set_exception(error)
        finally:
            _LOOKUPS.release()

    threading.Thread(target=work, name="lookup", daemon=True).start()
    try:
        addresses = [ipaddress.ip_address(address) for address in answer.result(seconds)]
    except TimeoutError:
        raise
    except (OSError, ValueError):
        addresses = []
    if not addresses:
        raise OutboundError("There is no server with this name.")
    return list(dict.fromkeys(addresses))
