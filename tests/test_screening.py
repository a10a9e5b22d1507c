"""Each check says yes, wait or spam, and why; the strictest decides."""

from __future__ import annotations

import itertools

import pytest

from commentsvc.domain import screening
from commentsvc.domain.screening import Submission, Verdict
from commentsvc.models import Policy, Role, Status


def submission(**changes: object) -> Submission:
    usual = {
        "policy": Policy.OPEN,
        "role": None,
        "known": False,
        "honeypot_filled": False,
        "seconds_on_form": 60.0,
        "sanitisers_agreed": True,
    }
    return Submission(**(usual | changes))  # type: ignore[arg-type]


def decided(**changes: object) -> Status:
    return screening.strictest(screening.screen(submission(**changes)))


@pytest.mark.parametrize(
    ("policy", "known", "status"),
    [
        (Policy.OPEN, False, Status.APPROVED),
        (Policy.HOLD_FIRST, False, Status.HELD),
        (Policy.HOLD_FIRST, True, Status.APPROVED),
        (Policy.HOLD_ALL, True, Status.HELD),
    ],
)
def test_the_policy_decides_over_guests(policy: Policy, known: bool, status: Status) -> None:
    assert decided(policy=policy, known=known) is status


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("policy", [Policy.OPEN, Policy.HOLD_FIRST, Policy.HOLD_ALL])
def test_a_member_passes_every_policy_and_may_be_quick(policy: Policy, role: Role) -> None:
    assert decided(policy=policy, role=role, seconds_on_form=0.1) is Status.APPROVED


def test_a_member_does_not_pass_the_sanitisers_disagreement() -> None:
    assert decided(role=Role.OWNER, sanitisers_agreed=False) is Status.HELD


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 1.99])
def test_nobody_is_faster_than_reading(seconds: float) -> None:
    assert decided(seconds_on_form=seconds) is Status.HELD


def test_spam_is_stricter_than_waiting() -> None:
    assert decided(policy=Policy.HOLD_ALL, honeypot_filled=True, seconds_on_form=0.0) is Status.SPAM


def test_the_order_of_the_verdicts_does_not_matter() -> None:
    verdicts = [Verdict("x", status, "x") for status in (Status.APPROVED, Status.HELD, Status.SPAM)]
    assert {screening.strictest(list(order)) for order in itertools.permutations(verdicts)} == {Status.SPAM}


def test_no_verdict_at_all_waits() -> None:
    assert screening.strictest([]) is Status.HELD


def test_every_submission_gets_a_reason_in_words() -> None:
    for policy, role, known, filled, seconds, agreed in itertools.product(
        Policy, (None, *Role), (True, False), (True, False), (0.0, 60.0), (True, False)
    ):
        verdicts = screening.screen(
            submission(
                policy=policy,
                role=role,
                known=known,
                honeypot_filled=filled,
                seconds_on_form=seconds,
                sanitisers_agreed=agreed,
            )
        )
        assert verdicts
        assert all(verdict.reason.endswith(".") and verdict.check for verdict in verdicts)
