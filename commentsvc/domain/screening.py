"""The checks a new comment passes: each small, pure, and able to say why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from commentsvc.models import Policy, Role, Status

FASTEST_SECONDS = 2.0
"""Nobody reads a form, fills it in and sends it in less."""

_STRICTNESS = (Status.APPROVED, Status.HELD, Status.SPAM)


@dataclass(frozen=True)
class Submission:
    """All that the checks may look at."""

    policy: Policy
    role: Role | None
    known: bool
    """This very browser or account has had a comment approved on the site before."""
    honeypot_filled: bool
    seconds_on_form: float
    sanitisers_agreed: bool


@dataclass(frozen=True)
class Verdict:
    """One check's opinion and its reason in words."""

    check: str
    status: Status
    reason: str

    def as_row(self) -> dict[str, Any]:
        """The form in which a Decision keeps it."""
        return asdict(self)


Check = Callable[[Submission], Verdict | None]


def member(it: Submission) -> Verdict | None:
    if it.role is None:
        return None
    return Verdict("member", Status.APPROVED, f"Written by the site's {it.role.value}.")


def policy(it: Submission) -> Verdict | None:
    if it.role is not None:
        return None
    if it.policy is Policy.HOLD_ALL:
        return Verdict("policy", Status.HELD, "This site looks at every comment first.")
    if it.policy is Policy.HOLD_FIRST and not it.known:
        return Verdict("policy", Status.HELD, "This person has no approved comment on this site yet.")
    return Verdict("policy", Status.APPROVED, "The site's policy lets this comment appear at once.")


def honeypot(it: Submission) -> Verdict | None:
    if not it.honeypot_filled:
        return None
    return Verdict("honeypot", Status.SPAM, "A field that people do not see was filled in.")


def too_fast(it: Submission) -> Verdict | None:
    if it.role is not None or it.seconds_on_form >= FASTEST_SECONDS:
        return None
    return Verdict(
        "too_fast", Status.HELD, f"Sent {it.seconds_on_form:.1f} seconds after the form was opened."
    )


def sanitisers(it: Submission) -> Verdict | None:
    if it.sanitisers_agreed:
        return None
    return Verdict("sanitisers", Status.HELD, "The two sanitisers disagreed about this text; please read it.")


CHECKS: tuple[Check, ...] = (member, policy, honeypot, too_fast, sanitisers)


def screen(submission: Submission) -> list[Verdict]:
    """Return every check's verdict; the strictest of them decides."""
    return [verdict for check in CHECKS if (verdict := check(submission)) is not None]


def strictest(verdicts: list[Verdict]) -> Status:
    """Return the status that the verdicts together ask for."""
    return max((verdict.status for verdict in verdicts), key=_STRICTNESS.index, default=Status.HELD)
