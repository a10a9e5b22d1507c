"""The list of people: numbers, status and order, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import ban_list, people_list
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.admin.people_list import PeopleOrder, PersonRow
from commentsvc.domain.fields import Guest
from commentsvc.models import BanKind, Role, Status
from tests.support.admin_queue import AdminQueue, queue_in

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
AT = datetime(2026, 6, 15, 12, tzinfo=UTC)
ADA, BEN = Guest("Ada", "ada@mail.example"), Guest("Ben", "ben@mail.example")


@pytest.fixture
def it(app: Flask) -> Iterator[AdminQueue]:
    with queue_in(app) as queue:
        yield queue


def rows(it: AdminQueue, order: PeopleOrder = PeopleOrder.SEEN, *, number: int = 0) -> list[PersonRow]:
    it.session.rollback()
    return people_list.page(it.session, it.site_id, order, number=number, at=AT).rows


def names(found: list[PersonRow]) -> list[str]:
    return [row.name for row in found]


def seed(it: AdminQueue) -> None:
    """Ada with two comments and a held one, Ben with two of spam, an account with one in the trash."""
    for day, guest, status in (
        (1, ADA, Status.APPROVED),
        (2, ADA, Status.APPROVED),
        (3, ADA, None),
        (4, BEN, Status.SPAM),
        (5, BEN, Status.SPAM),
    ):
        it.write(f"On day {day}", guest=guest, status=status, at=AT - timedelta(days=10 - day))
    mallory = it.person("Mallory", moderates=True)
    it.write("From an account", by=mallory.id, status=Status.TRASH, at=AT - timedelta(days=8))
    it.write("Nobody in particular", guest=Guest("Nobody"), at=AT)


@ENGINES
def test_everybody_has_their_numbers_and_their_latest_name(it: AdminQueue) -> None:
    seed(it)
    it.write("Married", guest=Guest("Ada B.", ADA.email), status=Status.APPROVED, at=AT - timedelta(hours=1))
    ada, ben, mallory = rows(it)
    assert (ada.name, ada.comments, ada.held, ada.spam) == ("Ada B.", 3, 1, 0)
    assert ada.seen_at == AT - timedelta(hours=1)
    assert (ben.name, ben.comments, ben.held, ben.spam) == ("Ben", 0, 0, 2)
    assert (mallory.name, mallory.email, mallory.role) == ("Mallory", None, Role.MODERATOR)
    assert [row.is_known for row in (ada, ben, mallory)] == [True, False, False]


@ENGINES
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (PeopleOrder.SEEN, ["Ben", "Ada", "Mallory"]),
        (PeopleOrder.COMMENTS, ["Ada", "Ben", "Mallory"]),
        (PeopleOrder.HELD, ["Ada", "Ben", "Mallory"]),
        (PeopleOrder.SPAM, ["Ben", "Ada", "Mallory"]),
    ],
)
def test_the_list_is_sorted_by_what_is_chosen(
    it: AdminQueue, order: PeopleOrder, expected: list[str]
) -> None:
    seed(it)
    assert names(rows(it, order)) == expected


@ENGINES
def test_people_are_banned_while_a_ban_of_theirs_lasts(it: AdminQueue) -> None:
    seed(it)
    begin_write(it.session)
    owner_id = accounts.operator(it.session).id
    for address, until in ((BEN.email, AT + timedelta(days=1)), (ADA.email, None)):
        target = ban_list.parse_typed(BanKind.EMAIL, str(address))
        ban_list.add(
            it.session, it.site_id, [target], reason="Spam", until=until, moderator_id=owner_id, at=AT
        )
    it.session.commit()
    assert {row.name: row.is_banned for row in rows(it)} == {"Ben": True, "Ada": True, "Mallory": False}
    it.session.rollback()
    later = people_list.page(
        it.session, it.site_id, PeopleOrder.SEEN, number=0, at=AT + timedelta(days=2)
    ).rows
    assert {row.name: row.is_banned for row in later} == {"Ben": False, "Ada": True, "Mallory": False}


@ENGINES
def test_chosen_people_have_the_same_numbers(it: AdminQueue) -> None:
    seed(it)
    listed = rows(it)
    chosen = [row.who for row in listed if row.name != "Ben"]
    it.session.rollback()
    found = people_list.of_people(it.session, it.site_id, chosen, PeopleOrder.SEEN, at=AT)
    assert found == [row for row in listed if row.name != "Ben"]
    assert people_list.of_people(it.session, it.site_id, [], PeopleOrder.SEEN, at=AT) == []


def test_the_pages_hold_everybody_once(it: AdminQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_list, "PAGE", 2)
    seed(it)
    it.session.rollback()
    first = people_list.page(it.session, it.site_id, PeopleOrder.SEEN, number=0, at=AT)
    second = people_list.page(it.session, it.site_id, PeopleOrder.SEEN, number=1, at=AT)
    assert (names(first.rows), first.next_page) == (["Ben", "Ada"], 1)
    assert (names(second.rows), second.next_page) == (["Mallory"], None)


def test_older_comments_than_the_latest_are_not_read(it: AdminQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_list, "LATEST", 1)
    seed(it)
    assert [(row.name, row.comments, row.spam) for row in rows(it)] == [
        ("Ben", 0, 1),
        ("Mallory", 0, 0),
        ("Ada", 1, 0),
    ]


class TestThePage:
    def page(self, it: AdminQueue, query: str = "") -> str:
        return it.owner.page(f"/admin/sites/{it.site_id}/people{query}")

    def test_says_who_is_known_new_banned_or_has_a_role(self, it: AdminQueue) -> None:
        seed(it)
        begin_write(it.session)
        ada = AuthorRef.parse(f"email:{ADA.email}")
        target = ban_list.parse_typed(BanKind.EMAIL, ada.value)
        owner_id = accounts.operator(it.session).id
        ban_list.add(it.session, it.site_id, [target], reason="x", until=None, moderator_id=owner_id, at=AT)
        it.session.commit()
        page = self.page(it)
        for badge in ('spam">Banned', 'plain">New', '">Moderator'):
            assert badge in page
        assert "Known</span>" not in page
        assert "Nobody in particular" not in page

    def test_keeps_the_order_in_a_search_and_names_it_to_screen_readers(self, it: AdminQueue) -> None:
        seed(it)
        page = self.page(it, "?q=ada&sort=spam")
        assert '<input type="hidden" name="sort" value="spam">' in page
        assert page.count('aria-sort="descending"') == 1
        assert "Ada" in page
        assert ">Ben<" not in page

    @pytest.mark.parametrize(
        ("query", "status"), [("?sort=name", 400), ("?page=x", 400), ("?page=9999999", 404)]
    )
    def test_refuses_what_it_cannot_show(self, it: AdminQueue, query: str, status: int) -> None:
        assert it.owner.get(f"/admin/sites/{it.site_id}/people{query}").status_code == status
