"""Readers edit and delete their own comments: who may, what the forms say, and everything that may not work."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write, db
from commentsvc.domain.comments import erased_comments
from commentsvc.domain.moderation import decisions
from commentsvc.domain.spam import checks
from commentsvc.models import (
    Ban,
    BanKind,
    Comment,
    EditWindow,
    PendingEdit,
    Policy,
    Revision,
    Site,
    Status,
    Thread,
    now,
)
from commentsvc.web import access
from commentsvc.web.context import services_of
from tests.conftest import BASE_URL
from tests.support.guest_client import JSON, GuestClient, add_site, contents
from tests.support.member_client import enter, frame_session, person, write

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
KEY = "a-key-that-only-this-browser-holds"
OTHER_KEY = "a-key-that-another-browser-holds"


@dataclass
class Author:
    """A guest with a key, and what their browser sends."""

    reader: GuestClient
    key: str | None = KEY
    session: str | None = None
    sent: dict[str, str] = field(default_factory=dict)

    def ask(
        self, comment_id: int, kind: str = "edit", *, mode: str = "/embed", json: bool = True
    ) -> TestResponse:
        """Ask for a form."""
        headers = {"X-Author-Key": self.key} if self.key else {}
        if self.session:
            headers["Authorization"] = f"Bearer {self.session}"
        return self.reader.client.get(
            f"{mode}/comments/{comment_id}/{kind}",
            base_url=BASE_URL,
            headers=headers | (JSON if json else {}),
            buffered=True,
        )

    def fields(self, comment_id: int, kind: str = "edit") -> dict[str, str]:
        """The hidden fields of a form, as it is opened now."""
        answer = self.ask(comment_id, kind)
        assert answer.status_code == 200, answer.text
        pairs = re.findall(r'name="(\w+)" value="([^"]*)"', (answer.json or {})["html"])
        return {**dict(pairs), "author_key": self.key or ""}

    def send(
        self, comment_id: int, kind: str = "edit", *, json: bool = True, origin: str = BASE_URL, **data: str
    ) -> TestResponse:
        headers = {"Origin": origin, **(JSON if json else {})}
        if self.session:
            headers["Authorization"] = f"Bearer {self.session}"
        return self.reader.client.post(
            f"/embed/comments/{comment_id}/{kind}", base_url=BASE_URL, data=data, headers=headers
        )

    def edit(self, comment_id: int, text: str, **data: Any) -> TestResponse:
        """Open the form, and send it after a while."""
        given = self.fields(comment_id) | {"token": self.reader.token()}
        return self.send(comment_id, text=text, **given | data)

    def delete(self, comment_id: int, **data: Any) -> TestResponse:
        return self.send(comment_id, "delete", **self.fields(comment_id, "delete") | data)


@pytest.fixture
def author(app: Flask) -> Author:
    add_site(app)
    return Author(GuestClient(app))


def change(app: Flask, **values: Any) -> None:
    """Change the site."""
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        site = session.scalars(select(Site)).one()
        for name, value in values.items():
            setattr(site, name, value)
        session.commit()


def stored(app: Flask, comment_id: int) -> Comment:
    with app.app_context(), Session(db.engine) as session:
        return session.get_one(Comment, comment_id)


def rows(app: Flask, table: type[Any]) -> list[Any]:
    with app.app_context(), Session(db.engine) as session:
        return list(session.scalars(select(table)))


def move_back(app: Flask, comment_id: int, ago: timedelta) -> None:
    """Have a comment been written earlier."""
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.get_one(Comment, comment_id).created_at = now() - ago
        session.commit()


class TestTheirAuthor:
    @both_engines
    def test_is_told_which_comments_are_theirs(self, app: Flask) -> None:
        add_site(app)
        reader = GuestClient(app)
        answer = reader.post("Mine", author_key=KEY)
        one = (answer.json or {})["id"]
        assert (answer.json or {})["mine"] == [{"id": one, "edit_seconds": 900, "waits": False}]
        reader.posted("Not mine", author_key=OTHER_KEY)
        (mine,) = reader.own(KEY)["mine"]
        assert mine["id"] == one
        assert 890 <= mine["edit_seconds"] <= 900
        assert reader.own()["mine"] == []

    def test_is_told_nothing_of_it_by_the_page_that_everybody_gets(self, author: Author) -> None:
        author.reader.posted("Mine", author_key=KEY)
        assert "/edit" not in author.reader.get().text

    @both_engines
    def test_edits_a_comment(self, app: Flask) -> None:
        add_site(app)
        author = Author(GuestClient(app))
        one = author.reader.posted("The first text", author_key=KEY)
        assert ">\nThe first text</textarea>" in (author.ask(one).json or {})["html"]
        answer = author.edit(one, "The **second** text")
        assert answer.status_code == 200, answer.text
        body = answer.json or {}
        assert body["message"] == "Your comment is saved."
        assert "<strong>second</strong>" in body["html"]
        assert "<strong>second</strong>" in author.reader.get().text
        assert [one.source for one in rows(app, Revision)] == ["The first text"]

    def test_sends_from_a_script_as_with_a_new_comment(
        self, author: Author, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """During a surge, comments of browsers that run no script are held before others."""
        one = author.reader.posted("A text", author_key=KEY)
        seen: list[bool] = []
        screen = checks.screen
        monkeypatch.setattr(checks, "screen", lambda it: seen.append(it.by_script) or screen(it))
        author.edit(one, "Another text")
        author.edit(one, "A third text", script="1")
        assert seen == [False, True]

    def test_may_send_the_same_form_twice(self, app: Flask, author: Author) -> None:
        one = author.reader.posted("The first text", author_key=KEY)
        given = author.fields(one) | {"token": author.reader.token(), "text": "The second text"}
        assert [author.send(one, **given).status_code for _ in range(2)] == [200, 200]
        assert len(rows(app, Revision)) == 1

    def test_reads_their_former_text_while_an_edit_waits(self, app: Flask, author: Author) -> None:
        change(app, moderation_words="casino")
        one = author.reader.posted("A text", author_key=KEY)
        body = author.edit(one, "A casino").json or {}
        assert "awaiting moderation" in body["message"]
        assert "A text" in body["html"]
        assert body["mine"][0]["waits"]
        assert "casino" not in author.reader.get().text
        assert author.reader.own(KEY)["mine"][0]["waits"]
        assert "A casino</textarea>" in (author.ask(one).json or {})["html"]

    def test_edits_what_is_held(self, app: Flask, author: Author) -> None:
        change(app, policy=Policy.HOLD_ALL)
        one = author.reader.posted("A text", author_key=KEY)
        body = author.edit(one, "Another text").json or {}
        assert "Your comment is awaiting moderation." in body["html"]
        assert (stored(app, one).status, stored(app, one).source) == (Status.HELD, "Another text")

    @both_engines
    def test_deletes_a_comment(self, app: Flask) -> None:
        add_site(app)
        author = Author(GuestClient(app))
        one = author.reader.posted("A secret", author_key=KEY)
        assert "for good" in (author.ask(one, "delete").json or {})["html"]
        body = author.delete(one).json or {}
        assert (body["message"], body["html"], body["count"]) == ("Your comment is deleted.", "", 0)
        comment = stored(app, one)
        assert (comment.source, comment.guest_name) == (erased_comments.REMOVED, None)
        assert author.ask(one).status_code == 404

    def test_leaves_a_placeholder_above_answers(self, author: Author) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        author.reader.posted("An answer", parent=str(one))
        body = author.delete(one).json or {}
        assert "This comment was removed." in body["html"]
        assert body["count"] == 1

    def test_gets_a_page_without_script(self, author: Author) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        page = author.ask(one, json=False)
        assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
        assert "A text</textarea>" in page.text
        given = author.fields(one) | {"token": author.reader.token()}
        assert "Your comment is saved." in author.send(one, json=False, text="New", **given).text

    def test_previews_without_script(self, app: Flask, author: Author) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        page = author.ask(one, json=False).text
        assert 'value="preview"' in page
        assert 'role="tab"' not in page
        given = author.fields(one) | {"token": author.reader.token(), "do": "preview"}
        answer = author.send(one, json=False, text="**New**", **given)
        assert "<strong>New</strong>" in answer.text
        assert "**New**</textarea>" in answer.text
        assert stored(app, one).source == "A text"
        assert author.send(one, json=False, text=" ", **given).status_code == 422


class TestAMember:
    def test_edits_and_deletes_on_their_own_pages(self, app: Flask, session: Session, site: Site) -> None:
        ada = enter(app, session, person(session), site)
        one = write(session, site, "A text", by=ada.commenter_id)
        home = ada.page()
        assert f"/thread/comments/{one}/edit" in home
        assert f"/thread/comments/{one}/delete" in home
        page = ada.page(f"/thread/comments/{one}/edit")
        token = re.search(r'name="token" value="([^"]+)"', page)
        seen = re.search(r'name="seen" value="([^"]+)"', page)
        assert token
        assert seen
        sent = {"token": token[1], "seen": seen[1], "text": "Another text"}
        answer = ada.post(f"/thread/comments/{one}/edit", sent)
        assert answer.status_code == 200, answer.text
        session.rollback()
        # Sent within a moment, as no person does.
        assert session.scalars(select(PendingEdit.source)).all() == ["Another text"]
        answer = ada.post(f"/thread/comments/{one}/delete", sent)
        assert "Your comment is deleted." in answer.text
        session.rollback()
        assert session.get_one(Comment, one, populate_existing=True).source == erased_comments.REMOVED

    def test_is_not_the_browser_that_they_logged_out_of(
        self, app: Flask, session: Session, site: Site
    ) -> None:
        ada = person(session)
        _, token = frame_session(session, ada, site)
        one = write(session, site, "A text", by=ada.commenter_id)
        with (
            app.test_request_context()
        ):  # the browser's key is on the comment, but the comment is an account's
            key_hash = access.author_key_hash(KEY)
        begin_write(session)
        session.get_one(Comment, one).author_key_hash = key_hash
        session.commit()
        assert Author(GuestClient(app), key=KEY).ask(one).status_code == 404
        assert Author(GuestClient(app), key=None, session=token).ask(one).status_code == 200

    def test_cannot_edit_what_another_member_wrote(self, app: Flask, session: Session, site: Site) -> None:
        ada, ben = person(session), person(session, name="Ben", subject="2")
        _, token = frame_session(session, ben, site)
        one = write(session, site, "A text", by=ada.commenter_id)
        ben_here = Author(GuestClient(app), key=None, session=token)
        assert [ben_here.ask(one, kind).status_code for kind in ("edit", "delete")] == [404, 404]
        given = {"token": GuestClient(app).token(), "text": "Mine now"}
        assert ben_here.send(one, **given).status_code == 404

    def test_needs_a_form_of_their_own(self, app: Flask, session: Session, site: Site) -> None:
        ada = person(session)
        _, token = frame_session(session, ada, site)
        one = write(session, site, "A text", by=ada.commenter_id)
        here = Author(GuestClient(app), key=None, session=token)
        given = here.fields(one) | {"token": GuestClient(app).token(), "text": "Another text"}
        assert here.send(one, **given).status_code == 409  # the token was a guest's


class TestNobodyElse:
    @pytest.mark.parametrize("key", [None, OTHER_KEY, "short", KEY.upper()])
    @pytest.mark.parametrize("kind", ["edit", "delete"])
    def test_gets_a_form_or_changes_anything(
        self, app: Flask, author: Author, key: str | None, kind: str
    ) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        given = author.fields(one) | {"token": author.reader.token(), "text": "Hacked"}
        stranger = Author(author.reader, key=key)
        before = contents(app)
        assert stranger.ask(one, kind).status_code == 404
        assert stranger.send(one, kind, **given | {"author_key": key or ""}).status_code == 404
        assert contents(app) == before

    @pytest.mark.parametrize("kind", ["edit", "delete"])
    @pytest.mark.parametrize("origin", ["https://blog.example", "null", "http://127.0.0.1:1"])
    def test_sends_it_from_another_page(self, app: Flask, author: Author, kind: str, origin: str) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        given = author.fields(one) | {"token": author.reader.token(), "text": "Hacked"}
        before = contents(app)
        assert author.send(one, kind, origin=origin, **given).status_code == 403
        assert contents(app) == before

    @pytest.mark.parametrize("kind", ["edit", "delete"])
    def test_sends_it_with_the_token_of_another_thread(self, app: Flask, author: Author, kind: str) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        elsewhere = GuestClient(app, "https://blog.example/elsewhere").token()
        given = author.fields(one) | {"token": elsewhere, "text": "Hacked"}
        assert author.send(one, kind, **given).status_code == 422
        assert stored(app, one).source == "A text"

    def test_changes_anything_by_looking(self, app: Flask, author: Author) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        before = contents(app)
        for kind in ("edit", "delete"):
            author.ask(one, kind)
            author.reader.client.head(
                f"/embed/comments/{one}/{kind}", base_url=BASE_URL, headers={"X-Author-Key": KEY}
            )
        assert contents(app) == before

    def test_finds_a_comment_that_is_not_there(self, author: Author) -> None:
        author.reader.posted("A text", author_key=KEY)
        assert author.ask(10**17).status_code == 404


class TestTheText:
    def test_is_checked_like_a_new_one(self, author: Author) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        for text, status in (("", 422), (" \n", 422), ("x" * 100_000, 422)):
            assert author.edit(one, text).status_code == status

    def test_is_not_taken_after_a_ban(self, app: Flask, author: Author) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            site_id = session.scalars(select(Site.id)).one()
            session.add(
                Ban(site_id=site_id, kind=BanKind.EMAIL, value="anna@mail.example", label="Anna", reason="")
            )
            session.commit()
        answer = author.edit(one, "Another text")
        assert (answer.status_code, stored(app, one).source) == (403, "A text")
        assert (answer.json or {})["own"]["token"]
        assert author.delete(one).status_code == 200

    def test_is_not_taken_after_closing_but_the_comment_can_go(self, app: Flask, author: Author) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        given = author.fields(one) | {"token": author.reader.token()}
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            session.scalars(select(Thread)).one().closed_at = now()
            session.commit()
        assert author.ask(one).status_code == 403
        assert author.send(one, text="Another text", **given).status_code == 403
        assert author.reader.own(KEY)["mine"] == [{"id": one, "edit_seconds": 0, "waits": False}]
        assert author.delete(one).status_code == 200

    def test_is_not_taken_when_the_time_is_over(self, app: Flask, author: Author) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        given = author.fields(one) | {"token": author.reader.token()}
        move_back(app, one, timedelta(minutes=16))
        answer = author.send(one, text="Another text", **given)
        assert (answer.status_code, (answer.json or {})["message"]) == (
            403,
            "The time for editing this comment is over.",
        )
        assert author.reader.own(KEY)["mine"][0]["edit_seconds"] == 0
        assert author.delete(one).status_code == 200

    def test_is_not_taken_where_the_owner_switched_it_off(self, app: Flask, author: Author) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        change(app, edit_window=EditWindow.OFF)
        assert author.ask(one).status_code == 403

    def test_is_kept_when_the_comment_was_changed_meanwhile(self, app: Flask, author: Author) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        first = author.fields(one) | {"token": author.reader.token()}
        author.edit(one, "From another window")
        answer = author.send(one, text="From this window", **first)
        body = answer.json or {}
        assert answer.status_code == 409
        assert "From another window" in body["message"]
        page = author.send(one, json=False, text="From this window", **first).text
        assert "From this window</textarea>" in page
        assert "From another window</blockquote>" in page
        again = author.send(one, text="From this window", **first | {"seen": body["own"]["seen"]})
        assert (again.status_code, stored(app, one).source) == (200, "From this window")

    def test_is_not_stored_in_what_a_moderator_trashed_meanwhile(self, app: Flask, author: Author) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        given = author.fields(one) | {"token": author.reader.token()}
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            decisions.decide(session, session.get_one(Comment, one), Status.TRASH)
            session.commit()
        assert author.send(one, text="Another text", **given).status_code == 403
        assert (stored(app, one).status, stored(app, one).source) == (Status.TRASH, "A text")

    def test_from_a_machine_waits(self, app: Flask, author: Author) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        assert "awaiting" in (author.edit(one, "Spam", subject="filled").json or {})["message"]
        two = author.reader.posted("Another text", author_key=KEY)
        given = author.fields(two)  # and it is sent within the same moment
        assert "awaiting" in (author.send(two, text="More spam", **given).json or {})["message"]

    def test_counts_for_the_limits_of_new_comments(
        self, app: Flask, author: Author, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = author.reader.posted("A text", author_key=KEY)
        attempts: list[str | None] = []
        limits = services_of(app).post_limits
        monkeypatch.setattr(
            type(limits), "count_attempt", lambda self, *, network, person: attempts.append(person)
        )
        author.edit(one, "Another text")
        assert attempts == [stored(app, one).author_key_hash]
