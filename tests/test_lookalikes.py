"""A name that the eye takes for another's is found, however it is spelled."""

from __future__ import annotations

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session
from writing import article

from commentsvc.domain.verdicts import lookalikes
from commentsvc.domain.verdicts.lookalikes import Namesake
from commentsvc.domain.writing.comments import Author
from commentsvc.models import Commenter, Role, Site


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
