"""Readers report comments: whose word counts, what it brings about, and what the door refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write, db
from commentsvc.domain.moderation import decisions, reports
from commentsvc.domain.moderation.reports import Reporter
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.integrations.rate_limits import Limiter
from commentsvc.models import Comment, Commenter, Decision, Report, Site, Status
from commentsvc.web.context import services_of
from tests.conftest import BASE_URL
from tests.support.comment_builders import Pen, article
from tests.support.guest_client import JSON, GuestClient, add_site, contents

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture
def pen(session: Session, site: Site) -> Pen:
    return article(session, site)


def guest(number: int, network: str | None = None) -> Reporter:
    return Reporter(f"{number:064}", network or f"{number:064}")


def report(session: Session, pen: Pen, comment: Comment, by: Reporter, reason: str = "spam") -> bool:
    return reports.report(session, comment.id, by, reason=reason, at=comment.created_at)


@ENGINES
class TestWhoseWordCounts:
    def test_enough_readers_hold_a_comment_and_the_log_says_why(self, session: Session, pen: Pen) -> None:
        comment = pen.write()
        for number, reason in enumerate(["spam", "abuse", "spam"]):
            assert comment.status is Status.APPROVED
            assert report(session, pen, comment, guest(number), reason)
        assert comment.status is Status.HELD
        assert comment.reports == 3
        assert pen.thread.approved_count == 0
        last = session.scalars(select(Decision).order_by(Decision.id.desc())).first()
        assert last is not None
        words = "3 readers reported this comment: 2 × spam, 1 × abuse."  # noqa: RUF001
        assert last.reasons == [{"check": "reports", "status": "held", "reason": words}]

    def test_one_reader_has_one_word(self, session: Session, pen: Pen) -> None:
        comment = pen.write()
        assert report(session, pen, comment, guest(1))
        assert not report(session, pen, comment, guest(1), "abuse")
        assert comment.reports == 1

    def test_guests_of_one_network_have_one_voice(self, session: Session, pen: Pen) -> None:
        comment = pen.write()
        for number in range(10):
            report(session, pen, comment, guest(number, "n" * 64))
        report(session, pen, comment, guest(10, "m" * 64))
        assert comment.status is Status.APPROVED
        report(session, pen, comment, guest(11, "o" * 64))
        assert comment.status is Status.HELD

    def test_accounts_of_one_network_alone_hold_nothing(self, session: Session, pen: Pen) -> None:
        comment = pen.write()
        for number in range(5):
            report(session, pen, comment, Reporter(f"{number:064}", "n" * 64, member=True))
        assert comment.status is Status.APPROVED
        report(session, pen, comment, guest(9))
        assert comment.status is Status.HELD

    def test_a_moderators_approval_stands_against_the_reports_before_it(
        self, session: Session, pen: Pen
    ) -> None:
        moderator = Commenter(name="Mo")
        session.add(moderator)
        session.flush()
        comment = pen.write()
        for number in range(3):
            report(session, pen, comment, guest(number))
        decisions.decide(session, comment, Status.APPROVED, moderator_id=moderator.id)
        report(session, pen, comment, guest(4))
        assert comment.status is Status.APPROVED

    def test_the_site_says_how_many_are_enough(self, session: Session, site: Site, pen: Pen) -> None:
        site.reports_to_hold = 1
        comment = pen.write()
        report(session, pen, comment, guest(1))
        assert comment.status is Status.HELD

    def test_zero_means_that_reports_hold_nothing(self, session: Session, site: Site, pen: Pen) -> None:
        site.reports_to_hold = 0
        comment = pen.write()
        report(session, pen, comment, guest(1))
        assert comment.status is Status.APPROVED

    @pytest.mark.parametrize("status", [Status.HELD, Status.SPAM, Status.TRASH])
    def test_what_readers_do_not_see_is_not_reported(
        self, session: Session, pen: Pen, status: Status
    ) -> None:
        comment = pen.write()
        decisions.decide(session, comment, status)
        with pytest.raises(NotFoundError):
            report(session, pen, comment, guest(1))

    @pytest.mark.parametrize(("reason", "note"), [("", ""), ("nonsense", ""), ("spam", "x" * 501)])
    def test_odd_words_are_refused(self, session: Session, pen: Pen, reason: str, note: str) -> None:
        comment = pen.write()
        with pytest.raises(InvalidFieldsError):
            reports.report(session, comment.id, guest(1), reason=reason, note=note, at=pen.at)
        assert comment.reports == 0


BOTH_MODES = pytest.mark.parametrize("door", ["/embed", "/thread"])


def fields(page: str) -> dict[str, str]:
    """What a report's form would send."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return {**hidden, "reason": "spam", "note": "Please look"}


def send(
    reader: GuestClient,
    path: str,
    data: Any,
    *,
    json: bool = False,
    origin: str | None = BASE_URL,
    **more: str,
) -> TestResponse:
    sent = {"Sec-Fetch-Site": "same-origin", **(JSON if json else {}), **more}
    if origin is not None:
        sent["Origin"] = origin
    return reader.client.post(path, base_url=BASE_URL, data=data, headers=sent)


