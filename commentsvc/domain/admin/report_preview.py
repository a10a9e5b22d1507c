"""Which comments another threshold of reports would have held, beside what people decided. Changes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.moderation import reports
from commentsvc.models import Comment, Decision, Report, Status

MOST = 5_000
"""Reports, the latest, that are looked at."""
_IN_QUERY = 500


@dataclass
class HeldByReports:
    """What so many reports would have held, counted."""

    enough: int
    verdicts: Counter[Status | None] = field(default_factory=Counter)
    """By what people decided on these comments; None where nobody has."""

    @property
    def total(self) -> int:
        """How many comments."""
        return self.verdicts.total()


@dataclass(frozen=True)
class Comparison:
    """The present number of reports beside the one that is tried."""

    reported: int
    """How many comments there are reports of."""
    now: HeldByReports
    then: HeldByReports


def compare(session: Session, site_id: int, now: int, then: int) -> Comparison:
    """Count again who reported a site's comments, by the rules of `reports.counted_reports`."""
    voices: dict[int, dict[tuple[bool, str | None], str | None]] = {}
    query = (
        select(Report.comment_id, Report.member, Report.reporter_hash, Report.network_hash)
        .join(Comment, Comment.id == Report.comment_id)
        .where(Comment.site_id == site_id)
    )
    for row in session.execute(query.order_by(Report.id.desc()).limit(MOST)):
        voice = reports.counted_as(member=row.member, reporter=row.reporter_hash, network=row.network_hash)
        voices.setdefault(row.comment_id, {})[voice] = row.network_hash
    verdicts = _verdicts(session, sorted(voices))
    held = HeldByReports(now), HeldByReports(then)
    for comment_id, its in voices.items():
        for one in held:
            if reports.are_enough(list(its.values()), one.enough):
                one.verdicts[verdicts.get(comment_id)] += 1
    return Comparison(len(voices), *held)


def _verdicts(session: Session, ids: list[int]) -> dict[int, Status]:
    """Return people's last verdicts."""
    results: dict[int, Status] = {}
    for at in range(0, len(ids), _IN_QUERY):
        query = select(Decision.comment_id, Decision.status).where(
            Decision.comment_id.in_(ids[at : at + _IN_QUERY]), Decision.moderator_id.is_not(None)
        )
        results |= {row.comment_id: row.status for row in session.execute(query.order_by(Decision.id))}
    return results
