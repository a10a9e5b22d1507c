"""Webhooks: what is told, how it is signed, when it is tried again, and when an endpoint is switched off."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from commentsvc.db.session import begin_write
from commentsvc.domain.admin.author_ref import AuthorKind, AuthorRef
from commentsvc.domain.comments import comment_text, editing
from commentsvc.domain.endpoints import endpoints, sending
from commentsvc.domain.endpoints.sending import AGAIN_AFTER, EndpointSender
from commentsvc.domain.maintenance import erasure, site_removal
from commentsvc.domain.moderation import decisions, reports
from commentsvc.domain.moderation.reports import Reporter
from commentsvc.domain.notifications import events
from commentsvc.domain.subscriptions import fan_out
from commentsvc.domain.surge import episodes
from commentsvc.domain.surge.episodes import SurgeReading, SurgeStep
from commentsvc.domain.thread_admin import thread_controls
from commentsvc.models import (
    Commenter,
    Delivery,
    DeliveryState,
    DeliveryTry,
    Endpoint,
    EndpointKind,
    OffReason,
    Policy,
    Status,
    Subscription,
    SubscriptionKind,
    now,
)
from tests.conftest import SECRET
from tests.domain.endpoints.conftest import Desk
from tests.support.comment_builders import BEN
from tests.support.language_marks import mark_words
from tests.support.receiver import Receiver, Reply

MINUTE = timedelta(minutes=1)
ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@ENGINES
def test_each_event_is_told_once(desk: Desk) -> None:
    desk.add()
    first = desk.write("Hello *you*")
    assert desk.work(desk.later) == 2
    assert desk.came.types == ["comment.created", "comment.published"]
    data = desk.came.requests[1].json["data"]
    assert data["comment"]["author"] == {"name": "Anna", "role": None}
    assert data["comment"]["html"] == "<p>Hello <em>you</em></p>\n"
    assert data["thread"]["url"] == "https://blog.example/article"
    assert b"@mail.example" not in b"".join(request.body for request in desk.came.requests)

    begin_write(desk.session)
    desk.site.policy = Policy.HOLD_ALL
    desk.session.commit()
    held = desk.write("Wait", by=BEN)
    desk.work(desk.later)
    assert sorted(desk.came.types[2:]) == ["comment.created", "comment.held"]
    assert {r.json["data"]["comment"]["status"] for r in desk.came.requests[2:]} == {"held"}

    begin_write(desk.session)
    decisions.decide(desk.session, held, Status.APPROVED, moderator_id=desk.owner.id)
    editing.edit(desk.session, first, comment_text.from_source("Other", longest=100), at=desk.later)
    reports.report(desk.session, first.id, Reporter("r" * 64, "n" * 64), reason="spam", at=desk.later)
    thread_controls.close(
        desk.session, first.thread, on=desk.later, moderator_id=desk.owner.id, at=desk.later
    )
    decisions.decide(desk.session, first, Status.TRASH, moderator_id=desk.owner.id)
    reading = SurgeReading(None, SurgeStep.ALL, SurgeStep.ALL, "Many comments.")
    surge = episodes.record_reading(desk.session, desk.site.id, None, reading, at=desk.later)
    assert surge is not None
    desk.session.commit()
    before = len(desk.came.requests)
    desk.work(desk.later)
    # An edit and a report of a comment that is gone by then are not told any more.
    assert sorted(desk.came.types[before:]) == [
        "comment.published",
        "comment.removed",
        "surge.began",
        "thread.closed",
    ]
    episodes.close_ended(desk.session, at=desk.later + timedelta(hours=2))
    desk.work(desk.later + timedelta(hours=2))
    assert desk.came.types[-1] == "surge.ended"
    assert desk.work(desk.later + timedelta(days=1)) == 0
    ids = [request.headers["webhook-id"] for request in desk.came.requests]
    assert len(set(ids)) == len(ids)


def test_a_removed_comment_is_told_without_a_word_of_it(desk: Desk) -> None:
    desk.add(events=["comment.published", "comment.removed"])
    desk.write("A secret word", by=BEN)
    begin_write(desk.session)
    desk.site.policy = Policy.HOLD_ALL
    desk.session.commit()
    desk.write("A second secret word", by=BEN)
    desk.session.rollback()
    assert erasure.erase_guest(desk.session, AuthorRef(AuthorKind.EMAIL, "ben@mail.example")) == 2
    assert [row.text for row in desk.rows()] == [None, None]
    desk.work(desk.later)
    assert desk.came.types == ["comment.removed"] * 2
    assert all(request.json["data"]["comment"]["is_erased"] for request in desk.came.requests)
    text = b"".join(request.body for request in desk.came.requests)
    assert b"secret" not in text
    assert b"Ben" not in text


def test_a_post_runs_no_more_statements_because_of_endpoints(desk: Desk) -> None:
    desk.write("Warm up")
    statements: list[str] = []

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        desk.write("Without an endpoint")
        without = list(statements)
        statements.clear()
        event.remove(Engine, "before_cursor_execute", note)
        desk.add()
        event.listen(Engine, "before_cursor_execute", note)
        desk.write("With an endpoint")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert statements == without
    assert not any("endpoint" in statement for statement in statements)


def test_the_reference_library_accepts_what_is_sent_and_both_secrets_of_a_rotation(desk: Desk) -> None:
    endpoint = desk.add(events=["comment.published"])
    first_key = desk.key
    assert first_key.startswith("whsec_")
    at = now()  # the library compares the time of a request with its clock
    desk.write("“Quotes”, ünicode and \u202e")
    desk.work(at)
    request = desk.came.requests[0]
    assert Webhook(first_key).verify(request.body, dict(request.headers)) == json.loads(request.body)
    with pytest.raises(WebhookVerificationError):
        Webhook(first_key).verify(request.body + b" ", dict(request.headers))

    begin_write(desk.session)
    second_key = endpoints.rotate(desk.session, SECRET, endpoint, person_id=desk.owner.id, at=at)
    desk.session.commit()
    assert second_key != first_key
    desk.write("Another")
    desk.work(at + MINUTE)
    request = desk.came.requests[1]
    for key in (first_key, second_key):
        Webhook(key).verify(request.body, dict(request.headers))
    assert len(request.headers["webhook-signature"].split()) == 2
    desk.write("A third")
    desk.work(at + timedelta(days=1))
    assert len(desk.came.requests[2].headers["webhook-signature"].split()) == 1


def test_it_is_tried_again_with_the_same_id_until_it_is_answered_with_2xx(desk: Desk) -> None:
    desk.add(events=["comment.published"])
    desk.came.replies = [
        Reply(500, body=b"<b>broken\x00\x1b[31m</b>"),
        Reply(302, {"Location": f"{desk.came.origin}/elsewhere"}),
        Reply(304),
        Reply(204, {}, b""),
    ]
    desk.write("Hello")
    at = desk.later
    for delay in AGAIN_AFTER[:4]:
        assert desk.work(at) == 1
        assert desk.work(at + delay * 0.99) == 0
        at += delay
    assert desk.work(at) == 0
    assert [request.path for request in desk.came.requests] == ["/hook"] * 4  # a redirect is not followed
    assert len({request.headers["webhook-id"] for request in desk.came.requests}) == 1
    assert len({request.headers["webhook-timestamp"] for request in desk.came.requests}) == 4
    tries = desk.session.scalars(select(DeliveryTry).order_by(DeliveryTry.id)).all()
    assert [row.status for row in tries] == [500, None, 304, 204]
    assert tries[0].answer == "<b>broken [31m</b>"
    assert desk.rows()[0].state is DeliveryState.SENT


def test_an_overloaded_endpoint_gets_the_pause_that_it_asks_for(desk: Desk) -> None:
    desk.add(events=["comment.published"])
    at = (desk.later + timedelta(hours=1)).replace(microsecond=0)
    until = at + timedelta(minutes=10)
    for reply, pause in (
        (Reply(503, {"Retry-After": format_datetime(until, usegmt=True)}), timedelta(minutes=10)),
        (Reply(429, {"Retry-After": "600"}), timedelta(minutes=10)),
        (Reply(429, body=b'{"retry_after": 7.5}'), timedelta(seconds=7.5)),
        (Reply(429, body=b'{"ok":false,"parameters":{"retry_after":9}}'), timedelta(seconds=9)),
        (Reply(429, {"Retry-After": "9" * 9}), timedelta(days=1)),
        (Reply(429, {"Retry-After": "soon"}, b"[" * 5000), timedelta(seconds=5)),
    ):
        desk.came.replies = [reply]
        desk.write()
        assert desk.work(at) == 1
        assert desk.work(at + pause - timedelta(seconds=1)) == 0
        assert desk.work(at + pause) == 1
        at += timedelta(days=2)


def test_a_failing_endpoint_holds_up_nothing_else_and_is_switched_off_after_days(desk: Desk) -> None:
    broken = desk.add(events=["comment.published"], path="/broken")
    for _ in range(3):
        desk.write()
    desk.came.replies = [Reply(500)] * 30
    assert desk.work(desk.later) == 1  # the others are not tried while it is paused
    at, tried = desk.later, 1
    while desk.session.get_one(Endpoint, broken.id, populate_existing=True).off_at is None:
        assert at < desk.later + timedelta(days=5)
        at += timedelta(minutes=30)
        tried += desk.work(at)
    assert at - desk.later > timedelta(days=2.9)
    assert tried <= 3 * (len(AGAIN_AFTER) + 1)
    assert {row.state for row in desk.rows()} == {DeliveryState.FAILED}
    assert broken.off_reason is OffReason.FAILING
    desk.write()
    assert desk.work(at + MINUTE) == 0
    assert len(desk.rows()) == 3


def test_410_switches_it_off_at_once_and_it_can_be_switched_on(desk: Desk) -> None:
    endpoint = desk.add(events=["comment.published"])
    desk.came.replies = [Reply(410)]
    desk.write()
    desk.work(desk.later)
    assert endpoint.off_reason is OffReason.GONE
    number = desk.rows()[0].id
    begin_write(desk.session)
    endpoints.switch_on(desk.session, endpoint, person_id=desk.owner.id, at=desk.later)
    endpoints.send_again(desk.session, endpoint, number, at=desk.later)
    endpoints.enqueue_test(desk.session, endpoint, at=desk.later)
    desk.session.commit()
    desk.work(desk.later)
    assert desk.came.types == ["comment.published", "comment.published", "endpoint.test"]
    ids = [request.headers["webhook-id"] for request in desk.came.requests]
    assert ids[0] == ids[1] != ids[2]


def test_a_changed_secret_key_switches_it_off(desk: Desk) -> None:
    endpoint = desk.add(events=["comment.published"])
    assert "whsec_" not in endpoint.sealed
    assert desk.came.origin not in endpoint.sealed
    desk.write()
    desk.writer = type(desk.writer)(desk.writer.links, "another secret key of thirty-two characters")
    assert desk.work(desk.later) == 0
    assert endpoint.off_reason is OffReason.KEY


def test_a_body_is_never_larger_than_the_standard_allows(desk: Desk) -> None:
    desk.add(events=["comment.published"])
    desk.write("ü" * 9_999)
    desk.work(desk.later)
    request = desk.came.requests[0]
    assert len(request.body) < 20_000
    assert request.json["data"]["comment"]["html"] is None
    assert request.json["data"]["comment"]["html_omitted"] is True


def test_many_changes_start_one_build_ten_minutes_later(desk: Desk) -> None:
    desk.add(EndpointKind.BUILD, "/build/secret", events=[])
    begin_write(desk.session)
    desk.site.policy = Policy.HOLD_ALL
    desk.session.commit()
    written = [desk.write() for _ in range(4)]
    start = now()
    for comment in written[:3]:
        begin_write(desk.session)
        decisions.decide(desk.session, comment, Status.APPROVED, moderator_id=desk.owner.id)
        desk.session.commit()
    assert desk.work(start + timedelta(minutes=9)) == 0
    assert desk.work(start + timedelta(minutes=11)) == 1
    assert desk.came.requests[0].path == "/build/secret"
    assert desk.work(start + timedelta(hours=1)) == 0


def test_removing_a_site_removes_its_endpoints_and_their_log(desk: Desk, session: Session) -> None:
    desk.add(events=["comment.published"])
    desk.write()
    desk.work(desk.later)
    assert session.scalars(select(DeliveryTry)).all()
    session.rollback()
    site_removal.remove(session, desk.site.id, progress=lambda _: None)
    session.expire_all()
    for table in (Endpoint, Delivery, DeliveryTry):
        assert session.scalars(select(table)).all() == []


def test_the_log_names_no_secret(desk: Desk, came: Receiver) -> None:
    desk.add(EndpointKind.BUILD, "/build/very-secret", events=[])
    came.replies = [Reply(404, body=f"No such hook: {came.origin}/build/very-secret".encode())]
    begin_write(desk.session)
    endpoint = endpoints.of_site(desk.session, desk.site.id)[0]
    endpoints.enqueue_test(desk.session, endpoint, at=desk.later)
    desk.session.commit()
    desk.work(desk.later)
    (logged,) = endpoints.log_of(desk.session, endpoint)
    assert [(one.status, one.answer) for one in logged.tries] == [(404, "No such hook: …")]
    assert sending.ANSWER_LONGEST == 200
    assert "very-secret" not in repr(endpoint.__dict__)


def test_an_answer_that_repeats_a_comment_goes_with_the_comment(desk: Desk) -> None:
    desk.add(events=["comment.published"])
    desk.came.replies = [Reply(400, body=b"I do not like: Ben, my secret word")]
    desk.write("My secret word", by=BEN)
    desk.work(desk.later)
    desk.session.rollback()
    erasure.erase_guest(desk.session, AuthorRef(AuthorKind.EMAIL, "ben@mail.example"))
    assert desk.session.scalars(select(DeliveryTry.answer)).all() == [""]
    desk.session.rollback()


def test_owners_who_get_mail_hear_that_it_was_switched_off(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_words(monkeypatch)
    desk.add(events=["comment.published"])
    mine = Subscription(
        site_id=desk.site.id,
        kind=SubscriptionKind.HELD,
        address="owner@mail.example",
        address_hash="a" * 64,
        commenter_id=desk.owner.id,
        token="t" * 32,
        confirmed_at=desk.start,
    )
    begin_write(desk.session)
    desk.session.add(mine)
    desk.session.get_one(Commenter, desk.owner.id).language = "de"
    desk.session.commit()
    desk.came.replies = [Reply(410)]
    desk.write()
    desk.work(desk.later)
    mail = desk.session.scalars(select(Delivery).where(Delivery.recipient.is_not(None))).one()
    assert mail.recipient == "owner@mail.example"
    assert "[de] It answered that it is gone for good (410)." in (mail.text or "")
    assert "[en]" not in f"{mail.subject} {mail.text}"
    assert f"/admin/sites/{desk.site.id}/endpoints/" in (mail.text or "")
    assert "/hook" not in (mail.text or "")
    desk.session.rollback()


@ENGINES
def test_many_workers_at_once_tell_each_event_once(desk: Desk) -> None:
    desk.add(events=["comment.created", "comment.held", "comment.published"])
    for _ in range(3):
        desk.write()
    begin_write(desk.session)
    desk.site.policy = Policy.HOLD_ALL
    desk.session.commit()
    for _ in range(3):
        desk.write()
    engine = desk.session.get_bind()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            with Session(engine) as session:
                fan_out.spread(session, b"k", digest_hour=6, at=desk.later, mails=False)
                events.spread_held(session, at=desk.later)
                sender = EndpointSender(desk.writer, [desk.came.origin])
                while sending.deliver(session, sender, at=desk.later):
                    pass
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Counter(desk.came.types) == {
        "comment.created": 6,
        "comment.held": 3,
        "comment.published": 3,
    }
