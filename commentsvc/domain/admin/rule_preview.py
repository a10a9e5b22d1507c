"""Previews other rules: what they would have decided on stored comments, beside people's decisions. Changes nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from commentsvc.domain import stored_reasons
from commentsvc.domain.fields import Guest
from commentsvc.domain.proofs.address_proofs import ProofSignals
from commentsvc.domain.reading.thread_pages import ANONYMOUS
from commentsvc.domain.spam import checks, signals, spam_filter, tokens
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Rules, Submission, Verdict
from commentsvc.domain.spam.spam_filter import Counts, Score
from commentsvc.domain.spam.tokens import TokenSource
from commentsvc.models import Comment, Commenter, Decision, Kind, Policy, Site, Status, Thread

MOST = 5_000
BATCH = 500
SECONDS = 8.0
"""Time limit; then the preview ends with the comments replayed so far."""
SHOWN = 10
EXCERPT = 240

Ruleset = tuple[Policy, Rules]


@dataclass(frozen=True, slots=True)
class Miss:
    """A comment on which the proposed rules and people disagree."""

    id: int
    name: str
    excerpt: str
    title: str
    human: Status
    proposed: Status
    reasons: list[str]
    score: float | None


@dataclass
class RulePreview:
    """The counted results."""

    replayed: int = 0
    complete: bool = True
    """Whether there was time for all comments, or the latest `MOST`."""
    changes: Counter[tuple[Status, Status]] = field(default_factory=Counter)
    """Number of decisions that differ from those by the current rules: (now, then)."""
    beside: Counter[tuple[Status, Status]] = field(default_factory=Counter)
    """Number of comments by (people's decision, proposed rules' decision)."""
    let_through: list[Miss] = field(default_factory=list)
    """Spam that would appear."""
    stopped: list[Miss] = field(default_factory=list)
    """Good comments that would be held or be spam for another reason than the policy."""

    @property
    def changed(self) -> int:
        """Number of decisions that would differ."""
        return self.changes.total()

    def number_of(self, human: Status) -> int:
        """Return the number of comments to which people gave this status."""
        return sum(number for (its, _), number in self.beside.items() if its is human)


def preview(session: Session, site: Site, policy: Policy, rules: Rules) -> RulePreview:
    """Replay `policy` and `rules`, and the current ones, over a site's latest comments.

    Policy, words, links and the local filter run again, the filter without what it learned from the comment itself;
    verdicts that depend on the moment of posting come from the original decision.
    """
    counted, started = RulePreview(), time.monotonic()
    now = (site.policy, signals.rules_of(site))
    known = _first_approved(session, site.id)
    ids = list(session.scalars(_latest(site.id)))
    for at in range(0, len(ids), BATCH):
        if time.monotonic() - started > SECONDS:
            counted.complete = False
            break
        for row, submission, old in _replayed(session, site.id, ids[at : at + BATCH], known):
            _count(counted, row, submission, old, now, (policy, rules))
    counted.let_through = _worst(counted.let_through, highest=False)
    counted.stopped = _worst(counted.stopped, highest=True)
    return counted


def _count(
    counted: RulePreview,
    row: _Stored,
    submission: Submission,
    old: list[Verdict],
    now: Ruleset,
    proposed: Ruleset,
) -> None:
    before = checks.strictest(_decided(submission, now, old))
    verdicts = _decided(submission, proposed, old)
    after = checks.strictest(verdicts)
    counted.replayed += 1
    counted.beside[row.human, after] += 1
    if before is not after:
        counted.changes[before, after] += 1
    if row.human is Status.SPAM and after is Status.APPROVED:
        counted.let_through.append(_miss(row, submission, verdicts, after))
    beyond = [verdict for verdict in verdicts if verdict.check is not CheckName.POLICY]
    if row.human is Status.APPROVED and beyond and checks.strictest(beyond) is not Status.APPROVED:
        counted.stopped.append(_miss(row, submission, beyond, after))


def _decided(submission: Submission, ruleset: Ruleset, old: list[Verdict]) -> list[Verdict]:
    policy, rules = ruleset
    return [*checks.screen(_under(submission, policy, rules)), *old]


def _under(it: Submission, policy: Policy, rules: Rules) -> Submission:
    return replace(it, policy=policy, rules=rules)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A stored comment, with people's decision on it."""

    row: Row[Any]
    human: Status


_LONG_AGO = 3600.0
_KEPT = {check.value: check for check in CheckName if check.is_kept}


def _latest(site_id: int) -> Any:
    query = select(Comment.id).where(Comment.site_id == site_id, Comment.kind == Kind.COMMENT)
    return query.order_by(Comment.id.desc()).limit(MOST)


