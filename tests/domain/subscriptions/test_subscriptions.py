"""Mail that readers asked for, through the form, the worker and a real mail server: consent, and what is due."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.cli import background_work
from commentsvc.db.session import begin_write, db
from commentsvc.domain.moderation import decisions
from commentsvc.domain.notifications import outbox
from commentsvc.domain.subscriptions import composing, confirming, fan_out, subscription_requests
from commentsvc.domain.thread_admin import merging
from commentsvc.models import (
    Comment,
    Delivery,
    DeliveryState,
    FieldRule,
    Notice,
    Policy,
    Pressure,
    Site,
    Status,
    Subscription,
    Suppression,
    Thread,
    now,
)
from commentsvc.web.context import services_of
from tests.conftest import BASE_URL, BLOG
from tests.support import wxr
from tests.support.guest_client import ARTICLE, GuestClient, add_site
from tests.support.subscribers import Postman, link, links, part, postman, press, subscribe

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
ADA, BEN, CARL = "ada@mail.example", "ben@mail.example", "carl@mail.example"
SOON = timedelta(minutes=6)


@pytest.fixture
def post(app: Flask) -> Iterator[Postman]:
    with postman(app) as one:
        yield one


@pytest.fixture
def site_id(app: Flask, post: Postman) -> int:
    return add_site(app, valve=False)


def later(minutes: float = 6) -> datetime:
    return now() + timedelta(minutes=minutes)


def decide(app: Flask, number: int, status: Status) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        decisions.decide(session, session.get_one(Comment, number), status)
        session.commit()


def write(app: Flask, text: str, by: str = CARL, **fields: Any) -> int:
    return GuestClient(app).posted(text, email=by, name=by.partition("@")[0].title(), **fields)


class TestConsent:
    def test_an_address_gets_one_mail_whatever_is_posted_and_no_strangers_word_is_in_it(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        evil = "Buy now at evil.example"
        for number in range(4):
            GuestClient(app, f"https://blog.example/buy-now-{number}").posted(
                f"{evil} {number}", email=ADA, name="Evil Offer", title=evil, notify="1"
            )
        (mail,) = post.work()
        assert mail["To"] == ADA
        for word in ("Evil", "evil", "Offer", "buy-now", "Buy"):
            assert word not in mail.as_string()
            assert word not in part(mail)
            assert word not in part(mail, "html")
        assert mail["List-Unsubscribe"] is None
        assert post.work(later(60)) == []

    def test_nothing_is_sent_before_the_confirmation_nor_by_opening_its_page(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        GuestClient(app).posted("First", email=ADA, notify="1")
        (mail,) = post.work()
        page = app.test_client().get(link(mail, "confirm"), base_url=BASE_URL)
        assert "Please confirm" in page.text
        write(app, "Second")
        assert post.work(later()) == []
        assert press(app, link(mail, "confirm")).status_code == 200
        write(app, "Third")
        (about,) = post.work(later())
        assert "Third" in part(about)

    def test_the_link_works_once_for_a_week_and_a_second_click_is_no_error(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        GuestClient(app).posted("First", email=ADA, notify="1")
        (mail,) = post.work()
        path = link(mail, "confirm")
        post.change(requested_at=now() - confirming.LIFE)
        assert press(app, path).status_code == 404
        post.change(requested_at=now())
        assert "Confirmed" in press(app, path).text
        first = post.rows()[0].confirmed_at
        again = press(app, path)
        assert (again.status_code, "Confirmed" in again.text) == (200, True)
        assert post.rows()[0].confirmed_at == first

    def test_what_nobody_confirms_is_deleted_after_a_week(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        GuestClient(app).posted("First", email=ADA, notify="1")
        post.work()
        post.work(now() + confirming.LIFE - timedelta(hours=1))
        assert len(post.rows()) == 1
        post.work(now() + confirming.LIFE + timedelta(hours=1))
        assert post.rows() == []

    def test_the_answer_is_the_same_for_every_address(self, app: Flask, post: Postman, site_id: int) -> None:
        subscribe(app, post, ADA)
        notices = set()
        for address in (ADA, BEN):
            answer = GuestClient(app).post(f"By {address}", email=address, notify="1").get_json()
            notices.add(answer["notice"])
        assert len(notices) == 1
        assert notices.pop()

    def test_three_mails_that_nobody_answers_are_the_last(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        mails = 0
        with app.app_context(), Session(db.engine) as session:
            for day in range(6):
                begin_write(session)
                at = now() + timedelta(hours=25) * day
                wanted = subscription_requests.SubscriptionRequest(
                    site_id=site_id,
                    thread_id=None,
                    kind=subscription_requests.SubscriptionKind.POSTS,
                    address=ADA,
                )
                subscription_requests.request(session, b"key", wanted, at=at)
                session.commit()
            mails = session.scalar(select(func.count(Delivery.id))) or 0
        assert mails == subscription_requests.MOST_UNANSWERED

    def test_who_did_not_ask_is_never_written_to_again(self, app: Flask, post: Postman, site_id: int) -> None:
        GuestClient(app).posted("First", email=ADA, notify="1")
        (mail,) = post.work()
        assert "never write" in press(app, link(mail, "confirm"), answer="never").text
        GuestClient(app, "https://blog.example/other").posted("Second", email=ADA, notify="1")
        assert post.work(later()) == []

    def test_spam_asks_for_nothing(self, app: Flask, post: Postman, site_id: int) -> None:
        GuestClient(app).posted("First", email=ADA, notify="1", subject="filled by a robot")
        assert post.rows() == []

    def test_a_box_that_is_not_offered_asks_for_nothing(self, app: Flask, post: Postman) -> None:
        add_site(app, comment_mail=False)
        assert 'name="notify"' not in GuestClient(app).get().text
        GuestClient(app).posted("First", email=ADA, notify="1")
        assert post.rows() == []

    def test_without_an_address_nobody_is_subscribed_and_the_reader_is_told(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        for rule, field in ((FieldRule.OPTIONAL, "email"), (FieldRule.OFF, "form")):
            with app.app_context(), Session(db.engine) as session:
                begin_write(session)
                session.get_one(Site, site_id).email_field = rule
                session.commit()
            answer = GuestClient(app).post(f"With {rule}", email="", notify="1")
            assert answer.status_code == 422
            assert list((answer.json or {})["errors"]) == [field]
        assert 'name="notify"' not in GuestClient(app).get().text  # nobody can log in here
        assert post.rows() == []

    def test_the_record_says_what_was_asked_and_when(self, app: Flask, post: Postman, site_id: int) -> None:
        subscribe(app, post, ADA, "replies")
        (row,) = post.rows()
        assert (row.kind, row.wording, row.language) == ("replies", subscription_requests.WORDING, "en")
        assert row.asked_at is not None
        assert row.confirmed_at is not None
        assert row.requested_at <= row.confirmed_at


class TestWhatIsDue:
    def test_held_and_approved_tells_once_whatever_happens_then(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        subscribe(app, post, ADA)
        number = write(app, "To be held")
        decide(app, number, Status.HELD)
        post.work(later())
        decide(app, number, Status.APPROVED)
        (mail,) = post.work(later(20))
        assert "To be held" in part(mail)
        decide(app, number, Status.HELD)
        decide(app, number, Status.APPROVED)
        assert post.work(later(60)) == []

    def test_a_comment_that_is_gone_before_the_mail_tells_nobody(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        subscribe(app, post, ADA)
        number = write(app, "A mistake")
        assert post.work() == []  # the deliveries are there, and wait
        decide(app, number, Status.TRASH)
        assert post.work(later()) == []
        with app.app_context(), Session(db.engine) as session:
            assert (
                session.scalar(select(Delivery.state).where(Delivery.comment_id == number))
                is DeliveryState.SKIPPED
            )

    def test_only_answers_to_me(self, app: Flask, post: Postman, site_id: int) -> None:
        mine = subscribe(app, post, ADA, "replies")
        write(app, "To nobody")
        write(app, "To Ada", parent=str(mine))
        (mail,) = post.work(later())
        assert "To Ada" in part(mail)
        assert "To nobody" not in part(mail)
        assert "answered you" in part(mail)

    def test_nobody_hears_of_their_own_and_nobody_hears_twice(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        mine = subscribe(app, post, ADA)
        subscribe(app, post, BEN)
        post.work(later(30))
        before = len(post.box.raw)
        write(app, "From Ben to Ada", by=BEN, parent=str(mine))
        (mail,) = post.work(later(60))
        assert (mail["To"], len(post.box.raw) - before) == (ADA, 1)

    def test_the_author_of_a_held_comment_hears_that_it_is_published(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            session.get_one(Site, site_id).policy = Policy.HOLD_ALL
            session.commit()
        number = subscribe(app, post, ADA)
        assert post.work(later()) == []
        decide(app, number, Status.APPROVED)
        (mail,) = post.work(later())
        assert mail["Subject"].startswith("Your comment is published")

    def test_an_import_subscribes_nobody_and_tells_nobody(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        subscribe(app, post, ADA)
        with app.app_context(), Session(db.engine) as session:
            wxr.load(
                session, session.get_one(Site, site_id), wxr.item(wxr.comment(), link=ARTICLE), blog=BLOG
            )
            assert session.scalar(select(func.count(Comment.id))) == 2
        assert len(post.rows()) == 1
        assert post.work(later()) == []

    def test_imported_and_old_comments_tell_nobody_when_they_are_approved(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        subscribe(app, post, ADA)
        number, old = write(app, "Imported"), write(app, "Old")
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            for each in session.scalars(select(Notice)):
                session.delete(each)
            session.get_one(Comment, number).transfer_key = "wordpress:7"
            session.get_one(Comment, old).created_at = now() - timedelta(days=40)
            session.commit()
        for each in (number, old):
            decide(app, each, Status.HELD)
            decide(app, each, Status.APPROVED)
        assert post.work(later()) == []

    def test_a_crash_repeats_nothing(
        self, app: Flask, post: Postman, site_id: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("a", "b", "c", "d", "e"):
            subscribe(app, post, f"{name}@mail.example")
        post.work(later(30))
        write(app, "News")
        monkeypatch.setattr(fan_out, "BATCH", 2)
        key = b"key"
        with app.app_context(), Session(db.engine) as session:
            assert fan_out._batch(session, key, 6, later())
            assert fan_out._batch(session, key, 6, later())
            begin_write(session)
            notice = session.scalars(select(Notice).where(Notice.done_at.is_(None))).one()
            notice.done_up_to = ""  # as after a stop between
            session.commit()
        mails = post.work(later(60))
        assert sorted(mail["To"] for mail in mails) == [f"{name}@mail.example" for name in "abcde"]


class TestHowMuch:
    def test_several_within_ten_minutes_come_in_one(self, app: Flask, post: Postman, site_id: int) -> None:
        subscribe(app, post, ADA)
        write(app, "One")
        start = later()
        (first,) = post.work(start)
        write(app, "Two", by=BEN)
        write(app, "Three", by="d@mail.example")
        assert post.work(start + timedelta(minutes=5)) == []
        (second,) = post.work(start + composing.THREAD_PAUSE)
        assert "One" in part(first)
        assert "Two" in part(second)
        assert "Three" in part(second)
        assert first["Subject"] == second["Subject"]

    def test_once_a_day_after_days_of_rest_is_one_mail(self, app: Flask, post: Postman, site_id: int) -> None:
        subscribe(app, post, ADA)
        post.change(frequency="daily")
        write(app, "One")
        assert post.work(later()) == []
        write(app, "Two", by=BEN)
        assert post.work(later()) == []
        (mail,) = post.work(now() + timedelta(days=3))
        assert mail["Subject"] == "2 new comments on Blog"
        assert "/mail/stop-site/" in mail["List-Unsubscribe"]
        assert post.work(now() + timedelta(days=4)) == []

    def test_more_than_the_most_a_day_come_in_one_daily_mail(
        self, app: Flask, post: Postman, site_id: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert composing.PER_DAY == 20
        monkeypatch.setattr(composing, "PER_DAY", 1)
        subscribe(app, post, ADA)  # whose confirmation is the mail of this day
        write(app, "One")
        assert post.work(later()) == []
        write(app, "Two", by=BEN)
        assert post.work(later(60)) == []
        (mail,) = post.work(now() + timedelta(hours=13))
        assert mail["Subject"] == "2 new comments on Blog"

    def test_while_comments_pour_in_only_answers_come_before_the_daily_mail(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        mine = subscribe(app, post, ADA)
        write(app, "One of many")
        write(app, "To Ada", by=BEN, parent=str(mine))
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            session.add(
                Pressure(site_id=site_id, step=1, reason="25 came.", began_at=now(), hot_at=later(60))
            )
            session.commit()
        (mail,) = post.work(later())
        assert "To Ada" in part(mail)
        assert "One of many" not in part(mail)
        (second,) = post.work(now() + timedelta(hours=13))
        assert "One of many" in part(second)

    def test_confirmation_mails_of_the_whole_service_are_spread_over_hours(
        self, app: Flask, post: Postman, site_id: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(subscription_requests, "PER_HOUR", 2)
        for name in "abcde":
            GuestClient(app).posted(f"By {name}", email=f"{name}@mail.example", notify="1")
        assert [len(post.work(later(60 * hour + 1))) for hour in range(3)] == [2, 2, 1]

    def test_mails_leave_at_the_rate_that_is_set(self, app: Flask, post: Postman, site_id: int) -> None:
        for name in "abcd":
            subscribe(app, post, f"{name}@mail.example")
        post.work(later(30))
        write(app, "News")
        post.settings = replace(post.settings, mail_per_hour=3)
        assert len(post.work(later(120))) == 3
        assert post.work(later(125)) == []
        assert len(post.work(later(190))) == 1


class TestThreading:
    def test_three_mails_of_a_thread_share_root_and_subject(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        subscribe(app, post, ADA)
        first = write(app, "One")
        mails = post.work(later())
        second = write(app, "Two", by=BEN, parent=str(first))
        mails += post.work(later(30))
        write(app, "Three", parent=str(second))
        mails += post.work(later(60))
        assert len(mails) == 3
        roots = {mail["References"].split()[0] for mail in mails}
        assert len(roots) == 1
        assert len({mail["Subject"] for mail in mails}) == 1
        assert mails[0]["In-Reply-To"] in roots
        assert mails[1]["In-Reply-To"] == mails[0]["Message-ID"]
        assert mails[2]["In-Reply-To"] == mails[1]["Message-ID"]

    def test_the_text_alone_says_everything(self, app: Flask, post: Postman, site_id: int) -> None:
        subscribe(app, post, ADA)
        number = write(app, "Look at <b>this</b> & that")
        (mail,) = post.work(later())
        text, html = part(mail), part(mail, "html")
        for words in (
            "Carl",
            "Look at <b>this</b> & that",
            f"/comment/{number}",
            "/mail/stop/",
            "/mail/list/",
        ):
            assert words in text
        assert "&lt;b&gt;this&lt;/b&gt; &amp; that" in html
        assert "<img" not in html
        assert "Carl via Blog" in mail["From"]
        assert CARL not in mail.as_string()

    def test_hostile_names_bring_no_header(self, app: Flask, post: Postman, site_id: int) -> None:
        subscribe(app, post, ADA)
        for number, name in enumerate(("=?utf-8?q?a=0D=0ABcc:_v@mail.example?=", "x\u202egnp.exe", "n" * 80)):
            GuestClient(app).posted(f"By {number}", name=name, email=CARL)
            (mail,) = post.work(later(30 * number + 6))
            assert mail["Bcc"] is None
            assert "\u202e" not in str(mail["From"]) + part(mail) + part(mail, "html")
            assert max(map(len, post.box.raw[-1].splitlines())) < 998


class TestStopping:
    @pytest.mark.parametrize("multipart", [False, True])
    def test_one_click_needs_nothing_but_the_link_and_may_be_repeated(
        self, app: Flask, post: Postman, site_id: int, multipart: bool
    ) -> None:
        subscribe(app, post, ADA)
        write(app, "One")
        (mail,) = post.work(later())
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        path = link(mail, "stop")
        kind = "multipart/form-data" if multipart else "application/x-www-form-urlencoded"
        for _ in range(2):
            answer = app.test_client().post(
                path, base_url=BASE_URL, data={"List-Unsubscribe": "One-Click"}, content_type=kind
            )
            assert (answer.status_code, answer.headers.get("Set-Cookie")) == (200, None)
        (row,) = post.rows()
        assert row.ended_by == "one_click"
        write(app, "Two")
        assert post.work(later(60)) == []
        unknown = app.test_client().post(f"/mail/stop/{'0' * 32}", data={"List-Unsubscribe": "One-Click"})
        assert unknown.status_code == 200

    def test_the_link_survives_another_secret_key(self, app: Flask, post: Postman, site_id: int) -> None:
        subscribe(app, post, ADA)
        write(app, "One")
        (mail,) = post.work(later())
        services_of(app).settings = replace(services_of(app).settings, secret_key="another" * 8)
        assert "Stopped" in press(app, link(mail, "stop"), scope="one").text
        assert post.rows()[0].ended_at is not None

    def test_everything_stops_and_can_be_undone_for_ten_minutes(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        subscribe(app, post, ADA)
        write(app, "One")
        (mail,) = post.work(later())
        path = link(mail, "list")
        assert "no more mail" in press(app, path, action="stop-all").text
        with app.app_context(), Session(db.engine) as session:
            assert session.scalar(select(func.count(Suppression.id))) == 1
        assert "as before" in press(app, path, action="undo").text
        with app.app_context(), Session(db.engine) as session:
            assert session.scalar(select(func.count(Suppression.id))) == 0
        assert post.rows()[0].is_active
        press(app, path, action="stop-all")
        post.work(later(11))
        assert post.rows()[0].address is None
        assert "too late" in press(app, path, action="undo").text

    def test_a_fresh_confirmation_lifts_what_was_stopped(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        subscribe(app, post, ADA)
        write(app, "One")
        (mail,) = post.work(later())
        press(app, link(mail, "list"), action="stop-all")
        post.change(asked_at=now() - timedelta(days=2))
        GuestClient(app).posted("Again", email=ADA, notify="1")
        (again,) = post.work()
        assert again["Subject"].startswith("Please confirm")
        press(app, link(again, "confirm"))
        write(app, "Two")
        assert len(post.work(later(30))) == 1

    def test_how_often_is_changed_on_the_list(self, app: Flask, post: Postman, site_id: int) -> None:
        subscribe(app, post, ADA)
        (row,) = post.rows()
        path = f"/mail/list/{row.token}"
        assert "Once a day" in app.test_client().get(path, base_url=BASE_URL).text
        press(app, path, action="daily", number=row.id)
        assert post.rows()[0].frequency == "daily"


class TestBounces:
    def test_an_address_that_does_not_exist_gets_no_second_mail(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        subscribe(app, post, ADA)
        post.box.refusals["RCPT"] = ["550 5.1.1 no such user"]
        write(app, "One")
        assert post.work(later()) == []
        write(app, "Two", by=BEN)
        assert post.work(later(60)) == []
        (row,) = post.rows()
        assert "refused our mail" in app.test_client().get(f"/mail/list/{row.token}", base_url=BASE_URL).text
        press(app, f"/mail/list/{row.token}", action="again")
        write(app, "Three", by="d@mail.example")
        assert len(post.work(later(120))) == 1

    def test_a_greylisted_mail_comes_later_with_the_same_id(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        subscribe(app, post, ADA)
        post.box.refusals["RCPT"] = ["450 4.2.0 greylisted"]
        write(app, "One")
        assert post.work(later()) == []
        (mail,) = post.work(later(12))
        assert mail["Message-ID"].startswith("<comment.")

    def test_our_own_fault_suppresses_nobody_and_stops_the_round(
        self, app: Flask, post: Postman, site_id: int
    ) -> None:
        for address in (ADA, BEN):
            subscribe(app, post, address)
        post.work(later(30))
        post.box.refusals["MAIL"] = ["550 5.7.1 not your address"] * 9
        commands = len(post.box.commands)
        write(app, "One")
        assert post.work(later(60)) == []
        assert sum(line.upper().startswith("MAIL") for line in post.box.commands[commands:]) == 1
        with app.app_context(), Session(db.engine) as session:
            assert session.scalar(select(func.count(Suppression.id))) == 0
        post.box.refusals.clear()
        assert len(post.work(later(80))) == 2


def test_a_crawler_that_opens_every_link_of_every_mail_changes_nothing(
    app: Flask, post: Postman, site_id: int
) -> None:
    GuestClient(app, "https://blog.example/pending").posted("Pending", email=BEN, notify="1")
    (pending,) = post.work()
    subscribe(app, post, ADA)
    write(app, "One")
    mails = [pending, *post.work(later())]
    post.change(frequency="daily")
    write(app, "Two", by=BEN)
    mails += post.work(now() + timedelta(days=2))
    assert [len(links(mail)) >= 1 for mail in mails] == [True] * 3
    before = _state(app)
    opened = 0
    for address in {one for mail in mails for one in links(mail)}:
        path = address.removeprefix(BASE_URL)
        for method in ("GET", "HEAD"):
            answer = app.test_client().open(path, method=method, base_url=BASE_URL)
            assert answer.status_code in {200, 302}, address
            opened += 1
            if path.startswith("/mail/"):
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers["Referrer-Policy"] == "same-origin"
                assert "noindex" in answer.headers["X-Robots-Tag"]
    assert opened >= 12
    assert _state(app) == before


def _state(app: Flask) -> list[Any]:
    with app.app_context(), Session(db.engine) as session:
        return [
            [
                tuple(row)
                for row in session.execute(select(table.__table__).order_by(*table.__table__.primary_key))
            ]
            for table in (Subscription, Suppression, Delivery, Comment, Notice)
        ]


def test_subscribers_follow_a_thread_that_is_merged_and_back(app: Flask, post: Postman, site_id: int) -> None:
    subscribe(app, post, ADA)
    GuestClient(app, f"{BLOG}/whole").posted("Another", email=CARL)
    with app.app_context(), Session(db.engine) as session:
        source, target = session.scalars(select(Thread).order_by(Thread.id)).all()
        begin_write(session)
        action = merging.merge(session, source, target, moderator_id=None, at=now())
        session.commit()
        target_id = target.id
    assert [row.thread_id for row in post.rows()] == [target_id]
    write(app, "Under the old address")
    assert [mail["To"] for mail in post.work(later())] == [ADA]
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        merging.unmerge(session, session.merge(action), at=now())
        session.commit()
    assert [row.thread_id for row in post.rows()] != [target_id]


def test_what_appears_while_no_mail_is_sent_is_never_mailed(app: Flask, post: Postman, site_id: int) -> None:
    subscribe(app, post, ADA)
    write(app, "Unmailed")
    sending = post.settings
    post.settings = replace(sending, smtp_url="")
    post.work()
    post.settings = sending
    assert post.work(later()) == []


def test_two_workers_at_once_send_each_mail_once(app: Flask, post: Postman, site_id: int) -> None:
    addresses = [f"{name}@mail.example" for name in "abcdefgh"]
    for address in addresses:
        subscribe(app, post, address)
    post.work(later(30))
    write(app, "News")
    write(app, "More news", by=BEN)
    before, faults = len(post.box.raw), []
    with app.app_context():
        engine = db.engine
    at, barrier = later(60), threading.Barrier(2)
    compose = background_work.composer(post.settings).compose

    def work() -> None:
        try:
            with Session(engine) as own, background_work.sending(post.settings) as send:
                barrier.wait()
                fan_out.spread(own, b"key", digest_hour=post.settings.digest_hour, at=at)
                barrier.wait()
                while outbox.deliver(own, send, at=at, compose=compose):
                    pass
        except BaseException as fault:
            faults.append(fault)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert faults == []
    post.work(later(90))  # each may have put off a second mail to the person that the other was writing to
    mails = post.box.mails[before:]
    texts = [
        (mail["To"], words) for mail in mails for words in ("\n  News", "More news") if words in part(mail)
    ]
    assert sorted(texts) == sorted(
        (address, words) for address in addresses for words in ("\n  News", "More news")
    )
