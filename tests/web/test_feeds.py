"""Feeds, read by feedparser and by the rules of their standards: what they say, and that nothing breaks them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit
from xml.etree import ElementTree

import feedparser
import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write, db
from commentsvc.domain.maintenance import erasure
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.moderation import decisions
from commentsvc.domain.sites import embed_lines
from commentsvc.domain.thread_admin import renaming
from commentsvc.models import AnswerFeed, Comment, Commenter, Site, Status, Thread, now
from commentsvc.serving.access_log import shown_path
from tests.conftest import BASE_URL, BLOG
from tests.support.guest_client import ARTICLE, Elements, GuestClient, add_site
from tests.support.member_client import MemberClient, enter, person
from tests.support.outside_session import outside_session

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
ATOM, THREADING = "{http://www.w3.org/2005/Atom}", "{http://purl.org/syndication/thread/1.0}"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ABSOLUTE = re.compile(r"https?://[^\s<>]+|tag:[a-z0-9.-]+,\d{4}-\d\d-\d\d:[a-z0-9-]+")
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
THREAD, SITE = {"url": ARTICLE}, {"origin": BLOG}


def get(app: Flask, path: str, headers: dict[str, str] | None = None, **asked: str) -> TestResponse:
    query = f"?{urlencode(asked)}" if asked else ""
    return app.test_client().get(f"/feeds/{path}{query}", base_url=BASE_URL, headers=headers, buffered=True)


def change(app: Flask, comment_id: int, **values: Any) -> None:
    """Change a comment in the database, past every check, and make the thread's pages expire."""
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.execute(update(Comment).where(Comment.id == comment_id).values(**values))
        session.execute(update(Thread).values(version=Thread.version + 1))
        session.commit()


def decide(app: Flask, comment_id: int, status: Status) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        decisions.decide(session, session.get_one(Comment, comment_id), status)
        session.commit()


def only(parent: ElementTree.Element, name: str) -> ElementTree.Element:
    (element,) = parent.findall(name)
    return element


def read_atom(answer: TestResponse) -> list[dict[str, Any]]:
    """Return a feed's entries, read by the rules of RFC 4287 and 4685; any broken one fails."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    root = ElementTree.fromstring(answer.data)
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    for element in [root, *entries]:
        for name in ("id", "title", "updated"):
            assert only(element, ATOM + name).text
        assert ABSOLUTE.fullmatch(only(element, f"{ATOM}id").text or "")
        assert TIME.fullmatch(only(element, f"{ATOM}updated").text or "")
        alternates = [link for link in element.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
        assert len(alternates) == 1
        assert all(ABSOLUTE.fullmatch(link.get("href", "")) for link in element.findall(f"{ATOM}link"))
    updated = [only(entry, f"{ATOM}updated").text or "" for entry in entries]
    assert not updated or only(root, f"{ATOM}updated").text == max(updated)
    assert len({only(entry, f"{ATOM}id").text for entry in entries}) == len(entries)
    return [_read_entry(entry) for entry in entries]


def _read_entry(entry: ElementTree.Element) -> dict[str, Any]:
    content, reply = only(entry, f"{ATOM}content"), only(entry, f"{THREADING}in-reply-to")
    assert content.get("type") == "html"
    assert len(content) == 0  # escaped, not markup of the feed
    assert ABSOLUTE.fullmatch(reply.get("ref", ""))
    assert TIME.fullmatch(only(entry, f"{ATOM}published").text or "")
    author = only(entry, f"{ATOM}author")
    assert author.find(f"{ATOM}email") is None
    return {
        "id": only(entry, f"{ATOM}id").text,
        "author": only(author, f"{ATOM}name").text,
        "title": only(entry, f"{ATOM}title").text,
        "updated": only(entry, f"{ATOM}updated").text,
        "html": content.text,
        "answers": reply.get("ref"),
    }


def read_json(answer: TestResponse) -> list[dict[str, Any]]:
    """Return a feed's entries, read by the rules of JSON Feed 1.1."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/feed+json"
    feed = json.loads(answer.data.decode("utf-8"))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"]
    assert unquote(feed.get("feed_url", answer.request.url)) == unquote(answer.request.url)
    assert set(feed) <= {"version", "title", "home_page_url", "feed_url", "items"}
    for item in feed["items"]:
        assert {key for key in item if not key.startswith("_")} <= {
            "id", "url", "title", "content_html", "date_published", "date_modified", "authors",
        }  # fmt: skip
        assert isinstance(item["id"], str)
        assert isinstance(item["authors"], list)
        assert datetime.fromisoformat(item["date_modified"]) >= datetime.fromisoformat(item["date_published"])
        assert not FORBIDDEN.search(json.dumps(item, ensure_ascii=False))
    return [
        {
            "id": item["id"],
            "author": item["authors"][0]["name"],
            "title": item["title"],
            "updated": item["date_modified"],
            "html": item["content_html"],
            "answers": item["_commentsvc"]["in_reply_to"],
        }
        for item in feed["items"]
    ]