def _first_approved(session: Session, site_id: int) -> dict[object, int]:
    """Return the first approved comment of each account and browser, which makes them known on the site."""
    first_ids: dict[object, int] = {}
    for proof in (Comment.commenter_id, Comment.author_key_hash):
        query = select(proof, func.min(Comment.id)).where(
            Comment.site_id == site_id, Comment.status == Status.APPROVED, proof.is_not(None)
        )
        first_ids |= {who: number for who, number in session.execute(query.group_by(proof))}  # noqa: C416
    return first_ids


def _replayed(
    session: Session, site_id: int, ids: Sequence[int], known: Mapping[object, int]
) -> Iterator[tuple[_Stored, Submission, list[Verdict]]]:
    rows = session.execute(_columns().where(Comment.id.in_(ids))).all()
    human, old = _decisions(session, ids)
    text = {
        row.id: TokenSource(row.source, row.html, row.guest_name, row.guest_email, row.guest_website)
        for row in rows
    }
    tokens_by_id = {number: tokens.tokens_of(source) for number, source in text.items()}
    counts = spam_filter.lookup(session, site_id, {token for its in tokens_by_id.values() for token in its})
    for row in rows:
        score = spam_filter.weigh(tokens_by_id[row.id], counts, learned_as=_share(row.learned))
        stored = _Stored(row, human.get(row.id, row.status))
        yield stored, _submission(row, score, known), old.get(row.id, [])


def _columns() -> Any:
    return (
        select(
            *(Comment.id, Comment.status, Comment.learned, Comment.role, Comment.source, Comment.html),
            *(Comment.commenter_id, Comment.author_key_hash, Comment.proved),
            *(Comment.guest_name, Comment.guest_email, Comment.guest_website),
            Commenter.name.label("commenter_name"),
            Commenter.website.label("commenter_website"),
            func.coalesce(Thread.title, Thread.url).label("title"),
        )
        .join(Thread, Thread.id == Comment.thread_id)
        .outerjoin(Commenter, Commenter.id == Comment.commenter_id)
    )


def _decisions(session: Session, ids: Sequence[int]) -> tuple[dict[int, Status], dict[int, list[Verdict]]]:
    """Return people's last decisions, and the verdicts of the first decisions that cannot be made again."""
    human: dict[int, Status] = {}
    old: dict[int, list[Verdict]] = {}
    query = select(Decision.comment_id, Decision.moderator_id, Decision.status, Decision.reasons)
    for row in session.execute(query.where(Decision.comment_id.in_(ids)).order_by(Decision.id)):
        if row.moderator_id is not None:
            human[row.comment_id] = row.status
        elif row.comment_id not in old:
            old[row.comment_id] = list(_kept(row.reasons))
    return human, old


def _kept(reasons: Iterable[Mapping[str, Any]]) -> Iterator[Verdict]:
    for row in reasons or ():
        check, status = _KEPT.get(row.get("check", "")), row.get("status", "")
        if check is not None and status in set(Status):
            yield Verdict(check, Status(status), str(row.get("reason", "")))


def _submission(row: Row[Any], score: Score | None, known: Mapping[object, int]) -> Submission:
    shown = Guest(
        name=row.commenter_name or row.guest_name,
        email=row.guest_email,
        website=row.commenter_website or row.guest_website,
    )
    since = [known[who] for who in (row.commenter_id, row.author_key_hash) if who in known]
    return Submission(
        policy=Policy.OPEN,
        role=row.role,
        known=any(first < row.id for first in since),
        honeypot_filled=False,
        seconds_on_form=_LONG_AGO,
        sanitisers_agreed=True,
        words=signals.words_of(row.source, row.html, shown),
        links=len(tokens.links(row.html)),
        proof=ProofSignals(is_proved=row.proved),
        score=score,
    )


def _share(learned: Status | None) -> Counts | None:
    return {Status.SPAM: Counts(spam=1), Status.APPROVED: Counts(ham=1)}.get(learned) if learned else None


def _miss(stored: _Stored, it: Submission, verdicts: list[Verdict], proposed: Status) -> Miss:
    row, deciding = stored.row, checks.strictest(verdicts) if verdicts else proposed
    source = " ".join(row.source[: 4 * EXCERPT].split())
    return Miss(
        id=row.id,
        name=row.commenter_name or row.guest_name or ANONYMOUS,
        excerpt=source[:EXCERPT] + ("…" if len(source) > EXCERPT else ""),
        title=row.title,
        human=stored.human,
        proposed=proposed,
        reasons=[
            stored_reasons.translated(verdict.reason) for verdict in verdicts if verdict.status is deciding
        ],
        score=it.score.value if it.score else None,
    )


def _worst(misses: list[Miss], *, highest: bool) -> list[Miss]:
    """Return the worst: spam before held, then by how wrong the filter was, then the latest."""
    sign = -1 if highest else 1

    def gravity(miss: Miss) -> tuple[bool, float, int]:
        score = 0.5 if miss.score is None else miss.score
        return miss.proposed is not Status.SPAM, sign * score, -miss.id

    return sorted(misses, key=gravity)[:SHOWN]
