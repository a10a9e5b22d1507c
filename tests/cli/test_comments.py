"""`commentsvc comments`: what is selected, what is asked, and what the admin view can undo."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from commentsvc.cli import service
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import comment_selection, undoing
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.domain.moderation import decisions
from commentsvc.models import Action, Comment, Status, now
from tests.support.cli_service import fail, succeed

ARTICLE = "https://blog.example/article/?utm_source=mail"


def statuses(*ids: int) -> list[Status | None]:
    """The statuses of these comments; None for one that is gone."""
    with service.opened(service.settings()) as session:
        return [one.status if (one := session.get(Comment, each)) else None for each in ids]


def actions() -> list[tuple[str, str]]:
    with service.opened(service.settings()) as session:
        return [(one.kind, one.summary) for one in session.scalars(select(Action).order_by(Action.id)).all()]


def listed(*conditions: str) -> list[int]:
    items = json.loads(succeed("comments", "list", "--json", *conditions))["items"]
    return [item["id"] for item in items]


class TestList:
    def test_shows_the_newest_first(self, written: list[int]) -> None:
        assert listed() == written[::-1]
        lines = succeed("comments", "list").splitlines()
        assert re.fullmatch(rf"{written[3]} +spam +2026-06-01 12:01  Ada +Buy this\.", lines[0])
        assert len(lines) == 4

    def test_by_conditions(self, written: list[int]) -> None:
        assert listed("--by", "email:ADA@mail.example") == [written[3], written[0]]
        assert listed("--by", "name:Bob", "--status", "held") == [written[2]]
        assert listed("--on", ARTICLE) == [written[2], written[1], written[0]]
        assert listed("--status", "spam", "--status", "held") == [written[3], written[2]]
        assert listed("--since", "2026-06-01", "--until", "2026-06-01") == written[::-1]
        assert listed("--since", "2026-06-02") == listed("--until", "2026-05-31") == []
        assert "no such comments" in succeed("comments", "list", "--by", "name:Nobody")

    def test_says_that_it_goes_on(self, written: list[int]) -> None:
        assert "There are more" in succeed("comments", "list", "--limit", "2")
        cut = json.loads(succeed("comments", "list", "--limit", "2", "--json"))
        assert ([item["id"] for item in cut["items"]], cut["more"]) == ([written[3], written[2]], True)
        assert json.loads(succeed("comments", "list", "--limit", "4", "--json"))["more"] is False

    def test_nothing_in_a_comment_controls_the_terminal(self, written: list[int]) -> None:
        hostile = "\x1b]0;owned\x07\u202eyes\x9b2J"
        with service.writing(service.settings()) as session:
            comment = session.get_one(Comment, written[0])
            comment.source, comment.guest_name = hostile, f"Ada{hostile}"
        output = succeed("comments", "list")
        assert "owned" in output
        assert all(char.isprintable() for char in output.replace("\n", ""))
        raw = succeed("comments", "list", "--json")
        assert raw.isascii()
        assert "\x1b" not in raw
        assert json.loads(raw)["items"][3]["excerpt"] == hostile

    @pytest.mark.parametrize(
        "conditions",
        [["--by", "ada@mail.example"], ["--since", "yesterday"], ["--status", "new"], ["--limit", "0"]],
    )
    def test_a_condition_that_is_none_is_a_usage_error(
        self, written: list[int], conditions: list[str]
    ) -> None:
        assert conditions[0] in fail("comments", "list", *conditions, code=2)

    def test_an_unknown_article_or_site_is_refused(self, written: list[int]) -> None:
        assert "no comments on https://blog.example/none" in fail(
            "comments", "list", "--on", "https://blog.example/none"
        )
        assert "There is no site named 'Other'" in fail("comments", "list", "--site", "Other")
        succeed("site", "add", "Other", "https://other.example")
        assert "name one with --site. There are: 'Blog', 'Other'" in fail("comments", "list")
        assert listed("--site", "Blog") == written[::-1]
        assert listed("--site", "Other") == []


class TestDecisions:
    def test_says_how_many_and_asks(self, written: list[int]) -> None:
        output = succeed("comments", "spam", "--by", "name:Bob", typed="y\n")
        assert "2 comments of 'Blog': mark as spam? [y/N]" in output
        assert "Marked as spam: 2 comments." in output
        assert statuses(*written) == [Status.APPROVED, Status.SPAM, Status.SPAM, Status.SPAM]

    @pytest.mark.parametrize(("typed", "why"), [("n\n", "Nothing was changed."), ("", "nobody answered")])
    @pytest.mark.parametrize("verb", ["approve", "spam", "trash", "delete"])
    def test_changes_nothing_without_a_yes(self, written: list[int], verb: str, typed: str, why: str) -> None:
        before = statuses(*written)
        some = {"delete": "spam"}.get(verb, "held")
        assert why in fail("comments", verb, "--status", some, typed=typed)
        assert statuses(*written) == before
        assert actions() == []

    def test_is_one_action_of_the_operator_which_can_be_undone(
        self, written: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = statuses(*written)
        with monkeypatch.context() as small:
            small.setattr("commentsvc.domain.admin.bulk_decisions.BATCH", 1)
            small.setattr("commentsvc.domain.admin.bulk_decisions.ROUND", 1)
            succeed("comments", "trash", "--since", "2026-06-01", "--yes")
        assert statuses(*written) == [Status.TRASH] * 4
        assert actions() == [("comments.trash", "Moved to the trash: 4 comments.")]
        with service.opened(service.settings()) as session:
            (line,), _ = undoing.log(session, 1)
            assert (line.can_be_undone, line.moderator) == (True, "Site owner")
            with service.committed(session):
                operator = accounts.operator(session).id
            undoing.undo(session, line.id, moderator_id=operator, at=now())
        assert statuses(*written) == before

    def test_numbers_mean_a_comment_whatever_its_status(self, written: list[int]) -> None:
        succeed("comments", "approve", str(written[3]), str(written[2]), "--yes")
        assert statuses(*written) == [Status.APPROVED] * 4
        assert actions() == [("comments.approve", "Approved: 2 comments.")]

    def test_approve_alone_leaves_spam_alone(self, written: list[int]) -> None:
        succeed("comments", "approve", "--since", "2026-06-01", "--yes")
        assert statuses(*written)[2:] == [Status.APPROVED, Status.SPAM]
        succeed("comments", "approve", "--status", "spam", "--yes")
        assert statuses(*written)[3] is Status.APPROVED

    def test_comments_that_come_meanwhile_stay(self, written: list[int]) -> None:
        with service.opened(service.settings()) as session:
            before = comment_selection.begin(session, 1, (Tab.HELD,), Filters())
            late = replace(before, ceiling=written[2])  # as if the last comment had come after the question
            with service.committed(session):
                decisions.decide(session, session.get_one(Comment, written[3]), Status.HELD)
            assert [*comment_selection.ids(session, before)] == [written[3], written[2]]
            assert [*comment_selection.ids(session, late)] == [written[2]]
            outcome = comment_selection.decide(
                session, late, Status.SPAM, moderator_id=1, at=now(), progress=lambda _number: None
            )
            assert outcome.changed == 1
        assert statuses(*written)[2:] == [Status.SPAM, Status.HELD]

    @pytest.mark.parametrize("verb", ["approve", "spam", "trash", "delete"])
    def test_needs_to_know_which_comments(self, written: list[int], verb: str) -> None:
        assert "Which comments?" in fail("comments", verb, "--yes", code=2)
        assert "either the numbers" in fail("comments", verb, "1", "--by", "name:Bob", code=2)

    def test_comments_that_are_not_there_are_said_to_be(self, written: list[int]) -> None:
        assert "no such comments" in fail("comments", "spam", str(written[3]), "--yes")
        assert "no such comments" in fail("comments", "approve", "999", "--yes")
        assert actions() == []


class TestDelete:
    def test_deletes_spam_and_trash_for_good(self, written: list[int]) -> None:
        output = succeed("comments", "delete", "--since", "2026-06-01", "--until", "2026-06-01", typed="y\n")
        assert "Delete 1 comment of 'Blog' for good? [y/N]" in output
        assert "Deleted for good: 1 comment." in output
        assert statuses(*written)[:3] == [Status.APPROVED, Status.APPROVED, Status.HELD]
        assert actions() == [("trash.delete", "Deleted for good: one comment.")]
        with service.opened(service.settings()) as session:
            (line,), _ = undoing.log(session, 1)
            assert not line.can_be_undone
            assert session.scalar(select(Comment.id).where(Comment.source.contains("Buy this"))) is None

    def test_leaves_others_alone_even_by_number(self, written: list[int]) -> None:
        assert "no such comments" in fail("comments", "delete", str(written[0]), str(written[2]), "--yes")
        assert None not in statuses(*written)

    def test_what_has_replies_leaves_an_empty_place(self, written: list[int]) -> None:
        succeed("comments", "trash", str(written[0]), "--yes")
        assert "Deleted for good: 1 comment." in succeed("comments", "delete", str(written[0]), "--yes")
        with service.opened(service.settings()) as session:
            emptied = session.get_one(Comment, written[0])
            assert (emptied.source, emptied.guest_email) == ("*Deleted for good.*", None)
        assert statuses(written[1]) == [Status.APPROVED]
        assert "no such comments" in fail("comments", "delete", str(written[0]), "--yes")
