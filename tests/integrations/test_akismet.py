"""Akismet is asked where the owner gave a key; what goes wrong there holds nobody up."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from commentsvc.db.session import db
from commentsvc.domain.spam import akismet_check
from commentsvc.errors import OutboundError
from commentsvc.http_client.client import HttpResponse
from commentsvc.integrations import akismet
from commentsvc.integrations.akismet import ADDRESS, Opinion, Question
from commentsvc.models import Comment, Status, now
from tests.support.guest_client import ARTICLE, GuestClient, add_site


class Service:
    """Stands where Akismet would: one answer for all, and what it was asked."""

    def __init__(self, body: bytes = b"false", status: int = 200, **headers: str) -> None:
        self.answer = HttpResponse(ADDRESS, status, "text/plain", body, headers)
        self.asked: list[dict[str, str]] = []

    def __call__(self, url: str, *, data: bytes, **_how: Any) -> HttpResponse:
        assert url == ADDRESS
        self.asked.append({name: value[0] for name, value in parse_qs(data.decode()).items()})
        return self.answer


QUESTION = Question(
    blog="https://blog.example",
    permalink=ARTICLE,
    text="Hello & goodbye",
    address="192.0.2.7",
    browser="Firefox",
    at=now(),
    name="Änne",
)


@pytest.mark.parametrize(
    ("service", "opinion"),
    [
        (Service(b"true"), Opinion.SPAM),
        (Service(b"false\n"), Opinion.HAM),
        (Service(b"true", **{"x-akismet-pro-tip": "discard"}), Opinion.BLATANT),
        (Service(b"invalid"), None),
        (Service(b""), None),
        (Service(b"true", status=500), None),
    ],
)
def test_its_answers_are_understood(service: Service, opinion: Opinion | None) -> None:
    assert akismet.ask("key", QUESTION, fetch=service, is_test=True) is opinion


def test_it_is_told_what_it_wants_to_know_and_nothing_empty() -> None:
    service = Service()
    akismet.ask("0123abc", QUESTION, fetch=service, is_test=True)
    (told,) = service.asked
    assert told["api_key"] == "0123abc"
    assert (told["comment_content"], told["comment_author"]) == ("Hello & goodbye", "Änne")
    assert (told["user_ip"], told["is_test"], told["comment_type"]) == ("192.0.2.7", "1", "comment")
    assert "comment_author_email" not in told


def test_a_fault_is_noted_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: Any, **_how: Any) -> HttpResponse:
        raise OutboundError("The server could not be reached.")

    with caplog.at_level(logging.WARNING):
        assert akismet.ask("0123abc", QUESTION, fetch=fail) is None
    assert "could not be reached" in caplog.text
    assert "0123abc" not in caplog.text


@pytest.mark.parametrize(
    ("service", "status"),
    [
        (Service(b"false"), Status.APPROVED),
        (Service(b"true"), Status.HELD),
        (Service(b"true", **{"x-akismet-pro-tip": "discard"}), Status.SPAM),
        (Service(b"", status=503), Status.APPROVED),
    ],
)
def test_it_has_a_say_where_a_key_is(
    app: Flask, monkeypatch: pytest.MonkeyPatch, service: Service, status: Status
) -> None:
    add_site(app, akismet_key="0123abc")
    monkeypatch.setitem(akismet_check.of_akismet.__kwdefaults__, "fetch", service)
    number = GuestClient(app).posted("Hello")
    with app.app_context(), Session(db.engine) as session:
        assert session.get_one(Comment, number).status is status
    assert service.asked[-1]["permalink"] == ARTICLE
    assert service.asked[-1]["comment_author_email"] == "anna@mail.example"


def test_without_a_key_nobody_is_asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    add_site(app)
    service = Service()
    monkeypatch.setitem(akismet_check.of_akismet.__kwdefaults__, "fetch", service)
    GuestClient(app).posted("Hello")
    assert service.asked == []
