"""Counts for many articles in one answer."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import event

from commentsvc.db.session import db
from commentsvc.web.thread.counts import MOST
from tests.conftest import BASE_URL, BLOG
from tests.support.guest_client import ARTICLE, GuestClient, add_site, contents

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def ask(app: Flask, *urls: str) -> dict[str, int]:
    answer = app.test_client().get("/counts", query_string={"url": list(urls)}, base_url=BASE_URL)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    return dict(answer.json or {})


def test_articles_are_counted_by_the_names_they_were_asked_for(app: Flask) -> None:
    add_site(app)
    GuestClient(app).posted("One")
    GuestClient(app).posted("Two")
    GuestClient(app, f"{BLOG}/x", id="post 7").posted("One")
    asked = [ARTICLE, f"{ARTICLE}/?utm_source=x#top", f"{BLOG}/none", f"{BLOG}/y#thread-id=post%207"]
    assert ask(app, *asked) == dict(zip(asked, (2, 2, 0, 1), strict=True))


def test_what_is_no_article_here_counts_nothing(app: Flask) -> None:
    add_site(app)
    asked = [
        "",
        "x",
        "javascript:alert(1)",
        "https://o.example/",
        f"{BLOG}/\x00",
        f"{BLOG}/{'x' * 3000}",
        f"{BLOG}/#thread-id=%00",
        f"{BLOG}/#thread-id=%ff",
        f"{BLOG}/#thread-id={'x' * 400}",
        "\ufffd",
    ]
    assert ask(app, *asked) == dict.fromkeys(asked, 0)


def test_asking_for_nothing_answers_nothing(app: Flask) -> None:
    assert ask(app) == {}


def test_held_comments_are_not_counted(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    reader.posted("Held", token=reader.token(age=0))
    assert ask(app, ARTICLE) == {ARTICLE: 0}


def test_too_many_at_once_are_refused(app: Flask) -> None:
    urls = [f"{BLOG}/{number}" for number in range(MOST + 1)]
    answer = app.test_client().get(
        "/counts", query_string={"url": urls}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json == {"message": f"Please ask for at most {MOST} addresses at once."}


def test_the_most_are_counted_in_few_queries_and_nothing_is_stored(app: Flask) -> None:
    add_site(app)
    before = contents(app)
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    ask(
        app,
        *(f"{BLOG}/{number}" for number in range(MOST // 2)),
        *(f"https://{n}.example/" for n in range(MOST // 2)),
    )
    event.remove(engine, "before_cursor_execute", note)
    assert len(statements) <= 4
    assert contents(app) == before
