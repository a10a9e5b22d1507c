"""A page that has gone on to another article while somebody wrote: the comment waits for its author's word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write, db
from commentsvc.domain.thread_admin import merging, renaming
from commentsvc.models import Comment, Origin, Status, Thread
from tests.conftest import BLOG
from tests.support.guest_client import ARTICLE, Elements, GuestClient, add_site, contents

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
OTHER = f"{BLOG}/other"


@pytest.fixture
def reader(app: Flask) -> GuestClient:
    add_site(app)
    return GuestClient(app)


def posted_from(reader: GuestClient, url: str, canonical: str = "", **more: Any) -> TestResponse:
    """Post a comment whose page says that it is at `url` now."""
    return reader.post(page_url=url, page_canonical=canonical, page_title="Other", title="Article", **more)


def same(reader: GuestClient, url: str, canonical: str = "") -> bool:
    """What the frame is told of a page that has changed."""
    answer = reader.get("/embed/same", page_url=url, page_canonical=canonical)
    assert answer.status_code == 200, answer.text
    return bool((answer.json or {})["same"])


@both_engines
def test_a_comment_for_an_article_that_is_no_longer_shown_is_refused_with_a_choice(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    before = contents(app)
    answer = posted_from(reader, OTHER)
    assert answer.status_code == 409
    assert contents(app) == before
    body = answer.json or {}
    assert "Your text is kept" in body["message"]
    choice = Elements(body["choice"])
    (there,) = [
        attributes for tag, attributes in choice.found if tag == "button" and "data-there" in attributes
    ]
    assert there["data-url"] == OTHER
    assert "Post it under Other" in choice.text
    assert "Stay with Article" in choice.text


SAME = [
    (ARTICLE, ""),
    (f"{ARTICLE}/", ""),
    (f"{ARTICLE}#comment-1", ""),
    (f"{ARTICLE}?utm_source=mail&fbclid=x", ""),
    (OTHER, ARTICLE),
    (f"{ARTICLE}?x=1", f"{ARTICLE}/"),
]
UNKNOWN = [
    ("https://blog-example.translate.goog/other?_x_tr_sl=en", ""),
    ("https://web.archive.example/web/2025/https://blog.example/other", ""),
    ("https://blog-example.translate.goog/other", OTHER),
    ("", ""),
    ("about:srcdoc", ""),
    ("blob:https://blog.example/1", ""),
    ("file:///home/ada/other.html", ""),
    ("\x00", ""),
    (f"{BLOG}/{'x' * 3000}", ""),
    (f"{BLOG}:99999/", ""),
]
OTHERS = [
    (OTHER, ""),
    (f"{ARTICLE}?page=2", ""),
    (ARTICLE, OTHER),
    (OTHER, "https://elsewhere.example/article"),
    (f"{BLOG}/", ""),
]


@pytest.mark.parametrize(("url", "canonical"), SAME, ids=str)
def test_another_way_to_write_the_address_is_the_same_article(
    reader: GuestClient, url: str, canonical: str
) -> None:
    assert same(reader, url, canonical)
    assert posted_from(reader, url, canonical).status_code == 200


@pytest.mark.parametrize(("url", "canonical"), UNKNOWN, ids=repr)
def test_an_address_that_is_no_article_here_stops_nobody(
    reader: GuestClient, url: str, canonical: str
) -> None:
    assert same(reader, url, canonical)
    assert posted_from(reader, url, canonical).status_code == 200


@pytest.mark.parametrize(("url", "canonical"), OTHERS, ids=str)
def test_an_address_of_another_article_is_told_apart(reader: GuestClient, url: str, canonical: str) -> None:
    assert not same(reader, url, canonical)
    assert posted_from(reader, url, canonical).status_code == 409


def test_a_thread_with_an_id_of_its_own_is_the_same_wherever_its_page_is(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app, id="article-42")
    assert same(reader, OTHER)
    assert posted_from(reader, OTHER).status_code == 200


@pytest.mark.parametrize("way", ["merged", "renamed"])
@both_engines
def test_two_addresses_of_one_thread_are_the_same_article(app: Flask, way: str) -> None:
    add_site(app)
    reader = GuestClient(app)
    reader.posted("Here")
    assert not same(reader, OTHER)
    if way == "merged":
        GuestClient(app, OTHER).posted("There")
        assert not same(reader, OTHER)
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        results = {thread.url: thread for thread in session.scalars(select(Thread))}
        at = datetime.now(UTC)
        if way == "merged":
            merging.merge(session, results[OTHER], results[ARTICLE], moderator_id=None, at=at)
        else:
            renaming.rename(session, results[ARTICLE], url=OTHER, moderator_id=None, at=at)
        session.commit()
    assert same(reader, OTHER)
    assert posted_from(reader, OTHER).status_code == 200
    assert posted_from(GuestClient(app, OTHER), ARTICLE, text="And back").status_code == 200


def test_two_origins_of_one_site_are_still_two_addresses(app: Flask, reader: GuestClient) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.add(Origin(site_id=1, origin="https://www.blog.example"))
        session.commit()
    assert same(reader, "https://www.blog.example/x", ARTICLE)
    assert not same(reader, "https://www.blog.example/x")


def test_the_choice_carries_what_posts_the_comment_there_at_once(app: Flask, reader: GuestClient) -> None:
    """Whoever has written for a minute under one article has not been quick under the other."""
    choice = Elements((posted_from(reader, OTHER).json or {})["choice"])
    (there,) = [
        attributes for tag, attributes in choice.found if tag == "button" and "data-there" in attributes
    ]
    answer = reader.post(url=OTHER, token=there["data-token"], page_title="Other")
    assert answer.status_code == 200
    with app.app_context(), Session(db.engine) as session:
        comment = session.scalars(select(Comment)).one()
        assert comment.status is Status.APPROVED
        assert (comment.thread.url, comment.thread.title) == (OTHER, "Other")


def test_the_choice_is_no_way_around_the_time_that_writing_takes(app: Flask, reader: GuestClient) -> None:
    choice = Elements((posted_from(reader, OTHER, token=reader.token(age=0)).json or {})["choice"])
    (there,) = [
        attributes for tag, attributes in choice.found if tag == "button" and "data-there" in attributes
    ]
    reader.post(url=OTHER, token=there["data-token"])
    with app.app_context(), Session(db.engine) as session:
        assert session.scalars(select(Comment)).one().status is Status.HELD


def test_a_token_of_the_one_article_posts_nothing_under_the_other(reader: GuestClient) -> None:
    assert reader.post(url=OTHER).status_code == 422


def test_a_refusal_uses_up_no_limit(reader: GuestClient) -> None:
    for _ in range(30):
        assert posted_from(reader, OTHER).status_code == 409
    assert reader.post().status_code == 200


@pytest.mark.parametrize("title", ["", "Article", "<b>Other</b>", "Other" * 100])
def test_articles_are_named_so_that_they_can_be_told_apart(reader: GuestClient, title: str) -> None:
    answer = reader.post(page_url=f"{OTHER}?q=%3Ci%3E", page_title=title, title="Article")
    choice = Elements((answer.json or {})["choice"])
    named = [tag for tag, _ in choice.found]
    assert named.count("button") == 2
    assert not {"b", "i", "script"} & set(named)
    expected = {"": "/other?q=<i>", "Article": "/other?q=<i>", "<b>Other</b>": "<b>Other</b>"}.get(
        title, "OtherOther"
    )
    assert f"Post it under {expected}" in choice.text
    assert f"Stay with {'/article' if title == 'Article' else 'Article'}" in choice.text


def test_without_script_the_refusal_is_a_page_with_the_text_in_it(reader: GuestClient) -> None:
    answer = posted_from(reader, OTHER, json=False, text="Half an hour of work")
    assert answer.status_code == 409
    assert "Half an hour of work" in answer.text
    assert "Your text is kept" in answer.text
