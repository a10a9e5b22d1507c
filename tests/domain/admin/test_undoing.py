"""Taking back what a moderator did: texts, answers, and what the local filter learned from it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select, update

from commentsvc.db.session import begin_write
from commentsvc.domain.admin import edits
from commentsvc.domain.fields import Guest
from commentsvc.domain.maintenance import erasure, personal_export, retention
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.domain.sites import sites
from commentsvc.domain.spam import training
from commentsvc.domain.thread_admin import merging, moving
from commentsvc.models import Action, Comment, FilterWord, Revision, Status, Thread, now
from commentsvc.text import markup
from tests.support.admin_queue import AdminQueue, open_queue
from tests.support.browser_client import BrowserClient

queue_of_site = open_queue
ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
FOR_EVER = RetentionPeriods(networks=0, emails=0, spam=0, trash=0)
BEA = {"name": "Bea", "email": "bea@mail.example", "website": "https://bea.example"}


def comment(it: AdminQueue, number: int) -> Comment:
    it.session.rollback()
    return it.session.get_one(Comment, number, populate_existing=True)


def edit(it: AdminQueue, number: int, text: str, by: BrowserClient | None = None) -> int:
    """Save another text and other details; return the action."""
    sent = {"text": text, **BEA}
    assert (by or it.owner).post(f"/admin/comments/{number}/edit", sent).status_code == 303
    return last_action(it)


def reply(it: AdminQueue, number: int, text: str = "Thank you") -> tuple[int, int]:
    """Answer; return the answer and the action."""
    path = f"/admin/comments/{number}/reply"
    assert it.owner.post(path, {"text": text, "approve": "y"}).status_code == 303
    it.session.rollback()
    answer = it.session.scalars(select(Comment.id).order_by(Comment.id.desc())).first()
    assert answer is not None
    return answer, last_action(it)


def last_action(it: AdminQueue) -> int:
    it.session.rollback()
    return it.session.scalars(select(Action.id).order_by(Action.id.desc())).first() or 0


def undo(it: AdminQueue, action_id: int) -> str:
    """Undo; return the sentence on the next page."""
    answer = it.owner.post(f"/admin/sites/{it.site_id}/activity/{action_id}/undo")
    assert answer.status_code == 303, answer.text
    match = re.search(r'role="status">\s*<p>([^<]+)', it.owner.page(f"/admin/sites/{it.site_id}/activity"))
    assert match is not None
    return match[1]


def words(it: AdminQueue) -> dict[str, tuple[int, int]]:
    """All that the filter knows."""
    it.session.rollback()
    rows = it.session.execute(select(FilterWord.word, FilterWord.spam, FilterWord.ham))
    return {row.word: (row.spam, row.ham) for row in rows}


def learn(it: AdminQueue, number: int, status: Status | None) -> None:
    """Have the filter know a comment, as an import would."""
    begin_write(it.session)
    training.learn(it.session, it.session.get_one(Comment, number), status)
    it.session.commit()


class TestAnEdit:
    @ENGINES
    def test_is_taken_back_with_the_guests_details_and_done_again(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("The *first* text", status=Status.APPROVED)
        edit(it, one, "Another text")
        page = it.owner.page("/admin?status=approved")
        assert "Saved." in page
        assert 'id="undo"' in page
        assert undo(it, last_action(it)) == "The former text is restored."
        result = comment(it, one)
        assert (result.source, result.edited_at, result.status) == ("The *first* text", None, Status.APPROVED)
        assert "<em>first</em>" in result.html
        assert (result.guest_name, result.guest_email, result.guest_website) == (
            "Ada",
            "ada@mail.example",
            None,
        )
        assert undo(it, last_action(it)) == "The former text is restored."
        result = comment(it, one)
        assert (result.source, result.guest_name, result.guest_website) == (
            "Another text",
            "Bea",
            "https://bea.example",
        )
        assert result.edited_at is not None

    @ENGINES
    def test_is_noticed_by_whoever_keeps_the_page(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("A text", status=Status.APPROVED)
        action = edit(it, one, "Another text")
        before = comment(it, one).thread.version
        undo(it, action)
        assert comment(it, one).thread.version > before

    def test_several_are_taken_back_one_after_the_other_the_last_first(
        self, queue_of_site: AdminQueue
    ) -> None:
        it = queue_of_site
        one = it.write("One")
        first, second = edit(it, one, "Two"), edit(it, one, "Three", by=it.moderator("Ben"))
        assert "has changed this comment since" in undo(it, first)
        assert comment(it, one).source == "Three"
        undo(it, second)
        assert comment(it, one).source == "Two"
        undo(it, first)
        assert comment(it, one).source == "One"

    @ENGINES
    def test_leaves_the_filter_as_it_was(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("Bread and water")
        learn(it, one, Status.APPROVED)
        before = words(it)
        action = edit(it, one, "Wine and cheese")
        assert words(it) != before
        undo(it, action)
        assert words(it) == before

    def test_that_was_held_for_its_text_is_where_it_was(
        self, queue_of_site: AdminQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        it = queue_of_site
        one = it.write("A text", status=Status.APPROVED)
        with monkeypatch.context() as patch:
            doubtful = markup.Rendered("<p>An odd text</p>", agreed=False)
            patch.setattr(markup, "render_markdown", lambda source: doubtful)
            action = edit(it, one, "An odd text")
        assert it.statuses(one) == [Status.HELD]
        assert undo(it, action) == "The former text is restored. Restored one comment."
        assert it.statuses(one) == [Status.APPROVED]
        assert comment(it, one).source == "A text"

    @ENGINES
    def test_is_not_offered_for_undoing_once_its_text_is_no_longer_kept(
        self, queue_of_site: AdminQueue
    ) -> None:
        it = queue_of_site
        (one,) = it.held(1)
        action = edit(it, one, "Other")
        it.session.rollback()
        retention.delete_expired(it.session, FOR_EVER, at=now())
        path = f'/activity/{action}/undo"'
        assert path in it.owner.page(f"/admin/sites/{it.site_id}/activity")
        begin_write(it.session)
        it.session.execute(update(Revision).values(created_at=now() - edits.KEPT))
        it.session.commit()
        retention.delete_expired(it.session, FOR_EVER, at=now())
        assert path not in it.owner.page(f"/admin/sites/{it.site_id}/activity")
        assert "no longer stored" in undo(it, action)
        assert comment(it, one).source == "Other"

    def test_stays_where_the_comment_belongs_to_another_site_by_now(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("A text")
        action = edit(it, one, "Other")
        begin_write(it.session)
        owner = it.session.get_one(Action, action).moderator_id
        site = sites.add(it.session, "Elsewhere", ["https://elsewhere.example"], owner_id=owner)
        thread = it.session.get_one(Comment, one).thread
        moving.move(it.session, thread, site, moderator_id=owner, at=now())
        it.session.commit()
        assert "has changed this comment since" in undo(it, action)
        assert comment(it, one).source == "Other"


class TestTheFormerText:
    @ENGINES
    @pytest.mark.parametrize("texts", list(Texts))
    def test_does_not_outlive_its_authors_account(self, queue_of_site: AdminQueue, texts: Texts) -> None:
        it = queue_of_site
        ada = it.person("Ada")
        one = it.write("My innermost thought", by=ada.id)
        action = edit(it, one, "Something else")
        assert it.session.scalar(select(func.count(Revision.id))) == 1
        erasure.erase(it.session, ada.id, texts)
        assert it.session.scalar(select(func.count(Revision.id))) == 0
        assert "no longer stored" in undo(it, action)

    @ENGINES
    def test_does_not_outlive_the_comment(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("My innermost thought")
        edit(it, one, "Something else")
        begin_write(it.session)
        it.session.delete(it.session.get_one(Comment, one))
        it.session.commit()
        assert it.session.scalar(select(func.count(Revision.id))) == 0
        assert "Edited a comment." in it.owner.page(f"/admin/sites/{it.site_id}/activity")

    def test_is_among_what_its_author_takes_along(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        ada = it.person("Ada")
        one = it.write("My innermost thought", by=ada.id)
        edit(it, one, "Something else")
        (kept,) = personal_export.person(it.session, ada.id, at=now())["former_texts"]
        assert (kept["comment"], kept["text"]) == (one, "My innermost thought")


class TestAReply:
    @ENGINES
    def test_is_taken_away_and_brought_back_with_the_approval_that_came_with_it(
        self, queue_of_site: AdminQueue
    ) -> None:
        it = queue_of_site
        one = it.write("A question")
        answer, action = reply(it, one)
        assert it.statuses(one, answer) == [Status.APPROVED, Status.APPROVED]
        page = it.owner.page("/admin")
        assert "Your reply is published." in page
        assert 'id="undo"' in page
        assert undo(it, action) == "Restored 2 comments."
        assert it.statuses(one, answer) == [Status.HELD, Status.TRASH]
        thread = comment(it, one).thread
        assert (thread.approved_count, comment(it, one).reply_count) == (0, 0)
        assert not comment(it, one).shown
        undo(it, last_action(it))
        assert it.statuses(one, answer) == [Status.APPROVED, Status.APPROVED]
        assert (comment(it, one).thread.approved_count, comment(it, one).reply_count) == (2, 1)
        undo(it, last_action(it))
        assert it.statuses(one, answer) == [Status.HELD, Status.TRASH]

    @ENGINES
    @pytest.mark.parametrize("status", [Status.APPROVED, Status.HELD])
    def test_stays_once_somebody_has_answered_it(self, queue_of_site: AdminQueue, status: Status) -> None:
        it = queue_of_site
        one = it.write("A question", status=Status.APPROVED)
        answer, action = reply(it, one)
        it.write("Thanks", parent=answer, guest=Guest("Bea", "bea@mail.example"), status=status)
        assert undo(it, action) == "Somebody has answered the reply since, so both stay as they are."
        assert it.statuses(one, answer) == [Status.APPROVED, Status.APPROVED]

    def test_goes_again_once_the_answer_to_it_turned_out_to_be_spam(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("A question", status=Status.APPROVED)
        answer, action = reply(it, one)
        it.write("Buy", parent=answer, status=Status.SPAM)
        assert undo(it, action) == "Restored one comment."
        assert it.statuses(one, answer) == [Status.APPROVED, Status.TRASH]

    @ENGINES
    def test_can_be_taken_away_after_its_thread_was_merged(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("A question", status=Status.APPROVED)
        it.write("Elsewhere", path="/other", status=Status.APPROVED)
        answer, action = reply(it, one)
        begin_write(it.session)
        here, there = it.session.scalars(select(Thread).order_by(Thread.id)).all()
        merging.merge(it.session, here, there, moderator_id=None, at=now())
        it.session.commit()
        assert undo(it, action) == "Restored one comment."
        assert it.statuses(answer) == [Status.TRASH]


def test_the_log_leads_to_the_comment(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    one = it.write("A question")
    edit(it, one, "Other")
    page = it.owner.page(f"/admin/sites/{it.site_id}/activity")
    assert f'<a href="/admin/comments/{one}">The comment</a>' in page


class TestTheFilter:
    @ENGINES
    @pytest.mark.parametrize("verdict", ["approved", "spam", "trash"])
    @pytest.mark.parametrize("earlier", [None, Status.APPROVED, Status.SPAM])
    def test_knows_after_undoing_what_it_knew_before(
        self, queue_of_site: AdminQueue, verdict: str, earlier: Status | None
    ) -> None:
        it = queue_of_site
        one, two = it.write("Bread and water"), it.write("Water and wine")
        for number in (one, two):
            learn(it, number, earlier)
        before = words(it)
        it.owner.post(f"/admin/comments/{one}/decision", {"verdict": verdict, "seen": "held"})
        after = words(it)
        undo(it, last_action(it))
        assert words(it) == before
        undo(it, last_action(it))
        assert words(it) == after
        undo(it, last_action(it))
        picked = {"verdict": verdict, "pick": [f"{one}-held", f"{two}-held"]}
        it.owner.post(f"/admin/sites/{it.site_id}/bulk", picked)
        undo(it, last_action(it))
        assert words(it) == before

    def test_is_not_taught_by_putting_back_what_no_person_approved(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("Bread and water", status=Status.APPROVED)
        assert words(it) == {}
        it.owner.post(f"/admin/comments/{one}/decision", {"verdict": "spam", "seen": "approved"})
        assert words(it)["bread"] == (1, 0)
        undo(it, last_action(it))
        assert words(it) == {}

    @ENGINES
    def test_that_was_emptied_since_stays_empty(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("Bread and water")
        learn(it, one, Status.APPROVED)
        it.owner.post(f"/admin/comments/{one}/decision", {"verdict": "spam", "seen": "held"})
        action = last_action(it)
        it.owner.post(f"/admin/sites/{it.site_id}/rules/forget")
        undo(it, action)
        assert words(it) == {}


def test_what_moved_to_another_site_meanwhile_is_left_alone(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    one, two = it.write("One"), it.write("Two", path="/other")
    picked = {"verdict": "spam", "pick": [f"{one}-held", f"{two}-held"]}
    it.owner.post(f"/admin/sites/{it.site_id}/bulk", picked)
    action = last_action(it)
    begin_write(it.session)
    owner = it.session.get_one(Action, action).moderator_id
    site = sites.add(it.session, "Elsewhere", ["https://elsewhere.example"], owner_id=owner)
    moving.move(it.session, it.session.get_one(Comment, one).thread, site, moderator_id=owner, at=now())
    it.session.commit()
    assert undo(it, action) == "Restored one comment. One comment is on another site now."
    assert it.statuses(one, two) == [Status.SPAM, Status.HELD]
