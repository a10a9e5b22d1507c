"""Pages about one comment, and the errors of commenting, in another language than English."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.moderation import decisions
from commentsvc.models import Ban, BanKind, Comment, EditWindow, Likes, Site, Status, Thread, now
from tests.conftest import BASE_URL
from tests.support.guest_client import JSON, Elements, GuestClient, add_site
from tests.support.marked_words import mark, outside
from tests.support.member_client import frame_session, person

KEY = "a-key-that-only-this-browser-holds"
OURS = {"Origin": BASE_URL}
TYPED = {"Anna", "Hello", "Blog", "Other", "https://blog.example/article"}
"""What people have typed, and names."""


class Reader:
    """A guest who has written a comment, with pages around it in Arabic, whose texts are in brackets."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        mark(monkeypatch, "ar")
        add_site(app, edit_window=EditWindow.ALWAYS, **settings)
        self.app, self.guest = app, GuestClient(app)
        self.receipt = urlsplit((self.guest.post("Hello", author_key=KEY).json or {})["receipt"]).path
        self.pages: list[str] = []

    def see(self, path: str, status: int = 200, lang: str = "ar", **headers: str) -> str:
        answer = self.guest.client.get(
            f"{path}?lang={lang}", base_url=BASE_URL, headers={"X-Author-Key": KEY, **headers}, buffered=True
        )
        return self._kept(answer.text, status, answer.status_code)

    def send(self, path: str, status: int = 200, headers: dict[str, str] | None = None, **data: str) -> str:
        fields = {"author_key": KEY, "token": self.guest.token(), **data}
        answer = self.guest.client.post(
            path, base_url=BASE_URL, data=fields, headers={**OURS, **(headers or {})}
        )
        return self._kept(answer.text, status, answer.status_code)

    def _kept(self, page: str, wanted: int, status: int) -> str:
        assert status == wanted, page
        self.pages.append(page)
        return page

    def require_marked(self) -> None:
        """Require that no page has shown a word that is in no catalogue."""
        assert self.pages
        for page in self.pages:
            if "<html" in page:
                assert '<html lang="ar" dir="rtl"' in page
            assert {part.strip(" ,:") for part in outside(page)} <= TYPED, page

    def change(self, table: type[Any], **values: Any) -> None:
        with self.app.app_context(), Session(db.engine) as session:
            begin_write(session)
            for row in session.scalars(select(table)):
                for name, value in values.items():
                    setattr(row, name, value)
            session.commit()

    def decide(self, status: Status) -> None:
        with self.app.app_context(), Session(db.engine) as session:
            begin_write(session)
            decisions.decide(session, session.get_one(Comment, 1), status, moderator_id=None)
            session.commit()


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))


