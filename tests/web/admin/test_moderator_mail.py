"""Mail to moderators through the admin view, the worker and a real mail server; deciding by its links."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.admin import bulk_decisions
from commentsvc.integrations.mail_templates import TEMPLATES
from commentsvc.models import Action, Comment, Commenter, Decision, Delivery, Membership, Site, Status, now
from tests.conftest import BASE_URL
from tests.support.browser_client import BrowserClient
from tests.support.guest_client import GuestClient, contents
from tests.support.language_marks import mark_words
from tests.support.subscribers import Postman, link, links, part, postman, press
from tests.web.admin.test_admin import ENGINES, elsewhere, moderator, owner, session, site, visitor
from tests.web.admin.test_team import join

__all__ = ["elsewhere", "moderator", "owner", "session", "site", "visitor"]
OWNER, GRACE = "owner@mail.example", "grace@mail.example"


@pytest.fixture
def post(app: Flask) -> Iterator[Postman]:
    with postman(app) as one:
        yield one


def later(minutes: float) -> datetime:
    return now() + timedelta(minutes=minutes)


def ask(post: Postman, who: BrowserClient, site: Site, address: str = OWNER, wanted: str = "each") -> None:
    """Ask for mail on the page of the admin view, and confirm the address."""
    answer = who.post(f"/admin/sites/{site.id}/mail", {"wanted": wanted, "address": address})
    assert answer.status_code == 303, answer.text
    for mail in post.work():
        assert "comments that wait for a moderator's decision" in part(mail)
        assert press(post.app, link(mail, "confirm"), shown="999999").status_code == 200


def held(post: Postman, text: str = "Please let me in") -> int:
    return GuestClient(post.app).posted(text, email="ada@mail.example", name="Ada")


def decide_path(mail: EmailMessage, action: str = "approve") -> str:
    (found,) = {one for one in links(mail) if "/mail/held/" in one and one.endswith(f"/{action}")}
    return urlsplit(found).path


def status_of(session: Session, number: int) -> Status:
    session.rollback()
    return session.get_one(Comment, number).status


@ENGINES
class TestWhatIsSent:
    def test_each_held_comment_comes_at_once_with_its_links(
        self, post: Postman, site: Site, moderator: BrowserClient
    ) -> None:
        ask(post, moderator, site)
        held(post)
        (mail,) = post.work()
        assert mail["To"] == OWNER
        assert "Please let me in" in part(mail)
        assert "Held:" in part(mail)
        for action in ("approve", "spam", "trash", "reply"):
            assert decide_path(mail, action)
        assert post.work(later(60)) == []

    def test_what_comes_within_a_quarter_of_an_hour_is_in_one_mail(
        self, post: Postman, site: Site, moderator: BrowserClient
    ) -> None:
        ask(post, moderator, site)
        held(post, "Number 0")
        assert len(post.work()) == 1
        for number in range(1, 4):
            held(post, f"Number {number}")
        assert post.work(later(1)) == []
        (mail,) = post.work(later(16))
        assert mail["Subject"] == f"4 comments wait for you on {site.name}"
        assert "Number 0" not in part(mail)
        assert all(f"Number {number}" in part(mail) for number in range(1, 4))
        assert f"/admin?site={site.id}" in part(mail)
        assert post.work(later(60)) == []

    def test_it_is_in_the_moderators_language_if_the_admin_view_has_that(
        self,
        post: Postman,
        site: Site,
        moderator: BrowserClient,
        session: Session,
        owner: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        mark_words(monkeypatch)
        ask(post, moderator, site)
        for chosen, spoken, direction, minutes in (("de", "de", "ltr", 0), ("ar", "en", "ltr", 60)):
            begin_write(session)
            session.get_one(Commenter, owner.id).language = chosen
            session.commit()
            number = held(post, f"For {chosen}")
            (mail,) = post.work(later(minutes))
            assert mail["Content-Language"] == spoken
            assert f'<html lang="{spoken}" dir="{direction}">' in part(mail, "html")
            assert f"[{spoken}] Held: [{spoken}] " in part(mail)
            page = post.app.test_client().get(decide_path(mail), base_url=BASE_URL).text
            assert f"[{spoken}] Decide on a comment" in page
            decided = press(post.app, decide_path(mail), do="spam").text
            assert f"[{spoken}] The comment is marked as spam." in decided
            assert status_of(session, number) is Status.SPAM

    def test_a_digest_comes_once_a_day_and_not_without_a_comment(
        self, post: Postman, site: Site, moderator: BrowserClient
    ) -> None:
        ask(post, moderator, site, wanted="digest")
        assert post.work(later(24 * 60)) == []
        held(post, "One")
        held(post, "Two")
        assert post.work() == []
        (mail,) = post.work(later(24 * 60))
        assert "2 comments wait" in str(mail["Subject"])

    def test_nothing_comes_without_asking_confirming_a_role_or_the_sites_switch(
        self, post: Postman, site: Site, moderator: BrowserClient, session: Session
    ) -> None:
        held(post, "Before anybody asked")
        assert post.work() == []
        moderator.post(f"/admin/sites/{site.id}/mail", {"wanted": "each", "address": OWNER})
        held(post, "Before the address is confirmed")
        (confirmation,) = post.work()
        assert press(post.app, link(confirmation, "confirm"), shown="999999").status_code == 200
        begin_write(session)
        session.get_one(Site, site.id).moderator_mail = False
        session.commit()
        held(post, "While it is switched off")
        assert post.work() == []
        moderator.post(f"/admin/sites/{site.id}/mail", {"wanted": "nothing", "address": ""})
        begin_write(session)
        session.get_one(Site, site.id).moderator_mail = True
        session.commit()
        held(post, "After it was stopped")
        assert post.work() == []

    def test_a_comment_that_was_decided_on_is_not_mailed(
        self, post: Postman, site: Site, moderator: BrowserClient, session: Session, owner: Any
    ) -> None:
        ask(post, moderator, site)
        held(post, "First")
        post.work()
        number = held(post, "Second")
        assert post.work() == []
        begin_write(session)
        bulk_decisions.decide(
            session, site.id, {number: None}, Status.APPROVED, moderator_id=owner.id, at=now()
        )
        session.commit()
        assert post.work(later(16)) == []

    def test_a_moderator_who_also_reads_hears_of_a_comment_that_was_approved_before_the_digest(
        self, post: Postman, site: Site, moderator: BrowserClient, session: Session, owner: Any
    ) -> None:
        ask(post, moderator, site, wanted="digest")
        GuestClient(post.app).posted("I read this", email=OWNER, name="Owner", notify="1")
        (asking,) = post.work()
        assert press(post.app, link(asking, "confirm"), shown="999999").status_code == 200
        number = held(post, "Is this mailed?")
        assert post.work() == []
        begin_write(session)
        bulk_decisions.decide(
            session, site.id, {number: None}, Status.APPROVED, moderator_id=owner.id, at=now()
        )
        session.commit()
        (mail,) = post.work(later(6))
        assert (mail["To"], "Is this mailed?" in part(mail)) == (OWNER, True)
        assert "Approve:" not in part(mail)

    def test_mail_waits_for_no_subscribers(
        self, post: Postman, site: Site, moderator: BrowserClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ask(post, moderator, site)
        monkeypatch.setattr("commentsvc.domain.notifications.outbox._has_room", lambda *_: False)
        held(post)
        assert len(post.work()) == 1


@ENGINES
class TestDeciding:
    @pytest.mark.parametrize(
        ("do", "status"), [("approve", Status.APPROVED), ("spam", Status.SPAM), ("trash", Status.TRASH)]
    )
    def test_one_press_decides_and_the_log_says_how(
        self,
        post: Postman,
        site: Site,
        moderator: BrowserClient,
        session: Session,
        do: str,
        status: Status,
    ) -> None:
        ask(post, moderator, site)
        number = held(post)
        (mail,) = post.work()
        answer = press(post.app, decide_path(mail, do), do=do)
        assert (answer.status_code, "Done" in answer.text) == (200, True)
        assert answer.headers["Cache-Control"] == "no-store"
        assert status_of(session, number) is status
        assert "by <bdi>Site owner</bdi>'s mail link" in moderator.page(f"/admin/sites/{site.id}/activity")
        again = press(post.app, decide_path(mail, do), do="trash")
        assert "has decided before" in again.text
        assert status_of(session, number) is status

    def test_a_reply_approves_and_is_the_moderators(
        self, post: Postman, site: Site, moderator: BrowserClient, session: Session, owner: Any
    ) -> None:
        ask(post, moderator, site)
        number = held(post)
        (mail,) = post.work()
        empty = press(post.app, decide_path(mail, "reply"), do="reply", text=" ")
        assert (empty.status_code, "Please enter a comment" in empty.text) == (422, True)
        assert status_of(session, number) is Status.HELD
        answer = press(post.app, decide_path(mail, "reply"), do="reply", text="Welcome")
        assert "your reply is posted" in answer.text
        assert status_of(session, number) is Status.APPROVED
        reply = session.scalars(select(Comment).where(Comment.parent_id == number)).one()
        assert (reply.source, reply.commenter_id, reply.status) == ("Welcome", owner.id, Status.APPROVED)
        assert "mail link" in moderator.page(f"/admin/sites/{site.id}/activity")

    def test_two_moderators_press_at_once_and_one_of_them_decides(
        self, app: Flask, post: Postman, site: Site, moderator: BrowserClient, session: Session
    ) -> None:
        join(session, site, "Grace")
        grace = session.scalars(select(Membership).order_by(Membership.id.desc())).first()
        assert grace is not None
        other = BrowserClient(app).sign_in(session, session.get_one(Commenter, grace.commenter_id))
        ask(post, moderator, site)
        ask(post, other, site, GRACE)
        number = held(post)
        mails = post.work()
        assert sorted(str(mail["To"]) for mail in mails) == [GRACE, OWNER]
        answers: list[str] = []
        gate = threading.Barrier(2)

        def decide(mail: EmailMessage, do: str) -> None:
            gate.wait()
            answers.append(press(app, decide_path(mail, do), do=do).text)

        threads = [
            threading.Thread(target=decide, args=(mail, do))
            for mail, do in zip(mails, ("approve", "spam"), strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(("Done" in text, "has decided before" in text) for text in answers) == [
            (False, True),
            (True, False),
        ]
        session.rollback()
        assert session.scalar(select(func.count(Action.id)).where(Action.kind.startswith("comments."))) == 1
        decided = select(func.count(Decision.id)).where(Decision.moderator_id.is_not(None))
        assert session.scalar(decided.where(Decision.comment_id == number)) == 1

    def test_a_link_is_for_one_comment_and_ends_after_a_week_and_with_the_role(
        self, app: Flask, post: Postman, site: Site, moderator: BrowserClient, session: Session
    ) -> None:
        membership = join(session, site, "Grace").id
        person = session.get_one(Commenter, session.get_one(Membership, membership).commenter_id)
        ask(post, BrowserClient(app).sign_in(session, person), site, GRACE)
        first = held(post, "First")
        (mail,) = post.work()
        path = decide_path(mail)
        held(post, "Second")
        post.work()
        session.rollback()
        delivery = session.scalars(select(Delivery.id).where(Delivery.comment_id == first)).one()
        number, token = path.split("/")[3:5]
        assert number == str(delivery)
        for wrong in (
            f"/mail/held/{delivery + 1}/{token}/approve",
            f"/mail/held/{number}/{'0' * 32}/approve",
        ):
            assert press(app, wrong, do="approve").status_code == 404
        page = app.test_client().get(path, base_url=BASE_URL)
        assert (page.status_code, page.headers["Referrer-Policy"]) == (200, "same-origin")
        assert page.headers["X-Robots-Tag"] == "noindex"
        begin_write(session)
        session.get_one(Delivery, delivery).created_at = now() - timedelta(days=7)
        session.commit()
        assert press(app, path, do="approve").status_code == 404
        begin_write(session)
        session.get_one(Delivery, delivery).created_at = now()
        session.commit()
        assert app.test_client().get(path, base_url=BASE_URL).status_code == 200
        assert moderator.post(f"/admin/team/{membership}/remove").status_code == 303
        assert press(app, path, do="approve").status_code == 404
        assert status_of(session, first) is Status.HELD

    def test_a_crawler_that_opens_every_link_changes_nothing(
        self, app: Flask, post: Postman, site: Site, moderator: BrowserClient
    ) -> None:
        ask(post, moderator, site)
        held(post, "First")
        mails = post.work()
        held(post, "Second")
        held(post, "Third")
        mails += post.work(later(16))
        before = contents(app)
        opened = 0
        for mail in mails:
            for url in links(mail):
                parts = urlsplit(url)
                for method in ("GET", "HEAD"):
                    address = f"{parts.path}?{parts.query}" if parts.query else parts.path
                    app.test_client().open(address, method=method, base_url=BASE_URL)
                    opened += 1
        assert opened > 12
        assert contents(app) == before


@ENGINES
class TestThePage:
    def test_another_moderators_address_is_refused(
        self, app: Flask, post: Postman, site: Site, moderator: BrowserClient, session: Session
    ) -> None:
        grace = session.get_one(Commenter, join(session, site, "Grace").commenter_id)
        other = BrowserClient(app).sign_in(session, grace)
        ask(post, moderator, site)
        answer = other.post(f"/admin/sites/{site.id}/mail", {"wanted": "each", "address": OWNER})
        assert (answer.status_code, "Another moderator" in answer.text) == (422, True)
        bad = other.post(f"/admin/sites/{site.id}/mail", {"wanted": "each", "address": "nobody"})
        assert (bad.status_code, "Invalid email address" in bad.text) == (422, True)

    def test_an_owner_learns_why_no_mail_came_of_their_own_site_only(
        self,
        app: Flask,
        post: Postman,
        site: Site,
        elsewhere: Site,
        moderator: BrowserClient,
        session: Session,
    ) -> None:
        path = f"/admin/sites/{site.id}/mail/history"
        GuestClient(app).posted("Hello", email="reader@mail.example", notify="1")
        post.work()
        page = moderator.post(path, {"email": "Reader@mail.example"}).text
        assert "not confirmed" in page
        assert "Please confirm, " in page
        assert "taken by the mail server" in page
        assert "Nobody asked for mail" in moderator.post(path, {"email": "other@mail.example"}).text
        theirs = f"/admin/sites/{elsewhere.id}/mail/history"
        assert moderator.post(theirs, {"email": "reader@mail.example"}).status_code == 404
        grace = session.get_one(Commenter, join(session, site, "Grace").commenter_id)
        other = BrowserClient(app).sign_in(session, grace)
        assert other.post(path, {"email": "reader@mail.example"}).status_code == 404
        assert "Why did no mail come?" not in other.page(f"/admin/sites/{site.id}/mail")

    def test_one_sample_of_each_mail_comes_to_the_confirmed_address(
        self,
        post: Postman,
        site: Site,
        moderator: BrowserClient,
        session: Session,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        path = f"/admin/sites/{site.id}/mail/samples"
        assert moderator.post(path).status_code == 303
        assert post.work() == []
        ask(post, moderator, site)
        assert moderator.post(path).status_code == 303
        mails = post.work()
        templates = {file.stem for file in TEMPLATES.glob("*.txt")} - {"parts"}
        assert len(mails) == len(templates) >= 5
        assert {str(mail["To"]) for mail in mails} == {OWNER}
        assert all(str(mail["Subject"]).startswith("Sample: ") for mail in mails)
        begin_write(session)
        session.get_one(Site, site.id).language = "he"
        session.commit()
        mark_words(monkeypatch)
        moderator.post(path)
        spoken = {str(mail["Subject"])[:13] + str(mail["Content-Language"]) for mail in post.work()}
        assert spoken == {"[he] Sample: he", "[en] Sample: en"}  # Hebrew has no words of the admin view
