"""A name that the eye takes for another's is found, however it is spelled."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, event
from sqlalchemy.orm import Session

from commentsvc.domain import fields
from commentsvc.domain.authors import Author
from commentsvc.domain.spam import lookalikes, signals
from commentsvc.domain.spam.lookalikes import Namesake
from commentsvc.models import Commenter, Membership, Role, Site, now
from tests.support.comment_builders import article


@pytest.mark.parametrize(
    "name",
    [
        "Paul Miller",
        "PAUL MILLER",
        "Paul  Miller",
        "paul.miller",
        "Раul Мillеr",  # noqa: RUF001
        "Ρaul Μiller",  # noqa: RUF001
        "Pаul\u200bMiller",  # noqa: RUF001
        "Pául Mïller",
        "PauI MiIIer",
        "Pau1 Mi11er",
        "Ｐａｕｌ Ｍｉｌｌｅｒ",  # noqa: RUF001
        "𝐏𝐚𝐮𝐥 𝐌𝐢𝐥𝐥𝐞𝐫",  # noqa: RUF001
        "P@ul Miller",
    ],
)
def test_these_look_alike(name: str) -> None:
    assert lookalikes.skeleton(name) == lookalikes.skeleton("Paul Miller")


UNDRAWN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u180b\u180e\u200b\u200d\u2060\u2800\u3164\ufe0f\ufeff\uffa0"
    "\U0001d159\U000e0041\U000e0100"
)


@pytest.mark.parametrize("char", UNDRAWN, ids=lambda char: f"{ord(char):04x}")
@pytest.mark.parametrize("form", ["{0}Owner", "Ow{0}ner", "Owner{0}", "{0}O{0}w{0}{0}ner{0}"])
def test_what_is_drawn_as_nothing_makes_no_other_name(char: str, form: str) -> None:
    assert lookalikes.skeleton(form.format(char)) == lookalikes.skeleton("Owner")
    assert fields.name(form.format(char)).replace(" ", "") == "Owner"


@pytest.mark.parametrize(
    "name",
    [
        *("Site Owner (Author)", "Site owner \u2713", "Site Owner \u2013 Moderator", "[Mod] Site owner"),
        *("The real Site Owner", "Site Owner | Official", "\u2605 Site Owner", "(Author) Site Owner"),
        *("S\u0456te Owner (\u0410uthor)", "SiteownerAdmin", "Site Owner!", "Site Owner|Mod"),
    ],
)  # fmt: skip
def test_a_title_beside_a_members_name_does_not_hide_it(session: Session, site: Site, name: str) -> None:
    assert lookalikes.find(session, site.id, name) == Namesake("Site owner", Role.OWNER)


@pytest.mark.parametrize(
    "name",
    ["Ann (Author)", "[Mod] Ann", "Ann \u2013 Moderator", "Ann, verified", "Moderator", "Site Admin", "\u0410dmin",
     "Ann \u2714\ufe0f", "Ann\u3164(Mod\u3164erator)", "Ann \u00b7 Official"],
)  # fmt: skip
def test_a_name_may_not_bear_a_badge(name: str) -> None:
    assert lookalikes.claims_a_role(name)


@pytest.mark.parametrize(
    "name", ["Ann", "Ann-Marie", "Modesta", "Ann Authorly", "Max Autor", "Mod Squad", "\u2605 Ann", "", None]
)
def test_most_names_claim_nothing(name: str | None) -> None:
    assert not lookalikes.claims_a_role(name)


@pytest.mark.parametrize("name", ["Paula Miller", "Paul", "Pauline Miller", "Saul Miller", "保罗", "🙂"])
def test_these_do_not(name: str) -> None:
    assert lookalikes.skeleton(name) != lookalikes.skeleton("Paul Miller")


@pytest.mark.parametrize("name", ["🙂", "??", "\u200d"])
def test_a_name_without_letters_is_only_like_itself(name: str) -> None:
    assert lookalikes.skeleton(name) == name


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_members_and_commenters_of_the_site_are_known(session: Session, site: Site) -> None:
    ada = Commenter(name="Ada Lovelace")
    session.add(ada)
    session.flush()
    assert lookalikes.find(session, site.id, "Ada Lovelace") is None
    article(session, site).write(by=Author(commenter_id=ada.id))
    assert lookalikes.find(session, site.id, "Аda L0velace") == Namesake("Ada Lovelace", None)  # noqa: RUF001
    assert lookalikes.find(session, site.id, "Ada Lovelace", commenter_id=ada.id) is None
    assert lookalikes.find(session, site.id, "site owner") == Namesake("Site owner", Role.OWNER)
    assert lookalikes.find(session, site.id, None) is None


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_commenters_are_known_on_a_site_that_nobody_has_a_role_on(session: Session, site: Site) -> None:
    session.execute(delete(Membership))
    ada = Commenter(name="Ada Lovelace")
    session.add(ada)
    session.flush()
    article(session, site).write(by=Author(commenter_id=ada.id))
    assert lookalikes.find(session, site.id, "Ada Lovelace") == Namesake("Ada Lovelace", None)
    assert lookalikes.find(session, site.id, "Site owner") is None


def test_the_checks_read_all_they_need_of_a_quiet_site_in_one_query(session: Session, site: Site) -> None:
    asked: list[str] = []
    event.listen(session.connection(), "before_cursor_execute", lambda *given: asked.append(given[2]))
    author = Author(guest=fields.Guest(name="Site owner"))
    gathered = signals.gather(session, site.id, "Hello", "<p>Hello</p>", author, at=now())
    assert gathered.namesake == Namesake("Site owner", Role.OWNER)
    assert len(asked) == 1


def test_how_many_have_accounts_does_not_matter(session: Session, site: Site) -> None:
    def steps() -> int:
        taken = 0

        def count() -> None:
            nonlocal taken
            taken += 1

        connection = session.connection().connection.driver_connection
        connection.set_progress_handler(count, 1)  # type: ignore[union-attr]
        assert lookalikes.find(session, site.id, "Ada Lovelace") is None
        connection.set_progress_handler(None, 1)  # type: ignore[union-attr]
        return taken

    session.add(Commenter(name="Ben"))
    session.flush()
    few = steps()
    session.add_all(Commenter(name=f"Number {number}") for number in range(100))
    session.flush()
    assert 0 < few == steps()


def test_guests_are_not_looked_through_where_nobody_has_an_account(session: Session, site: Site) -> None:
    asked: list[str] = []
    event.listen(session.connection(), "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert lookalikes.find(session, site.id, "Ada") is None
    assert len(asked) == 1
    session.add(Commenter(name="Ben"))
    session.flush()
    asked.clear()
    assert lookalikes.find(session, site.id, "Ada") is None
    assert len(asked) == 2
