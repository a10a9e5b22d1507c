"""Votes as the server meets them: the page without script, the JSON, and everything that may not work."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write, db
from commentsvc.domain.moderation import decisions
from commentsvc.domain.votes import score_changes
from commentsvc.models import Comment, Likes, Order, Site, Status, Thread, Vote, now
from commentsvc.web.thread import voting
from tests.conftest import BASE_URL
from tests.support.guest_client import ARTICLE, JSON, Elements, GuestClient, add_site, contents
from tests.support.member_client import enter, frame_session, person

KEY, OTHER_KEY = "a-key-that-only-this-browser-holds", "a-key-that-another-browser-holds"


@pytest.fixture
def reader(app: Flask) -> GuestClient:
    add_site(app, likes=Likes.LIKES)
    return GuestClient(app)


def vote(
    reader: GuestClient,
    comment_id: int | str,
    value: object = 1,
    *,
    mode: str = "/embed",
    key: str = OTHER_KEY,
    json: bool = True,
    headers: dict[str, str] | None = None,
    **fields: str,
) -> TestResponse:
    data = {
        "vote": str(value),
        "author_key": key,
        "token": fields.pop("token", "") or reader.token(),
        **fields,
    }
    sent = {"Origin": BASE_URL, **(JSON if json else {}), **(headers or {})}
    return reader.client.post(
        f"{mode}/comments/{comment_id}/vote", base_url=BASE_URL, data=data, headers=sent
    )


def change(app: Flask, table: type[Any], **values: Any) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        for row in session.scalars(select(table)):
            for name, value in values.items():
                setattr(row, name, value)
        session.commit()


def ups(app: Flask) -> list[int]:
    with app.app_context(), Session(db.engine) as session:
        return list(session.scalars(select(Comment.ups).order_by(Comment.id)))


def test_a_guest_likes_and_takes_it_back(app: Flask, reader: GuestClient) -> None:
    comment = reader.posted(author_key=KEY)
    answer = vote(reader, comment)
    assert answer.json == {"id": comment, "value": 1, "number": 1}
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert reader.own(OTHER_KEY)["votes"] == [answer.json]
    assert reader.own(KEY)["votes"] == reader.own()["votes"] == []
    assert vote(reader, comment, 0).json == {"id": comment, "value": 0, "number": 0}
    refused = vote(reader, comment, key=KEY)
    assert refused.status_code == 403
    assert ups(app) == [0]


def test_it_works_as_a_form_without_script(app: Flask, reader: GuestClient) -> None:
    comment = reader.posted()
    for mode in ("/embed", "/thread"):
        link = Elements(reader.get(mode).text).all("a", class_="vote")[0]
        assert link["href"] == f"{mode}/comments/{comment}/vote"
        page = reader.client.get(str(link["href"]), base_url=BASE_URL).text
        token = re.search(r'name="token" value="([^"]+)"', page)
        assert token
        sent = {"vote": "1", "token": token[1]}
        done = reader.client.post(
            str(link["href"]), base_url=BASE_URL, data=sent, headers={"Origin": BASE_URL}
        )
        assert done.status_code == 200
        assert "is stored" in done.text
    assert ups(app) == [1]
    assert vote(reader, comment, "x", json=False).status_code == 422


def test_a_site_without_likes_shows_and_takes_none(app: Flask, reader: GuestClient) -> None:
    comment = reader.posted()
    token = reader.token()
    assert vote(reader, comment).status_code == 200
    change(app, Site, likes=Likes.OFF)
    for answer in (reader.get(), reader.get(order="best"), reader.get("/thread"), reader.get(fragment="1")):
        assert not re.search(r"vote|like|>Best", answer.text)
    assert vote(reader, comment, token=token).status_code == 404
    assert reader.client.get(f"/embed/comments/{comment}/vote").status_code == 404
    assert "votes" not in reader.own(OTHER_KEY)
    assert ups(app) == [1]


def test_the_personal_call_asks_once_more_and_only_where_readers_may_vote(
    app: Flask, reader: GuestClient
) -> None:
    reader.posted()
    counted = []
    for likes in (Likes.OFF, Likes.LIKES):
        change(app, Site, likes=likes)
        statements: list[str] = []

        def note(_c: Any, _cursor: Any, text: str, *_more: Any, into: list[str] = statements) -> None:
            into.append(text)

        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", note)
            reader.own(OTHER_KEY)
            event.remove(db.engine, "before_cursor_execute", note)
        counted.append(len(statements))
    assert counted[1] == counted[0] + 1


def test_hidden_comments_are_all_alike(app: Flask, reader: GuestClient) -> None:
    comment = reader.posted()
    token = reader.token()
    answers = {
        (vote(reader, number, token=token).status_code, vote(reader, number, token=token).text)
        for number in (comment + 1, 10**18)
    }
    assert vote(reader, 10**40, token=token).status_code == 404
    for status in (Status.HELD, Status.SPAM, Status.TRASH):
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            decisions.decide(session, session.get_one(Comment, comment), status)
            session.commit()
        answer = vote(reader, comment, token=token)
        answers.add((answer.status_code, answer.text))
        assert reader.client.get(f"/embed/comments/{comment}/vote").status_code == 404
    assert {status for status, _ in answers} == {404}
    assert len(answers) == 1


def test_foreign_pages_and_forms_change_nothing(app: Flask, reader: GuestClient) -> None:
    comment = reader.posted()
    add_site(app, "Other", "https://other.example", likes=Likes.LIKES)
    other = GuestClient(app, "https://other.example/article")
    before = contents(app)
    for origin in ("https://blog.example", "null", "https://evil.example", BASE_URL + "0", ""):
        assert vote(reader, comment, headers={"Origin": origin}).status_code == 403
    for token in ("x", other.token(), reader.token(age=49 * 3600)):
        answer = vote(reader, comment, token=token)
        assert answer.status_code in {409, 422}
        assert (answer.json or {})["own"]["token"]
    for query in ("", "?vote=1", f"?vote=1&token={reader.token()}&author_key={OTHER_KEY}"):
        for mode in ("/embed", "/thread"):
            assert reader.client.get(f"{mode}/comments/{comment}/vote{query}").status_code == 200
    assert contents(app) == before


def test_a_member_needs_the_token_of_their_session(app: Flask, reader: GuestClient) -> None:
    comment = reader.posted()
    with app.app_context(), Session(db.engine) as session:
        member = person(session)
        _, token = frame_session(session, member, session.scalars(select(Site)).one())
        account = member.commenter_id
    bearer = {"Authorization": f"Bearer {token}"}
    as_guest = vote(reader, comment, headers=bearer)
    assert as_guest.status_code == 409
    tokens = (as_guest.json or {})["own"]
    assert vote(reader, comment, headers=bearer, token=tokens["token"]).json == {
        "id": comment,
        "value": 1,
        "number": 1,
    }
    own = reader.get("/embed/own", headers=bearer).json or {}
    assert [state["id"] for state in own["votes"]] == [comment]
    with app.app_context(), Session(db.engine) as session:
        assert session.scalars(select(Vote.voter)).all() == [f"account:{account}"]


def test_a_flood_of_keys_is_stopped_and_few_of_them_count(app: Flask, reader: GuestClient) -> None:
    comment, token = reader.posted(), reader.token()
    most = int(voting.LIMIT.partition("/")[0])
    statuses = [
        vote(reader, comment, key=f"a-key-made-by-a-script-{number:04}", token=token).status_code
        for number in range(most + 3)
    ]
    assert statuses == [200] * most + [429] * 3
    assert ups(app) == [3]


def test_the_best_come_first_once_the_page_is_rendered_again(app: Flask, reader: GuestClient) -> None:
    first, second = reader.posted("First"), reader.posted("Second")
    change(app, Site, order=Order.BEST)

    def order() -> list[str]:
        return re.findall(r'id="comment-(\d+)"', reader.get().text)

    assert order() == [str(second), str(first)]
    vote(reader, first)
    assert order() == [str(second), str(first)]  # from the cache
    change(app, Thread, votes_since=now().replace(year=2020))
    with app.app_context(), Session(db.engine) as session:
        assert score_changes.publish(session, at=now()) == 1
    assert order() == [str(first), str(second)]
    assert '<span class="number">1</span>' in reader.get().text


def test_a_member_votes_on_a_page_of_its_own_with_the_tokens_of_its_form(
    app: Flask, reader: GuestClient
) -> None:
    comment = reader.posted()
    with app.app_context(), Session(db.engine) as session:
        member = enter(app, session, person(session), session.scalars(select(Site)).one())
    form = member.page(f"/thread?url={ARTICLE}").partition('id="reply"')[2]
    fields = dict(re.findall(r'name="(token|csrf_token)" value="([^"]+)"', form.partition("</form>")[0]))
    sent = {"vote": "1", "token": fields["token"]}
    path = f"/thread/comments/{comment}/vote"
    assert member.visitor.post(path, sent, token=None).status_code == 403
    assert member.visitor.post(path, sent, token=fields["csrf_token"]).status_code == 200
    assert ups(app) == [1]
