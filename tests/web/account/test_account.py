"""A person's own page: what they wrote, what they decide, and that nobody else can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from gettext import NullTranslations
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc import messages
from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts, handoff_tokens, identities, login_sessions, profiles
from commentsvc.domain.moderation import decisions
from commentsvc.domain.reading import avatars
from commentsvc.domain.sites import sites
from commentsvc.models import (
    Comment,
    Commenter,
    Identity,
    LoginSession,
    Policy,
    Site,
    Status,
    Thread,
    Ticket,
    now,
)
from commentsvc.text import dates
from commentsvc.text import images as shrinking
from commentsvc.web.context import services_of
from tests.conftest import BLOG
from tests.support.browser_client import BrowserClient
from tests.support.guest_client import Elements
from tests.support.member_client import MemberClient, Vouching, enter, frame_session, person, stored, write
from tests.support.outside_session import outside_session

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


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
def ada(app: Flask, session: Session, site: Site) -> MemberClient:
    return enter(app, session, person(session), site)


@pytest.fixture
def ben(app: Flask, session: Session, site: Site) -> MemberClient:
    return enter(app, session, person(session, name="Ben", subject="2"), site)


def name_of(session: Session, member: MemberClient) -> str:
    session.rollback()
    return session.get_one(Commenter, member.commenter_id, populate_existing=True).name


def sessions_of(session: Session, member: MemberClient) -> list[LoginSession]:
    session.rollback()
    return list(login_sessions.sessions_of(session, member.commenter_id, at=now()))


def version(session: Session) -> int:
    session.rollback()
    return session.scalars(select(Thread.version)).one()


def give_picture(session: Session, commenter_id: int) -> str:
    file = BytesIO()
    Image.new("RGB", (8, 8), "teal").save(file, "PNG")
    begin_write(session)
    avatars.store(session, commenter_id, shrinking.shrink(file.getvalue()), at=now())
    session.commit()
    result = avatars.path(session, session.get_one(Commenter, commenter_id))
    assert result is not None
    return result


class TestStrangers:
    def test_are_offered_the_ways_to_log_in(self, app: Flask, site: Site) -> None:
        Vouching.at(app)
        page = BrowserClient(app).page("/account")
        assert "Log in with GitHub" in page
        assert '<input type="hidden" name="purpose" value="person">' in page

    def test_are_told_where_there_is_none(self, app: Flask, site: Site) -> None:
        assert "This service has no login" in BrowserClient(app).page("/account")

    def test_see_and_change_nothing(self, app: Flask, session: Session, ada: MemberClient) -> None:
        stranger = BrowserClient(app)
        for path in ("/account/settings", "/account/data.json", "/account/delete"):
            answer = stranger.get(path)
            assert (answer.status_code, answer.location) == (303, "/account")
        for path in every_post(ada, ada):
            assert stranger.post(path, {"name": "Eve"}, token="forged").status_code == 400
        assert name_of(session, ada) == "Ada"

    def test_get_no_cookie(self, app: Flask, site: Site) -> None:
        assert "Set-Cookie" not in BrowserClient(app).get("/account").headers


def test_logging_in_at_a_provider_leads_to_the_page(app: Flask, session: Session, site: Site) -> None:
    vouching, visitor = Vouching.at(app), BrowserClient(app)
    answer = vouching.go(visitor, purpose="person")
    assert (answer.status_code, answer.location) == (303, "/account")
    answer = visitor.get("/account")
    assert "<bdi>Ada</bdi>" in answer.text
    # If each page set the secret of its forms, two pages at once would not have the same one.
    assert "Set-Cookie" not in answer.headers


def test_logging_in_again_takes_the_place_of_the_session(app: Flask, session: Session, site: Site) -> None:
    vouching, visitor = Vouching.at(app), BrowserClient(app)
    vouching.go(visitor, purpose="person")
    answer = vouching.go(visitor, purpose="person", page="delete")
    assert answer.location == "/account/delete"
    assert session.scalar(select(func.count()).select_from(LoginSession)) == 1


@pytest.mark.parametrize("page", ["https://evil.example", "//evil.example", "\\\\evil.example", "x"])
def test_a_login_goes_nowhere_but_to_pages_of_ours(app: Flask, site: Site, page: str) -> None:
    assert Vouching.at(app).go(BrowserClient(app), purpose="person", page=page).location == "/account"


class TestComments:
    @ENGINES
    def test_are_all_there_from_every_site(self, session: Session, site: Site, ada: MemberClient) -> None:
        begin_write(session)
        other = sites.add(
            session, "Elsewhere", ["https://other.example"], owner_id=accounts.operator(session).id
        )
        session.commit()
        write(session, site, "On the *blog*", by=ada.commenter_id)
        write(session, other, "On another site", by=ada.commenter_id)
        write(session, site, "By a guest")
        page = ada.page()
        assert "On the <em>blog</em>" in page
        assert "On another site" in page
        assert "<bdi>Elsewhere</bdi>" in page
        assert "By a guest" not in page

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (Status.APPROVED, "Published"),
            (Status.HELD, "Awaiting moderation"),
            (Status.SPAM, "Not published"),
            (Status.TRASH, "Removed"),
        ],
    )
    def test_say_where_they_stand(
        self, session: Session, site: Site, ada: MemberClient, status: Status, words: str
    ) -> None:
        number = write(session, site, "Mine", by=ada.commenter_id)
        begin_write(session)
        decisions.decide(session, session.get_one(Comment, number), status)
        session.commit()
        page = ada.page()
        assert f">{words}</span>" in page
        assert (f'href="/comment/{number}"' in page) is (status is Status.APPROVED)

    @ENGINES
    def test_come_in_pages(self, session: Session, site: Site, ada: MemberClient) -> None:
        for number in range(profiles.PAGE + 1):
            write(session, site, f"Comment {number:02}", by=ada.commenter_id)
        first = ada.page()
        assert "Comment 26" not in first
        assert "Comment 25" in first
        assert "Comment 00" not in first
        after = first.partition("/account?after=")[2].partition('"')[0]
        second = ada.page(f"/account?after={after}")
        assert "Comment 00" in second
        assert "Comment 01" not in second
        assert "Older comments" not in second

    @pytest.mark.parametrize("after", ["x", "-1", "1" * 30, "%00"])
    def test_a_damaged_link_to_more_is_refused(self, ada: MemberClient, after: str) -> None:
        assert ada.visitor.get(f"/account?after={after}").status_code == 400

    def test_a_giant_cannot_make_the_page_unloadable(
        self, session: Session, site: Site, ada: MemberClient
    ) -> None:
        write(session, site, "word " * 15_000, by=ada.commenter_id)
        assert len(ada.page()) < 20_000


class TestName:
    @ENGINES
    def test_changes_everywhere(self, session: Session, site: Site, ada: MemberClient) -> None:
        write(session, site, "Mine", by=ada.commenter_id)
        before = version(session)
        assert ada.post("/account/name", {"name": "  Ada   Lovelace "}).location == "/account/settings"
        assert name_of(session, ada) == "Ada Lovelace"
        assert version(session) > before
        assert "Your name is changed" in ada.page("/account/settings")
        assert "Your name is changed" not in ada.page("/account/settings")

    @pytest.mark.parametrize("name", ["", "   ", "\u200b\u202e", "x" * 81])
    def test_is_checked_like_any_other(self, session: Session, ada: MemberClient, name: str) -> None:
        answer = ada.post("/account/name", {"name": name})
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
        assert name_of(session, ada) == "Ada"

    def test_is_shown_as_text(self, session: Session, ada: MemberClient) -> None:
        ada.post("/account/name", {"name": "<script>alert(1)</script>"})
        assert "<script>alert" not in ada.page("/account/settings")


def test_the_picture_can_be_hidden_and_shown(session: Session, site: Site, ada: MemberClient) -> None:
    path = give_picture(session, ada.commenter_id)
    write(session, site, "Mine", by=ada.commenter_id)
    assert path in ada.page("/account/settings")
    before = version(session)
    ada.post("/account/picture", {"show": "no"})
    assert path not in ada.page("/account/settings")
    assert version(session) > before
    ada.post("/account/picture", {"show": "yes"})
    assert path in ada.page("/account/settings")


class TestLanguage:
    def test_is_chosen_for_every_page(self, session: Session, ada: MemberClient, ben: MemberClient) -> None:
        def spoken(member: MemberClient) -> str:
            html = member.visitor.get("/account", **{"Accept-Language": "de, en;q=0.5"}).text
            return html.partition("<html ")[2].partition(" class")[0]

        assert spoken(ada) == 'lang="de" dir="ltr"'
        assert ada.post("/account/language", {"language": "ar"}).location == "/account/settings"
        assert spoken(ada) == 'lang="ar" dir="rtl"'
        assert spoken(ben) == 'lang="de" dir="ltr"'
        settings = Elements(ada.page("/account/settings"))
        assert [option["value"] for option in settings.all("option") if "selected" in option] == ["ar"]
        assert ada.visitor.get("/account/data.json").get_json()["language"] == "ar"
        ada.post("/account/language", {"language": ""})
        assert spoken(ada) == 'lang="de" dir="ltr"'

    def test_is_one_of_ours(self, session: Session, ada: MemberClient) -> None:
        for code in ("xx", "DE", "de' --", "x" * 100):
            answer = ada.post("/account/language", {"language": code})
            assert answer.status_code == 422
            assert "Please choose one of these languages" in answer.text
        assert ada.visitor.get("/account/data.json").get_json()["language"] is None

    def test_speaks_in_all_words_but_not_in_names(
        self, session: Session, ada: MemberClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = messages._catalogue
        monkeypatch.setattr(messages, "_catalogue", lambda code: Marked() if code == "fi" else real(code))
        for remembered in (dates._date, dates._months):
            monkeypatch.setattr(dates, remembered.__name__, remembered.__wrapped__)
        ada.post("/account/name", {"name": "<b>100%(name)s</b>"})
        ada.post("/account/language", {"language": "fi"})
        page = ada.page("/account/settings")
        assert "⟦Your language is saved.⟧" in page
        assert "<b>⟦Firefox on Linux⟧</b>" in page
        assert "⟦Spam is deleted after 30 days.⟧" in page
        assert "<bdi>&lt;b&gt;100%(name)s&lt;/b&gt;</bdi>" in page
        assert "<b>100" not in page


class Marked(NullTranslations):
    """A language whose texts are English ones in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


