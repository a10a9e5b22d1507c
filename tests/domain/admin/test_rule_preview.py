"""Rules are tried on what is stored, beside what people decided, and nothing is changed by it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import rule_preview
from commentsvc.domain.admin.rule_preview import RulePreview
from commentsvc.domain.authors import Author
from commentsvc.domain.comments.comments import FormSignals
from commentsvc.domain.moderation import decisions
from commentsvc.domain.spam.checks import Rules, Verdict
from commentsvc.models import Comment, Decision, Policy, Role, Site, Status
from tests.support.comment_builders import article
from tests.support.guest_client import contents

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def judge(session: Session, comment: Comment, status: Status) -> None:
    decisions.decide(session, comment, status, moderator_id=accounts.operator(session).id)
    session.flush()


def tried(session: Session, site: Site, *, policy: Policy = Policy.OPEN, **rules: object) -> RulePreview:
    session.flush()
    return rule_preview.preview(session, site, policy, Rules(**({"most_links": 2} | rules)))  # type: ignore[arg-type]


def test_the_same_rules_change_nothing(session: Session, site: Site) -> None:
    pen = article(session, site)
    pen.write()
    pen.write("Hasty", form=FormSignals(seconds_on_form=0.1))
    result = tried(session, site)
    assert (result.replayed, result.changed) == (2, 0)
    assert result.beside == {(Status.APPROVED, Status.APPROVED): 1, (Status.HELD, Status.HELD): 1}


def test_a_new_word_is_counted_beside_peoples_verdicts(session: Session, site: Site) -> None:
    pen = article(session, site)
    spam, good = pen.write("Casino one"), pen.write("My grandfather's casino")
    judge(session, spam, Status.SPAM)
    judge(session, good, Status.APPROVED)
    result = tried(session, site, disallowed_words="casino")
    assert result.changes == {(Status.APPROVED, Status.SPAM): 2}
    assert result.beside == {(Status.SPAM, Status.SPAM): 1, (Status.APPROVED, Status.SPAM): 1}
    assert [miss.id for miss in result.stopped] == [good.id]
    assert result.stopped[0].reasons == ["Its text has “casino”, which this site disallows."]
    assert result.let_through == []


def test_what_only_a_busy_hour_held_counts_as_let_through(session: Session, site: Site) -> None:
    comment = article(session, site).write()
    judge(session, comment, Status.APPROVED)
    first = session.query(Decision).filter_by(comment_id=comment.id).order_by(Decision.id).first()
    assert first is not None
    reason = "Comments here come much faster than usual."
    first.reasons = [*first.reasons, Verdict("pressure", Status.HELD, reason).as_row()]
    result = tried(session, site)
    assert result.stopped == []
    assert result.beside == {(Status.APPROVED, Status.APPROVED): 1}


def test_spam_that_would_appear_is_shown(session: Session, site: Site) -> None:
    comment = article(session, site).write("Buy " + "my things " * 99)
    judge(session, comment, Status.SPAM)
    (miss,) = tried(session, site).let_through
    assert (miss.id, miss.name, miss.proposed) == (comment.id, "Anna", Status.APPROVED)
    assert miss.excerpt.endswith("…")


def test_the_policy_knows_people_from_their_first_approved_comment_on(session: Session, site: Site) -> None:
    pen = article(session, site)
    author = Author(author_key_hash="a" * 64)
    pen.write("First", by=author)
    pen.write("Second", by=author)
    pen.write("The owner's", by=Author(role=Role.OWNER))
    result = tried(session, site, policy=Policy.HOLD_FIRST)
    assert result.changes == {(Status.APPROVED, Status.HELD): 1}
    assert result.stopped == []  # waiting by policy is no mistake
    assert tried(session, site, policy=Policy.HOLD_ALL).changed == 2


def test_what_only_the_moment_could_tell_stays(session: Session, site: Site) -> None:
    comment = article(session, site).write(form=FormSignals(honeypot_filled=True))
    assert comment.status is Status.SPAM
    assert tried(session, site).beside == {(Status.SPAM, Status.SPAM): 1}


def test_the_worst_ten_are_shown(session: Session, site: Site) -> None:
    pen = article(session, site)
    for at in range(12):
        judge(session, pen.write(f"Casino {at}"), Status.APPROVED)
    assert len(tried(session, site, moderation_words="casino").stopped) == rule_preview.SHOWN


def test_time_is_bounded(session: Session, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    article(session, site).write()
    monkeypatch.setattr(rule_preview, "SECONDS", -1.0)
    result = tried(session, site)
    assert (result.replayed, result.complete) == (0, False)


def test_nothing_is_changed(app: Flask, session: Session, site: Site) -> None:
    judge(session, article(session, site).write("Casino"), Status.SPAM)
    session.commit()
    before = contents(app)
    tried(session, site, disallowed_words="casino", policy=Policy.HOLD_ALL)
    session.rollback()
    assert contents(app) == before
