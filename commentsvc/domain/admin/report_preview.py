"""Previews another report threshold: the comments it would have held, and people's decisions. Changes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.moderation import reports
from commentsvc.models import Comment, Decision, Report, Status

MOST = 5_000
"""Reports that are read, the latest first."""
_IN_QUERY = 500


@dataclass
class HeldByReports:
    """Comments that one threshold would have held."""

    enough: int
    verdicts: Counter[Status | None] = field(default_factory=Counter)
    """Their number by people's last decision; None for no decision."""

    @property
    def total(self) -> int:
        """Number of comments."""
        return self.verdicts.total()


@dataclass(frozen=True)
class Comparison:
    """The current threshold and the proposed one."""

    reported: int
    """Number of comments that have reports."""
    now: HeldByReports
    then: HeldByReports


def compare(session: Session, site_id: int, now: int, then: int) -> Comparison:
    """Count a site's reports again, by the rules of `reports.counted_reports`."""
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
        for preview in held:
            if reports.are_enough(list(its.values()), preview.enough):
                preview.verdicts[verdicts.get(comment_id)] += 1
    return Comparison(len(voices), *held)


def _verdicts(session: Session, ids: list[int]) -> dict[int, Status]:
    """Return people's last decisions."""
    verdicts: dict[int, Status] = {}
    for at in range(0, len(ids), _IN_QUERY):
        query = select(Decision.comment_id, Decision.status).where(
            Decision.comment_id.in_(ids[at : at + _IN_QUERY]), Decision.moderator_id.is_not(None)
        )
        verdicts |= {row.comment_id: row.status for row in session.execute(query.order_by(Decision.id))}
    return verdicts