class TestLinkedAccounts:
    def link(self, session: Session, member: MemberClient) -> int:
        begin_write(session)
        holder = login_sessions.sessions_of(session, member.commenter_id, at=now())[0]
        result = identities.link(session, holder, "gitlab", "https://gitlab.com", "77", name="ada", at=now())
        session.commit()
        return result.id

    def test_one_more_is_linked_from_a_fresh_session(self, app: Flask, session: Session, site: Site) -> None:
        vouching, visitor = Vouching.at(app), BrowserClient(app)
        vouching.go(visitor, purpose="person")
        assert "Link GitHub" in visitor.page("/account/settings")
        vouching.profile = type(vouching.profile)("https://github.com", "1234", "Ada at work")
        assert vouching.go(visitor, purpose="link").location == "/account/settings"
        assert "Ada at work" in visitor.page("/account/settings")
        assert session.scalar(select(func.count()).select_from(Commenter)) == 2  # Ada, and the operator

    def test_an_older_session_has_to_prove_itself_again(
        self, app: Flask, session: Session, site: Site
    ) -> None:
        vouching = Vouching.at(app)
        member = enter(app, session, person(session), site, ago=timedelta(minutes=11))
        page = member.page("/account/settings")
        assert "please log in again" in page
        assert 'value="link"' not in page
        vouching.profile = type(vouching.profile)("https://github.com", "1234", "Eve")
        assert vouching.go(member.visitor, purpose="link").status_code == 400
        assert session.scalar(select(func.count()).select_from(Identity)) == 2

    @ENGINES
    def test_one_of_several_can_be_unlinked(self, session: Session, ada: MemberClient) -> None:
        number = self.link(session, ada)
        assert ada.post(f"/account/identities/{number}/unlink").status_code == 303
        session.rollback()
        assert [one.provider for one in identities.identities_of(session, ada.commenter_id)] == ["github"]

    def test_the_last_one_stays(self, session: Session, ada: MemberClient) -> None:
        assert ada.post(f"/account/identities/{ada.identity_id}/unlink").status_code == 403
        assert session.get(Identity, ada.identity_id) is not None

    def test_unlinking_needs_a_fresh_session(self, app: Flask, session: Session, site: Site) -> None:
        member = enter(app, session, person(session), site)
        number = self.link(session, member)
        begin_write(session)
        for one in login_sessions.sessions_of(session, member.commenter_id, at=now()):
            one.created_at = now() - timedelta(minutes=11)
        session.commit()
        assert member.post(f"/account/identities/{number}/unlink").status_code == 403
        assert session.get(Identity, number) is not None


