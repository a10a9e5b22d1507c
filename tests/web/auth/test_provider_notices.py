"""What Meta and Apple tell about their users: carried out once, for whom it is about, and nothing told to strangers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import Base, begin_write
from commentsvc.domain.accounts import accounts, identities
from commentsvc.domain.maintenance import erasure, provider_notices, retention
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.domain.reading import avatars
from commentsvc.domain.sites import sites
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.models import (
    Action,
    Comment,
    Commenter,
    Identity,
    LoginSession,
    Membership,
    NoticeOutcome,
    Picture,
    Policy,
    ProviderNotice,
    Role,
    Site,
    Ticket,
    now,
)
from commentsvc.web.auth import provider_notices as views
from commentsvc.web.context import services_of
from tests.conftest import BASE_URL, BLOG, dispose
from tests.support import provider_fakes as fakes
from tests.support.browser_client import BrowserClient
from tests.support.member_client import MemberClient, enter, write
from tests.support.outside_session import outside_session
from tests.support.provider_notices import (
    ADA_AT_APPLE,
    ADA_AT_FACEBOOK,
    NOBODY_AT_FACEBOOK,
    apple_token,
    send_apple,
    send_meta,
    signed_request,
)

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture(scope="module")
def running() -> Iterator[fakes.Vendors]:
    with fakes.running() as vendors:
        yield vendors


@pytest.fixture
def vendors(running: fakes.Vendors) -> fakes.Vendors:
    running.reset()
    return running


@pytest.fixture
def app(settings: Settings, vendors: fakes.Vendors) -> Iterator[Flask]:
    app = create_app(settings)
    for key in ("facebook", "apple"):
        services_of(app).providers[key] = vendors[key].row()
    yield app
    dispose(app)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app, expire_on_commit=False) as session:
        yield session


@pytest.fixture(autouse=True)
def site(session: Session) -> Site:
    begin_write(session)
    site = sites.add(session, "Blog", [BLOG], owner_id=accounts.operator(session).id)
    site.policy = Policy.OPEN
    session.commit()
    return site


def someone(
    app: Flask, session: Session, provider: Provider, subject: str, name: str = "Ada Unique"
) -> Identity:
    begin_write(session)
    result = identities.identity_of_login(
        session, provider.key, provider.issuer, subject, name=name, link="https://ada.example", at=now()
    )
    avatars.store(session, result.commenter_id, b"her picture", at=now())
    session.commit()
    return result


@pytest.fixture
def ada(app: Flask, session: Session, site: Site, vendors: fakes.Vendors) -> MemberClient:
    """Somebody from Facebook, logged in and with a comment."""
    identity = someone(app, session, vendors["facebook"].row(), ADA_AT_FACEBOOK)
    member = enter(app, session, identity, site)
    write(session, site, "Her innermost thought", by=member.commenter_id)
    return member


@pytest.fixture
def apples(app: Flask, session: Session, site: Site, vendors: fakes.Vendors) -> MemberClient:
    """The same from Apple."""
    member = enter(app, session, someone(app, session, vendors["apple"].row(), ADA_AT_APPLE), site)
    write(session, site, "Her innermost thought", by=member.commenter_id)
    return member


def link(session: Session, member: MemberClient) -> None:
    """Give a person another login."""
    begin_write(session)
    session.add(
        Identity(
            commenter_id=member.commenter_id,
            provider="github",
            issuer="https://github.com",
            subject="1",
            name="ada-at-github",
        )
    )
    session.commit()


def everything(session: Session) -> str:
    session.rollback()
    return "\n".join(
        str(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table))
    )


def status_page(app: Flask, answer: TestResponse) -> str:
    """What whoever has the answer to a deletion is told."""
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    assert set(answer.json) == {"url", "confirmation_code"}
    assert answer.json["confirmation_code"].isalnum()
    assert answer.json["url"] == f"{BASE_URL}/login/deletion/{answer.json['confirmation_code']}"
    return BrowserClient(app).page(urlsplit(answer.json["url"]).path)


def summaries(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(Action.summary).order_by(Action.id)))


def outcomes(session: Session) -> list[NoticeOutcome]:
    session.rollback()
    return list(session.scalars(select(ProviderNotice.outcome).order_by(ProviderNotice.id)))


class TestDeletion:
    @ENGINES
    def test_erases_the_account_and_says_so(
        self, app: Flask, session: Session, ada: MemberClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO):
            answer = send_meta(app, "deletion", signed_request())
        assert "Your account here is deleted" in status_page(app, answer)
        left = everything(session)
        for trace in ("innermost", "Ada Unique", ADA_AT_FACEBOOK, "her picture", "ada.example"):
            assert trace not in left, trace
        assert session.get(Commenter, ada.commenter_id) is None
        assert ada.visitor.get("/account/settings").status_code == 303
        assert "a notice of Facebook is carried out: erased" in caplog.text

    @ENGINES
    def test_erases_the_person_of_an_apple_account_too(
        self, app: Flask, session: Session, apples: MemberClient, vendors: fakes.Vendors
    ) -> None:
        answer = send_apple(app, apple_token(vendors["apple"], "account-delete"))
        assert (answer.status_code, answer.json) == (200, {"received": True})
        assert session.get(Commenter, apples.commenter_id) is None
        assert "innermost" not in everything(session)

    @ENGINES
    def test_of_one_of_several_logins_leaves_the_account(
        self, app: Flask, session: Session, ada: MemberClient
    ) -> None:
        link(session, ada)
        page = status_page(app, send_meta(app, "deletion", signed_request()))
        assert "Your login with Facebook is deleted" in page
        assert 'href="/account"' in page
        left = everything(session)
        for trace in ("Ada Unique", ADA_AT_FACEBOOK, "her picture"):
            assert trace not in left, trace
        assert "innermost" in left
        assert session.get_one(Commenter, ada.commenter_id, populate_existing=True).name == "ada-at-github"
        assert ada.visitor.get("/account/settings").status_code == 303

    def test_is_told_with_the_label_that_the_operator_chose(
        self, app: Flask, session: Session, ada: MemberClient, vendors: fakes.Vendors
    ) -> None:
        link(session, ada)
        services_of(app).providers["facebook"] = replace(vendors["facebook"].row(), label="Our Facebook")
        assert "Your login with Our Facebook is deleted" in status_page(
            app, send_meta(app, "deletion", signed_request())
        )

    def test_of_the_only_owner_is_refused_with_the_reason(
        self, app: Flask, session: Session, ada: MemberClient
    ) -> None:
        begin_write(session)
        hers = sites.add(session, "Hers", ["https://hers.example"], owner_id=ada.commenter_id)
        session.commit()
        page = status_page(app, send_meta(app, "deletion", signed_request()))
        assert "you are the only owner of a website here" in page
        assert "Hers" not in page
        assert "innermost" in everything(session)
        assert session.get(Commenter, ada.commenter_id) is not None
        told = session.scalars(select(Action.summary).where(Action.site_id == hers.id)).all()
        assert any("whose owner asked Facebook for its deletion" in one for one in told)

    @ENGINES
    def test_of_somebody_unknown_has_the_same_kind_of_answer(self, app: Flask, session: Session) -> None:
        page = status_page(app, send_meta(app, "deletion", signed_request(user_id=NOBODY_AT_FACEBOOK)))
        assert "Nobody has an account here with this login" in page
        assert NOBODY_AT_FACEBOOK not in everything(session)
        assert summaries(session) == []

    @ENGINES
    def test_repeated_changes_nothing_and_has_the_same_code(
        self, app: Flask, session: Session, site: Site, ada: MemberClient, vendors: fakes.Vendors
    ) -> None:
        request = signed_request()
        first = send_meta(app, "deletion", request)
        again = enter(app, session, someone(app, session, vendors["facebook"].row(), ADA_AT_FACEBOOK), site)
        signature, payload = request.split(".")
        for same in (request, f"{signature}=.{payload}"):
            second = send_meta(app, "deletion", same)
            assert (second.status_code, second.json) == (200, first.json)
        assert session.get(Commenter, again.commenter_id) is not None
        assert again.visitor.get("/account/settings").status_code == 200
        assert outcomes(session) == [NoticeOutcome.ERASED]

    def test_a_new_request_counts_again(
        self, app: Flask, session: Session, site: Site, ada: MemberClient, vendors: fakes.Vendors
    ) -> None:
        today = int(now().timestamp())
        first = send_meta(app, "deletion", signed_request(issued_at=today - 3600))
        again = someone(app, session, vendors["facebook"].row(), ADA_AT_FACEBOOK)
        second = send_meta(app, "deletion", signed_request(issued_at=today))
        assert first.json != second.json
        assert session.get(Commenter, again.commenter_id, populate_existing=True) is None

    def test_others_keep_their_accounts(
        self, app: Flask, session: Session, site: Site, ada: MemberClient, vendors: fakes.Vendors
    ) -> None:
        ben = enter(app, session, someone(app, session, vendors["facebook"].row(), "2", "Ben"), site)
        same_number = someone(app, session, vendors["apple"].row(), ADA_AT_FACEBOOK, "Eve")
        send_meta(app, "deletion", signed_request())
        assert ben.visitor.get("/account/settings").status_code == 200
        assert session.get(Commenter, same_number.commenter_id) is not None

    def test_left_half_done_is_finished_by_a_repetition_or_by_the_worker(
        self, app: Flask, session: Session, ada: MemberClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        genuine = erasure.erase

        def fail(*_: object) -> None:
            raise OSError

        monkeypatch.setattr(erasure, "erase", fail)
        request = signed_request()
        assert send_meta(app, "deletion", request).status_code == 500
        assert outcomes(session) == [NoticeOutcome.PENDING]
        monkeypatch.setattr(erasure, "erase", genuine)
        provider_notices.resume(session, at=now() + provider_notices.OVERDUE / 2)
        assert outcomes(session) == [NoticeOutcome.PENDING]
        provider_notices.resume(session, at=now() + provider_notices.OVERDUE * 2)
        assert outcomes(session) == [NoticeOutcome.ERASED]
        assert "Your account here is deleted" in status_page(app, send_meta(app, "deletion", request))
        assert "innermost" not in everything(session)

    def test_killed_after_the_erasure_it_still_says_erased(
        self, app: Flask, session: Session, ada: MemberClient
    ) -> None:
        send_meta(app, "deletion", signed_request())
        begin_write(session)
        pending = {"outcome": NoticeOutcome.PENDING, "issuer": "x", "subject": ADA_AT_FACEBOOK}
        session.execute(update(ProviderNotice).values(**pending))
        session.commit()
        provider_notices.resume(session, at=now() + timedelta(hours=1))
        assert outcomes(session) == [NoticeOutcome.ERASED]
        assert ADA_AT_FACEBOOK not in everything(session)


class TestWithdrawal:
    @ENGINES
    @pytest.mark.parametrize("provider", ["facebook", "apple"])
    def test_ends_sessions_and_forgets_what_the_provider_gave(
        self, app: Flask, session: Session, site: Site, vendors: fakes.Vendors, provider: str
    ) -> None:
        subject = {"facebook": ADA_AT_FACEBOOK, "apple": ADA_AT_APPLE}[provider]
        identity = someone(app, session, vendors[provider].row(), subject)
        member = enter(app, session, identity, site)
        write(session, site, "What she said", by=member.commenter_id)
        begin_write(session)
        session.add(Membership(commenter_id=member.commenter_id, site_id=site.id, role=Role.MODERATOR))
        person = session.get_one(Commenter, member.commenter_id)
        way_in = accounts.issue_link(
            session, person, at=now(), identity=session.get_one(Identity, identity.id)
        )
        session.commit()
        admin = BrowserClient(app).sign_in(session, person)
        reader = BrowserClient(app)
        assert "Ada Unique" in reader.page(f"/thread?url={BLOG}/article")
        if provider == "facebook":
            answer = send_meta(app, "deauthorize", signed_request())
        else:
            answer = send_apple(app, apple_token(vendors["apple"], "consent-revoked"))
        assert answer.status_code == 200
        left = everything(session)
        for trace in ("Ada Unique", "her picture", "ada.example"):
            assert trace not in left, trace
        assert "What she said" in left
        assert session.scalars(select(LoginSession).where(LoginSession.commenter_id == person.id)).all() == []
        assert session.scalars(select(Ticket).where(Ticket.identity_id == identity.id)).all() == []
        assert session.get(Picture, member.commenter_id) is None
        assert member.visitor.get("/account/settings").status_code == 303
        assert admin.get(f"/admin/sites/{site.id}/activity").status_code == 401
        assert accounts.find_link(session, way_in, at=now()) is None
        shown = reader.page(f"/thread?url={BLOG}/article")
        assert "What she said" in shown
        assert f"Someone from {provider}" in shown
        assert "Ada Unique" not in shown

    def test_coming_back_is_the_same_person_with_their_name(
        self, app: Flask, session: Session, ada: MemberClient, vendors: fakes.Vendors
    ) -> None:
        send_meta(app, "deauthorize", signed_request())
        reader = BrowserClient(app)
        assert "Someone from facebook" in reader.page(f"/thread?url={BLOG}/article")
        session.rollback()
        again = someone(app, session, vendors["facebook"].row(), ADA_AT_FACEBOOK)
        assert again.commenter_id == ada.commenter_id
        assert "Ada Unique" in reader.page(f"/thread?url={BLOG}/article")

    def test_a_name_of_their_own_stays(
        self, app: Flask, session: Session, ada: MemberClient, vendors: fakes.Vendors
    ) -> None:
        ada.post("/account/name", {"name": "Countess"})
        send_meta(app, "deauthorize", signed_request())
        assert session.get_one(Commenter, ada.commenter_id, populate_existing=True).name == "Countess"
        session.rollback()
        someone(app, session, vendors["facebook"].row(), ADA_AT_FACEBOOK)
        assert session.get_one(Commenter, ada.commenter_id, populate_existing=True).name == "Countess"

    def test_a_deletion_can_follow(self, app: Flask, session: Session, ada: MemberClient) -> None:
        """Meta sends both if a person removes the app and then asks for the deletion."""
        send_meta(app, "deauthorize", signed_request())
        page = status_page(app, send_meta(app, "deletion", signed_request()))
        assert "Your account here is deleted" in page
        assert session.get(Commenter, ada.commenter_id, populate_existing=True) is None

    def test_repeated_does_not_end_later_sessions(
        self, app: Flask, session: Session, site: Site, apples: MemberClient, vendors: fakes.Vendors
    ) -> None:
        token = apple_token(vendors["apple"], "consent-revoked")
        send_apple(app, token)
        again = enter(app, session, someone(app, session, vendors["apple"].row(), ADA_AT_APPLE), site)
        assert send_apple(app, token).status_code == 200
        assert again.visitor.get("/account/settings").status_code == 200

    def test_has_no_status_page(self, app: Flask, ada: MemberClient) -> None:
        answer = send_meta(app, "deauthorize", signed_request())
        assert answer.json is not None
        gone = BrowserClient(app).get(f"/login/deletion/{answer.json['confirmation_code']}")
        assert gone.status_code == 404


class TestWhatIsNotTheirs:
    @pytest.mark.parametrize(
        "text",
        [
            signed_request("another app's secret"),
            signed_request(algorithm="none"),
            signed_request(issued_at=1_700_000_000),
            signed_request(user_id="404", issued_at=1_700_000_000),
            signed_request(user_id=None),
            "",
            "x.y",
        ],
        ids=["forged", "algorithm", "old", "old, of nobody", "no person", "empty", "nonsense"],
    )
    @pytest.mark.parametrize("what", ["deletion", "deauthorize"])
    def test_of_meta_is_refused_in_one_way(
        self, app: Flask, session: Session, ada: MemberClient, text: str, what: str
    ) -> None:
        before, answer = everything(session), send_meta(app, what, text)
        assert answer.status_code == 400
        assert "This is not a valid notice of a login provider." in answer.text
        assert everything(session) == before

    def test_of_apple_is_refused_in_the_same_way(
        self, app: Flask, session: Session, apples: MemberClient, vendors: fakes.Vendors
    ) -> None:
        before, vendor = everything(session), vendors["apple"]
        forged = [
            apple_token(vendor, "account-delete", aud="another.app"),
            apple_token(vendor, "account-delete", iss="https://evil.example"),
            apple_token(vendor, "account-delete", iat=1_700_000_000),
            7,
            None,
            {"a": "b"},
        ]
        vendor.signs = fakes.rsa("thief")
        forged.append(apple_token(vendor, "account-delete"))
        vendor.algorithm = "none"
        forged.append(apple_token(vendor, "account-delete"))
        for token in forged:
            answer = send_apple(app, token)
            assert answer.status_code == 400, token
            assert "This is not a valid notice of a login provider." in answer.text
        assert everything(session) == before

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"{", b"\xff", b'{"payload":"x","payload":"y"}', b"[" * 50_000]
    )
    def test_a_body_that_is_no_json_is_refused(self, app: Flask, body: bytes) -> None:
        answer = app.test_client().post("/login/apple/notices", base_url=BASE_URL, data=body)
        assert answer.status_code == 400

    def test_the_log_says_why(self, app: Flask, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            send_meta(app, "deletion", signed_request("another app's secret"))
        assert "a notice of Facebook was refused: it is not signed with the app's secret" in caplog.text

    def test_without_the_provider_there_is_nothing(self, app: Flask) -> None:
        services_of(app).providers.clear()
        assert send_meta(app, "deletion", signed_request()).status_code == 404
        assert send_apple(app, "x").status_code == 404

    def test_every_address_that_doctor_names_is_there(self, app: Flask) -> None:
        paths = [path for row in services_of(app).providers.values() for path in row.notices.values()]
        assert len(paths) == 3
        for path in paths:
            assert app.test_client().post(path, base_url=BASE_URL).status_code == 400, path

    def test_a_get_does_nothing(self, app: Flask) -> None:
        for path in ("/login/facebook/deletion", "/login/facebook/deauthorize", "/login/apple/notices"):
            assert app.test_client().get(path, base_url=BASE_URL).status_code == 405, path

    def test_apple_asks_again_while_its_keys_are_away(
        self, app: Flask, vendors: fakes.Vendors, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = apple_token(vendors["apple"])
        monkeypatch.setattr(vendors["apple"], "jwks", lambda request: fakes.as_html("Sorry", 503))
        assert send_apple(app, token).status_code == 503

    def test_they_are_limited(self, app: Flask) -> None:
        most = int(views.LIMIT.partition("/")[0])
        answers = [send_meta(app, "deletion", "x").status_code for _ in range(most + 1)]
        assert set(answers[:-1]) == {400}
        assert answers[-1] == 429


class TestTheStatusPage:
    @pytest.mark.parametrize("code", ["x", "0" * 32, "A" * 5000, "%F0%9F%A6%84"])
    def test_knows_no_other_codes(self, app: Flask, ada: MemberClient, code: str) -> None:
        send_meta(app, "deletion", signed_request())
        answer = BrowserClient(app).get(f"/login/deletion/{code}")
        assert answer.status_code == 404
        assert "There is no request with this code." in answer.text

    def test_names_nobody_and_is_stored_nowhere(self, app: Flask, ada: MemberClient) -> None:
        answer = send_meta(app, "deletion", signed_request())
        page = status_page(app, answer)
        assert ADA_AT_FACEBOOK not in page
        assert "Ada" not in page
        assert '<meta name="robots" content="noindex">' in page
        assert answer.json is not None
        shown = BrowserClient(app).get(f"/login/deletion/{answer.json['confirmation_code']}")
        assert shown.headers["Cache-Control"] == "no-store"

    def test_its_code_is_not_in_the_database(self, app: Flask, session: Session, ada: MemberClient) -> None:
        answer = send_meta(app, "deletion", signed_request())
        assert answer.json is not None
        assert answer.json["confirmation_code"] not in everything(session)

    def test_is_forgotten_after_the_period_it_names(
        self, app: Flask, session: Session, ada: MemberClient
    ) -> None:
        answer = send_meta(app, "deletion", signed_request())
        assert answer.json is not None
        path = f"/login/deletion/{answer.json['confirmation_code']}"
        keep = RetentionPeriods(networks=0, emails=0, spam=0, trash=0)
        retention.delete_expired(session, keep, at=now() + timedelta(days=89))
        assert BrowserClient(app).get(path).status_code == 200
        retention.delete_expired(session, keep, at=now() + timedelta(days=91))
        gone = BrowserClient(app).get(path)
        assert gone.status_code == 404
        assert "remembered for 90 days" in gone.text


class TestTheLogOfTheSite:
    def test_moderators_see_what_happened_without_the_name(
        self, app: Flask, session: Session, site: Site, ada: MemberClient
    ) -> None:
        send_meta(app, "deauthorize", signed_request())
        send_meta(app, "deletion", signed_request())
        owner = BrowserClient(app).sign_in(session, accounts.operator(session))
        page = owner.page(f"/admin/sites/{site.id}/activity")
        assert "Ended the sessions of an account and forgot its name and picture" in page
        assert "Erased an account: its owner asked Facebook for it" in page
        assert "Ada" not in page
        assert "The service" in page

    def test_other_sites_see_nothing(
        self, app: Flask, session: Session, site: Site, ada: MemberClient
    ) -> None:
        begin_write(session)
        other = sites.add(session, "Other", ["https://other.example"], owner_id=accounts.operator(session).id)
        session.commit()
        send_meta(app, "deletion", signed_request())
        assert session.scalars(select(Action).where(Action.site_id == other.id)).all() == []
        assert len(session.scalars(select(Action).where(Action.site_id == site.id)).all()) == 1
        assert session.scalars(select(Comment.commenter_id)).all() == [None]
