"""Emptying spam and trash: the question, what goes, what stays, and for whom."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from commentsvc.db.session import begin_write
from commentsvc.domain.maintenance import expired_comments
from commentsvc.models import Action, Comment, Decision, Status, now
from tests.support.admin_queue import AdminQueue, open_queue

queue_of_site = open_queue
ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def path(it: AdminQueue, status: str = "spam") -> str:
    return f"/admin/sites/{it.site_id}/empty?status={status}"


def question(it: AdminQueue, status: str = "spam") -> tuple[str, dict[str, str]]:
    """Return the page that asks, and the fields of its form."""
    page = it.owner.page(path(it, status))
    return page, dict(re.findall(r'name="(before)" value="(\d+)"', page))


def put(it: AdminQueue, status: Status, *numbers: int) -> list[int]:
    """Store comments that have this status since an hour ago."""
    ids = [it.write(f"Unwanted {number}", status=status) for number in numbers]
    begin_write(it.session)
    earlier = now() - timedelta(hours=1)
    it.session.execute(update(Comment).where(Comment.id.in_(ids)).values(created_at=earlier))
    it.session.execute(update(Decision).where(Decision.comment_id.in_(ids)).values(created_at=earlier))
    it.session.commit()
    return ids


def left(it: AdminQueue) -> dict[int, str]:
    """Return the text of every comment that is left, by id."""
    it.session.rollback()
    return {row.id: row.source for row in it.session.execute(select(Comment.id, Comment.source))}


@ENGINES
def test_the_question_says_how_many_and_all_of_them_go(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    put(it, Status.SPAM, 1, 2, 3)
    (thrown,) = put(it, Status.TRASH, 4)
    held = it.write("This waits")
    page, fields = question(it)
    assert "<h1>Delete 3 comments for good?</h1>" in page
    assert "cannot be undone" in page
    assert it.owner.post(path(it), fields).status_code == 303
    assert set(left(it)) == {thrown, held}
    page = it.owner.page("/admin?status=spam")
    assert "Deleted for good: 3 comments." in page
    assert 'id="undo"' not in page
    action = it.session.scalars(select(Action).order_by(Action.id.desc())).first()
    assert action is not None
    assert (action.kind, action.summary) == ("trash.delete", "Deleted for good: 3 comments.")


def test_what_came_after_the_question_stays(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    put(it, Status.TRASH, 1)
    moved = it.write("Good, moved by mistake")
    _, fields = question(it, "trash")
    it.owner.post(f"/admin/comments/{moved}/decision", {"verdict": "trash", "seen": "held"})
    late = it.write("Another", status=Status.TRASH)
    it.owner.post(path(it, "trash"), fields)
    assert set(left(it)) == {moved, late}


def test_a_time_to_come_deletes_nothing_that_comes_until_then(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    put(it, Status.SPAM, 1)
    it.write("This waits")
    assert it.owner.post(path(it), {"before": "253402300799000"}).status_code == 303
    assert list(left(it).values()) == ["This waits"]


@pytest.mark.parametrize("before", ["", "x", "-1", "253402300799001"])
def test_a_form_without_the_time_of_the_question_is_refused(queue_of_site: AdminQueue, before: str) -> None:
    it = queue_of_site
    ids = put(it, Status.SPAM, 1)
    assert it.owner.post(path(it), {"before": before}).status_code == 400
    assert list(left(it)) == ids


def test_replies_keep_an_empty_place_that_nobody_restores(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    parent = it.write("Rude words", status=Status.APPROVED)
    answer = it.write("An answer", parent=parent, status=Status.APPROVED)
    begin_write(it.session)
    it.session.get_one(Comment, parent).status = Status.TRASH
    it.session.execute(update(Decision).values(created_at=now() - timedelta(hours=1)))
    it.session.execute(update(Comment).values(created_at=now() - timedelta(hours=1)))
    it.session.commit()
    page, fields = question(it, "trash")
    assert "<h1>Delete one comment for good?</h1>" in page
    it.owner.post(path(it, "trash"), fields)
    assert left(it) == {parent: expired_comments.EMPTY, answer: "An answer"}
    page = it.owner.page("/admin?status=trash")
    card = page.partition(f'id="comment-{parent}"')[2].partition("</article>")[0]
    assert "Deleted for good" in card
    assert "<button" not in card
    assert "Nothing to delete" in question(it, "trash")[0]


@ENGINES
def test_many_go_in_rounds_as_one_action(queue_of_site: AdminQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    it = queue_of_site
    monkeypatch.setattr(expired_comments, "BATCH", 2)
    monkeypatch.setattr(expired_comments, "ROUND", 4)
    put(it, Status.SPAM, *range(9))
    it.write("This waits")
    _, fields = question(it)
    answer, rounds = it.owner.post(path(it), fields), 1
    while answer.status_code == 200:
        assert "cannot be undone" in answer.text
        form = answer.text.partition('id="onward"')[2].partition("</form>")[0]
        fields = dict(re.findall(r'name="(before|action|done)" value="(\d*)"', form))
        answer, rounds = it.owner.post(path(it), fields), rounds + 1
    assert rounds == 3
    assert list(left(it).values()) == ["This waits"]
    assert "Deleted for good: 9 comments." in it.owner.page("/admin?status=spam")
    summaries = select(Action.summary).where(Action.kind == expired_comments.KIND)
    assert it.session.scalars(summaries).all() == ["Deleted for good: 9 comments."]


def test_a_round_never_rewrites_another_action(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    (held,) = it.held(1)
    it.owner.post(f"/admin/comments/{held}/decision", {"verdict": "approved", "seen": "held"})
    it.session.rollback()
    approval = it.session.scalars(select(Action.id)).one()
    put(it, Status.SPAM, 1)
    _, fields = question(it)
    it.owner.post(path(it), fields | {"action": str(approval)})
    it.session.rollback()
    assert it.session.get_one(Action, approval).summary == "Approved: one comment."
    assert it.session.scalar(select(func.count(Action.id))) == 2


def test_it_is_the_owners_and_for_two_lists(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    ids = put(it, Status.SPAM, 1)
    fields = question(it)[1]
    ben = it.moderator("Ben")
    assert ben.get(path(it)).status_code == 404
    assert ben.post(path(it), fields).status_code == 404
    for status in ("held", "approved", "all", "reported"):
        assert it.owner.post(path(it, status), fields).status_code == 404
    assert list(left(it)) == ids
    assert "Empty spam" not in ben.page("/admin?status=spam")


def test_the_list_says_when_things_go_and_links_to_the_question(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    put(it, Status.SPAM, 1)
    put(it, Status.TRASH, 2)
    for status, button in (("spam", "Empty spam"), ("trash", "Empty trash")):
        page = it.owner.page(f"/admin?status={status}")
        assert re.search(
            rf'href="/admin/sites/{it.site_id}/empty\?status={status}"[^>]*>[^<]*(<[^a].*?>)?{button}', page
        )
        assert "30 days" in page
    assert "Empty" not in it.owner.page("/admin?status=held")