class TestSessions:
    def test_are_listed_with_their_site(self, session: Session, ada: MemberClient) -> None:
        page = ada.page("/account/settings")
        assert "Firefox on Linux" in page
        assert "<bdi>Blog</bdi>" in page
        assert "This session" in page

    def test_one_can_be_ended(self, session: Session, ada: MemberClient) -> None:
        other = next(one for one in sessions_of(session, ada) if one.site_id)
        ada.post(f"/account/sessions/{other.id}/end")
        assert [one.site_id for one in sessions_of(session, ada)] == [None]

    @ENGINES
    def test_all_others_can(self, session: Session, site: Site, ada: MemberClient, ben: MemberClient) -> None:
        frame_session(session, session.get_one(Identity, ada.identity_id), site)
        ada.post("/account/sessions/end-others")
        assert [one.site_id for one in sessions_of(session, ada)] == [None]
        assert len(sessions_of(session, ben)) == 2
        assert ada.visitor.get("/account/settings").status_code == 200

    def test_logging_out_ends_this_one(self, session: Session, ada: MemberClient) -> None:
        kept = ada.visitor.client.get_cookie("commentsvc_reader", domain="127.0.0.1")
        assert ada.post("/account/leave").location == "/account"
        assert "Your comments</h1>" in ada.page()
        assert ada.visitor.get("/account/settings").status_code == 303
        assert [one.purpose for one in sessions_of(session, ada)] == [login_sessions.READER]
        thief = BrowserClient(ada.visitor.client.application)
        thief.client.set_cookie("commentsvc_reader", kept.value if kept else "", domain="127.0.0.1")
        assert thief.get("/account/settings").status_code == 303

    def test_an_ended_one_opens_nothing(self, session: Session, ada: MemberClient) -> None:
        begin_write(session)
        login_sessions.end_all(session, ada.commenter_id)
        session.commit()
        assert ada.visitor.get("/account/settings").status_code == 303

    def test_tokens_are_stored_hashed(self, session: Session, site: Site, ada: MemberClient) -> None:
        _, token = frame_session(session, session.get_one(Identity, ada.identity_id), site)
        assert token not in [one.token_hash for one in sessions_of(session, ada)]


