"""All public comments of a site as lines of JSON, and what has changed since a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import profiles
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.authors import Author
from commentsvc.domain.maintenance import erasure
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.moderation import decisions
from commentsvc.domain.reading import public_changes
from commentsvc.models import Commenter, Site, Status, Thread
from tests.conftest import BASE_URL
from tests.support.comment_builders import ANNA, BEN, Pen, article
from tests.support.outside_session import outside_session

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app, expire_on_commit=False) as session:
        begin_write(session)
        yield session


@pytest.fixture
def first(session: Session, site: Site) -> Pen:
    return article(session, site, "/first")


@pytest.fixture
def second(session: Session, site: Site) -> Pen:
    return article(session, site, "/second")


def get(app: Flask, **query: str) -> TestResponse:
    return app.test_client().get("/comments.ndjson", query_string=query, base_url=BASE_URL)


def lines(app: Flask, **query: str) -> list[dict[str, Any]]:
    """Every record, however many answers it takes."""
    answer = get(app, site="Blog", **query)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/x-ndjson"
    records = [dict(json.loads(line)) for line in answer.text.splitlines()]
    if records[-1]["type"] == "more":
        return records[:-1] + lines(app, **{**query, "after": records[-1]["after"]})
    assert records[-1]["type"] == "end"
    return records


class Copy:
    """What a build keeps, brought up to date as the documents say."""

    def __init__(self) -> None:
        self.threads: dict[str, dict[str, dict[str, Any]]] = {}
        self.since = ""

    def follow(self, app: Flask) -> int:
        """Return how many comments were in the answers."""
        records = lines(app, **({"since": self.since} if self.since else {}))
        for record in records:
            if record["type"] == "thread":
                self.threads[record["id"]] = {}
            elif record["type"] == "comment":
                self.threads[record["thread"]][record["id"]] = record
        self.since = records[-1]["since"]
        return sum(record["type"] == "comment" for record in records)

    @property
    def text(self) -> str:
        return json.dumps(self.threads)


def settle(session: Session) -> None:
    """Let everything so far have happened long ago."""
    session.commit()
    begin_write(session)
    session.execute(update(Thread).values(changed_at=LONG_AGO))
    session.commit()
    begin_write(session)


def test_a_copy_follows_and_keeps_nothing_that_was_removed(app: Flask, first: Pen, second: Pen) -> None:
    session = first.session
    question = first.write("What?", by=ANNA)
    answer = first.write("This.", by=BEN, to=question)
    gone = first.write("REMOVED", by=BEN)
    second.write("Elsewhere", by=BEN)
    hidden = second.write("SECRET")
    decisions.decide(session, hidden, Status.SPAM)
    settle(session)
    copy = Copy()
    assert copy.follow(app) == 4
    assert "SECRET" not in copy.text
    assert "@mail.example" not in copy.text
    assert copy.follow(app) == 0

    decisions.decide(session, gone, Status.TRASH)
    session.commit()
    (thread, *comments, _end) = lines(app, since=copy.since)
    assert (thread["id"], thread["removed"]) == (str(first.thread.id), [str(gone.id)])
    assert [each["id"] for each in comments] == [str(question.id), str(answer.id)]
    assert copy.follow(app) == 2
    assert "REMOVED" not in copy.text

    begin_write(session)
    settle(session)
    second.write("Later")
    session.commit()
    copy.follow(app)
    assert "Later" in copy.text
    erasure.erase_guest(session, AuthorRef.parse("name:Ben"))
    copy.follow(app)
    assert "Ben" not in copy.text
    assert "This." not in copy.text
    assert "What?" in copy.text


def test_a_name_that_goes_or_changes_is_a_change_of_its_threads(app: Flask, first: Pen, second: Pen) -> None:
    session = first.session
    ada = Commenter(name="Ada Lovelace")
    session.add(ada)
    session.flush()
    first.write("My words", by=Author(commenter_id=ada.id))
    second.write("Of others")
    settle(session)
    copy = Copy()
    copy.follow(app)
    profiles.rename(session, ada.id, "Countess")
    session.commit()
    assert copy.follow(app) == 1
    assert "Ada Lovelace" not in copy.text
    assert "Countess" in copy.text
    begin_write(session)
    settle(session)
    session.commit()
    erasure.erase(session, ada.id, Texts.KEEP)
    assert copy.follow(app) == 1
    assert "Countess" not in copy.text
    assert "My words" in copy.text


def test_answers_are_bounded_and_go_on_where_they_ended(
    app: Flask, first: Pen, second: Pen, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [pen.write().id for pen in (first, first, first, second, first, second, first)]
    first.session.commit()
    for most in (1, 2, 3, 5, 7, 100):
        monkeypatch.setattr(public_changes, "MOST", most)
        for query in ({}, {"since": "2020-01-01T00:00:00Z"}):
            assert len(get(app, site="Blog", **query).text.splitlines()) <= most + 3
            records = lines(app, **query)
            comments = [record for record in records if record["type"] == "comment"]
            assert sorted(int(comment["id"]) for comment in comments) == ids
            assert [record["type"] for record in records].count("thread") == 2
            began = datetime.fromisoformat(records[-1]["since"])
            assert datetime.now(UTC) - began >= public_changes.OVERLAP - timedelta(seconds=1)


def test_what_is_not_understood_is_refused_and_names_nothing(app: Flask, first: Pen) -> None:
    first.write()
    first.session.commit()
    assert get(app, site="Other").status_code == 404
    assert "Blog" not in get(app, site="Other").text
    wrong = ("", "x", "1-2", "9" * 30, f"1-{'9' * 18}-{'9' * 19}", "\0", "2026-01-01T00:00:00")
    for value in (*wrong, "2026-01-01", "0001-01-01T00:00:00+23:00"):
        assert get(app, site="Blog", since=value).status_code == 400, value
    for value in wrong:
        assert get(app, site="Blog", after=value).status_code == 400, value
    assert lines(app, since="2026-01-01T00:00:00+01:00")
