"""Authors edit and delete their own comments: the same checks as for a new one, and nothing gained by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import bulk_decisions, edits, undoing
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text, edit_history, erased_comments, own_changes
from commentsvc.domain.comments.comments import FormSignals
from commentsvc.domain.comments.own_changes import EditResult
from commentsvc.domain.moderation import decisions
from commentsvc.domain.spam import training
from commentsvc.errors import (
    BannedError,
    DuplicateCommentError,
    NotEditableError,
    SlowModeError,
    StaleEditError,
    ThreadClosedError,
)
from commentsvc.models import (
    Action,
    Ban,
    BanKind,
    Comment,
    Commenter,
    Decision,
    EditWindow,
    FilterWord,
    Membership,
    PendingEdit,
    Policy,
    Revision,
    Role,
    Site,
    Status,
)
from commentsvc.text import markup
from tests.support.comment_builders import ANNA, BEN, NOON, article

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
KEY = "a" * 64
ANNA_HERE = Author(guest=ANNA, author_key_hash=KEY)
LATER = NOON + timedelta(minutes=5)


def edit(
    session: Session,
    comment: Comment,
    text: str,
    *,
    at: datetime = LATER,
    seen: str | None = None,
    by: Author | None = None,
    form: FormSignals | None = None,
) -> EditResult:
    """Edit a comment as its author."""
    draft = comment_text.from_source(text, longest=10_000)
    by = by or own_changes.author_of(session, comment)
    result = own_changes.edit(session, comment, draft, by, at=at, seen=seen, form=form)
    session.flush()
    session.refresh(comment)
    return result


def pending(session: Session, comment: Comment) -> PendingEdit | None:
    return session.get(PendingEdit, comment.id)


def last_reasons(session: Session, comment: Comment) -> list[str]:
    query = select(Decision.reasons).where(Decision.comment_id == comment.id).order_by(Decision.id.desc())
    return [reason["reason"] for reason in session.scalars(query.limit(1)).one()]


def member(session: Session, site: Site, role: Role) -> Author:
    """Return a member with a role."""
    person = Commenter(name="Ada")
    session.add(person)
    session.flush()
    session.add(Membership(commenter_id=person.id, site_id=site.id, role=role))
    return Author(commenter_id=person.id, role=role)


class TestAnEditThatEveryCheckApproves:
    def test_replaces_the_text_and_keeps_the_former_one_for_moderators(
        self, session: Session, site: Site
    ) -> None:
        comment = article(session, site).write("The *first* text", by=ANNA_HERE)
        before = comment.thread.version
        assert edit(session, comment, "The **second** text") is EditResult.SAVED
        session.refresh(comment.thread)
        assert (comment.source, comment.edited_at) == ("The **second** text", LATER)
        assert "<strong>second</strong>" in comment.html
        assert comment.thread.version > before
        assert session.scalars(select(Revision.source)).all() == ["The *first* text"]

    def test_can_be_undone_by_a_moderator(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("The first text", by=ANNA_HERE)
        edit(session, comment, "The second text")
        action = session.scalars(select(Action)).one()
        assert (action.kind, action.moderator_id) == (edit_history.BY_AUTHOR, None)
        [entry], _ = undoing.log(session, site.id)
        assert entry.can_be_undone
        session.commit()
        undoing.undo(session, action.id, moderator_id=accounts.operator(session).id, at=LATER)
        session.refresh(comment)
        assert (comment.source, comment.edited_at) == ("The first text", None)

    def test_of_the_same_text_changes_nothing(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("A text", by=ANNA_HERE)
        assert edit(session, comment, "A text", seen="stale") is EditResult.UNCHANGED
        assert comment.edited_at is None

    def test_may_change_only_letters_case(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("i think so", by=ANNA_HERE)
        assert edit(session, comment, "I think so") is EditResult.SAVED

    def test_is_not_learned_in_place_of_the_text_that_a_moderator_approved(
        self, session: Session, site: Site
    ) -> None:
        comment = article(session, site).write("Bread and water", by=ANNA_HERE)
        training.learn(session, comment, Status.APPROVED)
        session.flush()
        edit(session, comment, "Cheap pills")
        assert comment.learned is None
        assert session.scalar(select(func.count()).select_from(FilterWord)) == 0


class TestAnEditThatACheckHolds:
    def test_leaves_the_former_text_and_waits(self, session: Session, site: Site) -> None:
        site.moderation_words = "casino"
        comment = article(session, site).write("A text", by=ANNA_HERE)
        assert edit(session, comment, "Come to my casino") is EditResult.WAITS
        assert (comment.source, comment.status, comment.edited_at) == ("A text", Status.APPROVED, None)
        waiting = pending(session, comment)
        assert waiting is not None
        assert waiting.source == "Come to my casino"
        assert "casino" in waiting.reasons[-1]["reason"]

    def test_waits_also_if_the_words_are_those_of_spam(self, session: Session, site: Site) -> None:
        site.disallowed_words = "casino"
        comment = article(session, site).write("A text", by=ANNA_HERE)
        assert edit(session, comment, "Come to my casino") is EditResult.WAITS
        assert comment.source == "A text"

    @pytest.mark.parametrize(
        "form",
        [FormSignals(honeypot_filled=True), FormSignals(seconds_on_form=0.5)],
        ids=["honeypot", "fast"],
    )
    def test_waits_if_it_came_from_a_machine(self, session: Session, site: Site, form: FormSignals) -> None:
        comment = article(session, site).write("A text", by=ANNA_HERE)
        assert edit(session, comment, "Another text", form=form) is EditResult.WAITS

    def test_waits_if_it_has_too_many_links(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("A text", by=ANNA_HERE)
        links = " ".join(f"https://{name}.example/" for name in "abc")
        assert edit(session, comment, links) is EditResult.WAITS

    def test_waits_if_the_sanitisers_disagree(
        self, session: Session, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        comment = article(session, site).write("A text", by=ANNA_HERE)
        doubtful = markup.Rendered("<p>odd</p>", agreed=False)
        monkeypatch.setattr(markup, "render_markdown", lambda source: doubtful)
        assert edit(session, comment, "odd") is EditResult.WAITS
        assert comment.html == "<p>A text</p>\n"

    def test_gives_way_to_the_next_edit(self, session: Session, site: Site) -> None:
        site.moderation_words = "casino\npills"
        comment = article(session, site).write("A text", by=ANNA_HERE)
        edit(session, comment, "A casino")
        assert edit(session, comment, "Some pills") is EditResult.WAITS
        waiting = pending(session, comment)
        assert waiting is not None
        assert waiting.source == "Some pills"
        assert edit(session, comment, "A harmless text") is EditResult.SAVED
        assert (comment.source, pending(session, comment)) == ("A harmless text", None)

    def test_is_withdrawn_by_returning_to_the_former_text(self, session: Session, site: Site) -> None:
        site.moderation_words = "casino"
        comment = article(session, site).write("A text", by=ANNA_HERE)
        edit(session, comment, "A casino")
        assert edit(session, comment, "A text") is EditResult.SAVED
        assert (pending(session, comment), comment.edited_at) == (None, None)


class TestNobodyGains:
    def test_approval_by_editing_a_held_comment(self, session: Session, site: Site) -> None:
        site.moderation_words = "casino"
        comment = article(session, site).write("A casino", by=ANNA_HERE)
        assert comment.status is Status.HELD
        assert edit(session, comment, "A harmless text") is EditResult.SAVED
        assert (comment.source, comment.status) == ("A harmless text", Status.HELD)
        assert "Its author has edited it; it was held before." in last_reasons(session, comment)

    def test_trust_from_the_very_comment_that_was_approved(self, session: Session, site: Site) -> None:
        site.policy = Policy.HOLD_FIRST
        comment = article(session, site).write("A nice text", by=ANNA_HERE)
        decisions.decide(session, comment, Status.APPROVED)
        session.flush()
        assert edit(session, comment, "Buy my pills") is EditResult.WAITS
        assert comment.source == "A nice text"

    def test_an_edit_where_every_comment_is_held(self, session: Session, site: Site) -> None:
        site.policy = Policy.HOLD_ALL
        comment = article(session, site).write("A nice text", by=ANNA_HERE)
        decisions.decide(session, comment, Status.APPROVED)
        session.flush()
        assert edit(session, comment, "Another one") is EditResult.WAITS

    def test_a_badge_that_they_lost(self, session: Session, site: Site) -> None:
        former = member(session, site, Role.MODERATOR)
        comment = article(session, site).write("A text", by=former)
        assert comment.role is Role.MODERATOR
        edit(session, comment, "Another text", by=replace(former, role=None))
        assert (comment.source, comment.role) == ("Another text", None)

    def test_a_repeat_of_another_comment(self, session: Session, site: Site) -> None:
        pen = article(session, site)
        pen.write("I agree", by=ANNA_HERE)
        second = pen.write("I do not agree", by=ANNA_HERE)
        with pytest.raises(DuplicateCommentError):
            edit(session, second, "i AGREE")
        others = pen.write("They agree", by=BEN)
        assert edit(session, second, "They agree") is EditResult.SAVED, others

    def test_room_in_a_closed_thread(self, session: Session, site: Site) -> None:
        pen = article(session, site)
        comment = pen.write("A text", by=ANNA_HERE)
        pen.thread.closed_at = LATER
        session.flush()
        with pytest.raises(ThreadClosedError):
            edit(session, comment, "Another text")

    @pytest.mark.parametrize("kind", [BanKind.AUTHOR, BanKind.EMAIL])
    def test_a_way_past_a_ban(self, session: Session, site: Site, kind: BanKind) -> None:
        comment = article(session, site).write("A text", by=ANNA_HERE)
        value = KEY if kind is BanKind.AUTHOR else "anna@mail.example"
        session.add(Ban(site_id=site.id, kind=kind, value=value, label="Anna", reason="", created_at=NOON))
        session.flush()
        with pytest.raises(BannedError):
            edit(session, comment, "Another text")
        assert comment.source == "A text"

    def test_a_conversation_by_edits_in_slow_mode(self, session: Session, site: Site) -> None:
        pen = article(session, site)
        comment = pen.write("A text", by=ANNA_HERE)
        pen.thread.slow_seconds = 600
        session.flush()
        assert edit(session, comment, "A text, corrected at once") is EditResult.SAVED
        with pytest.raises(SlowModeError):
            edit(session, comment, "And more", at=LATER + timedelta(minutes=2))

    def test_a_change_that_they_have_not_seen(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("A text", by=ANNA_HERE)
        seen = own_changes.version_of(own_changes.latest_text(session, comment))
        edits.edit(
            session,
            comment,
            comment_text.from_source("Without the address", longest=99),
            guest=None,
            moderator_id=accounts.operator(session).id,
            at=NOON + timedelta(minutes=3),
        )
        with pytest.raises(StaleEditError):
            edit(session, comment, "A text, longer", seen=seen)
        assert comment.source == "Without the address"

    def test_the_text_that_a_moderator_took_out(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("Her address is …", by=ANNA_HERE)
        shorter = comment_text.from_source("Gone", longest=99)
        moderator_id = accounts.operator(session).id
        at = NOON + timedelta(minutes=3)
        edits.edit(session, comment, shorter, guest=None, moderator_id=moderator_id, at=at)
        session.flush()
        assert edit(session, comment, "Her address is …") is EditResult.WAITS
        assert comment.source == "Gone"

    def test_the_edit_that_a_moderator_undid(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("The first text", by=ANNA_HERE)
        edit(session, comment, "Rude words")
        action_id = session.scalars(select(Action.id)).one()
        session.commit()
        undoing.undo(session, action_id, moderator_id=accounts.operator(session).id, at=LATER)
        begin_write(session)
        assert edit(session, comment, "Rude words", at=LATER + timedelta(minutes=1)) is EditResult.WAITS
        assert comment.source == "The first text"


class TestTheTime:
    @pytest.mark.parametrize(
        ("window", "minutes"),
        [
            (EditWindow.MINUTES_5, 5),
            (EditWindow.MINUTES_15, 15),
            (EditWindow.HOUR, 60),
            (EditWindow.DAY, 24 * 60),
        ],
    )
    def test_ends(self, session: Session, site: Site, window: EditWindow, minutes: int) -> None:
        site.edit_window = window
        comment = article(session, site).write("A text", by=ANNA_HERE)
        end = comment.created_at + timedelta(minutes=minutes)
        assert own_changes.editable_until(site, comment) == end
        edit(session, comment, "In time", at=end - timedelta(seconds=1))
        with pytest.raises(NotEditableError, match="over"):
            edit(session, comment, "Too late", at=end)

    def test_never_ends_or_never_begins(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("A text", by=ANNA_HERE)
        site.edit_window = EditWindow.ALWAYS
        assert edit(session, comment, "Years later", at=NOON + timedelta(days=999)) is EditResult.SAVED
        site.edit_window = EditWindow.OFF
        with pytest.raises(NotEditableError):
            edit(session, comment, "At once")

    @pytest.mark.parametrize("status", [Status.SPAM, Status.TRASH])
    def test_is_over_with_the_decision_of_a_moderator(
        self, session: Session, site: Site, status: Status
    ) -> None:
        comment = article(session, site).write("A text", by=ANNA_HERE)
        decisions.decide(session, comment, status)
        session.flush()
        with pytest.raises(NotEditableError):
            edit(session, comment, "Another text")


class TestARemoval:
    def test_leaves_no_word_and_no_detail(self, session: Session, site: Site) -> None:
        site.moderation_words = "casino"
        pen = article(session, site)
        comment = pen.write("A secret", by=ANNA_HERE)
        edit(session, comment, "A second secret")
        edit(session, comment, "A casino")
        own_changes.remove(session, comment, at=LATER)
        session.refresh(comment)
        assert (comment.status, comment.shown, comment.erased_at) == (Status.TRASH, False, LATER)
        assert comment.source == erased_comments.REMOVED
        assert (comment.guest_name, comment.guest_email, comment.author_key_hash) == (None, None, None)
        assert session.scalars(select(Revision)).all() == []
        assert pending(session, comment) is None
        assert last_reasons(session, comment) == ["Its author deleted it."]
        assert pen.thread.approved_count == 0

    def test_leaves_a_placeholder_above_replies(self, session: Session, site: Site) -> None:
        pen = article(session, site)
        comment = pen.write("A text", by=ANNA_HERE)
        pen.write("An answer", by=BEN, to=comment)
        own_changes.remove(session, comment, at=LATER)
        session.refresh(comment)
        assert (comment.shown, comment.status, pen.thread.approved_count) == (True, Status.TRASH, 1)

    @pytest.mark.parametrize("status", list(Status))
    def test_is_possible_whatever_the_status(self, session: Session, site: Site, status: Status) -> None:
        pen = article(session, site)
        comment = pen.write("A text", by=ANNA_HERE)
        decisions.decide(session, comment, status)
        pen.thread.closed_at = NOON
        session.flush()
        own_changes.remove(session, comment, at=LATER)
        own_changes.remove(session, comment, at=LATER + timedelta(minutes=1))
        session.refresh(comment)
        assert (comment.status, comment.erased_at) == (Status.TRASH, LATER)
        assert pen.thread.approved_count == 0

    @pytest.mark.parametrize("status", [Status.APPROVED, Status.HELD, Status.SPAM, None])
    def test_cannot_be_taken_back_by_a_moderator(
        self, session: Session, site: Site, status: Status | None
    ) -> None:
        comment = article(session, site).write("A text", by=ANNA_HERE)
        own_changes.remove(session, comment, at=LATER)
        result = bulk_decisions.decide(
            session,
            site.id,
            {comment.id: None},
            status,
            moderator_id=accounts.operator(session).id,
            at=LATER,
        )
        session.refresh(comment)
        assert (comment.status, result.changed) == (Status.TRASH, 0)
        assert [one.comment_id for one in result.already_decided] == [comment.id]

    def test_cannot_be_taken_back_by_undoing_an_earlier_decision(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("A text", by=ANNA_HERE)
        moderator_id = accounts.operator(session).id
        spam = bulk_decisions.decide(
            session, site.id, {comment.id: None}, Status.SPAM, moderator_id=moderator_id, at=LATER
        )
        own_changes.remove(session, comment, at=LATER)
        session.commit()
        assert spam.action_id is not None
        result = undoing.undo(session, spam.action_id, moderator_id=moderator_id, at=LATER)
        session.refresh(comment)
        assert (comment.status, result.changed) == (Status.TRASH, 0)

    def test_does_not_make_the_filter_forget_spam(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("Cheap pills", by=ANNA_HERE)
        decisions.decide(session, comment, Status.SPAM, moderator_id=accounts.operator(session).id)
        session.flush()
        own_changes.remove(session, comment, at=LATER)
        assert training.learned_counts(session, site.id).spam == 1


class TestAtTheSameTime:
    def test_only_one_of_two_edits_is_saved(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("A text", by=ANNA_HERE)
        seen, number = own_changes.version_of("A text"), comment.id
        session.commit()

        def save(text: str) -> str:
            with Session(session.get_bind()) as other:
                begin_write(other)
                try:
                    edit(other, other.get_one(Comment, number), text, seen=seen)
                    other.commit()
                except StaleEditError:
                    other.rollback()
                    return "stale"
            return "saved"

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(save, ["From one window", "From another"])) == ["saved", "stale"]

    def test_an_edit_and_a_moderator_leave_what_the_moderator_wants(
        self, session: Session, site: Site
    ) -> None:
        comment = article(session, site).write("A text", by=ANNA_HERE)
        number, site_id = comment.id, site.id
        moderator_id = accounts.operator(session).id
        session.commit()

        def save(_: int) -> None:
            with Session(session.get_bind()) as other:
                begin_write(other)
                try:
                    edit(other, other.get_one(Comment, number), "Another text")
                    other.commit()
                except NotEditableError:
                    other.rollback()

        def trash(_: int) -> None:
            with Session(session.get_bind()) as other:
                begin_write(other)
                bulk_decisions.decide(
                    other, site_id, {number: None}, Status.TRASH, moderator_id=moderator_id, at=LATER
                )
                other.commit()

        with ThreadPoolExecutor(2) as pool:
            for running in [pool.submit(save, 1), pool.submit(trash, 1)]:
                running.result(timeout=20)
        result = session.get_one(Comment, number, populate_existing=True)
        assert (result.status, result.shown) == (Status.TRASH, False)
