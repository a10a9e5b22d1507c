"""An address that a stranger chose leads to the public internet or nowhere, however it is written or answered."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Sequence

import pytest

from commentsvc.errors import ForbiddenDestinationError, OutboundError
from commentsvc.http_client import ssrf
from commentsvc.http_client.ssrf import Destination, Resolver
from tests.support.attacks import ATTACKS, Attack
from tests.support.each import check_each
from tests.support.time_limit import within

PUBLIC = "93.184.215.14"
HTTPS = frozenset({"https"})


def never(host: str) -> Sequence[str]:
    raise AssertionError(f"{host} was looked up")


def answering(*addresses: str) -> Resolver:
    return lambda _host: addresses


def find(url: str, resolve: Resolver = never, *, allow_private: bool = False) -> Destination:
    schemes = HTTPS | {"http"} if allow_private else HTTPS
    return ssrf.find(url, schemes=schemes, allow_private=allow_private, resolve=resolve, seconds=0.5)


PRIVATE = ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255", "127.0.0.1",
           "127.255.255.254", "::1", "fd00::1", "fc00::1", "fdff:ffff::1"]  # fmt: skip
SPECIAL = ["0.0.0.0", "0.1.2.3", "169.254.1.1", "169.254.169.254", "192.0.0.8", "192.0.2.1", "192.88.99.1",
           "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
           "255.255.255.255", "100.100.100.200", "::", "fe80::1", "febf::1", "fec0::1", "ff02::1", "2001:db8::1",
           "3fff::1", "100::1", "5f00::1", "4000::1", "fd00:ec2::254", "fd20:ce::254"]  # fmt: skip
CARRIERS = ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:93.184.215.14", "::127.0.0.1", "::ffff:0:127.0.0.1",
            "2002:7f00:1::", "2002:a00:1::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",
            "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:20::1"]  # fmt: skip
GLOBAL = [PUBLIC, "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "172.15.255.255",
          "172.32.0.1", "192.167.255.255", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::200e",
          "2001:4860:4860::8888", "64:ff9b::5db8:d70e"]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE + SPECIAL + CARRIERS)
def test_an_address_that_is_not_of_the_public_internet_is_forbidden(address: str) -> None:
    assert ssrf.is_forbidden(ipaddress.ip_address(address))
    with pytest.raises(ForbiddenDestinationError):
        find("https://pictures.example/a.png", answering(address))
    with pytest.raises(ForbiddenDestinationError):
        find(f"https://[{address}]/a.png" if ":" in address else f"https://{address}/a.png")


@pytest.mark.parametrize("address", GLOBAL)
def test_a_public_address_may_be_asked(address: str) -> None:
    assert find("https://pictures.example/", answering(address)).addresses == (address,)
    assert find(f"https://[{address}]/" if ":" in address else f"https://{address}/").addresses == (address,)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_owner_may_open_private_networks(address: str) -> None:
    assert find("http://hook/", answering(address), allow_private=True).addresses == (address,)


@pytest.mark.parametrize("address", SPECIAL + CARRIERS)
def test_what_is_neither_public_nor_private_stays_forbidden(address: str) -> None:
    with pytest.raises(ForbiddenDestinationError):
        find("http://hook/", answering(address), allow_private=True)


def test_one_forbidden_address_among_good_ones_is_enough() -> None:
    with pytest.raises(ForbiddenDestinationError):
        find("https://pictures.example/", answering(*GLOBAL, "127.0.0.1"))


@pytest.mark.parametrize(
    "host",
    ["0x7f000001", "2130706433", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "127.0.0.0x1", "017700000001",
     "0", "0x", "00", "1.2.3.4.5", "999.1.1.1", "127.0.0.1.", "0x7f.1", "127.000.000.001", "8.8.8.010",
     "①②⑦.⓪.⓪.①", "\uff11\uff12\uff17.0.0.1", "127。0。0。1", "[::ffff:7f00:1]", "[::ffff:127.0.0.1]",
     "[fe80::1%25eth0]", "[fe80::1%eth0]", "[2606:4700::1111%eth0]",
     "[v1.x]", "[v1.x::1]", "[::1", "::1", "[127.0.0.1]", "[0:0:0:0:0:0:0:1]"],
)  # fmt: skip
def test_an_odd_way_to_write_an_address_is_refused_without_a_look_up(host: str) -> None:
    with pytest.raises(ForbiddenDestinationError):
        find(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    ["", "x", "//pictures.example/", "/etc/passwd", "http://pictures.example/", "file:///etc/passwd",
     "ftp://pictures.example/", "gopher://pictures.example/", "data:text/plain,x", "https:///x", "https://",
     "https:pictures.example", "https://localhost/", "https://LOCALHOST./", "https://a.localhost/", "https://ⓛocalhost/",
     "https://intranet/", "https://.example/", "https://a..example/", "https://-a.example/", "https://a b.example/",
     "https://a%00.example/", "https://a%2eexample/", "https://a_.b-.example/", f"https://{'a.' * 130}example/",
     f"https://{'a' * 64}.example/", "https://user@pictures.example/", "https://user:pw@pictures.example/",
     "https://@pictures.example/", "https://pictures.example@127.0.0.1/", "https://pictures.example\\@127.0.0.1/",
     "https://pictures.example\t/", "https://pictures.example/\r\nHost: x", " https://pictures.example/",
     "https://pictures.example/\x00", "https://pictures.example/\u202e", "https://\ud800.example/",
     "https://pictures.example:0/", "https://pictures.example:22/", "https://pictures.example:25/",
     "https://pictures.example:80/", "https://pictures.example:1023/", "https://pictures.example:65536/",
     "https://pictures.example:-1/", "https://pictures.example:x/", "https://pictures.example:\uff14\uff14\uff13/",
     "https://pictures.example/" + "a" * 2000],
)  # fmt: skip
def test_what_is_no_plain_address_of_a_web_server_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenDestinationError):
        find(url)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://pictures.example", "https://pictures.example/"),
        ("HTTPS://Pictures.EXAMPLE./A?b=c#d", "https://pictures.example/A?b=c"),
        ("https://pictures.example:443/?q", "https://pictures.example/?q"),
        ("https://pictures.example:8443/", "https://pictures.example:8443/"),
        ("https://bücher.example/ä%20ö?ü=%C3%BC", "https://xn--bcher-kva.example/%C3%A4%20%C3%B6?%C3%BC=%C3%BC"),
        ('https://pictures.example/<">^`{', "https://pictures.example/%3C%22%3E%5E%60%7B"),
    ],
)  # fmt: skip
def test_a_good_address_is_brought_into_one_form(url: str, normal: str) -> None:
    assert find(url, answering(PUBLIC)).url == normal


def test_an_address_in_brackets_keeps_them() -> None:
    there = find("https://[2606:4700:0::1111]:8443/a")
    assert (there.host, there.authority) == ("2606:4700::1111", "[2606:4700::1111]:8443")


def test_a_name_is_looked_up_once_as_dns_has_it() -> None:
    asked: list[str] = []

    def resolve(host: str) -> Sequence[str]:
        asked.append(host)
        return [PUBLIC, PUBLIC, "127.0.0.1"] if len(asked) > 1 else [PUBLIC, PUBLIC]

    assert find("https://Bücher.Example./", resolve).addresses == (PUBLIC,)
    assert asked == ["xn--bcher-kva.example"]


@pytest.mark.parametrize("answer", [[], ["nonsense"], ["127.1"], ["1.2.3.4", ""]])
def test_a_name_without_addresses_is_no_server(answer: list[str]) -> None:
    with pytest.raises(OutboundError, match="no server with this name"):
        find("https://pictures.example/", lambda _host: answer)


def test_a_look_up_that_fails_is_no_server() -> None:
    def resolve(_host: str) -> Sequence[str]:
        raise OSError

    with pytest.raises(OutboundError, match="no server with this name"):
        find("https://pictures.example/", resolve)


def test_a_look_up_is_not_waited_for_beyond_the_deadline() -> None:
    release = threading.Event()

    def resolve(_host: str) -> Sequence[str]:
        release.wait(10)
        return [PUBLIC]

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        find("https://pictures.example/", resolve)
    assert time.monotonic() - began < 2
    release.set()


def test_the_system_knows_itself() -> None:
    assert set(ssrf.lookup("localhost")) <= {"127.0.0.1", "::1"}


def test_no_attack_leads_anywhere_but_to_a_public_address() -> None:
    check_each(ATTACKS, leads_to_the_public_internet_or_nowhere)


def leads_to_the_public_internet_or_nowhere(attack: Attack) -> None:
    for url in (attack.text, f"https://{attack.text}", f"https://pictures.example/{attack.text}"):
        try:
            with within(2):
                there = find(url, answering(PUBLIC))
        except ForbiddenDestinationError:
            continue
        assert there.scheme == "https"
        assert there.url.isascii()
        assert not set(there.url) & set(" \r\n\t\\<>\"'`") - {"'"}
