"""What an open page is sent to follow its thread: small, the same for everybody, and nothing while nothing changes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.comments import own_changes
from commentsvc.domain.moderation import decisions
from commentsvc.domain.reading import latest_comments
from commentsvc.models import Comment, Status, now
from commentsvc.web.static_files import version
from tests.conftest import BASE_URL
from tests.support.guest_client import Elements, GuestClient, add_site

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def change(app: Flask, comment_id: int, status: Status | None = None, *, html: str = "") -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        comment = session.get_one(Comment, comment_id)
        if status:
            decisions.decide(session, comment, status)
        else:
            comment.html, comment.edited_at = html, now() + timedelta(minutes=1)
            own_changes.threads.mark_changed(session, comment.thread_id)
        session.commit()


def asked(reader: GuestClient, path: str = "/embed") -> tuple[str, list[int], list[int]]:
    """Return the heading's count, the ids that are there, and those whose comments are sent."""
    page = Elements(reader.get(path, live=1).text)
    (head,) = [found for found in page.all("p") if "data-ids" in found]
    ids = [int(number) for number in str(head["data-ids"]).split()]
    return str(head["data-count"]), ids, [int(one.removeprefix("comment-")) for one in page.ids()]


@both_engines
def test_it_says_what_is_there_and_sends_what_changed_last(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latest_comments, "CHANGES", 2)
    add_site(app, valve=False)
    reader = GuestClient(app)
    assert asked(reader) == ("0", [], [])
    first = reader.posted("One")
    reply = reader.posted("Two", parent=first)
    held = reader.posted("Held", token=reader.token(age=0))
    third = reader.posted("Three")
    assert asked(reader) == ("3", [third, reply, first], [reply, third])
    change(app, first, html="<p>Edited</p>")
    assert asked(reader) == ("3", [third, reply, first], [first, third])
    change(app, held, Status.APPROVED)
    change(app, third, Status.SPAM)
    assert asked(reader)[:2] == ("3", [held, reply, first])
    monkeypatch.setattr(latest_comments, "WINDOW", 2)
    fourth = reader.posted("Four")
    assert asked(reader)[1] == [fourth, held]


def test_asking_again_is_answered_from_memory_until_something_changes(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[object] = []
    read = latest_comments.changes_in
    monkeypatch.setattr(
        latest_comments, "changes_in", lambda *given: (rendered.append(given), read(*given))[1]
    )
    add_site(app)
    reader = GuestClient(app)
    comment = reader.posted("One")
    for path in ("/embed", "/thread"):
        answer = reader.get(path, live=1)
        assert answer.status_code == 200
        before = len(rendered)
        assert version() not in answer.text  # or each release would be news for every open page
        for value in ("anything", "1"):
            again = reader.get(path, {"If-None-Match": answer.headers["ETag"]}, live=value)
            assert (again.status_code, again.data) == (304, b"")
        assert len(rendered) == before
        change(app, comment, Status.TRASH if path == "/thread" else None, html="<p>Edited</p>")
        changed = reader.get(path, {"If-None-Match": answer.headers["ETag"]}, live=1)
        assert changed.status_code == 200
    assert (
        app.test_client().get("/embed?live=1&url=https://nobody.example/", base_url=BASE_URL).status_code
        == 404
    )
