"""Whoever is banned from a site cannot comment there, and learns for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from commentsvc.domain.admin import ban_list
from commentsvc.domain.authors import Author
from commentsvc.domain.bans import bans
from commentsvc.domain.fields import Guest
from commentsvc.errors import BannedError, InvalidFieldsError
from commentsvc.models import Ban, BanKind, Role, Site
from tests.support.comment_builders import ANNA, NOON, article
from tests.support.time_limit import within

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
OTHER = Author(
    Guest(email="ada@mail.example"),
    commenter_id=8,
    author_key_hash="c" * 64,
    network_hash="d" * 64,
    client_ip="198.51.100.1",
)


def ban(session: Session, site: Site, kind: BanKind, value: str, *, days: int | None = None) -> None:
    until = NOON + timedelta(days=days) if days is not None else None
    value = bans.normal(kind, value)
    session.add(Ban(site_id=site.id, kind=kind, value=value, label="x", reason="x", until=until))
    session.flush()


@ENGINES
@pytest.mark.parametrize(
    ("kind", "value", "author"),
    [
        (BanKind.PERSON, "7", Author(commenter_id=7)),
        (BanKind.AUTHOR, "a" * 64, Author(author_key_hash="a" * 64)),
        (BanKind.EMAIL, "Eve@Mail.Example", Author(Guest(email="eve@mail.example"))),
        (BanKind.NETWORK, "b" * 64, Author(network_hash="b" * 64)),
        (BanKind.NETWORK, "192.0.2.7", Author(client_ip="192.0.2.7")),
        (BanKind.NETWORK, "192.0.2.9/24", Author(client_ip="192.0.2.7")),
        (BanKind.NETWORK, "2001:db8::/32", Author(client_ip="2001:db8:1::5")),
        (BanKind.NETWORK, "192.0.2.0/24", Author(client_ip="::ffff:192.0.2.7")),
    ],
)
def test_a_ban_knows_whom_it_is_for(
    session: Session, site: Site, kind: BanKind, value: str, author: Author
) -> None:
    ban(session, site, kind, value)
    assert bans.find_matching(session, site.id, author, at=NOON) is not None
    assert bans.find_matching(session, site.id + 1, author, at=NOON) is None
    assert bans.find_matching(session, site.id, OTHER, at=NOON) is None
    assert bans.find_matching(session, site.id, Author(), at=NOON) is None


@ENGINES
def test_a_banned_domain_is_known_by_the_hosts_of_a_comment(session: Session, site: Site) -> None:
    ban(session, site, BanKind.DOMAIN, "https://www.Spam.example/path")
    for hosts, is_banned in (("shop.spam.example", True), ("notspam.example", False)):
        matching = bans.find_matching(session, site.id, OTHER, hosts=[hosts], at=NOON)
        assert (matching is not None) is is_banned, hosts
    assert bans.find_matching(session, site.id + 1, OTHER, hosts=["spam.example"], at=NOON) is None


@ENGINES
def test_a_ban_ends(session: Session, site: Site) -> None:
    ban(session, site, BanKind.EMAIL, "eve@mail.example", days=1)
    eve = Author(Guest(email="eve@mail.example"))
    with pytest.raises(
        BannedError, match=r"^You cannot comment on this site until 2 June 2026, 12:00 UTC\.$"
    ):
        bans.require_not_banned(session, site.id, eve, at=NOON)
    bans.require_not_banned(session, site.id, eve, at=NOON + timedelta(days=1))


def test_nothing_of_a_banned_comment_is_stored(session: Session, site: Site) -> None:
    ban(session, site, BanKind.DOMAIN, "spam.example")
    pen = article(session, site)
    with pytest.raises(BannedError, match=r"links to spam\.example"):
        pen.write("See [this](https://a.spam.example/x)")
    with pytest.raises(BannedError):
        pen.write(by=type(ANNA)("Eve", website="http://spam.example:80"))
    pen.write("See [this](https://a.spam.example/x)", by=Author(role=Role.OWNER))


WAYS = ["b\u00fccher.example", "xn--bcher-kva.example", "B\u00dcCHER.Example.", "\uff42\u00fccher.example"]


@pytest.mark.parametrize("linked", WAYS)
@pytest.mark.parametrize("banned", WAYS)
def test_a_domain_is_banned_however_it_is_written(
    session: Session, site: Site, banned: str, linked: str
) -> None:
    ban(session, site, BanKind.DOMAIN, banned)
    pen = article(session, site)
    with pytest.raises(BannedError, match=r"links to xn--bcher-kva\.example"):
        pen.write(f"See https://shop.{linked}/x")
    with pytest.raises(BannedError):
        pen.write(by=type(ANNA)("Eve", website=f"https://www.{linked}"))
    pen.write("See https://bucher.example/ and https://xn--strae-oqa.example/")


@pytest.mark.parametrize("written", ["stra\u00dfe.example", "STRA\u00dfE.example.", "xn--strae-oqa.example"])
def test_a_host_is_the_one_that_browsers_go_to(written: str) -> None:
    assert bans.hosts_of([f"https://{written}/", f"http://{written}:80", "mailto:a@b.example"]) == (
        "xn--strae-oqa.example",
    )


def test_a_host_without_end_is_told_at_once() -> None:
    with within(5):
        assert bans.hosts_of(["https://" + "\u00fc" * 100_000 + ".example/"]) == ()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (BanKind.NETWORK, "300.1.1.1"),
        (BanKind.NETWORK, "1.2.3.4/99"),
        (BanKind.DOMAIN, "no domain"),
        (BanKind.DOMAIN, "\u00fc" * 40 + ".\u00fc" * 100 + ".example"),
        (BanKind.EMAIL, "nobody"),
        (BanKind.PERSON, " "),
    ],
)
def test_what_is_no_value_is_refused(kind: BanKind, value: str) -> None:
    with pytest.raises(InvalidFieldsError):
        bans.normal(kind, value)


MAPPED = "192.0.2.1/32"
TYPED = {
    BanKind.NETWORK: {
        "::ffff:192.0.2.1": MAPPED,
        "::FFFF:C000:0201": MAPPED,
        "0:0:0:0:0:ffff:192.0.2.1": MAPPED,
        "[::ffff:192.0.2.1]:8080": MAPPED,
        " 192.0.2.1:443 ": MAPPED,
        "192.0.2.1\u200b": MAPPED,
        "\uff11\uff19\uff12.0.2.1": MAPPED,
        "::ffff:192.0.2.0/120": "192.0.2.0/24",
        "::ffff:192.0.2.77/120": "192.0.2.0/24",
        "192.0.2.77 / 24": "192.0.2.0/24",
        "192.0.2.77/255.255.255.0": "192.0.2.0/24",
        "2001:DB8:0:0::1": "2001:db8::1/128",
        "[2001:db8::1]": "2001:db8::1/128",
        "[2001:db8::1]:443": "2001:db8::1/128",
        "2001:db8::1/32": "2001:db8::/32",
        "fe80::1%eth0": "fe80::1/128",
        "fe80::1%eth0/64": "fe80::/64",
        "127.0.0.1": "127.0.0.1/32",
    },
    BanKind.EMAIL: {
        " Eve@Mail.Example ": "eve@mail.example",
        "mailto:Eve@mail.example?subject=x": "eve@mail.example",
        "Eve <eve@mail.example>": "eve@mail.example",
        "eve@mail.example.": "eve@mail.example",
        "eve@b\u00fccher.example": "eve@xn--bcher-kva.example",
        "eve@B\u00dcCHER.example": "eve@xn--bcher-kva.example",
        "\uff45ve@mail.example": "eve@mail.example",
    },
    BanKind.DOMAIN: {
        "https://www.Spam.example:8443/path?x=1#y": "spam.example",
        "//spam.example/x": "spam.example",
        "spam.example:8080": "spam.example",
        "ftp://spam.example/": "spam.example",
        "*.spam.example": "spam.example",
        ".spam.example.": "spam.example",
        "spam\u3002example": "spam.example",
        "www.com": "www.com",
        "\u200bspam.example": "spam.example",
        "192.0.2.1": "192.0.2.1",
    },
}


@pytest.mark.parametrize(
    ("kind", "typed", "stored"),
    [(kind, typed, stored) for kind, its in TYPED.items() for typed, stored in its.items()],
)
def test_what_is_typed_is_stored_as_it_is_compared(kind: BanKind, typed: str, stored: str) -> None:
    assert ban_list.parse_typed(kind, typed).value == stored
    assert ban_list.parse_typed(kind, stored).value == stored, "and stays so"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("192.000.002.001", "without leading zeros"),
        ("::ffff:192.0.2.01", "without leading zeros"),
        ("192.0.2.1-192.0.2.9", "such as 192.0.2.7 or a range"),
        ("192.0.2.*", "such as 192.0.2.7 or a range"),
        ("192.0.2.1/33", "such as 192.0.2.7 or a range"),
        ("http://192.0.2.1/", "such as 192.0.2.7 or a range"),
        ("3221225985", "such as 192.0.2.7 or a range"),
        ("a" * 63, "such as 192.0.2.7 or a range"),
        ("::ffff:0:0/90", "too wide"),
        ("::/0", "too wide"),
        ("::ffff:0:0/96", "too wide"),
        ("0.0.0.0/0", "too wide"),
        ("0.0.0.0", "would have no effect"),
        ("::192.0.2.1", "would have no effect"),
        ("224.0.0.1", "would have no effect"),
        ("255.255.255.255", "would have no effect"),
        ("ff02::1", "would have no effect"),
        ("", "whom or what"),
        (" \u200b ", "whom or what"),
    ],
)
def test_a_network_that_could_never_hold_is_refused_with_a_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        ban_list.parse_typed(BanKind.NETWORK, typed)
    assert sentence in caught.value.fields["value"]


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (BanKind.EMAIL, "eve"),
        (BanKind.EMAIL, "eve@"),
        (BanKind.EMAIL, "@mail.example"),
        (BanKind.EMAIL, "a@mail.example, b@mail.example"),
        (BanKind.DOMAIN, "com"),
        (BanKind.DOMAIN, "eve@spam.example"),
        (BanKind.DOMAIN, "two words"),
        (BanKind.DOMAIN, "*"),
    ],
)
def test_what_is_no_address_and_no_domain_is_refused(kind: BanKind, typed: str) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        ban_list.parse_typed(kind, typed)
    assert set(caught.value.fields) == {"value"}


@pytest.mark.parametrize(
    "written", ["eve@b\u00fccher.example", "EVE@xn--bcher-kva.Example", "eve@B\u00dccher.example"]
)
def test_an_email_address_is_banned_however_it_is_written(session: Session, site: Site, written: str) -> None:
    ban(session, site, BanKind.EMAIL, "eve@b\u00fccher.example")
    with pytest.raises(BannedError):
        bans.require_not_banned(session, site.id, Author(Guest(email=written)), at=NOON)


def test_a_link_with_another_dot_leads_to_the_banned_domain() -> None:
    assert bans.hosts_of(["https://shop.spam\u3002example/"]) == ("shop.spam.example",)


@ENGINES
def test_a_networks_ban_holds_in_other_months(session: Session, site: Site) -> None:
    def hash_in(month: str) -> str:
        asked.append(month)
        return f"{month:x<64}"

    asked: list[str] = []
    later = Author(network_hash=f"{'2026-06':x<64}", network_hash_in=hash_in)
    assert bans.find_matching(session, site.id, later, at=NOON) is None
    assert asked == [], "nobody asks for months where no network is banned"
    for month, until in (("2026-01", None), ("2026-03", NOON), ("2025-11", None)):
        value = f"{month:x<64}" if month != "2025-11" else "y" * 64
        session.add(
            Ban(
                site_id=site.id,
                kind=BanKind.NETWORK,
                value=value,
                month=month,
                label="x",
                reason="x",
                until=until,
            )
        )
    session.flush()
    result = bans.find_matching(session, site.id, later, at=NOON)
    assert result is not None
    assert result.month == "2026-01"
    assert asked == ["2026-01", "2025-11"], "and not for that of a ban which is over"
    assert bans.find_matching(session, site.id + 1, later, at=NOON) is None
