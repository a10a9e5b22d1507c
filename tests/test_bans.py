"""Whoever is banned from a site cannot comment there, and learns for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hang import within
from sqlalchemy.orm import Session
from writing import ANNA, NOON, article

from commentsvc.domain.verdicts import bans
from commentsvc.domain.verdicts.bans import Sender
from commentsvc.domain.writing.comments import Author
from commentsvc.errors import BannedError, InvalidFieldsError
from commentsvc.models import Ban, BanKind, Role, Site

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def ban(session: Session, site: Site, kind: BanKind, value: str, *, days: int | None = None) -> None:
    until = NOON + timedelta(days=days) if days is not None else None
    value = bans.normal(kind, value)
    session.add(Ban(site_id=site.id, kind=kind, value=value, label="x", reason="x", until=until))
    session.flush()


@ENGINES
@pytest.mark.parametrize(
    ("kind", "value", "sender"),
    [
        (BanKind.PERSON, "7", Sender(commenter_id=7)),
        (BanKind.AUTHOR, "a" * 64, Sender(author_key_hash="a" * 64)),
        (BanKind.EMAIL, "Eve@Mail.Example", Sender(email="eve@mail.example")),
        (BanKind.NETWORK, "b" * 64, Sender(network_hash="b" * 64)),
        (BanKind.NETWORK, "192.0.2.7", Sender(address="192.0.2.7")),
        (BanKind.NETWORK, "192.0.2.9/24", Sender(address="192.0.2.7")),
        (BanKind.NETWORK, "2001:db8::/32", Sender(address="2001:db8:1::5")),
        (BanKind.NETWORK, "192.0.2.0/24", Sender(address="::ffff:192.0.2.7")),
        (BanKind.DOMAIN, "https://www.Spam.example/path", Sender(hosts=("shop.spam.example",))),
    ],
)
def test_a_ban_knows_whom_it_is_for(
    session: Session, site: Site, kind: BanKind, value: str, sender: Sender
) -> None:
    ban(session, site, kind, value)
    assert bans.find_matching(session, site.id, sender, at=NOON) is not None
    assert bans.find_matching(session, site.id + 1, sender, at=NOON) is None
    other = Sender(8, "c" * 64, "ada@mail.example", "d" * 64, "198.51.100.1", ("notspam.example",))
    assert bans.find_matching(session, site.id, other, at=NOON) is None
    assert bans.find_matching(session, site.id, Sender(), at=NOON) is None


@ENGINES
def test_a_ban_ends(session: Session, site: Site) -> None:
    ban(session, site, BanKind.EMAIL, "eve@mail.example", days=1)
    eve = Sender(email="eve@mail.example")
    with pytest.raises(
        BannedError, match=r"^You cannot comment on this site until 2 June 2026, 12:00 UTC\.$"
    ):
        bans.require_welcome(session, site.id, eve, at=NOON)
    bans.require_welcome(session, site.id, eve, at=NOON + timedelta(days=1))


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
        assert len(bans.hosts_of(["https://" + "\u00fc" * 100_000 + ".example/"])) == 1


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
