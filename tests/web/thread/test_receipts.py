"""A guest's private link: who gets it, what its page tells, and what it must not let anybody do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin.author_ref import AuthorKind, AuthorRef
from commentsvc.domain.bans import ban_values
from commentsvc.domain.maintenance import erasure
from commentsvc.domain.moderation import decisions
from commentsvc.domain.spam import checks
from commentsvc.domain.thread_admin import merging, moving
from commentsvc.models import Action, Ban, BanKind, Comment, Policy, Site, Status, now
from commentsvc.serving.access_log import shown_path
from commentsvc.web.thread import receipt_links
from tests.conftest import BASE_URL, BLOG
from tests.support.browser_client import BrowserClient
from tests.support.guest_client import ARTICLE, Elements, GuestClient, add_site, contents
from tests.support.member_client import MemberClient, Vouching, person

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
KEY = "a-key-that-only-this-browser-holds"
OURS = {"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"}
CHANGES = ("renew", "claim", "delete", "edit")


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with app.app_context():
        engine = db.engine
    with Session(engine) as session:
        yield session


@pytest.fixture
def site(app: Flask, session: Session) -> Site:
    return session.get_one(Site, add_site(app))


class Device:
    """Somebody with the link: another device than the one that posted, without cookies."""

    def __init__(self, app: Flask, link: str) -> None:
        self.client, self.path = app.test_client(), urlsplit(link).path

    def see(self, path: str = "", **headers: str) -> TestResponse:
        return self.client.get(path or self.path, base_url=BASE_URL, headers=headers)

    def do(self, what: str, headers: dict[str, str] | None = None, **fields: str) -> TestResponse:
        sent = OURS if headers is None else headers
        return self.client.post(f"{self.path}/{what}", base_url=BASE_URL, data=fields, headers=sent)


def post(app: Flask, text: str = "Hello", **fields: Any) -> Device:
    """Post as a guest; return a device that has the link."""
    body = GuestClient(app).post(text, **fields).json or {}
    return Device(app, body["receipt"])


def decide(session: Session, status: Status, comment_id: int = 1, moderator_id: int | None = None) -> None:
    begin_write(session)
    decisions.decide(session, session.get_one(Comment, comment_id), status, moderator_id=moderator_id)
    session.commit()


def stored(session: Session, comment_id: int = 1) -> Comment:
    session.rollback()
    return session.get_one(Comment, comment_id, populate_existing=True)


def log_in(app: Flask, session: Session) -> MemberClient:
    """Log in on a page of ours."""
    visitor = BrowserClient(app)
    Vouching.at(app).go(visitor, purpose="person")
    session.rollback()
    identity = person(session)
    return MemberClient(visitor, identity.id, identity.commenter_id)


@both_engines
def test_a_guest_gets_a_link_that_is_stored_as_a_hash(app: Flask, site: Site, session: Session) -> None:
    body = GuestClient(app).post("Hello").json or {}
    path = urlsplit(body["receipt"]).path
    assert re.fullmatch(r"/receipt/[A-Za-z0-9]{24}", path)
    token = path.rpartition("/")[2]
    assert body["receipt"] in body["note"]
    with app.test_request_context("/"):
        assert stored(session).receipt_hash == receipt_links.hash_of(token)
    assert token not in repr(contents(app))


def test_a_member_gets_none(app: Flask, site: Site, session: Session) -> None:
    ada = log_in(app, session)
    form = Elements(ada.visitor.page(f"/thread?url={ARTICLE}"))
    sent = {
        name: str(form.all("input", name=name)[0]["value"]) for name in ("token", "csrf_token", "identity")
    }
    sent |= {"url": ARTICLE, "text": "Hi"}
    headers = {**OURS, "Accept": "application/json"}
    answer = ada.visitor.client.post("/thread/comments", base_url=BASE_URL, data=sent, headers=headers)
    assert "receipt" not in answer.json
    assert "link" not in answer.json["note"]
    assert stored(session).commenter_id == ada.commenter_id
    assert stored(session).receipt_hash is None


def test_the_browser_that_lost_the_response_gets_a_new_link_for_the_same_comment(
    app: Flask, site: Site
) -> None:
    reader = GuestClient(app)
    first = reader.post("Hello", key="k" * 32, author_key=KEY).json or {}
    again = reader.post("Hello", key="k" * 32, author_key=KEY).json or {}
    assert again["id"] == first["id"]
    assert again["receipt"] != first["receipt"]
    assert Device(app, first["receipt"]).see().status_code == 404
    assert Device(app, again["receipt"]).see().status_code == 200


@both_engines
def test_its_page_says_what_became_of_the_comment(app: Flask, session: Session) -> None:
    add_site(app, policy=Policy.HOLD_ALL)
    device = post(app, "Some **bold** words")
    page = device.see()
    assert page.status_code == 200
    assert "Waiting for a moderator." in page.text
    assert "<strong>bold</strong>" in page.text
    decide(session, Status.APPROVED)
    assert "Published." in device.see().text
    assert 'href="/comment/1"' in device.see().text
    decide(session, Status.HELD)
    assert "is hidden until a moderator has looked at it again" in device.see().text
    decide(session, Status.SPAM)
    assert "Not published." in device.see().text
    assert "spam" not in Elements(device.see().text).text.lower()
    decide(session, Status.TRASH)
    removed = device.see().text
    assert "A moderator of the website has taken it down." in removed
    assert "bold" not in removed


def test_its_page_is_stored_and_listed_nowhere(app: Flask, site: Site) -> None:
    device = post(app)
    for answer in (device.see(), device.see(f"{device.path}x"), device.do("renew")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
    posted = GuestClient(app).post("Again", json=False)
    page = device.see(
        urlsplit(posted.headers["Location"])._replace(scheme="", netloc="", fragment="").geturl()
    )
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("place", ["receipt", "embed/posted", "thread/posted"])
def test_the_access_log_does_not_have_the_token(place: str) -> None:
    assert shown_path(f"/{place}/{'T' * 24}/renew") == f"/{place}/…"
    assert shown_path(f"/base/{place}/{'T' * 24}") == f"/base/{place}/…"


def test_looking_changes_nothing(app: Flask, site: Site) -> None:
    device = post(app)
    before = contents(app)
    for path in (device.path, *(f"{device.path}/{change}" for change in CHANGES)):
        for method in ("GET", "HEAD", "OPTIONS"):
            device.client.open(path, method=method, base_url=BASE_URL)
    assert contents(app) == before


@pytest.mark.parametrize("origin", [None, "null", BLOG, "https://evil.example", f"{BASE_URL}.evil.example"])
def test_only_its_own_page_changes_anything(app: Flask, site: Site, origin: str | None) -> None:
    device = post(app)
    before = contents(app)
    for change in CHANGES:
        answer = device.do(change, {"Origin": origin} if origin else {}, text="Changed")
        assert answer.status_code == 403, change
    assert contents(app) == before


@both_engines
def test_a_renewed_link_replaces_the_one_before(app: Flask, site: Site) -> None:
    device = post(app)
    answer = device.do("renew")
    assert answer.status_code == 303
    fresh = Device(app, answer.headers["Location"])
    assert fresh.path != device.path
    page = fresh.see(answer.headers["Location"]).text
    assert "The one before no longer works." in page
    assert f"{BASE_URL}{fresh.path}" in page
    before = contents(app)
    assert device.see().status_code == 404
    for change in CHANGES:
        assert device.do(change, text="Changed").status_code == 404, change
    assert contents(app) == before


def test_whoever_guesses_is_stopped_and_nobody_else(app: Flask, site: Site) -> None:
    device = post(app)
    for number in range(20):
        assert device.see(f"/receipt/{number:024}").status_code == 404
    assert device.see("/receipt/" + "x" * 24).status_code == 429
    assert device.see().status_code == 429  # or a guess that is right would be seen
    elsewhere = {"REMOTE_ADDR": "203.0.113.7"}
    assert device.client.get(device.path, base_url=BASE_URL, environ_base=elsewhere).status_code == 200


def test_the_comment_takes_its_link_along_when_its_thread_is_merged_and_moved(
    app: Flask, site: Site, session: Session
) -> None:
    device = post(app)
    GuestClient(app, f"{BLOG}/other").posted("There")
    there = add_site(app, "Elsewhere", "https://elsewhere.example")
    begin_write(session)
    target, operator = session.get_one(Comment, 2).thread, accounts.operator(session)
    merging.merge(session, session.get_one(Comment, 1).thread, target, moderator_id=operator.id, at=now())
    session.commit()
    assert f'href="{BLOG}/other"' in device.see().text
    begin_write(session)
    moving.move(session, target, session.get_one(Site, there), moderator_id=operator.id, at=now())
    session.commit()
    assert "Elsewhere" in device.see().text


@both_engines
def test_the_link_ends_when_its_author_is_erased(app: Flask, site: Site, session: Session) -> None:
    device = post(app)
    session.rollback()
    assert erasure.erase_guest(session, AuthorRef(AuthorKind.EMAIL, "anna@mail.example")) == 1
    assert device.see().status_code == 404
    assert all(comment.receipt_hash is None for comment in session.query(Comment))


class TestEditing:
    """Changing the text from another device."""

    @pytest.fixture(autouse=True)
    def _quick_writers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A test is faster than any person; the service would hold its edits for that."""
        monkeypatch.setattr(checks, "FASTEST_SECONDS", 0.0)

    def edit(self, device: Device, text: str, **fields: str) -> TestResponse:
        page = Elements(device.see().text)
        form = {name: str(page.all("input", name=name)[0]["value"]) for name in ("token", "seen")}
        return device.do("edit", **{**form, "text": text, **fields})

    @both_engines
    def test_the_new_text_stands(self, app: Flask, site: Site, session: Session) -> None:
        device = post(app, "Helo")
        answer = self.edit(device, "Hello **there**")
        assert answer.status_code == 303
        page = device.see(answer.headers["Location"]).text
        assert "Your comment is saved." in page
        assert "<strong>there</strong>" in page
        assert stored(session).edited_at is not None
        assert "there" in GuestClient(app).get().text

    @both_engines
    def test_one_that_a_check_holds_waits(self, app: Flask, site: Site, session: Session) -> None:
        device = post(app, "Hello")
        begin_write(session)
        session.get_one(Site, 1).moderation_words = "casino"
        session.commit()
        answer = self.edit(device, "Come to my casino")
        page = device.see(answer.headers["Location"]).text
        assert "Your change is awaiting moderation." in page
        assert "Come to my casino" in page
        assert "Your change is awaiting moderation." in device.see().text  # also on a later visit
        assert "casino" not in GuestClient(app).get().text

    def test_a_preview_stores_nothing(self, app: Flask, site: Site, session: Session) -> None:
        device = post(app, "Hello")
        before = contents(app)
        answer = self.edit(device, "Hello **there**", do="preview")
        assert answer.status_code == 200
        assert "<strong>there</strong>" in answer.text
        assert "Hello **there**" in answer.text
        assert contents(app) == before

    def test_what_was_typed_stays_where_it_is_refused(self, app: Flask, site: Site, session: Session) -> None:
        device = post(app, "Hello")
        refused = {
            422: {"text": " "},
            409: {"text": "Precious", "seen": "0" * 16},
        }
        for status, fields in refused.items():
            answer = self.edit(device, **fields)
            assert answer.status_code == status
            assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "Precious" in answer.text
        assert "It reads now:" in answer.text
        stale = self.edit(device, "Precious", token="x")
        assert stale.status_code == 422
        assert "Precious" in stale.text
        assert stored(session).source == "Hello"

    def test_nobody_edits_after_the_time_for_it(self, app: Flask, site: Site, session: Session) -> None:
        device = post(app, "Hello")
        page = Elements(device.see().text)
        form = {name: str(page.all("input", name=name)[0]["value"]) for name in ("token", "seen")}
        begin_write(session)
        session.get_one(Comment, 1).created_at -= timedelta(minutes=16)
        session.commit()
        answer = device.do("edit", **form, text="Precious")
        assert answer.status_code == 403
        assert "Precious" in answer.text
        assert stored(session).source == "Hello"
        assert not Elements(device.see().text).all("textarea")
        assert device.do("delete").status_code == 200

    @pytest.mark.parametrize("kind", ["closed", "banned"])
    def test_nor_under_a_closed_article_nor_after_a_ban(
        self, app: Flask, site: Site, session: Session, kind: str
    ) -> None:
        device = post(app, "Hello")
        page = Elements(device.see().text)
        form = {name: str(page.all("input", name=name)[0]["value"]) for name in ("token", "seen")}
        begin_write(session)
        if kind == "closed":
            session.get_one(Site, 1).policy = Policy.CLOSED
        else:
            value = ban_values.email("anna@mail.example")
            session.add(Ban(site_id=1, kind=BanKind.EMAIL, value=value, label=value, reason=""))
        session.commit()
        answer = device.do("edit", **form, text="Precious")
        assert answer.status_code == 403
        assert "Precious" in answer.text
        assert stored(session).source == "Hello"
        assert device.do("delete").status_code == 200
        assert stored(session).source != "Hello"

    def test_the_link_of_another_comment_edits_only_that_one(
        self, app: Flask, site: Site, session: Session
    ) -> None:
        post(app, "One")
        other = post(app, "Two", name="Ben", email="ben@mail.example")
        self.edit(other, "Three", comment_id="1", id="1", author_key=KEY)
        assert [stored(session, number).source for number in (1, 2)] == ["One", "Three"]