@ENGINES
def test_the_data_is_all_there_and_nobody_elses(
    session: Session, site: Site, ada: MemberClient, ben: MemberClient
) -> None:
    mine = write(session, site, "My *text*", by=ada.commenter_id)
    write(session, site, "Ben's secret", by=ben.commenter_id, to=mine)
    give_picture(session, ada.commenter_id)
    answer = ada.visitor.get("/account/data.json")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="my-comments-')
    assert answer.headers["Cache-Control"] == "no-store"
    result: dict[str, Any] = json.loads(answer.text)
    assert result["name"] == "Ada"
    assert [one["text"] for one in result["comments"]] == ["My *text*"]
    assert result["comments"][0]["article"] == f"{BLOG}/article"
    assert [(one["provider"], one["subject"]) for one in result["identities"]] == [("github", "1")]
    assert {one["site"] for one in result["sessions"]} == {"Blog", None}
    assert result["picture"]["base64"]
    for secret in ("Ben", "token", "hash", "k" * 64, "n" * 64):
        assert secret not in answer.text.replace('"api_tokens":[]', "")


class TestFromTheFrame:
    def ask(self, visitor: BrowserClient, token: str, **how: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Origin": visitor.base_url, **how}
        return visitor.client.post(
            "/embed/pass", base_url=visitor.base_url, data={"url": f"{BLOG}/a"}, headers=headers
        )

    def test_a_pass_opens_the_page_once(self, app: Flask, session: Session, site: Site) -> None:
        _, token = frame_session(session, person(session), site)
        visitor = BrowserClient(app)
        given = self.ask(visitor, token).get_json()["pass"]
        assert visitor.post("/account/enter", {"pass": given}, token=None).status_code == 303
        assert "<bdi>Ada</bdi>" in visitor.page("/account")
        assert BrowserClient(app).post("/account/enter", {"pass": given}, token=None).status_code == 400

    def test_the_session_is_as_old_as_the_frames(self, app: Flask, session: Session, site: Site) -> None:
        """Nobody has proved anything since: the page must not let them change how they log in."""
        member = enter(app, session, person(session), site, ago=timedelta(days=3))
        assert not any(login_sessions.is_fresh(one, at=now()) for one in sessions_of(session, member))

    def test_an_old_pass_opens_nothing(self, app: Flask, session: Session, site: Site) -> None:
        _, token = frame_session(session, person(session), site)
        given = self.ask(BrowserClient(app), token).get_json()["pass"]
        begin_write(session)
        session.scalars(select(Ticket)).one().expires_at = now() - timedelta(seconds=1)
        session.commit()
        assert BrowserClient(app).post("/account/enter", {"pass": given}, token=None).status_code == 400

    def test_a_session_that_has_ended_takes_its_pass_along(
        self, app: Flask, session: Session, site: Site
    ) -> None:
        _, token = frame_session(session, person(session), site)
        given = self.ask(BrowserClient(app), token).get_json()["pass"]
        begin_write(session)
        login_sessions.end(session, token)
        session.commit()
        assert BrowserClient(app).post("/account/enter", {"pass": given}, token=None).status_code == 400

    def test_a_frame_of_another_site_gets_none(self, app: Flask, session: Session, site: Site) -> None:
        begin_write(session)
        other = sites.add(session, "Other", ["https://o.example"], owner_id=accounts.operator(session).id)
        session.commit()
        _, token = frame_session(session, person(session), other)
        assert self.ask(BrowserClient(app), token).status_code == 403

    def test_a_guest_gets_none(self, app: Flask, site: Site) -> None:
        visitor = BrowserClient(app)
        answer = visitor.post("/embed/pass", {"url": f"{BLOG}/a"}, token=None)
        assert answer.status_code == 403

    @pytest.mark.parametrize("origin", ["null", BLOG, "https://evil.example"])
    def test_another_website_gets_none_and_enters_nobody(
        self, app: Flask, session: Session, site: Site, origin: str
    ) -> None:
        _, token = frame_session(session, person(session), site)
        visitor = BrowserClient(app)
        assert self.ask(visitor, token, Origin=origin).status_code == 403
        given = self.ask(visitor, token).get_json()["pass"]
        assert visitor.post("/account/enter", {"pass": given}, token=None, origin=origin).status_code == 403

    def test_entering_ends_the_session_that_was_there(
        self, app: Flask, session: Session, site: Site, ada: MemberClient
    ) -> None:
        number, _ = frame_session(session, session.get_one(Identity, ada.identity_id), site)
        begin_write(session)
        given = handoff_tokens.issue(session, session.get_one(LoginSession, number), at=now())
        session.commit()
        ada.visitor.post("/account/enter", {"pass": given}, token=None)
        assert [one.purpose for one in sessions_of(session, ada)].count(login_sessions.PERSON) == 1


def every_post(member: MemberClient, other: MemberClient) -> list[str]:
    """Every address of the page that changes something, with another person's things where it names one."""
    app = member.visitor.client.application
    ids = {"identities": other.identity_id, "sessions": 0}
    results = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/account/") and "POST" in (rule.methods or set()):
            kind = rule.rule.split("/")[2]
            assert set(rule.arguments) <= {"row_id"}, f"{rule.rule} asks to be covered"
            number = str(ids[kind]) if rule.arguments else ""
            results.append(rule.rule.partition("<")[0] + number + rule.rule.partition(">")[2])
    assert len(results) >= 8
    return [path for path in results if path != "/account/enter"]


class TestNobodyElse:
    def test_reaches_another_persons_things(
        self, app: Flask, session: Session, site: Site, ada: MemberClient, ben: MemberClient
    ) -> None:
        for one in sessions_of(session, ben):
            ada.post(f"/account/sessions/{one.id}/end")
        assert len(sessions_of(session, ben)) == 2
        assert ada.post(f"/account/identities/{ben.identity_id}/unlink").status_code in {403, 404}
        assert session.get(Identity, ben.identity_id) is not None

    @pytest.mark.parametrize("origin", [None, "null", BLOG, "https://evil.example"])
    def test_can_press_a_button_from_another_website(
        self, session: Session, ada: MemberClient, ben: MemberClient, origin: str | None
    ) -> None:
        token = ada.visitor.token("/account")
        for path in every_post(ada, ada):
            sent = {"name": "Eve", "texts": "remove", "sure": "y"}
            assert ada.post(path, sent, token=token, origin=origin).status_code == 403, path
        assert name_of(session, ada) == "Ada"
        assert len(sessions_of(session, ada)) == 2

    @pytest.mark.parametrize("token", [None, "forged"])
    def test_can_without_the_pages_token(
        self, session: Session, ada: MemberClient, token: str | None
    ) -> None:
        for path in every_post(ada, ada):
            sent = {"name": "Eve", "texts": "remove", "sure": "y"}
            assert ada.post(path, sent, token=token).status_code == 400, path
        assert name_of(session, ada) == "Ada"
        assert len(sessions_of(session, ada)) == 2

    def test_looks_and_so_changes_something(self, session: Session, site: Site, ada: MemberClient) -> None:
        number = write(session, site, "Mine", by=ada.commenter_id)
        before = len(sessions_of(session, ada))
        for path in ("/account", "/account/settings", "/account/delete", "/account/data.json"):
            ada.page(path)
        for path in every_post(ada, ada):
            if path != "/account/delete":
                assert ada.visitor.get(path).status_code in {404, 405}, path
        assert (len(sessions_of(session, ada)), name_of(session, ada)) == (before, "Ada")
        assert stored(session, number).source == "Mine"

    def test_frames_or_keeps_the_pages(self, ada: MemberClient) -> None:
        for path in ("/account", "/account/settings", "/account/delete", "/account/data.json"):
            answer = ada.visitor.get(path)
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"


def test_a_person_is_told_how_long_things_are_kept(
    app: Flask, session: Session, site: Site, settings: Settings
) -> None:
    member = enter(app, session, person(session), site)
    page = member.page("/account/settings")
    assert "is kept for 90 days." in page
    assert "Spam is deleted after 30 days." in page
    services_of(app).settings = replace(settings, keep_spam_days=0, keep_email_days=1)
    page = member.page("/account/settings")
    assert "Spam is kept." in page
    assert "never shown and is kept for 1 day." in page