@BOTH_MODES
class TestTheDoor:
    @pytest.fixture
    def reader(self, app: Flask) -> GuestClient:
        add_site(app)
        return GuestClient(app)

    def stored(self, app: Flask) -> list[Report]:
        with app.app_context(), Session(db.engine) as session:
            return list(session.scalars(select(Report)))

    def test_a_comment_leads_to_a_form_that_works_without_script(
        self, app: Flask, reader: GuestClient, door: str
    ) -> None:
        number = reader.posted("Buy now")
        path = f"{door}/comments/{number}/report"
        assert f'href="{path}"' in reader.get(door).text
        form = reader.get(path)
        assert "Buy now" in form.text
        assert form.headers["Cache-Control"] == "no-store"
        framed = "frame-ancestors https://blog.example" in form.headers["Content-Security-Policy"]
        assert framed is (door == "/embed")
        answer = send(reader, path, fields(form.text))
        assert answer.status_code == 200
        assert "Thank you. The moderators will look at this comment." in answer.text
        [found] = self.stored(app)
        assert (found.comment_id, found.reason, found.note) == (number, "spam", "Please look")

    def test_reading_the_form_changes_nothing(self, app: Flask, reader: GuestClient, door: str) -> None:
        path = f"{door}/comments/{reader.posted()}/report"
        before = contents(app)
        for more in ({}, {"fragment": "1"}, {"reason": "spam"}):
            assert reader.get(path, **more).status_code == 200
        assert contents(app) == before

    def test_a_fault_keeps_what_was_chosen(self, app: Flask, reader: GuestClient, door: str) -> None:
        path = f"{door}/comments/{reader.posted()}/report"
        data = fields(reader.get(path).text)
        answer = send(reader, path, {**data, "reason": ""})
        assert answer.status_code == 422
        assert "Please choose a reason" in answer.text
        assert ">Please look</textarea>" in answer.text
        answer = send(reader, path, {**data, "reason": "abuse", "token": "old"})
        assert answer.status_code == 422
        assert 'value="abuse" required checked' in answer.text
        assert self.stored(app) == []

    def test_scripts_get_a_sentence(self, app: Flask, reader: GuestClient, door: str) -> None:
        path = f"{door}/comments/{reader.posted()}/report"
        answer = send(reader, path, fields(reader.get(path).text), json=True)
        assert answer.json == {"message": "Thank you. The moderators will look at this comment."}
        assert send(reader, path, {"reason": "spam"}, json=True).status_code == 422

    def test_only_a_page_of_ours_may_report(self, app: Flask, reader: GuestClient, door: str) -> None:
        path = f"{door}/comments/{reader.posted()}/report"
        data = fields(reader.get(path).text)
        for origin in (None, "null", "https://blog.example", "https://evil.example"):
            assert send(reader, path, data, origin=origin).status_code == 403
        assert self.stored(app) == []

    def test_a_form_of_another_thread_is_worth_nothing(
        self, app: Flask, reader: GuestClient, door: str
    ) -> None:
        other = GuestClient(app, "https://blog.example/other")
        there = f"{door}/comments/{other.posted()}/report"
        here = f"{door}/comments/{reader.posted()}/report"
        assert send(reader, here, fields(other.get(there).text)).status_code == 422
        assert self.stored(app) == []

    def test_a_second_report_is_thanked_and_not_counted(
        self, app: Flask, reader: GuestClient, door: str
    ) -> None:
        path = f"{door}/comments/{reader.posted()}/report"
        data = fields(reader.get(path).text)
        for _ in range(2):
            assert send(reader, path, data).status_code == 200
        assert len(self.stored(app)) == 1

    def test_new_keys_from_one_network_are_one_voice(
        self, app: Flask, reader: GuestClient, door: str
    ) -> None:
        path = f"{door}/comments/{reader.posted('Fine')}/report"
        data = fields(reader.get(path).text)
        for number in range(6):
            send(reader, path, {**data, "author_key": f"{number:040}"})
        assert len(self.stored(app)) == 6
        assert "Fine" in reader.get(door).text

    def test_it_is_limited(self, app: Flask, reader: GuestClient, door: str) -> None:
        services_of(app).limiters["reports"] = Limiter("2/hour")
        path = f"{door}/comments/{reader.posted()}/report"
        data = fields(reader.get(path).text)
        statuses = [send(reader, path, data, json=True).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]

    def test_a_comment_that_is_gone_has_no_form(self, app: Flask, reader: GuestClient, door: str) -> None:
        number = reader.posted()
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            decisions.decide(session, session.get_one(Comment, number), Status.SPAM)
            session.commit()
        for comment_id in (number, 999, 2**63 - 1, 2**63):
            assert reader.get(f"{door}/comments/{comment_id}/report").status_code == 404
