"""A thread as plain HTML for builds: only what every reader sees, nothing that could act, the same anchors as live."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write
from commentsvc.domain.moderation import decisions
from commentsvc.domain.reading import conversations, whole_threads
from commentsvc.domain.reading.conversations import Conversation
from commentsvc.domain.reading.queries import CommentRow
from commentsvc.domain.reading.whole_threads import ThreadPart
from commentsvc.models import Comment, Kind, Order, Site, Status
from commentsvc.text import markup
from commentsvc.web.thread import thread_fragments
from tests.conftest import BASE_URL, BLOG
from tests.support.attacks import ATTACKS
from tests.support.comment_builders import BEN, NOON, Pen, article
from tests.support.guest_client import ARTICLE, Elements, GuestClient
from tests.support.outside_session import outside_session
from tests.web.test_attacks import objections

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
BLOCK = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)


def get(app: Flask, url: str = ARTICLE, headers: dict[str, str] | None = None, **more: str) -> TestResponse:
    query = {"url": url, **more}
    return app.test_client().get("/fragment", query_string=query, base_url=BASE_URL, headers=headers)


def linked(html: str) -> dict[str, Any]:
    (block,) = BLOCK.findall(html)
    return dict(json.loads(block))


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every comment in a node, in reading order."""
    for reply in node.get("comment", []):
        yield reply
        yield from nodes(reply)


def ids(html: str) -> list[str]:
    return [str(found["id"]) for found in Elements(html).all("article")]


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app, expire_on_commit=False) as session:
        begin_write(session)
        yield session


@pytest.fixture
def pen(session: Session, site: Site) -> Pen:
    return article(session, site)


def test_a_fragment_has_what_readers_see_with_the_anchors_of_the_article(app: Flask, pen: Pen) -> None:
    first = pen.write("What do *you* think?")
    reply = pen.write("I agree.", to=first, by=BEN)
    removed = pen.write("SECRET removed", to=first)
    below = pen.write("Still here", to=removed)
    for text, status in (("held", Status.HELD), ("spam", Status.SPAM), ("trash", Status.TRASH)):
        decisions.decide(pen.session, pen.write(f"SECRET {text}"), status)
    decisions.decide(pen.session, removed, Status.TRASH)
    pen.session.commit()
    answer = get(app)
    assert answer.status_code == 200
    assert "SECRET" not in answer.text
    assert "@mail.example" not in answer.text
    assert ids(answer.text) == [f"comment-c{each.id}" for each in (first, reply, removed, below)]
    assert Elements(answer.text).all("time", datetime="2026-06-01T12:01:00+00:00")
    assert f'href="{BASE_URL}/thread?url=' in answer.text
    assert " style=" not in answer.text
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "Access-Control-Allow-Origin" not in answer.headers

    node = linked(answer.text)
    assert (node["@type"], node["url"], node["commentCount"]) == ("Article", ARTICLE, 3)
    comments = list(nodes(node))
    visible = Elements(BLOCK.sub("", answer.text)).text
    # The reply to what was removed takes its place.
    assert [each["text"] for each in comments] == ["What do you think?", "I agree.", "Still here"]
    for each in comments:
        assert each["@type"] == "Comment"
        assert each["author"]["@type"] == "Person"
        assert each["author"]["name"] in visible
        assert each["text"] in visible
        assert each["datePublished"] in answer.text
        assert each["url"].removeprefix(ARTICLE).removeprefix("#") in ids(answer.text)
    assert [len(each.get("comment", [])) for each in comments] == [2, 0, 0]


def test_a_build_gets_an_answer_for_every_article_of_a_known_site(app: Flask, pen: Pen) -> None:
    pen.session.commit()
    empty = get(app, f"{BLOG}/not/yet")
    assert (empty.status_code, ids(empty.text), BLOCK.findall(empty.text)) == (200, [], [])
    assert get(app, "https://elsewhere.example/").status_code == 404
    assert get(app, "nonsense").status_code == 400
    begin_write(pen.session)
    pen.write("One")
    pen.session.commit()
    assert get(app, after="nonsense").status_code == 400


