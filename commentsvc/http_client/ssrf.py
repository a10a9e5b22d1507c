"""Where a request to an address that a stranger chose may go: a name is resolved once, every answer is judged.

The tables are written out, not taken from `ipaddress`: its `is_global` changed between releases of Python.
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

from commentsvc.errors import ForbiddenDestinationError, OutboundError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str], Sequence[str]]

LONGEST = 2000
SAFE = "%/:@!$&'()*+,;=?[]~|"
"""What stands in a URL as it is; other characters are escaped before they are sent."""
PORTS = {"http": 80, "https": 443}
_MOST_ADDRESSES = 4
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
# What a browser, or a C library, would read as an IPv4 address: 0x7f000001, 2130706433, 127.1, 0177.0.0.1.
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
# Teredo, ORCHID and others that have their own rules, or carry another address inside.
_PROTOCOLS = _networks("2001::/23")
_FORBIDDEN = _LOOPBACK + _PRIVATE + _SPECIAL + _RELAYS + _EXAMPLES + _PROTOCOLS
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
# On a network without IPv4 every name of an IPv4 host is answered with one of these.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Machines' own keys, handed out by the cloud they run in; never a destination, not even of the owner's.
_METADATA = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254"))
)

# The system's resolver knows no deadline: a name that is never answered holds a thread until it gives up.
_LOOKUPS = threading.BoundedSemaphore(16)


@dataclass(frozen=True)
class Destination:
    """A URL in parts, and the addresses, judged, that may be connected to for it."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]

    @property
    def authority(self) -> str:
        """The `Host` header: a port only where it is not the scheme's own."""
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
    """Return where `url` leads; its name is asked for once, within `seconds`.

    Raises ForbiddenDestinationError for what must not be asked and OutboundError where the name has no address.
    """
    parts = _split(url)
    if parts.scheme not in schemes:
        raise ForbiddenDestinationError(f"Only {' and '.join(sorted(schemes))} addresses are asked.")
    port = _port(parts)
    host, literal = _host(parts)
    if not (allow_private or literal) and ("." not in host or host.endswith(".localhost")):
        raise ForbiddenDestinationError("This is a name of a private network.")
    results = [literal] if literal else _resolved(resolve, host, seconds)
    # One bad answer among good ones is a trap, not an accident.
    if any(is_forbidden(address, allow_private=allow_private) for address in results):
        raise ForbiddenDestinationError("This address belongs to a private or special network.")
    path = quote(parts.path or "/", safe=SAFE) + (f"?{quote(parts.query, safe=SAFE)}" if parts.query else "")
    addresses = tuple(map(str, results[:_MOST_ADDRESSES]))
    return Destination(parts.scheme, host, port, path, addresses)


def is_forbidden(address: Address, *, allow_private: bool = False) -> bool:
    """Say whether no stranger may have `address` asked; `allow_private` opens loopback and private networks."""
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
    """Return the addresses the system knows for `host`, best first; raises OSError where there are none."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in answers]


def _split(url: str) -> SplitResult:
    if len(url) > LONGEST or not url.isprintable() or " " in url or "\\" in url:
        raise ForbiddenDestinationError("This is not the address of a web server.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ForbiddenDestinationError("This is not the address of a web server.") from None
    if "@" in parts.netloc:
        raise ForbiddenDestinationError("An address with a user name or password in it is not asked.")
    return parts


def _port(parts: SplitResult) -> int:
    try:
        port = PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        port = 0
    # Below 1024 live mail, shells and printers, which can be made to misread a request.
    if port != PORTS[parts.scheme] and port < 1024:
        raise ForbiddenDestinationError("This port is not one of a web server.")
    return port


def _host(parts: SplitResult) -> tuple[str, Address | None]:
    """Return the host's name as DNS has it, and its address where it is one."""
    host = parts.hostname or ""
    try:
        if "[" in parts.netloc:
            address = ipaddress.IPv6Address(host.replace("%", " "))  # a zone names one of our own cables
            return str(address), address
        host = host.encode("idna").decode().lower().removesuffix(".")
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
        results = [ipaddress.ip_address(address) for address in answer.result(seconds)]
    except TimeoutError:
        raise
    except (OSError, ValueError):
        results = []
    if not results:
        raise OutboundError("There is no server of this name.")
    return list(dict.fromkeys(results))