def test_authors_edit_and_delete_in_their_language(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(app, monkeypatch)
    edit, delete = "/embed/comments/1/edit", "/embed/comments/1/delete"
    page = reader.see(edit)
    assert "⟦Edit your comment⟧" in page
    assert "→ ⟦All comments⟧" in Elements(page).text
    fields = hidden(page)
    assert fields["lang"] == "ar"  # so that the answer is in it, too
    fields = {name: value for name, value in fields.items() if name in {"lang", "seen"}}
    reader.send(edit, text="Hello", do="preview", **fields)
    assert "⟦Not saved · ⟦Edit your comment⟧⟧" in reader.send(edit, 422, text="", **fields)
    reader.send(edit, 409, text="Other", lang="ar", seen="")
    assert "⟦Your comment is saved.⟧" in reader.send(edit, text="Hello", **fields)
    assert "⟦Delete this comment for good?⟧" in reader.see(delete)
    assert "⟦Your comment is deleted.⟧" in reader.send(delete, lang="ar")
    assert 'href="/embed?url=https%3A%2F%2Fblog.example%2Farticle&amp;lang=ar"' in reader.pages[-1]
    reader.require_marked()


def test_readers_vote_and_report_in_their_language(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(app, monkeypatch, likes=Likes.VOTES)
    vote, report = "/thread/comments/1/vote", "/embed/comments/1/report"
    reader.see(vote)
    assert "⟦Not stored · ⟦Vote on a comment⟧⟧" in reader.send(vote, 403, vote="1", lang="ar")
    for value in ("1", "0", "-1"):
        reader.send(vote, vote=value, lang="ar", author_key=KEY[::-1])
    reader.change(Site, likes=Likes.LIKES)
    assert "⟦Take my like back⟧" in reader.see(vote)
    assert "⟦It is spam or advertising⟧" in reader.see(report)
    assert hidden(reader.pages[-1])["lang"] == "ar"
    assert "⟦Thank you." in reader.send(report, reason="spam", lang="ar")
    reader.require_marked()


def test_a_receipt_says_in_the_readers_language_what_became_of_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(app, monkeypatch)
    sentences = {
        Status.APPROVED: "⟦Everybody can read it: ⟨a⟩see it under the article⟨/a⟩.⟧",
        Status.HELD: "⟦It was published, and is hidden until a moderator has looked at it again.⟧",
        Status.SPAM: "⟦The website did not take it. If you think that is a mistake, please ask",
        Status.TRASH: "⟦A moderator of the website has taken it down.⟧",
    }
    for status, sentence in sentences.items():
        reader.decide(status)
        page = reader.see(reader.receipt)
        assert re.sub(r"<(/?a)\b[^>]*>", r"⟨\1⟩", sentence) in re.sub(r"<(/?a)\b[^>]*>", r"⟨\1⟩", page)
    reader.decide(Status.APPROVED)
    reader.send(f"{reader.receipt}/edit?lang=ar", 422, text="")
    for form in Elements(reader.see(reader.receipt)).all("form"):
        assert str(form["action"]).endswith("?lang=ar")
    answer = reader.guest.client.post(f"{reader.receipt}/renew?lang=ar", base_url=BASE_URL, headers=OURS)
    assert answer.location.endswith("?done=renewed&lang=ar")
    path = urlsplit(answer.location).path
    assert "⟦Your comment is deleted⟧" in reader.send(f"{path}/delete?lang=ar")
    reader.require_marked()


def test_a_member_claims_in_the_language_of_the_frame(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(app, monkeypatch)
    with app.app_context(), Session(db.engine) as session:
        bearer = frame_session(session, person(session), session.scalars(select(Site)).one())[1]
    headers = {"Authorization": f"Bearer {bearer}", "X-Author-Key": KEY, **JSON}
    own = reader.guest.get("/embed/own", headers=headers, lang="ar").json or {}
    reader.pages.append(own["claim"])
    data = {**reader.guest.asked, "lang": "ar", "author_key": KEY, "token": own["token"]}
    for ticked in ({}, {"comment": "1"}):
        answer = reader.guest.client.post(
            "/embed/comments/claim", base_url=BASE_URL, data={**data, **ticked}, headers=headers | OURS
        )
        reader.pages.append((answer.json or {})["html"])
    assert "⟦One comment is under your account now" in reader.pages[-1]
    reader.require_marked()


def test_refusals_are_in_the_language_of_the_frame(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(app, monkeypatch)

    def refused(**fields: str) -> list[str]:
        answer = reader.guest.post(**{"text": "Other", "lang": "ar", **fields})
        assert answer.status_code >= 400, answer.text
        return list((answer.json or {})["errors"].values())

    refusals = [
        *refused(text=""),
        *refused(text="x" * 20_000),
        *refused(name="x" * 90, email="anna", website="ftp:"),
        *refused(name="", email="", website=""),
        *refused(text="Hello"),
        *refused(parent="99"),
    ]
    reader.change(Thread, slow_seconds=120)
    refusals += refused()
    reader.change(Thread, slow_seconds=None)
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        until = now() + timedelta(days=1)
        about = {"label": "Anna", "reason": "", "until": until}
        session.add(Ban(site_id=1, kind=BanKind.EMAIL, value="anna@mail.example", **about))
        session.commit()
    refusals += refused()
    assert len(refusals) >= 11
    assert [refusal for refusal in refusals if outside(refusal)] == []


def test_a_page_about_a_comment_speaks_as_the_page_around_it(app: Flask) -> None:
    add_site(app, language="de", likes=Likes.LIKES)
    guest = GuestClient(app)
    receipt = urlsplit((guest.post("Hello").json or {})["receipt"]).path

    def language(path: str, accepted: str) -> str | None:
        headers = {"Accept-Language": accepted}
        page = guest.client.get(path, base_url=BASE_URL, headers=headers, buffered=True).text
        return Elements(page).all("html")[0]["lang"]

    for page in ("/comments/1/report", "/comments/1/vote"):
        # A frame is a part of its article, whatever the browser's language.
        assert language(f"/embed{page}", "fr") == "de"
        assert language(f"/embed{page}?lang=ja", "fr") == "ja"
        assert language(f"/thread{page}", "fr") == "fr"
        assert language(f"/thread{page}", "") == "de"
    assert [language(receipt, "fr"), language(receipt, ""), language(f"{receipt}?lang=ja", "fr")] == [
        "fr",
        "de",
        "ja",
    ]
