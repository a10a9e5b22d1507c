"""Proving an address in the form: with script and without, by mail over a real server, and against those who guess."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc import create_app
from commentsvc.cli.background_work import sending
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain.notifications import outbox
from commentsvc.integrations.rate_limits import Counters
from commentsvc.models import AddressCode, Comment, FieldRule, Policy, Site, Status, now
from commentsvc.web.context import services_of
from commentsvc.web.thread import address_claims, proving
from tests.conftest import BASE_URL, dispose
from tests.support.guest_client import JSON, Elements, GuestClient, add_site
from tests.support.mail_server import Mailbox, mail_server

ANNA = "anna@mail.example"
KEY, OTHER_KEY = "a-key-that-only-this-browser-holds", "a-key-that-another-browser-holds"


@dataclass
class Guests:
    """Guests of one service that sends mail, and what arrives."""

    app: Flask
    box: Mailbox
    settings: Settings
    reader: GuestClient

    def prove(
        self, email: str = ANNA, key: str = KEY, *, json: bool = True, path: str = "/embed/prove", **more: Any
    ) -> TestResponse:
        """Press the button, with a code or without."""
        form = self.reader.form(
            "Half a thought", email=email, author_key=key, token=self.reader.token(), **more
        )
        headers = {"Origin": BASE_URL, **(JSON if json else {})}
        return self.reader.client.post(path, base_url=BASE_URL, data=form, headers=headers)

    def codes(self) -> dict[str, str]:
        """Deliver what waits; return the latest code by recipient."""
        with sending(self.settings) as send, self.app.app_context(), Session(db.engine) as session:
            while outbox.deliver(session, send, at=now()):
                pass
        return {mail["To"]: mail.get_content()[:6] for mail in self.box.mails}

    def proved(self, email: str = ANNA, key: str = KEY) -> None:
        self.prove(email, key)
        answer = self.prove(email, key, code=self.codes()[email])
        assert (answer.json or {})["proved"], answer.text

    def held(self, text: str, **fields: Any) -> bool:
        """Post a comment; whether its writer is told that it waits."""
        answer = self.reader.post(text, **{"author_key": KEY, **fields})
        assert answer.status_code == 200, answer.text
        return bool((answer.json or {})["held"])

    def change(self, **values: Any) -> None:
        with self.app.app_context(), Session(db.engine) as session:
            begin_write(session)
            for name, value in values.items():
                setattr(session.scalars(select(Site)).one(), name, value)
            session.commit()

    def unlimit(self, *names: str) -> None:
        for name in names:
            services_of(self.app).limiters[name] = Counters().limiter(name, "1000/minute")


@pytest.fixture
def guests(settings: Settings) -> Iterator[Guests]:
    with mail_server() as box:
        with_mail = replace(settings, smtp_url=box.url)
        app = create_app(with_mail)
        add_site(app, policy=Policy.HOLD_FIRST)
        yield Guests(app, box, with_mail, GuestClient(app))
        dispose(app)


def errors(answer: TestResponse) -> dict[str, str]:
    return dict((answer.json or {})["errors"])


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_a_guest_proves_an_address_and_need_not_wait(guests: Guests) -> None:
    assert guests.held("First")
    asked = guests.prove()
    assert asked.json == {"message": proving.ASKED, "proved": False}
    code = guests.codes()[ANNA]
    (mail,) = guests.box.mails
    assert set(mail) <= {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding",
    }  # fmt: skip
    assert not {"Half", "thought", "Anna", "anna.example", "article"} & set(
        re.findall(r"[\w.]+", mail.get_content())
    )
    proved = guests.prove(code=f" {code[:3]} {code[3:]}")
    assert (proved.json or {})["proved"]
    assert not guests.held("Second")
    assert guests.held("Third", author_key=OTHER_KEY)


def test_a_code_typed_into_the_form_counts_when_the_comment_is_posted(guests: Guests) -> None:
    guests.prove()
    code = guests.codes()[ANNA]
    refused = guests.reader.post("Hello", author_key=KEY, code=wrong(code))
    assert (refused.status_code, errors(refused)) == (422, {"code": address_claims.WRONG})
    assert not guests.held("Hello", code=code)
    assert not guests.held("Once more", code=code)  # the form still has it


def test_without_script_the_form_carries_text_and_key(guests: Guests) -> None:
    answer = guests.prove(key="", json=False, path="/thread/prove", name="Änna")
    page = Elements(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    assert proving.ASKED in page.text
    (key,) = page.all("input", name="author_key")
    assert len(str(key["value"])) == 43
    assert not any("disabled" in field for field in page.all("input", name="code"))
    assert [field["value"] for field in page.all("input", name="name")] == ["Änna"]
    assert "Half a thought" in answer.text
    carried = {"key": str(key["value"]), "json": False, "path": "/thread/prove"}
    code = guests.codes()[ANNA]
    refused = guests.prove(**carried, code=wrong(code))
    assert refused.status_code == 422
    assert address_claims.WRONG in Elements(refused.text).text
    proved = Elements(guests.prove(**carried, code=code).text)
    assert proving.PROVED in proved.text
    assert all("disabled" in field for field in proved.all("input", name="code"))
    assert proved.all("input", name="author_key") == [key]
    assert not guests.held("Hello", author_key=str(key["value"]))


def test_a_preview_and_an_error_keep_the_key_and_the_code_field(guests: Guests) -> None:
    form = guests.reader.form("", author_key=KEY, code="", token=guests.reader.token())
    answer = guests.reader.client.post(
        "/embed/preview", base_url=BASE_URL, data=form, headers={"Origin": BASE_URL}
    )
    page = Elements(answer.text)
    assert [field["value"] for field in page.all("input", name="author_key")] == [KEY]
    assert not any("disabled" in field for field in page.all("input", name="code"))


@pytest.mark.parametrize("what", [{"email_field": FieldRule.OFF}, {"guests": False}])
def test_it_is_offered_only_where_guests_give_an_address(guests: Guests, what: dict[str, Any]) -> None:
    assert Elements(guests.reader.get().text).all("input", name="code")
    guests.change(**what)
    assert not Elements(guests.reader.get().text).all("input", name="code")
    assert guests.prove().status_code == 404


def test_it_is_not_offered_without_mail(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    assert not Elements(reader.get().text).all("input", name="code")
    form = reader.form(author_key=KEY, token=reader.token())
    answer = reader.client.post("/embed/prove", base_url=BASE_URL, data=form, headers={"Origin": BASE_URL})
    assert answer.status_code == 404


def test_a_form_of_another_page_or_without_token_sends_nothing(guests: Guests) -> None:
    form = guests.reader.form(author_key=KEY)
    client = guests.reader.client
    for headers in ({}, {"Origin": "https://blog.example"}, {"Origin": "null"}):
        assert client.post("/embed/prove", base_url=BASE_URL, data=form, headers=headers).status_code == 403
    stale = client.post("/embed/prove", base_url=BASE_URL, data=form, headers={"Origin": BASE_URL, **JSON})
    assert stale.status_code == 422
    assert (stale.json or {})["token"]
    assert guests.codes() == {}


def test_a_field_that_people_do_not_see_sends_nothing(guests: Guests) -> None:
    assert guests.prove(subject="x").json == {"message": proving.ASKED, "proved": False}
    assert guests.codes() == {}


def test_the_answer_tells_nothing_about_an_address(guests: Guests) -> None:
    guests.unlimit("address mails", "address tries")
    guests.proved()
    guests.held("Known")
    answers = {
        guests.prove(email, OTHER_KEY).text for email in (ANNA, "new@mail.example", "new@mail.example")
    }
    assert len(answers) == 1
    tries = {
        guests.prove(email, OTHER_KEY, code="123456").text
        for email in (ANNA, "new@mail.example", "x@y.example")
    }
    assert len(tries) == 1
    assert (guests.prove(ANNA, KEY).json or {})["proved"]  # only who proved it is told


def test_another_browser_or_address_gets_nothing_by_the_code(guests: Guests) -> None:
    guests.prove()
    code = guests.codes()[ANNA]
    assert errors(guests.prove(key=OTHER_KEY, code=code)) == {"code": address_claims.WRONG}
    assert errors(guests.prove("mallory@mail.example", code=code)) == {"code": address_claims.WRONG}
    assert (guests.prove(code=code).json or {})["proved"]


def test_who_imitates_is_told_what_everybody_is_told_who_waits(guests: Guests) -> None:
    guests.change(policy=Policy.OPEN)
    guests.proved()
    assert not guests.held("Mine")
    answer = guests.reader.post("Not mine", author_key=OTHER_KEY)
    assert (answer.json or {})["held"]
    assert "awaiting moderation" in answer.text
    assert "prove" not in answer.text
    with guests.app.app_context(), Session(db.engine) as session:
        mine, not_mine = session.scalars(select(Comment).order_by(Comment.id))
        assert (mine.proved, not_mine.proved) == (True, False)
        assert "Another browser has proved" in str(not_mine.decisions[0].reasons)
        assert not_mine.status is Status.HELD


def test_one_network_neither_bombs_nor_guesses(guests: Guests) -> None:
    statuses = [guests.prove(f"{number}@mail.example").status_code for number in range(8)]
    assert statuses == [200] * 5 + [429] * 3
    assert len(guests.codes()) == 5
    tried = [guests.prove(f"{number % 5}@mail.example", code="123456").status_code for number in range(25)]
    assert tried == [422] * 20 + [429] * 5
    assert (
        guests.reader.post("Hello", author_key=KEY, email="0@mail.example", code="123456").status_code == 429
    )


def test_one_address_is_not_bombed_by_many_networks(guests: Guests) -> None:
    guests.unlimit("address mails")
    for number in range(10):
        guests.prove(key=f"{KEY}{number}")
    guests.codes()
    assert len(guests.box.mails) == 1


def test_sixty_mails_an_hour_are_all(guests: Guests) -> None:
    guests.unlimit("address mails")
    answers = [guests.prove(f"{number}@mail.example").status_code for number in range(62)]
    assert answers == [200] * 60 + [429] * 2
    with guests.app.app_context():
        assert len(db.session.scalars(select(AddressCode)).all()) == 60
