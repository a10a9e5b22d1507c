"""What moderators see of authors' edits, and decide on those that a check held."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text

from commentsvc.db.session import begin_write
from commentsvc.domain.admin import queue, queue_query
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.domain.comments import comment_text, own_changes
from commentsvc.domain.comments.own_changes import EditResult
from commentsvc.domain.maintenance import personal_export
from commentsvc.domain.sites import sites
from commentsvc.models import (
    Action,
    Comment,
    EditWindow,
    PendingEdit,
    Policy,
    Site,
    Status,
    now,
)
from tests.support.admin_queue import AdminQueue, open_queue
from tests.support.browser_client import BrowserClient

queue_of_site = open_queue
ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def edit(it: AdminQueue, number: int, text: str) -> EditResult:
    """Edit a comment as its author."""
    it.session.rollback()
    begin_write(it.session)
    one = it.session.get_one(Comment, number, populate_existing=True)
    site = it.session.get_one(Site, it.site_id)
    site.edit_window, site.moderation_words, site.policy = EditWindow.ALWAYS, "casino", Policy.OPEN
    it.session.flush()
    draft = comment_text.from_source(text, longest=1000)
    author = own_changes.author_of(it.session, one)
    result = own_changes.edit(it.session, one, draft, author, at=now())
    it.session.commit()
    return result


def held_edit(it: AdminQueue) -> int:
    """Return a published comment whose author's new text waits."""
    one = it.write("The *first* text", status=Status.APPROVED)
    assert edit(it, one, "The **casino** text") is EditResult.WAITS
    return one


def comment(it: AdminQueue, number: int) -> Comment:
    it.session.rollback()
    return it.session.get_one(Comment, number, populate_existing=True)


def decide(it: AdminQueue, number: int, do: str, seen: str | None = None) -> str:
    """Press a button of the card; return the notice."""
    page = it.owner.page(f"/admin/comments/{number}")
    match = re.search(r'name="seen" value="([0-9a-f]{16})"', page)
    seen = seen or (match[1] if match else "")
    answer = it.owner.post(f"/admin/comments/{number}/waiting-edit", {"do": do, "seen": seen})
    assert answer.status_code == 303, answer.text
    notice = re.search(r'role="status">\s*<p>([^<]+)', it.owner.page(f"/admin/sites/{it.site_id}/activity"))
    assert notice
    return notice[1]


