"""The addresses of those who connect to the service, and whether one belongs to a trusted proxy."""

from __future__ import annotations

import ipaddress
import re

from commentsvc.setting_values import Network

LOOPBACK = "127.0.0.1"
"""The address given to clients of a Unix socket, which have none: they are on this machine."""


def is_trusted(address: str, proxies: tuple[Network, ...]) -> bool:
    """Whether an address is in one of these networks."""
    ip = parsed(address)
    return ip is not None and any(ip in network for network in proxies)


def parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address as proxies and sockets write it: with a port, in brackets, IPv4 inside IPv6; None for none."""
    bare = re.sub(r"^\[([^\]]*)\](:\d+)?$|^(\d+\.\d+\.\d+\.\d+):\d+$", r"\1\3", text).partition("%")[0]
    try:
        ip = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, ipaddress.IPv6Address) else ip
