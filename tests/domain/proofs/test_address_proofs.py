"""What a proof changes for its owner and for others, and that it goes with the person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain import hash_keys
from commentsvc.domain.admin import queue, rule_preview
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text, editing
from commentsvc.domain.fields import Guest
from commentsvc.domain.maintenance import erasure, personal_export, retention
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.domain.proofs import address_codes, address_proofs
from commentsvc.domain.proofs.address_proofs import AddressClaim
from commentsvc.domain.spam import lookalikes, signals
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.models import AddressCode, AddressProof, Comment, Commenter, Policy, Site, Status
from tests.support.comment_builders import ANNA, NOON, Pen, article

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])

NOTHING = RetentionPeriods(networks=0, emails=0, spam=0, trash=0)


@pytest.fixture
def key(session: Session) -> bytes:
    """The key of the database's hashes."""
    session.commit()
    key = hash_keys.load(session.get_bind().engine)
    begin_write(session)
    return key


@pytest.fixture
def pen(session: Session, site: Site) -> Pen:
    return article(session, site)


def guest(key: bytes, browser: str, name: str | None = "Anna", email: str | None = ANNA.email) -> Author:
    hashes = address_proofs.author_hashes(key, email=email, name_forms=lookalikes.forms(name))
    return Author(Guest(name, email), author_key_hash=browser * 64, proof_hashes=hashes)


def prove(session: Session, site: Site, author: Author) -> AddressClaim:
    assert author.proof_hashes
    assert author.proof_hashes.email
    claim = AddressClaim(site.id, author.proof_hashes.email, author.author_key_hash or "")
    address_proofs.add(session, claim, at=NOON)
    return claim


def reasons(comment: Comment) -> list[str]:
    return [reason["check"] for reason in comment.decisions[0].reasons if reason["status"] == comment.status]