class TestAHeldEdit:
    @ENGINES
    def test_is_listed_with_both_texts_and_the_reason(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        it.write("Another comment", status=Status.APPROVED)
        one = held_edit(it)
        page = it.owner.page("/admin?status=edits")
        assert "<em>first</em>" in page
        assert "<strong>casino</strong>" in page
        assert "which this site holds for review" in page
        assert "Another comment" not in page
        assert queue.counts(it.session, it.site_id)[Tab.EDITS] == 1
        assert [entry.id for entry in queue.page(it.session, it.site_id, Tab.EDITS).entries] == [one]
        for filters in (Filters(q="first"), Filters(article=comment(it, one).thread_id)):
            assert [entry.id for entry in queue.page(it.session, it.site_id, Tab.EDITS, filters).entries] == [
                one
            ]
        assert queue.page(it.session, it.site_id, Tab.EDITS, Filters(q="another")).entries == []

    def test_has_its_list_in_the_navigation_only_while_there_is_one(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        assert "status=edits" not in it.owner.page("/admin")
        held_edit(it)
        assert "status=edits" in it.owner.page("/admin")

    @ENGINES
    def test_is_published_and_that_is_undone(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = held_edit(it)
        assert decide(it, one, "publish") == "The edit is published."
        result = comment(it, one)
        assert (result.source, result.status) == ("The **casino** text", Status.APPROVED)
        assert result.edited_at is not None
        assert it.session.scalars(select(PendingEdit)).all() == []
        assert "edited by its author" in it.owner.page("/admin?status=approved")
        action = it.session.scalars(select(Action.id).order_by(Action.id.desc())).first()
        it.owner.post(f"/admin/sites/{it.site_id}/activity/{action}/undo")
        assert comment(it, one).source == "The *first* text"

    def test_that_is_published_does_not_hold_the_next_one(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = held_edit(it)
        decide(it, one, "publish")
        assert edit(it, one, "A last correction") is EditResult.SAVED

    def test_is_dropped(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = held_edit(it)
        assert "dropped" in decide(it, one, "drop")
        assert comment(it, one).source == "The *first* text"
        assert it.session.scalars(select(PendingEdit)).all() == []
        assert "Dropped an author&#39;s edit." in it.owner.page(f"/admin/sites/{it.site_id}/activity")

    @pytest.mark.parametrize("do", ["publish", "drop"])
    def test_that_its_author_has_changed_since_is_not_decided_on(
        self, queue_of_site: AdminQueue, do: str
    ) -> None:
        it = queue_of_site
        one = held_edit(it)
        seen = own_changes.version_of("The **casino** text")
        edit(it, one, "Another casino")
        assert "Nothing was done" in decide(it, one, do, seen)
        assert it.session.scalars(select(PendingEdit.source)).all() == ["Another casino"]

    def test_is_no_business_of_another_sites_moderators(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = held_edit(it)
        zoe = it.person("Zoe")
        begin_write(it.session)
        sites.add(it.session, "Other", ["https://other.example"], owner_id=zoe.id)
        it.session.commit()
        stranger = BrowserClient(it.app).sign_in(it.session, zoe)
        sent = {"do": "publish", "seen": own_changes.version_of("The **casino** text")}
        assert stranger.post(f"/admin/comments/{one}/waiting-edit", sent).status_code == 404
        assert comment(it, one).source == "The *first* text"

    def test_waits_in_the_trash_with_its_comment(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = held_edit(it)
        it.owner.post(f"/admin/comments/{one}/decision", {"verdict": "trash"})
        assert queue.counts(it.session, it.site_id)[Tab.EDITS] == 0
        it.owner.post(f"/admin/comments/{one}/decision", {"verdict": "restore"})
        it.session.rollback()
        assert queue.counts(it.session, it.site_id)[Tab.EDITS] == 1


@ENGINES
@pytest.mark.parametrize("narrowed", [False, True], ids=["all", "one article"])
def test_the_list_costs_nothing_for_the_comments_of_a_large_site(
    queue_of_site: AdminQueue, engine_name: str, narrowed: bool
) -> None:
    it = queue_of_site
    one = held_edit(it)
    first = comment(it, one)
    names = [
        column.name for column in Comment.__table__.columns if column.name not in {"id", "idempotency_key"}
    ]
    columns = ", ".join(f'"{name}"' for name in names)
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
    copied = f"INSERT INTO comment ({columns}) {numbers} SELECT {columns} FROM n, comment WHERE id = {one}"
    begin_write(it.session)
    it.session.execute(text(copied))
    it.session.commit()
    for table in ("comment", "pending_edit"):
        it.session.execute(text(f"ANALYZE {table}"))
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, values: Any, *_: object) -> None:
        statements.append((statement, values))

    filters = Filters(article=first.thread_id if narrowed else None)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        results = queue_query.find(it.session, it.site_id, Tab.EDITS, filters, after=None, limit=25)
        listed = it.session.scalars(queue_query.listed(it.site_id, Tab.EDITS)).all()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert [*results.ids, *listed] == [one, one]
    explain = "EXPLAIN QUERY PLAN" if engine_name == "sqlite" else "EXPLAIN"
    lists = [(statement, values) for statement, values in statements if "pending_edit" in statement]
    assert len(lists) >= 2
    for statement, values in lists:
        plan = "\n".join(
            str(row[-1]) for row in it.session.connection().exec_driver_sql(f"{explain} {statement}", values)
        )
        assert not re.search(r"Seq Scan on comment|SCAN comment\b|ix_comment", plan), plan


class TestAnEdit:
    def test_is_named_with_its_former_text(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("The first text", status=Status.APPROVED)
        assert edit(it, one, "The second text") is EditResult.SAVED
        assert "edited by its author" in it.owner.page("/admin?status=approved")
        page = it.owner.page(f"/admin/comments/{one}")
        assert "Former texts" in page
        assert "The first text</blockquote>" in page
        log = it.owner.page(f"/admin/sites/{it.site_id}/activity")
        assert "The author</bdi></b>" in log
        assert "Edited their own comment." in log

    def test_of_a_moderator_is_not_named_as_the_authors(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("The first text", status=Status.APPROVED)
        it.owner.post(
            f"/admin/comments/{one}/edit", {"text": "The second", "name": "Ada", "email": "", "website": ""}
        )
        assert "edited by its author" not in it.owner.page("/admin?status=approved")


class TestARemoval:
    def test_has_no_button_to_restore_it(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("A secret", status=Status.APPROVED)
        begin_write(it.session)
        own_changes.remove(it.session, it.session.get_one(Comment, one), at=now() + timedelta(seconds=1))
        it.session.commit()
        page = it.owner.page("/admin?status=trash")
        assert "Removed by its author." in page
        assert "Its author deleted it." in page
        assert 'value="restore" class="primary" aria' not in page.partition('<article class="item')[2]
        assert f'value="{one}-trash"' not in page
        it.owner.post(f"/admin/comments/{one}/decision", {"verdict": "restore", "seen": "trash"})
        assert comment(it, one).status is Status.TRASH


@ENGINES
def test_the_export_of_a_person_has_their_waiting_texts(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    one = held_edit(it)
    person = it.person("Ada")
    begin_write(it.session)
    it.session.get_one(Comment, one).commenter_id = person.id
    it.session.commit()
    exported = personal_export.person(it.session, person.id, at=now())
    assert [text["text"] for text in exported["waiting_texts"]] == ["The **casino** text"]
