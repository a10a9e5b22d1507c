"""Many comments at once, taking it back, and two moderators who act on the same comment."""

from __future__ import annotations

import re
import time

import pytest
from sqlalchemy import func, select

from commentsvc.db.session import begin_write
from commentsvc.domain.admin import bulk_decisions
from commentsvc.domain.moderation import decisions as moderation_decisions
from commentsvc.models import Action, Comment, Decision, Status, Thread, now
from tests.support.admin_queue import AdminQueue, open_queue
from tests.support.browser_client import BrowserClient

queue_of_site = open_queue
ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def send(
    it: AdminQueue, verdict: str, *ids: int, by: BrowserClient | None = None, query: str = "", **more: str
) -> str:
    """Press a button of the bar; return the sentence on the next page."""
    data = {"verdict": verdict, "pick": [f"{one}-held" for one in ids], **more}
    visitor = by or it.owner
    answer = visitor.post(f"/admin/sites/{it.site_id}/bulk?{query}", data)
    assert answer.status_code == 303, answer.text
    match = re.search(r'class="toast" role="status">\s*<p>([^<]+)', visitor.page("/admin?status=held"))
    assert match is not None
    return match[1]


def last_action(it: AdminQueue) -> int:
    it.session.rollback()
    return it.session.scalars(select(Action.id).order_by(Action.id.desc())).first() or 0


def undo(it: AdminQueue, action_id: int, by: BrowserClient | None = None) -> str:
    visitor = by or it.owner
    answer = visitor.post(f"/admin/sites/{it.site_id}/activity/{action_id}/undo")
    assert answer.status_code == 303, answer.text
    match = re.search(r'role="status">\s*<p>([^<]+)', visitor.page(f"/admin/sites/{it.site_id}/activity"))
    assert match is not None
    return match[1]


