"""A tab that was filled in as one person and is sent while another is logged in: nobody posts as somebody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts, login_sessions
from commentsvc.domain.sites import sites
from commentsvc.models import Comment, Commenter, Identity, LoginSession, Policy, Report, Site, now
from tests.conftest import BASE_URL, BLOG
from tests.support.admin_queue import AdminQueue, open_queue
from tests.support.browser_client import BrowserClient, PageToken, token_of
from tests.support.guest_client import Elements
from tests.support.member_client import Vouching, enter, frame_session, give_pass, person, write
from tests.support.outside_session import outside_session
from tests.web.auth import test_sso

__all__ = ["open_queue"]
ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
URL = f"{BLOG}/article"
OURS = {"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"}
AS_BOB = "You are now logged in as Bob."
GONE = "You are no longer logged in."


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def site(session: Session) -> Site:
    begin_write(session)
    site = sites.add(session, "Blog", [BLOG], owner_id=accounts.operator(session).id)
    site.policy = Policy.OPEN
    session.commit()
    return site


@pytest.fixture
def ada(session: Session) -> Identity:
    return person(session, name="Ada", subject="1")


@pytest.fixture
def bob(session: Session) -> Identity:
    return person(session, name="Bob", subject="2")


class Frame:
    """The frame of an article in a browser with several tabs, which share its cookies."""

    def __init__(self, app: Flask, session: Session, site: Site) -> None:
        self.client, self.session, self.site = app.test_client(), session, site
        self.bearer = ""

    def log_in(self, identity: Identity, *, bearer: bool = False) -> None:
        """Have another tab log somebody in."""
        _, token = frame_session(self.session, identity, self.site)
        if bearer:
            self.bearer = token
            return
        with self.client.session_transaction(f"/embed/own?url={URL}", base_url=BASE_URL) as cookie:
            cookie[f"site {self.site.id}"] = token

    def log_out(self) -> None:
        begin_write(self.session)
        self.session.execute(LoginSession.__table__.delete())
        self.session.commit()

    @property
    def headers(self) -> dict[str, str]:
        bearer = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}
        return {**OURS, "Accept": "application/json", **bearer}

    def form(self, **typed: str) -> dict[str, str]:
        """What the form sends that a script fills in for who is logged in now."""
        answer = self.client.get(f"/embed/own?url={URL}", base_url=BASE_URL, headers=self.headers)
        return self.filled(answer.get_json(), **typed)

    def filled(self, own: dict[str, Any], **typed: str) -> dict[str, str]:
        identity = "member" if own["member"] else "guest"
        sent = {"url": URL, "token": own["token"], "csrf_token": own["csrf"] or "", "identity": identity}
        return {**sent, "text": "A long thought", **typed}

    def send(self, form: dict[str, str], **headers: str) -> TestResponse:
        return self.client.post(
            "/embed/comments", base_url=BASE_URL, data=form, headers={**self.headers, **headers}
        )


class Page:
    """`/thread` in a browser with several tabs."""

    def __init__(self, app: Flask, session: Session) -> None:
        self.client, self.session = app.test_client(), session

    def log_in(self, identity: Identity) -> None:
        begin_write(self.session)
        token = login_sessions.open_for(
            self.session,
            commenter_id=identity.commenter_id,
            identity_id=identity.id,
            purpose=login_sessions.PERSON,
            site_id=None,
            browser="",
            at=now(),
        )
        self.session.commit()
        with self.client.session_transaction("/thread", base_url=BASE_URL) as cookie:
            cookie["person"] = token

    def open(self, **more: str) -> str:
        query = {"url": URL, **more}
        return self.client.get("/thread", base_url=BASE_URL, query_string=query).text

    def own(self) -> dict[str, Any]:
        """What a script on the page is told."""
        return dict(self.client.get(f"/thread/own?url={URL}", base_url=BASE_URL).get_json())

    def form(self, page: str, **typed: str) -> dict[str, str]:
        """What the page's comment form sends."""
        fields = Elements(page.partition('id="reply"')[2]).all("input", type="hidden")
        return {str(one["name"]): one["value"] or "" for one in fields} | {"text": "A long thought"} | typed

    def send(self, form: dict[str, str], **headers: str) -> TestResponse:
        return self.client.post("/thread/comments", base_url=BASE_URL, data=form, headers={**OURS, **headers})


