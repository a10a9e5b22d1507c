"""A program moderates: with the rules, the log and the undo of everybody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.models import Action, ApiAnswer, Comment, Commenter, Revision, Role, Status
from tests.support.api_client import ApiSite, Program
from tests.support.browser_client import BrowserClient
from tests.web.admin.test_admin import ENGINES


def status_of(session: Session, comment_id: int) -> Status:
    session.rollback()
    session.expire_all()
    return session.get_one(Comment, comment_id).status


def decide(robot: Program, blog: ApiSite, status: str, *ids: int, **more: Any) -> Any:
    body = {"comments": [str(one) for one in ids], "status": status, **more}
    answer = robot.call("POST", f"/sites/{blog.id}/decisions", body)
    assert answer.status_code == 200, answer.text
    return answer.json


@ENGINES
def test_decisions_are_actions_of_a_named_program_and_can_be_undone(
    app: Flask, session: Session, blog: ApiSite, robot: Program
) -> None:
    decided = decide(robot, blog, "spam", blog.held, blog.approved, 10**17)
    assert (decided["changed"], decided["overtaken"], decided["missing"]) == (2, [], [str(10**17)])
    assert status_of(session, blog.approved) is Status.SPAM
    again = decide(robot, blog, "trash", blog.held, seen_status="held")
    assert (again["action"], again["overtaken"]) == (None, [str(blog.held)])
    (entry, *_) = robot.get(f"/sites/{blog.id}/actions")["actions"]
    assert (entry["program"], entry["by"]) == ("Robot", "Site owner")
    assert entry["summary"] == "Marked as spam: 2 comments."
    owner = BrowserClient(app).sign_in(session, session.get_one(Commenter, blog.owner_id))
    assert "<bdi>Robot</bdi></b> <span" in owner.page(f"/admin/sites/{blog.id}/activity")
    undone = robot.call("POST", f"/sites/{blog.id}/actions/{decided['action']}/undo")
    assert undone.json == {"action": str(int(decided["action"]) + 1), "changed": 2, "note": None}
    assert status_of(session, blog.held) is Status.HELD
    assert robot.call("POST", f"/sites/{blog.id}/actions/{decided['action']}/undo").status_code == 404
    assert decide(robot, blog, "restored", blog.spam)["changed"] == 1
    assert status_of(session, blog.spam) is Status.APPROVED


def test_lists_are_those_of_the_queue(blog: ApiSite, robot: Program) -> None:
    def ids(query: str) -> list[str]:
        return [one["id"] for one in robot.get(f"/sites/{blog.id}/comments{query}")["comments"]]

    restored = blog.spam + 1
    assert ids("") == [str(one) for one in (restored, blog.held, blog.approved)]
    assert ids("?status=spam") == [str(blog.spam)]
    assert ids("?status=held&q=restored") == []
    assert ids("?q=approved") == [str(blog.approved)]
    assert ids(f"?thread={blog.thread_id}&since=2000-01-01&until=2000-01-02") == []
    first = robot.call("GET", f"/sites/{blog.id}/comments?limit=1")
    assert first.headers["Link"].endswith(f'comments?limit=1&after={restored}>; rel="next"')
    assert ids(f"?limit=1&after={restored}") == [str(blog.held)]
    (one,) = robot.get(f"/sites/{blog.id}/comments?status=spam")["comments"]
    assert one["author"]["email"] == "ada@mail.example"
    assert one["source"] == "On Blog: spam"


@ENGINES
def test_an_edit_names_the_version_that_it_changes(session: Session, blog: ApiSite, robot: Program) -> None:
    path = f"/sites/{blog.id}/comments/{blog.approved}"
    read = robot.call("GET", path)
    tag = read.headers["ETag"]
    change = {"text": "New *text*", "email": None}
    answer = robot.call("PATCH", path, change, If_Match=tag)
    assert answer.json is not None
    assert (answer.status_code, answer.json["html"]) == (200, "<p>New <em>text</em></p>\n")
    assert (answer.json["author"]["email"], answer.json["author"]["name"]) == (None, "Ada")
    assert robot.call("PATCH", path, {"text": "Newer"}, If_Match=tag).status_code == 412
    assert (
        robot.call("PATCH", path, {"text": "Newer"}, If_Match=f"W/{answer.headers['ETag']}").status_code
        == 412
    )
    wrong = robot.call("PATCH", path, {"email": "no address"}, If_Match=answer.headers["ETag"])
    assert wrong.status_code == 422
    assert robot.call("PATCH", path, {"text": None}, If_Match=answer.headers["ETag"]).status_code == 422
    session.rollback()
    action_id = session.scalars(select(Revision.action_id)).one()
    assert robot.call("POST", f"/sites/{blog.id}/actions/{action_id}/undo").status_code == 200
    assert robot.get(path)["author"]["email"] == "ada@mail.example"


@ENGINES
def test_a_reply_that_is_sent_again_is_answered_again(
    app: Flask, session: Session, blog: ApiSite, robot: Program
) -> None:
    path = f"/sites/{blog.id}/comments/{blog.held}/replies"
    body = {"text": "Thank you", "approve": True}
    with ThreadPoolExecutor(4) as pool:
        answers = [
            each.result()
            for each in [
                pool.submit(robot.call, "POST", path, body, Idempotency_Key='"first"') for _ in range(4)
            ]
        ]
    assert {(one.status_code, one.text) for one in answers} == {(201, answers[0].text)}
    assert answers[0].json is not None
    reply = session.get_one(Comment, int(answers[0].json["comment"]))
    assert (reply.commenter_id, reply.role, reply.status) == (blog.owner_id, Role.OWNER, Status.APPROVED)
    assert status_of(session, blog.held) is Status.APPROVED
    replies = select(func.count()).select_from(Comment).where(Comment.parent_id == blog.held)
    assert session.scalar(replies) == 1
    stored = session.scalars(select(ApiAnswer)).one()
    assert set(stored.body) == {"comment", "status", "action"}  # no personal data
    other = robot.call("POST", path, {"text": "Thanks"}, Idempotency_Key='"first"')
    assert other.status_code == 422
    failed = robot.call("POST", path, body, Idempotency_Key='"second"')
    assert failed.status_code == 409  # what is refused is not stored
    again = robot.call("POST", path, {"text": "Another"}, Idempotency_Key='"second"')
    assert again.status_code == 201
    undone = robot.call("POST", f"/sites/{blog.id}/actions/{answers[0].json['action']}/undo")
    assert undone.json is not None
    assert undone.json["changed"] == 2
    assert status_of(session, reply.id) is Status.TRASH


def test_threads_close_and_open(blog: ApiSite, robot: Program) -> None:
    (listed,) = robot.get(f"/sites/{blog.id}/threads?q=swifts")["threads"]
    assert (listed["id"], listed["is_open"]) == (str(blog.thread_id), True)
    path = f"/sites/{blog.id}/threads/{blog.thread_id}"
    tag = robot.call("GET", path).headers["ETag"]
    closed = robot.call("PATCH", path, {"closed_at": "2026-01-01T01:00:00+01:00"}, If_Match=tag)
    assert closed.json is not None
    assert (closed.json["is_open"], closed.json["closed_at"]) == (False, "2026-01-01T00:00:00Z")
    assert robot.call("PATCH", path, {"closed_at": None}, If_Match=tag).status_code == 412
    opened = robot.call("PATCH", path, {"closed_at": None}, If_Match=closed.headers["ETag"])
    assert opened.json is not None
    assert opened.json["is_open"] is True


def test_bans_come_and_go(session: Session, blog: ApiSite, robot: Program) -> None:
    path = f"/sites/{blog.id}/bans"
    about = {"reason": "Spam", "until": "2999-01-01T00:00:00Z"}
    added = robot.call("POST", path, {"kind": "email", "comment": str(blog.spam), **about})
    assert added.status_code == 201
    assert robot.call("POST", path, {"kind": "network", "value": "192.0.2.0/24", **about}).status_code == 201
    for wrong in (
        {"kind": "author", "comment": str(blog.spam)},
        {"kind": "person", "value": "1"},
        {"kind": "email"},
        {"kind": "email", "value": "a@b.example", "comment": str(blog.spam)},
        {"kind": "network", "value": "0.0.0.0/1"},
        {"kind": "email", "comment": str(10**17)},
    ):
        assert robot.call("POST", path, {**about, **wrong}).status_code == 422, wrong
    listed = robot.get(path)["bans"]
    assert [one["value"] for one in listed] == ["192.0.2.0/24", "ada@mail.example", "casino.example"]
    assert added.json is not None
    assert robot.call("DELETE", f"{path}/{added.json['ban']}").status_code == 204
    assert robot.call("DELETE", f"{path}/{added.json['ban']}").status_code == 404
    session.rollback()
    kinds = session.scalars(select(Action.kind).where(Action.kind.startswith("ban.")).order_by(Action.id))
    assert list(kinds) == ["ban.add", "ban.add", "ban.add", "ban.lift"]


def test_what_is_deleted_for_good_is_gone_and_everything_can_be_taken_away(
    session: Session, blog: ApiSite, robot: Program
) -> None:
    assert robot.call("DELETE", f"/sites/{blog.id}/comments/{blog.spam}").status_code == 204
    assert robot.call("GET", f"/sites/{blog.id}/comments/{blog.spam}").status_code == 404
    for name, kind in (("archive", "zip"), ("wxr", "xml"), ("json", "json"), ("csv", "csv")):
        answer = robot.call("GET", f"/sites/{blog.id}/export?format={name}")
        assert (answer.status_code, kind in answer.mimetype) == (200, True)
        assert answer.headers["Cache-Control"] == "no-store"
        assert b"On Blog: spam" not in answer.data
        assert robot.token.encode() not in answer.data
        answer.close()
