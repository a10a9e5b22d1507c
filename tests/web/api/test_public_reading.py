"""What everybody may read: the same bytes for all, without anything private, in pages that hold."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import quote

from flask import Flask
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.fields import Guest
from commentsvc.domain.threads.threads import address_on
from commentsvc.models import Comment, Site, Thread
from commentsvc.web.api import representations, surface
from tests.conftest import BLOG
from tests.support.api_client import ApiSite, Program
from tests.support.attacks import ATTACKS
from tests.support.comment_builders import Pen
from tests.web.admin.test_admin import ENGINES

NEXT = re.compile(r'<http://127\.0\.0\.1:8600(/[^>]+)>; rel="next"')


def queries(blog: ApiSite) -> list[str]:
    """Return an address of each public operation."""
    query = {"counts": f"?url={BLOG}/swifts", "find_thread": f"?url={BLOG}/swifts"}
    query |= dict.fromkeys(("list_threads", "latest_comments"), f"?site={BLOG}")
    return [blog.path(operation) + query.get(operation.name, "") for operation in surface.PUBLIC]


def walk(program: Program, path: str) -> list[str]:
    """Return the ids of all pages."""
    ids: list[str] = []
    following: str | None = path
    while following:
        answer = program.call("GET", following)
        assert answer.status_code == 200, answer.text
        ids += [one["id"] for one in json.loads(answer.text)["comments"]]
        link = NEXT.fullmatch(answer.headers.get("Link", ""))
        following = link[1] if link else None
    return ids


def test_everybody_gets_the_same_bytes_and_nothing_private(
    blog: ApiSite, robot: Program, anybody: Program
) -> None:
    for path in queries(blog):
        answer = anybody.call("GET", path)
        assert answer.status_code == 200, path
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert answer.headers["Cache-Control"] == "public, max-age=60"
        assert "Set-Cookie" not in answer.headers
        assert not re.search(
            r"mail\.example|127\.0\.0\.1/24|hash|token|On Blog: (held|spam|trash)", answer.text
        )
        again = robot.call("GET", path, Cookie="a=b", Accept_Language="de")
        assert again.data == answer.data
        same = anybody.call("GET", path, If_None_Match=answer.headers["ETag"])
        assert (same.status_code, same.data) == (304, b"")
        assert same.headers["Access-Control-Allow-Origin"] == "*"


def test_what_is_not_approved_does_not_exist(session: Session, blog: ApiSite, anybody: Program) -> None:
    for hidden in (blog.held, blog.spam, 10**17):
        assert anybody.call("GET", f"/comments/{hidden}").status_code == 404
    begin_write(session)
    session.get_one(Thread, blog.thread_id).approved_count = 0  # as if nothing in it had been approved
    session.commit()
    for path in (
        f"/threads/{blog.thread_id}",
        f"/threads/{blog.thread_id}/comments",
        f"/thread?url={BLOG}/swifts",
    ):
        assert anybody.call("GET", path).status_code == 404, path
    assert anybody.get(f"/threads?site={BLOG}") == {"threads": []}
    assert anybody.call("GET", "/threads?site=https://unknown.example").status_code == 404
    assert anybody.get("/counts?url=https://unknown.example/&url=x")["counts"] == {
        "https://unknown.example/": 0,
        "x": 0,
    }


@ENGINES
def test_pages_hold_while_comments_arrive(
    app: Flask, session: Session, blog: ApiSite, anybody: Program
) -> None:
    begin_write(session)
    pen = Pen(session, address_on(session.get_one(Site, blog.id), f"{BLOG}/swifts"))
    pen.at += timedelta(hours=1)
    written = [str(pen.write().id) for _ in range(5)]
    # Three of the same moment, in the order of their ids, and one that was imported with an earlier time.
    for one in written[:3]:
        session.get_one(Comment, int(one)).created_at = pen.at
    session.get_one(Comment, int(written[4])).created_at = pen.at - timedelta(days=9)
    session.commit()
    oldest_first = [written[4], str(blog.approved), written[3], *written[:3]]
    path = f"/threads/{blog.thread_id}/comments?limit=2"
    assert walk(anybody, path) == oldest_first
    assert walk(anybody, f"/comments?site={BLOG}&limit=2") == oldest_first[::-1]
    first = anybody.call("GET", f"/comments?site={BLOG}&limit=2")
    begin_write(session)
    newest = str(pen.write().id)
    session.commit()
    link = NEXT.fullmatch(first.headers["Link"])
    assert link is not None
    assert walk(anybody, link[1]) == oldest_first[::-1][2:]
    assert walk(anybody, path)[-1] == newest
    threads = anybody.get(f"/threads?site={BLOG}&limit=1")["threads"]
    assert [(one["id"], one["comments"]) for one in threads] == [(str(blog.thread_id), 7)]


def test_texts_are_the_sanitised_ones_of_the_page(session: Session, blog: ApiSite, anybody: Program) -> None:
    begin_write(session)
    pen = Pen(session, address_on(session.get_one(Site, blog.id), f"{BLOG}/swifts"))
    for attack in [one for one in ATTACKS if len(one.text) < 2000][::8]:
        pen.write(f"{attack.text} {pen.written}", by=Guest(attack.text[:80].strip() or "x"))
    session.commit()
    shown = anybody.get(f"/comments?site={quote(BLOG)}&limit=200")["comments"]
    assert len(shown) > 20
    for one in shown:
        assert set(one) == set(representations.COMMENT.members)
        assert (
            one["html"] == session.get_one(Comment, int(one["id"])).html
        )  # sanitised; the source stays here
