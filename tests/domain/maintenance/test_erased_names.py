"""What moderators did and said about a guest goes with them, in whatever letters their address is written."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import ban_list, notes
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.bans import ban_values
from commentsvc.domain.maintenance import erased_names, erasure
from commentsvc.models import Action, BanKind, Note, Site, now
from tests.domain.maintenance import test_erasure
from tests.domain.maintenance.test_deleted_data import guest_comment
from tests.domain.maintenance.test_erasure import ENGINES, everything

session, site = test_erasure.session, test_erasure.site

SHARP_S = "info@stra\u00dfe.example"
FINAL_SIGMA = "\u03b1\u03c2@mail.example"
CAPITALS = "info@\u13e3\u13b3\u13a9.example"
"""Cherokee: the form in which a domain is stored has capital letters."""
LONG = f"{'a' * 60}@{'b' * 60}.example"
"""Longer than the label of a ban."""


@ENGINES
@pytest.mark.parametrize("address", [SHARP_S, FINAL_SIGMA, CAPITALS, LONG])
def test_no_row_names_a_guest(session: Session, site: Site, address: str) -> None:
    who = AuthorRef.parse(f"email:{address}")
    guest_comment(session, site, "Hello", email=who.value)
    begin_write(session)
    by = {"moderator_id": accounts.operator(session).id, "at": now()}
    notes.add(session, site.id, who, "Xylophonist", "Rude", **by)
    ban_list.add(
        session, site.id, [ban_list.parse_typed(BanKind.EMAIL, address)], reason="Rude", until=None, **by
    )
    session.commit()
    assert erasure.erase_guest(session, who, site_id=site.id) == 1
    assert session.scalars(select(Note)).all() == []
    left = everything(session)
    assert [form for form in (who.value, ban_values.email(who.value)[:100]) if form in left] == []
    assert {"Wrote a note about somebody.", "Banned somebody."} <= set(
        session.scalars(select(Action.summary))
    )


@ENGINES
def test_what_an_import_took_for_an_address_is_found_in_any_case(session: Session, site: Site) -> None:
    begin_write(session)
    session.add(Note(site_id=site.id, about="email:Not An Address", text="Rude"))
    session.flush()
    erased_names.forget_guest(session, site.id, "not an address", [])
    session.commit()
    assert session.scalars(select(Note)).all() == []
