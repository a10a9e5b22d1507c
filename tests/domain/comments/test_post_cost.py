"""What a post asks while all other writers wait: along indexes, however many comments there are."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine

from commentsvc.db.session import begin_write, db
from commentsvc.models import Commenter
from tests.support.guest_client import GuestClient, add_site


@pytest.mark.parametrize("key", ["", "k" * 40])
@pytest.mark.parametrize("parent", [False, True])
def test_nothing_a_post_asks_walks_all_comments(app: Flask, key: str, parent: bool) -> None:
    add_site(app)
    with app.app_context():
        begin_write(db.session())
        db.session.add(Commenter(name="Ada"))  # else nobody's name would be looked for among the latest
        db.session.commit()
    reader = GuestClient(app)
    more = {"author_key": key}
    if parent:
        more["parent"] = str(reader.posted("First", **more))
    results: list[tuple[str, object]] = []

    def note(_c: object, _k: object, statement: str, parameters: object, *_: object) -> None:
        results.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        reader.posted("Second", **more)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    plans = []
    with app.app_context(), db.engine.connect() as connection:
        for statement, parameters in results:
            if statement.startswith("SELECT") and " comment" in statement:
                explained = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
                plans += [row[3] for row in explained]
    assert plans
    assert [plan for plan in plans if plan.startswith("SCAN comment")] == []
    assert [
        plan for plan in plans if "(site_id=? AND status=?)" in plan and "ix_comment_queue" not in plan
    ] == []
    assert any("ix_comment_author_key (site_id=? AND author_key_hash=?)" in plan for plan in plans)
    assert any("COVERING INDEX ix_comment_queue" in plan for plan in plans)  # whose the latest are