def test_a_fragment_is_cached_until_something_changes(app: Flask, pen: Pen) -> None:
    comment = pen.write("One")
    pen.session.commit()
    first = get(app)
    again = get(app, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    begin_write(pen.session)
    decisions.decide(pen.session, comment, Status.HELD)
    pen.session.commit()
    changed = get(app, headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, ids(changed.text)) == (200, [])


def test_the_page_names_the_node_to_which_the_comments_belong(app: Flask, pen: Pen) -> None:
    pen.write("One")
    pen.session.commit()
    for node in ("#article", f"{ARTICLE}#post", f"{BLOG}/"):
        described = linked(get(app, node=node).text)
        assert (described["@id"], "@type" in described) == (node, False)
    for node in (
        "article",
        "https://elsewhere.example/#a",
        "javascript:alert(1)",
        f"{BLOG}/</script>",
        "#" + "x" * 300,
    ):
        assert get(app, node=node).status_code == 400, node


def test_a_long_thread_leads_to_its_next_part(app: Flask, pen: Pen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_threads, "LONGEST_PART", 2)
    written = [pen.write() for _ in range(5)]
    pen.session.commit()
    answer, found = get(app, node="#a"), []
    while True:
        found += ids(answer.text)
        assert linked(answer.text)["@id"] == "#a"
        following = re.fullmatch('<(.+)>; rel="next"', answer.headers.get("Link", ""))
        if not following:
            break
        answer = app.test_client().get(following[1], base_url=BASE_URL)
    assert found == [f"comment-c{comment.id}" for comment in written]


def test_only_the_frame_is_indexed_as_a_part_of_the_article(app: Flask, pen: Pen) -> None:
    pen.write("One")
    pen.session.commit()
    reader = GuestClient(app)
    assert reader.get("/embed").headers["X-Robots-Tag"] == "noindex, indexifembedded"
    assert 'name="robots"' not in reader.get("/embed").text
    standalone = reader.get("/thread")
    assert "X-Robots-Tag" not in standalone.headers
    assert f'<link rel="canonical" href="{ARTICLE}">' in standalone.text


def test_hostile_texts_stay_texts_in_the_html_and_in_the_data(app: Flask, pen: Pen) -> None:
    pen.write("One")
    pen.session.commit()
    texts = [attack.text for attack in ATTACKS if len(attack.text) < 10_000]
    views = [
        conversations.view(_row(number, markup.render_markdown(text).html, text), None)
        for number, text in enumerate(texts, 1)
    ]
    with app.app_context():
        source = thread_fragments.source_of(pen.thread)
        html = thread_fragments.render(source, ThreadPart([Conversation(view) for view in views]), at=NOON)
    node = linked(html)
    assert len(node["comment"]) == len(texts)
    assert [each["author"]["name"] for each in node["comment"]] == [text or "Anonymous" for text in texts]
    (block,) = BLOCK.findall(html)
    assert not set("<>&") & set(block)
    assert objections(BLOCK.sub("", html)) == []
    assert ids(html) == [f"comment-c{number}" for number in range(1, len(texts) + 1)]


def _row(number: int, html: str, name: str) -> CommentRow:
    nothing = dict.fromkeys(
        ("root_id", "parent_id", "role", "edited_at", "website", "commenter_id", "picture_digest")
    )
    return CommentRow(
        id=number, depth=0, status=Status.APPROVED, kind=Kind.COMMENT, html=html, created_at=NOON, pinned=False,
        featured=False, reply_count=0, ups=0, downs=0, score=0, liked_by_owner=False, name=name, **nothing,  # type: ignore[arg-type]
    )  # fmt: skip


@both_engines
@pytest.mark.parametrize("order", list(Order))
def test_parts_of_a_long_thread_have_every_comment_once(
    order: Order, pen: Pen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_threads, "LONGEST_PART", 5)
    roots: list[Comment] = []
    for replies in (0, 3, 1, 9, 0, 0, 2):
        roots.append(pen.write())
        for _ in range(replies):
            pen.write(to=roots[-1])
        pen.at += timedelta(minutes=replies)
    parts = list(whole_threads.parts(pen.session, pen.thread, order))
    assert [[len(each.views) for each in part.conversations] for part in parts] == (
        [[1, 4], [2], [10], [1, 1, 3]] if order is Order.OLDEST else [[3, 1, 1], [10], [2], [4, 1]]
    )
    assert _ids(parts) == [root.id for root in (roots if order is Order.OLDEST else roots[::-1])]
    monkeypatch.setattr(whole_threads, "LONGEST_PART", 2)
    longest = next(
        each
        for part in whole_threads.parts(pen.session, pen.thread, order)
        for each in part.conversations
        if each.root is not None and each.root.id == roots[3].id
    )
    assert (len(longest.replies), longest.more) == (4, 5)


@both_engines
def test_parts_follow_the_order_by_votes(pen: Pen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_threads, "LONGEST_PART", 2)
    roots = [pen.write() for _ in range(4)]
    for root, score in zip(roots, (1, 9, 9, 0), strict=True):
        root.score = score
    pen.session.flush()
    parts = list(whole_threads.parts(pen.session, pen.thread, Order.BEST))
    assert len(parts) == 2
    assert _ids(parts) == [roots[place].id for place in (2, 1, 0, 3)]


def _ids(parts: Iterable[ThreadPart]) -> list[int]:
    return [each.root.id for part in parts for each in part.conversations]