class TestDeleting:
    @both_engines
    def test_it_is_gone_and_so_is_the_link(self, app: Flask, site: Site, session: Session) -> None:
        device = post(app, "Regrettable")
        GuestClient(app).posted("An answer", name="Ben", email="ben@mail.example", parent="1")
        answer = device.do("delete")
        assert answer.status_code == 200
        assert "Your comment is deleted" in answer.text
        page = GuestClient(app).get().text
        assert "This comment was removed." in page
        assert "An answer" in page
        comment = stored(session)
        assert (comment.guest_email, comment.receipt_hash) == (None, None)
        assert "Regrettable" not in repr(contents(app))
        assert device.see().status_code == 404
        assert device.do("delete").status_code == 404

    def test_one_that_a_moderator_removed_can_be_deleted_too(
        self, app: Flask, site: Site, session: Session
    ) -> None:
        device = post(app, "Regrettable")
        decide(session, Status.SPAM)
        assert device.do("delete").status_code == 200
        assert "Regrettable" not in repr(contents(app)["comment"])


class TestClaiming:
    """Putting the comment under an account."""

    def claim(self, member: MemberClient, device: Device, **fields: str) -> TestResponse:
        page = Elements(member.visitor.page(device.path))
        sent = {name: str(page.all("input", name=name)[0]["value"]) for name in ("mark", "csrf_token")}
        path = f"{device.path}/claim"
        return member.visitor.client.post(path, base_url=BASE_URL, data=sent | fields, headers=OURS)

    @pytest.fixture
    def ada(self, app: Flask, session: Session, site: Site) -> MemberClient:
        """Logged in on a page of ours, through a provider."""
        return log_in(app, session)

    @both_engines
    def test_it_gets_the_name_and_loses_what_the_guest_typed(
        self, app: Flask, session: Session, ada: MemberClient
    ) -> None:
        device = post(app)
        version = stored(session).thread.version
        answer = self.claim(ada, device)
        assert answer.status_code == 303
        comment = stored(session)
        assert comment.commenter_id == ada.commenter_id
        assert (comment.guest_name, comment.guest_email, comment.guest_website) == (None, None, None)
        assert "anna" not in (comment.search_text or "")
        assert comment.thread.version > version
        (action,) = session.scalars(select(Action))
        assert (action.kind, action.moderator_id) == ("author.claim", None)
        assert "under your account" in ada.page(answer.headers["Location"])
        assert "Ada" in GuestClient(app).get().text
        assert device.see().status_code == 404
        again = ada.visitor.client.post(f"{device.path}/claim", base_url=BASE_URL, headers=OURS)
        assert again.status_code == 404

    def test_nobody_takes_it_who_is_not_logged_in(self, app: Flask, site: Site) -> None:
        device = post(app)
        before = contents(app)
        assert device.do("claim").status_code == 403
        assert contents(app) == before

    @pytest.mark.parametrize("fault", [{"csrf_token": "x"}, {"mark": "x"}])
    def test_nor_without_the_proofs_of_the_session(
        self, app: Flask, ada: MemberClient, fault: dict[str, str]
    ) -> None:
        device = post(app)
        before = contents(app)["comment"]
        assert self.claim(ada, device, **fault).status_code in {403, 409}
        assert contents(app)["comment"] == before

    @pytest.mark.parametrize("kind", [BanKind.EMAIL, BanKind.PERSON])
    def test_nor_who_is_banned(self, app: Flask, session: Session, ada: MemberClient, kind: BanKind) -> None:
        device = post(app)
        value = ban_values.email("anna@mail.example") if kind is BanKind.EMAIL else str(ada.commenter_id)
        begin_write(session)
        session.add(Ban(site_id=1, kind=kind, value=value, label=value, reason=""))
        session.commit()
        assert self.claim(ada, device).status_code == 403
        assert stored(session).commenter_id is None

    def test_nor_one_that_was_removed(self, app: Flask, session: Session, ada: MemberClient) -> None:
        device = post(app)
        page = Elements(ada.visitor.page(device.path))
        decide(session, Status.TRASH)
        sent = {name: str(page.all("input", name=name)[0]["value"]) for name in ("mark", "csrf_token")}
        answer = ada.visitor.client.post(f"{device.path}/claim", base_url=BASE_URL, data=sent, headers=OURS)
        assert answer.status_code == 404
        assert stored(session).commenter_id is None

    def test_a_login_from_the_page_leads_back_to_it(self, app: Flask, site: Site, session: Session) -> None:
        provider = Vouching.at(app)
        device = post(app)
        visitor = BrowserClient(app)
        assert "Put it under an account" in visitor.page(device.path)
        token = device.path.rpartition("/")[2]
        answer = provider.go(visitor, purpose="receipt", receipt=token)
        assert answer.location.endswith(device.path)
        assert "Put this comment under my account" in visitor.page(device.path)
        assert token not in repr(contents(app))
