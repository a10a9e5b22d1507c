"""Readers' reports: each reader counts once, and enough reports hold a comment until a moderator decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.domain import fields, stored_reasons
from commentsvc.domain.bans import bans
from commentsvc.domain.moderation import decisions
from commentsvc.domain.notifications import events
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads import threads
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Comment, Decision, Event, Kind, Report, Site, Status

NOTE_LONGEST = 500


class Reason(StrEnum):
    """Why a reader reports a comment."""

    SPAM = "spam"
    ABUSE = "abuse"
    OFF_TOPIC = "off topic"
    MINE = "mine"
    """Of a comment from elsewhere: its author does not want it here."""
    OTHER = "other"


WORDS = {
    Reason.SPAM: gettext_noop("It is spam or advertising"),
    Reason.ABUSE: gettext_noop("It is abusive or hateful"),
    Reason.OFF_TOPIC: gettext_noop("It has nothing to do with the article"),
    Reason.OTHER: gettext_noop("Something else"),
}
WORDS_ELSEWHERE = {Reason.MINE: gettext_noop("This is me: please take it away"), **WORDS}
"""The labels in the report form."""


@dataclass(frozen=True)
class Reporter:
    """Who reports, identified by one keyed hash: of their account, their browser's key or their network."""

    hash: str
    network_hash: str
    member: bool = False


def find(session: Session, comment_id: int) -> Comment:
    """Return a comment that can be reported; raises NotFoundError if readers cannot see it."""
    comment = session.get(Comment, comment_id)
    if comment is None or comment.status is not Status.APPROVED or comment.kind is not Kind.COMMENT:
        raise NotFoundError(gettext("This comment no longer exists."))
    return comment


def month_of(session: Session, comment_id: int, *, at: datetime) -> str:
    """Return the month for the hashes of a comment's reporters' networks: that of its first report.

    With a new hash every month, a network could report a comment a second time in the next month.
    """
    query = select(Report.created_at).where(Report.comment_id == comment_id).order_by(Report.id).limit(1)
    return bans.month_of(session.scalar(query) or at)


def report(
    session: Session, comment_id: int, by: Reporter, *, reason: str, note: str = "", at: datetime
) -> bool:
    """Store a reader's report; return False if they had already reported the comment. Needs `begin_write`.

    Raises NotFoundError, and InvalidFieldsError on `reason` or `note`.
    """
    chosen, text = _checked(reason, note)
    comment = find(session, comment_id)
    threads.lock_of(session, comment, "status", "reports")
    known = select(Report.id).where(Report.comment_id == comment_id, Report.reporter_hash == by.hash)
    if session.scalar(known) is not None:
        return False
    session.add(
        Report(
            comment_id=comment_id,
            reporter_hash=by.hash,
            member=by.member,
            network_hash=by.network_hash,
            reason=chosen.value,
            note=text,
            created_at=at,
        )
    )
    comment.reports += 1
    session.flush()
    events.record(session, Event.REPORTED, [comment_id], at=at)
    _hold_if_many(session, comment)
    return True


def counted_reports(session: Session, comment_id: int) -> list[Report]:
    """Return the reports that count: those since a moderator last decided, one per reader.

    An account counts as one reader, and all guests of one network as one, because a browser's key costs nothing.
    """
    decided = select(func.max(Decision.created_at)).where(
        Decision.comment_id == comment_id, Decision.moderator_id.is_not(None)
    )
    since = session.scalar(decided)
    query = select(Report).where(Report.comment_id == comment_id).order_by(Report.id)
    if since is not None:
        query = query.where(Report.created_at > since)
    counted: dict[tuple[bool, str | None], Report] = {}
    for one in session.scalars(query):
        who = counted_as(member=one.member, reporter=one.reporter_hash, network=one.network_hash)
        counted.setdefault(who, one)
    return list(counted.values())


def counted_as(*, member: bool, reporter: str, network: str | None) -> tuple[bool, str | None]:
    """Return the same value for reports that count as one."""
    return member, reporter if member else network


def are_enough(networks: Sequence[str | None], enough: int) -> bool:
    """Whether reports from these networks hold a comment: at least `enough`, and not all from one network."""
    if enough < 1 or len(networks) < enough:
        return False
    return enough == 1 or len(set(networks)) > 1


def _hold_if_many(session: Session, comment: Comment) -> None:
    """Hold the comment if enough readers reported it, not all from one network."""
    enough = session.get_one(Site, comment.site_id).reports_to_hold
    if enough < 1 or comment.status is not Status.APPROVED:
        return
    counted = counted_reports(session, comment.id)
    if not are_enough([one.network_hash for one in counted], enough):
        return
    verdict = Verdict(CheckName.REPORTS, Status.HELD, sentence([one.reason for one in counted]))
    decisions.decide(session, comment, Status.HELD, verdicts=[verdict])


def sentence(reasons: list[str]) -> str:
    """Return how many readers reported a comment, and why, the most common reason first."""
    counted = ", ".join(f"{number} × {reason}" for reason, number in Counter(reasons).most_common())  # noqa: RUF001
    sentence = stored_reasons.ONE_REPORT if len(reasons) == 1 else stored_reasons.REPORTS
    return sentence % {"number": len(reasons), "reasons": counted}


def _checked(reason: str, note: str) -> tuple[Reason, str | None]:
    if reason not in set(Reason):
        raise InvalidFieldsError({"reason": gettext("Please choose a reason")})
    if not note.strip():
        return Reason(reason), None
    try:
        return Reason(reason), fields.text(note, longest=NOTE_LONGEST)
    except InvalidFieldsError:
        raise InvalidFieldsError(
            {"note": gettext("Please use at most %(number)s characters") % {"number": NOTE_LONGEST}}
        ) from None