def count(session: Session, table: type[AddressProof] | type[AddressCode]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_first_time_guests_wait_but_not_with_a_proved_address(
    session: Session, site: Site, pen: Pen, key: bytes
) -> None:
    site.policy = Policy.HOLD_FIRST
    anna = guest(key, "a")
    assert pen.write(by=anna).status is Status.HELD
    prove(session, site, anna)
    proved = pen.write(by=anna)
    assert (proved.status, proved.proved) == (Status.APPROVED, True)
    other_address = guest(key, "a", email="other@mail.example")
    assert pen.write(by=replace(other_address, author_key_hash="c" * 64)).status is Status.HELD
    # Proved for this browser, but not for that address.
    assert not pen.write(by=other_address).proved


def test_a_proof_does_not_lift_other_rules(session: Session, site: Site, pen: Pen, key: bytes) -> None:
    session.add(Commenter(name="Carla"))
    session.flush()
    carla = session.scalars(select(Commenter).where(Commenter.name == "Carla")).one()
    pen.write(by=Author(commenter_id=carla.id))
    impostor = guest(key, "m", "Carla", "mallory@mail.example")
    prove(session, site, impostor)
    held = pen.write(by=impostor)
    assert (held.status, reasons(held)) == (Status.HELD, [CheckName.NAMESAKE])
    site.policy = Policy.HOLD_ALL
    assert pen.write(by=impostor).status is Status.HELD


@pytest.mark.parametrize("known", [False, True])
def test_a_proved_address_from_another_browser_waits(
    session: Session, site: Site, pen: Pen, key: bytes, known: bool
) -> None:
    if known:
        pen.write(by=guest(key, "m", "Mallory", "mallory@mail.example"))
    prove(session, site, guest(key, "a"))
    imitated = pen.write(by=guest(key, "m", "Mallory", "ANNA@mail.example"))
    assert (imitated.status, reasons(imitated), imitated.proved) == (
        Status.HELD,
        [CheckName.PROVED_BY_OTHER],
        False,
    )
    assert pen.write(by=replace(guest(key, "a"), author_key_hash=None)).status is Status.HELD
    second = guest(key, "s")
    prove(session, site, second)
    assert pen.write(by=second).status is Status.APPROVED


@pytest.mark.parametrize("name", ["Anna", "\u0410NNA", "Anna!"])
def test_a_proved_name_from_another_browser_waits(
    session: Session, site: Site, pen: Pen, key: bytes, name: str
) -> None:
    anna, other = guest(key, "a"), guest(key, "m", name, "mallory@mail.example")
    assert pen.write(by=guest(key, "o", "Anna", "other.anna@mail.example")).status is Status.APPROVED
    prove(session, site, anna)
    assert pen.write(by=other).status is Status.APPROVED  # she has not written yet
    pen.write(by=anna)
    third = guest(key, "n", name, None)
    for by in (replace(other, author_key_hash="p" * 64), third):
        comment = pen.write(by=by)
        assert (comment.status, reasons(comment)) == (Status.HELD, [CheckName.PROVED_BY_OTHER])
    prove(session, site, guest(key, "n", name, "x@mail.example"))
    assert (
        pen.write(by=guest(key, "n", name, "x@mail.example")).status is Status.HELD
    )  # proved, but not that name
    # Who wrote by this name before keeps it.
    assert pen.write(by=guest(key, "o", "Anna", "other.anna@mail.example")).status is Status.APPROVED
    assert pen.write(by=guest(key, "q", "Berta", "b@mail.example")).status is Status.APPROVED


def test_a_name_without_an_approved_comment_is_nobodys(
    session: Session, site: Site, pen: Pen, key: bytes
) -> None:
    """Or a stranger would have every Anna held, by proving any address."""
    site.policy = Policy.HOLD_ALL
    squatter = guest(key, "m", "Anna", "mallory@mail.example")
    prove(session, site, squatter)
    pen.write(by=squatter)
    site.policy = Policy.OPEN
    assert pen.write(by=guest(key, "a")).status is Status.APPROVED


def test_a_proof_is_for_one_site(session: Session, site: Site, pen: Pen, key: bytes) -> None:
    other = Site(name="Other")
    session.add(other)
    session.flush()
    prove(session, other, guest(key, "a"))
    comment = pen.write(by=guest(key, "b"))
    assert (comment.status, comment.proved) == (Status.APPROVED, False)


def test_looking_proofs_up_walks_no_table(
    session: Session, site: Site, pen: Pen, key: bytes, engine_name: str
) -> None:
    anna = guest(key, "a")
    prove(session, site, anna)
    pen.write(by=anna)
    values = {"site_id": site.id, **address_proofs.parameters(anna.proof_hashes, anna.author_key_hash)}
    query = select(*address_proofs.CONDITIONS)
    row = session.execute(query, values).one()
    assert address_proofs.signals_of(row).is_proved
    if engine_name == "sqlite":
        compiled = query.compile(session.get_bind())
        given = {**compiled.params, **values}
        sent = tuple(given[name] for name in compiled.positiontup or ())
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", sent).all()
        assert [row[3] for row in plan if row[3].startswith("SCAN ") and "CONSTANT" not in row[3]] == []
        assert any("ix_comment_author_key (site_id=? AND author_key_hash=?)" in row[3] for row in plan)


def test_moderators_see_the_mark_until_the_address_changes(
    session: Session, site: Site, pen: Pen, key: bytes
) -> None:
    anna = guest(key, "a")
    prove(session, site, anna)
    comment = pen.write(by=anna)
    assert queue.load_entry(session, comment.id).is_proved
    draft = comment_text.from_source("Edited", longest=100)
    editing.edit(session, comment, draft, at=NOON, guest=anna.guest)
    assert comment.proved
    editing.edit(session, comment, draft, at=NOON, guest=Guest("Anna", "other@mail.example"))
    assert not comment.proved


def test_a_preview_of_rules_knows_who_had_proved(session: Session, site: Site, pen: Pen, key: bytes) -> None:
    anna = guest(key, "a")
    prove(session, site, anna)
    pen.write(by=anna)
    pen.write(by=guest(key, "b", "Ben", "ben@mail.example"))
    counted = rule_preview.preview(session, site, Policy.HOLD_FIRST, signals.rules_of(site))
    assert counted.changes == {(Status.APPROVED, Status.HELD): 1}


def test_proofs_last_as_long_as_they_are_used(session: Session, site: Site, pen: Pen, key: bytes) -> None:
    anna = guest(key, "a")
    claim = prove(session, site, anna)
    address_codes.send(session, site, str(ANNA.email), claim, secret="s", at=NOON)
    year = address_proofs.UNUSED
    pen.at += year - timedelta(days=1)
    pen.write(by=anna)
    for days, proofs in ((timedelta(days=300), 1), (year + timedelta(days=1), 0)):
        session.commit()
        retention.delete_expired(session, NOTHING, at=pen.at + days)
        assert (count(session, AddressProof), count(session, AddressCode)) == (proofs, 0)


@pytest.mark.parametrize("who", ["email:anna@MAIL.example", "name:Anna"])
def test_erasing_a_guest_deletes_what_they_proved(
    session: Session, site: Site, pen: Pen, key: bytes, who: str
) -> None:
    anna, ben = guest(key, "a"), guest(key, "b", "Ben", "ben@mail.example")
    for author in (anna, ben):
        claim = prove(session, site, author)
        address_codes.send(session, site, str(author.guest.email), claim, secret="s", at=NOON)
        pen.write(by=author)
    session.commit()
    assert erasure.erase_guest(session, AuthorRef.parse(who), site_id=site.id + 1) == 0
    assert (count(session, AddressProof), count(session, AddressCode)) == (2, 2)
    assert erasure.erase_guest(session, AuthorRef.parse(who), site_id=site.id) == 1
    assert session.scalars(select(AddressProof.author_key_hash)).all() == ["b" * 64]
    assert count(session, AddressCode) == (1 if who.startswith("email") else 2)


@pytest.mark.parametrize("texts", list(Texts))
def test_an_account_takes_the_proofs_of_its_browsers_along(
    session: Session, site: Site, pen: Pen, key: bytes, texts: Texts
) -> None:
    person = Commenter(name="Carla")
    session.add(person)
    session.flush()
    pen.write(by=Author(commenter_id=person.id, author_key_hash="a" * 64))
    for author in (guest(key, "a"), guest(key, "b", "Ben", "ben@mail.example")):
        prove(session, site, author)
    session.commit()
    exported = personal_export.person(session, person.id, at=NOON)["address_proofs"]
    assert exported == [{"site": "Blog", "proved_at": NOON.isoformat(), "used_at": NOON.isoformat()}]
    erasure.erase(session, person.id, texts)
    assert session.scalars(select(AddressProof.author_key_hash)).all() == ["b" * 64]