@pytest.fixture
def frame(app: Flask, session: Session, site: Site) -> Frame:
    return Frame(app, session, site)


@pytest.fixture
def page(app: Flask, session: Session, site: Site) -> Page:
    return Page(app, session)


def authors(session: Session) -> list[str]:
    """Who wrote what is stored, guests under the names they typed."""
    session.rollback()
    query = select(func.coalesce(Commenter.name, Comment.guest_name))
    return list(session.scalars(query.select_from(Comment).outerjoin(Commenter).order_by(Comment.id)))


class TestInTheFrame:
    @ENGINES
    @pytest.mark.parametrize("bearer", [False, True], ids=["cookie", "bearer"])
    def test_another_person_is_told_so_and_posts_with_a_second_press(
        self, frame: Frame, session: Session, ada: Identity, bob: Identity, bearer: bool
    ) -> None:
        frame.log_in(ada, bearer=bearer)
        form = frame.form()
        frame.log_in(bob, bearer=bearer)
        answer = frame.send(form)
        assert answer.status_code == 409
        body = answer.get_json()
        assert body["errors"]["form"].startswith(AS_BOB)
        assert body["own"]["member"]["name"] == "Bob"
        assert "token" not in body, "a script would send it once more by itself"
        assert authors(session) == []
        assert frame.send(frame.filled(body["own"])).status_code == 200
        assert authors(session) == ["Bob"]

    def test_a_reply_is_no_different(
        self, frame: Frame, session: Session, site: Site, ada: Identity, bob: Identity
    ) -> None:
        first = write(session, site, "What do you think?", by=ada.commenter_id)
        frame.log_in(ada)
        form = frame.form(parent=str(first))
        frame.log_in(bob)
        assert frame.send(form).status_code == 409
        assert authors(session) == ["Ada"]

    def test_nobody_any_more_gets_a_guests_form(self, frame: Frame, session: Session, ada: Identity) -> None:
        frame.log_in(ada)
        form = frame.form()
        frame.log_out()
        answer = frame.send(form)
        assert answer.status_code == 403
        assert answer.get_json()["errors"]["form"].startswith(GONE)
        own = answer.get_json()["own"]
        assert own["member"] is None
        details = {"name": "Anna", "email": "anna@mail.example"}
        assert frame.send(frame.filled(own, **details)).status_code == 200
        assert authors(session) == ["Anna"]

    def test_a_guests_form_stays_a_guests(self, frame: Frame, session: Session, bob: Identity) -> None:
        form = frame.form(name="Anna", email="anna@mail.example")
        frame.log_in(bob)
        assert frame.send(form).status_code == 200
        assert authors(session) == ["Anna"]

    def test_a_guests_form_cannot_be_sent_as_a_member(
        self, frame: Frame, session: Session, bob: Identity
    ) -> None:
        form = frame.form()
        frame.log_in(bob)
        answer = frame.send(form | {"identity": "member", "csrf_token": frame.form()["csrf_token"]})
        assert (answer.status_code, authors(session)) == (409, [])

    def test_the_same_person_in_a_new_session_just_posts(
        self, frame: Frame, session: Session, ada: Identity
    ) -> None:
        frame.log_in(ada)
        form = frame.form()
        frame.log_out()
        frame.log_in(ada)
        assert frame.send(form).status_code == 200
        assert authors(session) == ["Ada"]

    def test_the_same_person_with_a_new_cookie_posts_with_a_second_press(
        self, frame: Frame, session: Session, ada: Identity
    ) -> None:
        frame.log_in(ada)
        form = frame.form()
        frame.client = frame.client.application.test_client()
        frame.log_in(ada)
        answer = frame.send(form)
        assert answer.status_code == 403
        assert "press the button again" in answer.get_json()["errors"]["form"]
        assert frame.send(frame.filled(answer.get_json()["own"])).status_code == 200

    @pytest.mark.parametrize("token", ["", "x", "IjEyMyI.aAaA.bBbB"])
    def test_a_missing_or_damaged_mark_is_somebody_elses(
        self, frame: Frame, session: Session, ada: Identity, token: str
    ) -> None:
        frame.log_in(ada)
        answer = frame.send(frame.form(token=token))
        assert answer.status_code == 409
        assert "You are now logged in as Ada." in answer.get_json()["message"]
        assert "token" not in answer.get_json()
        assert authors(session) == []

    def test_a_form_from_days_ago_does_not_change_hands(
        self, frame: Frame, session: Session, ada: Identity, bob: Identity, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        frame.log_in(ada)
        form = frame.form()
        frame.log_in(bob)
        monkeypatch.setattr("commentsvc.web.access.FORM_LIFE", -1)
        assert frame.send(form).status_code == 409
        frame.log_in(ada)
        answer = frame.send(form)
        assert answer.status_code == 422
        frame.log_in(bob)
        monkeypatch.undo()
        assert frame.send(form | {"token": answer.get_json()["token"]}).status_code == 409
        assert authors(session) == []

    def test_a_deleted_persons_form_is_not_the_next_persons(
        self, frame: Frame, session: Session, ada: Identity
    ) -> None:
        """SQLite gives the id of the newest row to the next one, once it is gone."""
        frame.log_in(ada)
        form, number = frame.form(), ada.commenter_id
        begin_write(session)
        session.delete(session.get_one(Commenter, number))
        session.commit()
        session.expunge_all()
        bob = person(session, name="Bob", subject="2")
        assert bob.commenter_id == number
        frame.log_in(bob)
        assert frame.send(form).status_code == 409

    def test_the_mark_tells_nothing(self, frame: Frame, session: Session, ada: Identity) -> None:
        frame.log_in(ada)
        own = frame.client.get(f"/embed/own?url={URL}", base_url=BASE_URL).get_json()
        assert re.fullmatch("[0-9a-f]{64}", own["member"]["mark"])

    def test_a_sites_own_users(self, app: Flask, session: Session) -> None:
        site = test_sso.a_site(session, "Shop", BLOG)
        frame = Frame(app, session, site)

        def come(number: str, name: str) -> None:
            given = test_sso.token(site.sso_secret, sub=number, name=name)
            data = {"url": URL, "sso": given}
            frame.client.post("/login/sso", base_url=BASE_URL, data=data, headers=frame.headers)

        come("1", "Ada")
        form = frame.form()
        come("2", "Bob")
        answer = frame.send(form)
        assert answer.status_code == 409
        assert answer.get_json()["message"].startswith(AS_BOB)
        assert authors(session) == []

    def test_without_script_the_page_comes_back_as_the_new_persons(
        self, frame: Frame, session: Session, ada: Identity, bob: Identity
    ) -> None:
        frame.log_in(ada)
        form = frame.form()
        frame.log_in(bob)
        answer = frame.send(form, Accept="text/html")
        assert answer.status_code == 409
        assert AS_BOB in Elements(answer.text).text
        assert ">A long thought</textarea>" in answer.text


class TestOnThePageOfAThread:
    @ENGINES
    def test_another_person_is_told_so_and_posts_with_a_second_press(
        self, page: Page, session: Session, site: Site, ada: Identity, bob: Identity
    ) -> None:
        first = write(session, site, "What do you think?")
        page.log_in(ada)
        form = page.form(page.open(reply=str(first)))
        assert form["identity"] == "member"
        page.log_in(bob)
        answer = page.send(form)
        assert answer.status_code == 409
        assert AS_BOB in Elements(answer.text).text
        assert ">A long thought</textarea>" in answer.text
        again = page.form(answer.text)
        assert (again["identity"], again["parent"]) == ("member", str(first))
        assert page.send(again).status_code == 303
        assert authors(session)[1:] == ["Bob"]

    def test_nobody_any_more_gets_a_guests_form(self, page: Page, session: Session, ada: Identity) -> None:
        page.log_in(ada)
        form = page.form(page.open())
        page.client = page.client.application.test_client()
        answer = page.send(form)
        assert answer.status_code == 403
        assert GONE in Elements(answer.text).text
        again = page.form(answer.text, name="Anna", email="anna@mail.example")
        assert again["identity"] == "guest"
        assert page.send(again).status_code == 303
        assert authors(session) == ["Anna"]

    def test_a_fault_of_ones_own_leaves_one_logged_in(
        self, page: Page, session: Session, ada: Identity
    ) -> None:
        page.log_in(ada)
        answer = page.send(page.form(page.open(), text=" "))
        assert answer.status_code == 422
        again = page.form(answer.text)
        assert again["identity"] == "member"
        assert page.send(again).status_code == 303
        assert authors(session) == ["Ada"]

    def test_whoever_chose_to_be_a_guest_is_one(
        self, page: Page, session: Session, ada: Identity, bob: Identity
    ) -> None:
        page.log_in(ada)
        form = page.form(page.open(**{"as": "guest"}), name="Anna", email="anna@mail.example")
        page.log_in(bob)
        assert page.send(form).status_code == 303
        assert authors(session) == ["Anna"]

    def test_a_script_on_it_is_told_of_the_pages_own_login(
        self, page: Page, session: Session, ada: Identity, bob: Identity
    ) -> None:
        page.log_in(ada)
        assert page.own()["member"]["name"] == "Ada"
        form = page.form(page.open()) | {"token": page.own()["token"]}
        page.log_in(bob)
        answer = page.send(form, Accept="application/json")
        assert answer.status_code == 409
        assert answer.get_json()["own"]["member"]["name"] == "Bob"


class TestReports:
    @pytest.fixture
    def comment(self, session: Session, site: Site) -> int:
        return write(session, site, "Rubbish")

    def fields(self, text: str) -> dict[str, str]:
        form = Elements(text.partition('class="report"')[2])
        return {str(one["name"]): one["value"] or "" for one in form.all("input", type="hidden")} | {
            "reason": "spam"
        }

    @pytest.mark.parametrize("first", ["ada", "nobody"])
    def test_count_for_nobody_but_whom_the_form_was_shown(
        self,
        frame: Frame,
        session: Session,
        comment: int,
        ada: Identity,
        bob: Identity,
        first: str,
    ) -> None:
        path = f"/embed/comments/{comment}/report"
        if first == "ada":
            frame.log_in(ada)
        form = self.fields(frame.client.get(path, base_url=BASE_URL).text)
        frame.log_in(bob)
        answer = frame.client.post(path, base_url=BASE_URL, data=form, headers=frame.headers)
        assert answer.status_code == 409
        body = answer.get_json()
        assert body["message"].startswith(AS_BOB)
        session.rollback()
        assert session.scalar(select(func.count()).select_from(Report)) == 0
        form |= body["own"]
        assert frame.client.post(path, base_url=BASE_URL, data=form, headers=frame.headers).status_code == 200

    def test_without_script_the_form_comes_back(
        self, page: Page, session: Session, comment: int, ada: Identity, bob: Identity
    ) -> None:
        path = f"/thread/comments/{comment}/report"
        page.log_in(ada)
        form = self.fields(page.client.get(path, base_url=BASE_URL).text)
        page.log_in(bob)
        answer = page.client.post(path, base_url=BASE_URL, data=form, headers=OURS)
        assert answer.status_code == 409
        assert AS_BOB in Elements(answer.text).text
        again = self.fields(answer.text)
        assert page.client.post(path, base_url=BASE_URL, data=again, headers=OURS).status_code == 200


class TestTheAccount:
    CHANGES = (
        ("/account/name", {"name": "Renamed"}),
        ("/account/picture", {"show": "no"}),
        ("/account/sessions/end-others", {}),
        ("/account/sessions/1/end", {}),
        ("/account/identities/1/unlink", {}),
        ("/account/delete", {"texts": "remove", "sure": "y"}),
    )

    @pytest.mark.parametrize(("path", "typed"), CHANGES)
    def test_is_not_changed_from_another_persons_page(
        self,
        app: Flask,
        session: Session,
        site: Site,
        ada: Identity,
        bob: Identity,
        path: str,
        typed: dict[str, str],
    ) -> None:
        tabs = enter(app, session, ada, site).visitor
        token = tabs.token("/account/settings")
        pass_of_bob = give_pass(session, bob, site)
        tabs.post("/account/enter", {"pass": pass_of_bob}, token=None)
        before = everything(session)
        answer = tabs.post(path, typed, token=token)
        assert answer.status_code == 409
        assert AS_BOB in answer.text
        assert everything(session) == before

    def test_can_be_changed_by_the_same_person_in_a_new_session(
        self, app: Flask, session: Session, site: Site, ada: Identity
    ) -> None:
        tabs = enter(app, session, ada, site).visitor
        token = tabs.token("/account/settings")
        tabs.post("/account/enter", {"pass": give_pass(session, ada, site)}, token=None)
        assert tabs.post("/account/name", {"name": "Ada L."}, token=token).status_code == 303

    def test_is_not_linked_to_another_persons_login(
        self, app: Flask, session: Session, site: Site, ada: Identity, bob: Identity
    ) -> None:
        tabs, provider = enter(app, session, ada, site).visitor, Vouching.at(app)
        page = tabs.page("/account/settings")
        fields = Elements(page.partition("Link another account")[2]).all("input", type="hidden")
        form = {str(one["name"]): one["value"] or "" for one in fields}
        tabs.post("/account/enter", {"pass": give_pass(session, bob, site)}, token=None)
        answer = tabs.post("/login/start", {**form, "purpose": "link", "provider": "github"}, token=None)
        assert answer.status_code == 409
        assert AS_BOB in answer.text
        assert provider.begun == []


def everything(session: Session) -> list[Any]:
    session.rollback()
    session.expire_all()
    people = session.execute(select(Commenter.id, Commenter.name, Commenter.show_picture)).all()
    return [
        *people,
        *session.execute(select(LoginSession.id)).all(),
        *session.execute(select(Identity.id)).all(),
    ]


class TestTheAdminView:
    def test_does_nothing_from_another_moderators_page_until_asked_again(
        self, queue_of_site: AdminQueue
    ) -> None:
        """A moderator's half-written reply is neither lost nor sent under another name."""
        number = queue_of_site.write("A question")
        path = f"/admin/comments/{number}/reply"
        tabs = queue_of_site.moderator("Ada")
        token = tabs.token(path)
        tabs.sign_in(queue_of_site.session, queue_of_site.person("Bob", moderates=True))
        answer = tabs.post(path, {"text": "An answer\n", "approve": "y"}, token=token)
        assert answer.status_code == 409
        page = Elements(answer.text)
        assert "You are now signed in as Bob." in page.text
        assert {str(one["name"]) for one in page.all("textarea")} == {"text", "approve"}
        assert len(queue_of_site.statuses()) == 1
        again = token_of(answer.text)
        assert tabs.post(path, {"text": "An answer", "approve": "y"}, token=again).status_code == 303
        queue_of_site.session.rollback()
        written = queue_of_site.session.scalars(select(Comment).order_by(Comment.id.desc())).first()
        assert written is not None
        assert queue_of_site.session.get_one(Commenter, written.commenter_id).name == "Bob"

    def test_offers_a_form_again_to_who_signed_in_once_more(self, queue_of_site: AdminQueue) -> None:
        number = queue_of_site.write("A question")
        path = f"/admin/comments/{number}/decision"
        ada = queue_of_site.person("Ada", moderates=True)
        tabs = BrowserClient(queue_of_site.app).sign_in(queue_of_site.session, ada)
        token = tabs.token("/admin")
        tabs.sign_in(queue_of_site.session, ada)
        answer = tabs.post(path, {"verdict": "approved"}, token=token)
        assert answer.status_code == 400
        assert "You signed in again" in answer.text
        assert "Continue as" in answer.text

    @pytest.mark.parametrize("origin", [None, "null", BLOG])
    def test_offers_nothing_to_another_website(self, queue_of_site: AdminQueue, origin: str | None) -> None:
        number = queue_of_site.write("A question")
        path = f"/admin/comments/{number}/decision"
        answer = queue_of_site.owner.post(
            path, {"verdict": "trash"}, token=PageToken("x", "a" * 64), origin=origin
        )
        assert answer.status_code == 400
        assert "Continue as" not in answer.text