@ENGINES
def test_a_selection_is_decided_in_one_action_and_put_back_by_one(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    one, two, three = it.held(3)
    assert send(it, "approved", one, three) == "Approved: 2 comments."
    assert it.statuses(one, two, three) == [Status.APPROVED, Status.HELD, Status.APPROVED]
    assert it.session.scalar(select(Thread.approved_count)) == 2
    decisions = it.session.scalars(select(Decision).where(Decision.action_id.is_not(None))).all()
    assert {(row.before, row.status) for row in decisions} == {(Status.HELD, Status.APPROVED)}
    assert undo(it, last_action(it)) == "Restored 2 comments."
    assert it.statuses(one, two, three) == [Status.HELD] * 3
    assert it.session.scalar(select(Thread.approved_count)) == 0
    assert undo(it, last_action(it)) == "Restored 2 comments."  # the undoing is an action too
    assert it.statuses(one, two, three) == [Status.APPROVED, Status.HELD, Status.APPROVED]


@ENGINES
def test_all_that_match_without_what_came_since(
    queue_of_site: AdminQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = queue_of_site
    monkeypatch.setattr(bulk_decisions, "BATCH", 3)
    ids = it.held(7)
    other = it.write("Something else")
    page = it.owner.page("/admin?status=held&q=number")
    ceiling = re.search(r'name="ceiling" value="(\d+)"', page)
    assert ceiling is not None
    late = it.write("Another number")
    assert send(it, "spam", query="q=number", all="1", ceiling=ceiling[1]) == "Marked as spam: 7 comments."
    assert set(it.statuses(*ids)) == {Status.SPAM}
    assert it.statuses(other, late) == [Status.HELD, Status.HELD]
    assert it.session.scalar(select(func.count(Action.id))) == 1
    assert it.session.scalar(select(Action.summary)) == "Marked as spam: 7 comments."
    undo(it, last_action(it))
    assert set(it.statuses()) == {Status.HELD}


@ENGINES
def test_more_than_one_round_goes_on_in_the_same_action(
    queue_of_site: AdminQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = queue_of_site
    monkeypatch.setattr(bulk_decisions, "BATCH", 2)
    monkeypatch.setattr(bulk_decisions, "ROUND", 4)
    ids = it.held(9)
    path = f"/admin/sites/{it.site_id}/bulk?status=held"
    answer = it.owner.post(path, {"verdict": "trash", "all": "1", "ceiling": str(max(ids))})
    rounds = 1
    while answer.status_code == 200:
        assert "comments so far" in answer.text
        form = answer.text.partition('id="onward"')[2].partition("</form>")[0]
        fields = dict(re.findall(r'name="(all|ceiling|from|action|done)" value="(\d*)"', form))
        answer = it.owner.post(path, {"verdict": "trash", **fields})
        rounds += 1
    assert rounds == 3
    assert set(it.statuses()) == {Status.TRASH}
    assert "Moved to the trash: 9 comments." in it.owner.page("/admin")
    assert it.session.scalar(select(func.count(Action.id))) == 1


def test_five_hundred_are_spam_and_back_while_others_still_write(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    first = it.write("The first")
    begin_write(it.session)
    row = it.session.get_one(Comment, first)
    same = ("site_id", "thread_id", "status", "source", "html", "renderer", "digest")
    for _ in range(499):
        it.session.add(Comment(**{name: getattr(row, name) for name in same}))
    it.session.commit()
    began = time.monotonic()
    assert send(it, "spam", all="1", ceiling="500") == "Marked as spam: 500 comments."
    assert time.monotonic() - began < 20, "nobody else could write all this time"
    assert it.statuses() == [Status.SPAM] * 500
    assert undo(it, last_action(it)) == "Restored 500 comments."
    assert it.statuses() == [Status.HELD] * 500


class TestTwoModerators:
    @ENGINES
    def test_the_later_one_is_told_by_name_and_nothing_is_overwritten(
        self, queue_of_site: AdminQueue
    ) -> None:
        it = queue_of_site
        (one,) = it.held(1)
        ben = it.moderator("Ben <b>")
        path = f"/admin/comments/{one}/decision?status=held"
        ben.post(path, {"verdict": "spam", "seen": "held"})
        answer = it.owner.post(path, {"verdict": "approved", "seen": "held"})
        assert answer.status_code == 409
        assert "<bdi>Ben &lt;b&gt;</bdi></b> marked it as spam" in answer.text
        assert it.statuses(one) == [Status.SPAM]
        anyway = re.search(r'name="seen" value="(\w+)">\s*<button name="verdict" value="(\w+)"', answer.text)
        assert anyway is not None
        it.owner.post(path, {"verdict": anyway[2], "seen": anyway[1]})
        assert it.statuses(one) == [Status.APPROVED]

    def test_the_same_wish_is_granted_once(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        (one,) = it.held(1)
        ben = it.moderator("Ben")
        path = f"/admin/comments/{one}/decision?status=held"
        ben.post(path, {"verdict": "spam", "seen": "held"})
        assert it.owner.post(path, {"verdict": "spam", "seen": "held"}).status_code == 303
        assert "Already decided by Ben: Marked as spam." in it.owner.page("/admin")
        assert it.session.scalar(select(func.count(Action.id))) == 1

    @ENGINES
    def test_a_selection_leaves_out_what_was_decided_meanwhile(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one, two = it.held(2)
        send(it, "approved", one, by=it.moderator("Ben"))
        text = send(it, "trash", one, two)
        assert text == "Moved to the trash: one comment. One comment had already been decided by Ben."
        assert it.statuses(one, two) == [Status.APPROVED, Status.TRASH]

    @ENGINES
    def test_undoing_leaves_alone_what_was_decided_since(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one, two = it.held(2)
        send(it, "spam", one, two)
        action = last_action(it)
        begin_write(it.session)
        moderation_decisions.decide(it.session, it.session.get_one(Comment, one), Status.TRASH)
        it.session.commit()
        assert "Restored one comment. Not restored: one comment, already decided by the service" in undo(
            it, action
        )
        assert it.statuses(one, two) == [Status.TRASH, Status.HELD]
        again = it.owner.post(f"/admin/sites/{it.site_id}/activity/{action}/undo")
        assert again.status_code == 404


class TestTheLog:
    def test_has_everything_newest_first_and_cannot_be_changed(
        self, queue_of_site: AdminQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        it = queue_of_site
        monkeypatch.setattr("commentsvc.domain.admin.undoing.PAGE", 2)
        for one in it.held(3):
            it.owner.post(f"/admin/comments/{one}/decision", {"verdict": "spam", "seen": "held"})
        path = f"/admin/sites/{it.site_id}/activity"
        page = it.owner.page(path)
        assert page.count("Marked as spam: one comment.</span><br>") == 2
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        assert onward is not None
        assert it.owner.page(onward[1]).count("Marked as spam: one comment.</span><br>") == 1
        assert it.owner.post(path).status_code == 405

    def test_is_for_moderators_of_that_site(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        (one,) = it.held(1)
        send(it, "spam", one)
        stranger = BrowserClient(it.app).sign_in(it.session, it.person("Stranger"))
        path = f"/admin/sites/{it.site_id}/activity"
        assert stranger.get(path).status_code == 404
        assert stranger.post(f"{path}/{last_action(it)}/undo").status_code == 404
        assert stranger.post(f"/admin/sites/{it.site_id}/bulk", {"verdict": "spam"}).status_code == 404
        assert it.statuses(one) == [Status.SPAM]


@ENGINES
def test_comments_of_another_site_are_not_touched(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    (one,) = it.held(1)
    begin_write(it.session)
    outcome = bulk_decisions.decide(
        it.session, it.site_id + 1, {one: Status.HELD}, Status.SPAM, moderator_id=1, at=now()
    )
    it.session.commit()
    assert outcome == bulk_decisions.BulkResult()
    assert it.statuses(one) == [Status.HELD]


@pytest.mark.parametrize(
    "data", [{"verdict": "gone"}, {"verdict": "spam", "pick": "1-deleted"}, {"verdict": "spam", "pick": "x"}]
)
def test_what_no_button_sends_is_refused(queue_of_site: AdminQueue, data: dict[str, str]) -> None:
    it = queue_of_site
    assert it.owner.post(f"/admin/sites/{it.site_id}/bulk", data).status_code == 400


def test_restoring_many_gives_each_what_it_was(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    held, shown = it.write("One"), it.write("Two", status=Status.APPROVED)
    for one, seen in ((held, "held"), (shown, "approved")):
        it.owner.post(f"/admin/comments/{one}/decision", {"verdict": "trash", "seen": seen})
    path = f"/admin/sites/{it.site_id}/bulk?status=trash"
    it.owner.post(path, {"verdict": "restore", "pick": [f"{held}-trash", f"{shown}-trash"]})
    assert it.statuses(held, shown) == [Status.HELD, Status.APPROVED]