def read(app: Flask, kind: str, **asked: str) -> list[dict[str, Any]]:
    """Return the entries of a feed, which all readers must see alike."""
    entries = read_atom(get(app, f"{kind}.atom", **asked))
    assert read_json(get(app, f"{kind}.json", **asked)) == entries
    other = feedparser.parse(get(app, f"{kind}.atom", **asked).data)
    assert not other.bozo, other.bozo_exception
    assert [item.id for item in other.entries] == [entry["id"] for entry in entries]
    assert [item.author for item in other.entries] == [(entry["author"] or "").strip() for entry in entries]
    return entries


@both_engines
def test_a_thread_and_its_site_have_feeds_of_what_everybody_sees(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    first = reader.posted("The **first**")
    answer = reader.posted("An answer", parent=first, name="Ben")
    held = reader.posted("Held", token=reader.token(age=0))
    elsewhere = GuestClient(app, f"{BLOG}/other").posted("Elsewhere")
    entries = read(app, "thread", **THREAD)
    assert [entry["id"].rpartition("-")[2] for entry in entries] == [str(answer), str(first)]
    assert [entry["author"] for entry in entries] == ["Ben", "Anna"]
    assert entries[1]["html"].strip() == "<p>The <strong>first</strong></p>"
    assert [entry["answers"] for entry in entries] == [entries[1]["id"], ARTICLE]
    assert {entry["id"].rpartition("-")[2] for entry in read(app, "site", **SITE)} == {
        str(first), str(answer), str(elsewhere),
    }  # fmt: skip
    decide(app, held, Status.APPROVED)
    decide(app, first, Status.SPAM)
    assert {entry["id"].rpartition("-")[2] for entry in read(app, "thread", **THREAD)} == {
        str(answer),
        str(held),
    }
    for path in ("thread.atom", "thread.json", "site.atom", "site.json"):
        text = get(app, path, **(THREAD if path.startswith("thread") else SITE)).text
        assert "anna@mail.example" not in text
        assert not re.search(
            r"\b[0-9a-f]{32,}\b", text
        )  # no hash of an address, of a network, of a picture's owner


def test_nothing_that_people_write_breaks_a_feed(app: Flask) -> None:
    add_site(app, valve=False)
    reader = GuestClient(app)
    first = reader.posted("x")
    nasty = "]]> <b>&amp; \x00\x08\x0b\x1f\ufffe\uffff \u202e\u05e9\u05dc\u05d5\u05dd \U0001f600 <!-- \"'"
    nasty = nasty.replace("\x00", "")  # PostgreSQL stores none
    deepest = first
    for number in range(60):
        deepest = reader.posted(f"Reply {number}", parent=deepest)
    change(app, first, html=nasty, guest_name=nasty, guest_website='https://x.example/?a="&b=<')
    change(app, deepest, html=nasty, guest_name=nasty)
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.execute(update(Thread).values(title=nasty))
        session.commit()
    entries = read(app, "thread", **THREAD)
    assert len(entries) == 50
    assert entries[0]["html"] == FORBIDDEN.sub("", nasty)
    assert entries[0]["author"] == FORBIDDEN.sub("", nasty)
    assert read(app, "site", **SITE) == entries


def test_an_edit_keeps_the_id_and_moving_the_article_too(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    comment = reader.posted("Before")
    (before,) = read(app, "thread", **THREAD)
    change(app, comment, html="<p>After</p>", edited_at=datetime.fromisoformat("2031-01-02T03:04:05Z"))
    (edited,) = read(app, "thread", **THREAD)
    assert (edited["id"], edited["html"], edited["updated"]) == (
        before["id"],
        "<p>After</p>",
        "2031-01-02T03:04:05Z",
    )
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        thread = session.scalars(select(Thread)).one()
        renaming.rename(session, thread, url=f"{BLOG}/new-address", moderator_id=None, at=now())
        session.commit()
    (moved,) = read(app, "thread", url=f"{BLOG}/new-address")
    assert moved["id"] == before["id"]
    assert read(app, "thread", **THREAD) == [moved]  # the former address leads there
    assert moved["answers"] == f"{BLOG}/new-address"


def test_a_feed_comes_from_the_page_cache_and_changes_at_once(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    comment = reader.posted("One")
    for path in ("thread.atom", "thread.json"):
        first = get(app, path, **THREAD)
        tag = first.headers["ETag"]
        assert first.headers["Last-Modified"].endswith(" GMT")
        assert first.headers["Access-Control-Allow-Origin"] == "*"
        for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
            same = get(app, path, {"If-None-Match": known}, **THREAD)
            assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
            for name in ("Cache-Control", "Vary", "Last-Modified"):
                assert same.headers[name] == first.headers[name]
    known = {path: get(app, path, **THREAD).headers["ETag"] for path in ("thread.atom", "thread.json")}
    decide(app, comment, Status.TRASH)
    for path, tag in known.items():
        assert get(app, path, {"If-None-Match": tag}, **THREAD).status_code == 200
    assert read(app, "thread", **THREAD) == []


def test_a_site_can_have_no_feeds(app: Flask) -> None:
    add_site(app)
    GuestClient(app).posted("One")
    assert "application/atom+xml" in GuestClient(app).get("/thread").text
    assert get(app, "thread.atom", **THREAD).status_code == 200
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.scalars(select(Site)).one().comment_feeds = False
        session.commit()
    assert get(app, "thread.atom", **THREAD).status_code == 404
    assert "application/atom+xml" not in GuestClient(app).get("/thread").text
    add_site(app, "Other", "https://other.example", comment_feeds=False)
    assert get(app, "site.json", origin="https://other.example").status_code == 404
    assert get(app, "site.json", origin="https://nobody.example").status_code == 404
    assert get(app, "site.json", origin="javascript:x").status_code == 400


def test_the_lines_for_the_head_and_the_standalone_page_lead_to_feeds(app: Flask) -> None:
    add_site(app)
    GuestClient(app).posted("One")
    page = Elements(GuestClient(app).get("/thread").text)
    lines = Elements(embed_lines.feeds(BASE_URL, BLOG))
    for elements in (page, lines):
        for kind in ("application/atom+xml", "application/feed+json"):
            (link,) = elements.all("link", rel="alternate", type=kind)
            parts = urlsplit(str(link["href"]))
            answer = app.test_client().get(f"{parts.path}?{parts.query}", base_url=BASE_URL)
            assert answer.status_code == 200
            assert answer.headers["Content-Type"].startswith(kind)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app, expire_on_commit=False) as session:
        yield session


def secret_path(member: MemberClient) -> str:
    """Make an address as the account page does; return its path without the ending."""
    page = member.post("/account/answer-feed", {"action": "renew"})
    assert page.status_code == 200, page.text
    assert page.headers["Cache-Control"] == "no-store"
    (field,) = Elements(page.text).all("input", id="feed-atom")
    return urlsplit(str(field["value"])).path.removesuffix(".atom").removeprefix("/feeds/")


@both_engines
def test_answers_to_a_person_have_a_secret_feed(app: Flask, session: Session) -> None:
    site = session.get_one(Site, add_site(app))
    ada = enter(app, session, person(session), site)
    reader = GuestClient(app)
    mine = reader.posted("Mine")
    change(app, mine, commenter_id=ada.commenter_id)
    answer = reader.posted("An answer", parent=mine, name="Ben")
    own_answer = reader.posted("My own answer", parent=mine)
    change(app, own_answer, commenter_id=ada.commenter_id)
    reader.posted("To the article")
    reader.posted("To a guest", parent=answer)
    path = secret_path(ada)
    entries = read(app, path)
    assert [entry["id"].rpartition("-")[2] for entry in entries] == [str(answer)]
    response = get(app, f"{path}.atom")
    assert response.headers["Cache-Control"] == "no-store, private"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in response.headers
    token = path.removeprefix("answers/")
    assert token not in response.text
    assert get(app, f"{path}.atom", {"If-None-Match": response.headers["ETag"]}).status_code == 304
    assert shown_path(f"/feeds/{path}.atom") == "/feeds/answers/…"
    session.rollback()
    assert token not in session.scalars(select(AnswerFeed)).one().token_hash
    assert token not in ada.page("/account/settings")
    renewed = secret_path(ada)
    assert get(app, f"{path}.json").status_code == 404
    assert len(read(app, renewed)) == 1
    assert ada.post("/account/answer-feed", {"action": "remove"}).status_code == 303
    assert get(app, f"{renewed}.json").status_code == 404
    last = secret_path(ada)
    erasure.erase(session, ada.commenter_id, Texts.KEEP)
    assert get(app, f"{last}.json").status_code == 404
    assert session.scalars(select(AnswerFeed)).all() == []
    assert session.get(Commenter, ada.commenter_id) is None


def test_a_guest_follows_the_answers_to_a_comment_by_its_private_link(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    body = reader.post("Mine").json or {}
    answer = reader.posted("An answer", parent=body["id"])
    reader.posted("An answer to that", parent=answer)
    reader.posted("To the article")

    def feed_path(link: str) -> str:
        page = app.test_client().get(urlsplit(link).path, base_url=BASE_URL)
        (field,) = Elements(page.text).all("input", id="feed-atom")
        return urlsplit(str(field["value"])).path.removesuffix(".atom").removeprefix("/feeds/")

    path, link = feed_path(body["receipt"]), urlsplit(body["receipt"]).path
    assert link.rpartition("/")[2] not in path
    assert [entry["id"].rpartition("-")[2] for entry in read(app, path)] == [str(answer)]
    assert get(app, f"{path}.json").headers["Cache-Control"] == "no-store, private"
    assert shown_path(f"/feeds/{path}.atom") == "/feeds/answers/…"
    for wrong in (f"{path}x", f"{path[:-1]}", "answers/1/\u00e9", path.replace("answers/1/", "answers/2/")):
        assert get(app, f"{wrong}.atom").status_code == 404
    renewed = app.test_client().post(f"{link}/renew", base_url=BASE_URL, headers={"Origin": BASE_URL})
    assert get(app, f"{path}.atom").status_code == 404
    assert len(read(app, feed_path(renewed.location))) == 1
