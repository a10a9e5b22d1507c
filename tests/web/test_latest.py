"""The list of a site's latest comments: what it shows, to whose pages, and how many."""

from __future__ import annotations

import re

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.models import Comment, Site
from commentsvc.serving.page_cache import keys
from tests.conftest import BASE_URL, BLOG
from tests.support.guest_client import Elements, GuestClient, add_site


def latest(app: Flask, **asked: str) -> str:
    answer = app.test_client().get("/latest", query_string={"origin": BLOG, **asked}, base_url=BASE_URL)
    assert answer.status_code == 200, answer.text
    assert f"frame-ancestors {BLOG}" in answer.headers["Content-Security-Policy"]
    return answer.text


def test_the_latest_comments_of_a_site_are_listed_as_text(app: Flask) -> None:
    add_site(app, valve=False)
    ids = [GuestClient(app, f"{BLOG}/{number}").posted(f"Number **{number}**") for number in range(7)]
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        nasty = "<p>&lt;script&gt;alert(1)&lt;/script&gt; " + "word " * 100 + "</p>"
        session.execute(update(Comment).where(Comment.id == ids[-1]).values(html=nasty, guest_name="<b>Eve"))
        session.commit()
    html = latest(app)
    page = Elements(html)
    links = [str(link["href"]) for link in page.all("a")]
    assert links == [f"/comment/{number}" for number in reversed(ids[-5:])]
    assert all(link["target"] == "_top" for link in page.all("a"))
    assert "Number 5" in page.text
    assert "<b>" not in html
    assert len(page.all("script")) == 1
    assert all(len(words) < 200 for words in page.words)
    assert "anna@mail.example" not in html
    assert len(Elements(latest(app, number="3")).all("li")) == 3
    for number in ("0", "21", "-1", "x", ""):
        assert len(Elements(latest(app, number=number)).all("li")) == 5
        assert keys.cache_key("/latest", f"origin={BLOG}&number={number}") == keys.cache_key(
            "/latest", f"origin={BLOG}"
        )


def test_a_site_can_have_no_list(app: Flask) -> None:
    add_site(app, comment_feeds=False)
    ask = app.test_client().get
    assert ask("/latest", query_string={"origin": BLOG}).status_code == 404
    assert ask("/latest", query_string={"origin": "https://nobody.example"}).status_code == 404
    assert ask("/latest").status_code == 400
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.scalars(select(Site)).one().comment_feeds = True
        session.commit()
    assert "No comments yet" in latest(app)


def test_its_script_knows_its_service(app: Flask) -> None:
    answer = app.test_client().get("/latest.js", base_url=BASE_URL)
    assert re.search(f'const WRITTEN = "{re.escape(BASE_URL)}";', answer.text)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
