"""The checks of a new comment: each is small and pure, and gives a reason.

Four more refuse a comment with an error: a closed thread (threads/threads.py), slow mode (comments/slow_mode.py),
a duplicate (comments/comments.py) and a ban (bans/bans.py). signals.py looks up the data that the checks need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from commentsvc.domain import stored_reasons
from commentsvc.domain.proofs.address_proofs import ProofSignals
from commentsvc.domain.spam import lookalikes, wordlists
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.lookalikes import Namesake
from commentsvc.domain.spam.spam_filter import Score
from commentsvc.domain.surge.detection import SurgeLevel
from commentsvc.domain.surge.episodes import SurgeStep
from commentsvc.messages import gettext_noop
from commentsvc.models import Policy, Role, Status

FASTEST_SECONDS = 2.0
"""Nobody reads a form, fills it in and sends it in less."""

_STRICTNESS = (Status.APPROVED, Status.HELD, Status.SPAM)


@dataclass(frozen=True)
class Verdict:
    """One check's opinion, with its reason in words."""

    check: CheckName
    status: Status
    reason: str
    score: float | None = None
    """The probability that the comment is spam, if the check has one."""

    def as_row(self) -> dict[str, Any]:
        """Return the form that a Decision stores."""
        row: dict[str, Any] = {"check": self.check, "status": self.status, "reason": self.reason}
        return row if self.score is None else row | {"score": round(self.score, 4)}


@dataclass(frozen=True)
class Rules:
    """What a site's owner has set in addition to the policy."""

    moderation_words: str = ""
    disallowed_words: str = ""
    most_links: int | None = None
    """A comment with more is held; None: no limit."""
    filter_threshold: float = 0.9


@dataclass(frozen=True)
class Submission:
    """Everything that the checks may use."""

    policy: Policy
    role: Role | None
    known: bool
    """This browser or account already has an approved comment on the site."""
    honeypot_filled: bool
    seconds_on_form: float
    sanitisers_agreed: bool
    rules: Rules = field(default_factory=Rules)
    words: dict[str, str | None] = field(default_factory=dict)
    """The texts to compare with the word lists, by the field's name as used in a sentence."""
    links: int = 0
    namesake: Namesake | None = None
    """The person of the site whose name this name resembles."""
    proof: ProofSignals = field(default_factory=ProofSignals)
    score: Score | None = None
    """The local filter's; None until it has learned enough."""
    opinions: tuple[Verdict, ...] = ()
    """Verdicts of outside services."""
    pressure: SurgeLevel = field(default_factory=SurgeLevel)
    of_old: bool = False
    """Known since before the surge."""
    by_script: bool = False
    """The page's script sent it, as it does in readers' browsers."""


Check = Callable[[Submission], Verdict | None]


_TEAM = {
    Role.OWNER: gettext_noop("Written by the site's owner."),
    Role.MODERATOR: gettext_noop("Written by the site's moderator."),
}
# Under one article, and on the whole site.
_ALL_HELD = (
    gettext_noop("Comments under this article come much faster than usual, so all of them are held."),
    gettext_noop("Comments on this site come much faster than usual, so all of them are held."),
)
_LINKS_HELD = (
    gettext_noop(
        "Comments under this article come much faster than usual, so those with a link or a website are held."
    ),
    gettext_noop(
        "Comments on this site come much faster than usual, so those with a link or a website are held."
    ),
)
_SCRIPTLESS_HELD = (
    gettext_noop(
        "Comments under this article come much faster than usual, "
        "so those that are sent without the page's script are held."
    ),
    gettext_noop(
        "Comments on this site come much faster than usual, "
        "so those that are sent without the page's script are held."
    ),
)


def member(it: Submission) -> Verdict | None:
    if it.role is None:
        return None
    return Verdict(CheckName.MEMBER, Status.APPROVED, _TEAM[it.role])


def policy(it: Submission) -> Verdict | None:
    if it.role is not None:
        return None
    if it.policy is Policy.HOLD_ALL:
        return Verdict(
            CheckName.POLICY, Status.HELD, gettext_noop("This site reviews every comment before it appears.")
        )
    if it.policy is Policy.HOLD_FIRST and not (it.known or it.proof.is_proved):
        return Verdict(
            CheckName.POLICY,
            Status.HELD,
            gettext_noop("This person has no approved comment on this site yet."),
        )
    return Verdict(
        CheckName.POLICY, Status.APPROVED, gettext_noop("The site's policy publishes this comment at once.")
    )


def honeypot(it: Submission) -> Verdict | None:
    if not it.honeypot_filled:
        return None
    return Verdict(CheckName.HONEYPOT, Status.SPAM, gettext_noop("A hidden field was filled in."))


def too_fast(it: Submission) -> Verdict | None:
    if it.role is not None or it.seconds_on_form >= FASTEST_SECONDS:
        return None
    return Verdict(
        CheckName.TOO_FAST, Status.HELD, stored_reasons.TOO_FAST % {"seconds": f"{it.seconds_on_form:.1f}"}
    )


def sanitisers(it: Submission) -> Verdict | None:
    if it.sanitisers_agreed:
        return None
    return Verdict(
        CheckName.SANITISERS,
        Status.HELD,
        gettext_noop("The two sanitisers disagreed about this text; please read it."),
    )


def disallowed(it: Submission) -> Verdict | None:
    return _listed(it, it.rules.disallowed_words, CheckName.DISALLOWED, Status.SPAM, "disallows")


def moderated(it: Submission) -> Verdict | None:
    return _listed(it, it.rules.moderation_words, CheckName.MODERATED, Status.HELD, "holds for review")


def links(it: Submission) -> Verdict | None:
    most = it.rules.most_links
    if it.role is not None or most is None or it.links <= most:
        return None
    sentence = stored_reasons.ONE_LINK if it.links == 1 else stored_reasons.LINKS
    return Verdict(CheckName.LINKS, Status.HELD, sentence % {"links": it.links, "most": most})


def namesake(it: Submission) -> Verdict | None:
    """Two readers may share a name in good faith: known authors keep a name that looks like another reader's."""
    resembled = it.namesake
    if it.role is not None or resembled is None or (resembled.role is None and it.known):
        return None
    sentence = stored_reasons.NAMESAKE[resembled.role.value if resembled.role else ""]
    return Verdict(CheckName.NAMESAKE, Status.HELD, sentence % {"name": resembled.name})


def proved_by_other(it: Submission) -> Verdict | None:
    """An address has one owner, whoever is known here; a name may be shared in good faith, as in `namesake`."""
    if it.role is not None:
        return None
    if it.proof.address_of_other:
        reason = gettext_noop(
            "Another browser has proved that this e-mail address is its owner's; this one has not."
        )
    elif it.proof.name_of_other and not it.known:
        reason = gettext_noop("The name looks like that of a guest who has proved another e-mail address.")
    else:
        return None
    return Verdict(CheckName.PROVED_BY_OTHER, Status.HELD, reason)


def claimed_role(it: Submission) -> Verdict | None:
    """Only we give badges; a name that imitates one is held, whoever uses it."""
    if it.role is not None or not lookalikes.claims_a_role(it.words.get("name")):
        return None
    return Verdict(CheckName.CLAIMED_ROLE, Status.HELD, gettext_noop("The name claims a role on this site."))


def local_filter(it: Submission) -> Verdict | None:
    if it.role is not None or it.score is None:
        return None
    status = Status.HELD if it.score.value >= it.rules.filter_threshold else Status.APPROVED
    return Verdict(CheckName.FILTER, status, it.score.reason(), it.score.value)


def pressure(it: Submission) -> Verdict | None:
    """Until the last step, authors known since before the surge are not held."""
    level = it.pressure
    if it.role is not None or level.step is SurgeStep.NONE or (it.of_old and level.step is not SurgeStep.ALL):
        return None
    if level.step is SurgeStep.ALL:
        sentences = _ALL_HELD
    elif _leads_elsewhere(it):
        sentences = _LINKS_HELD
    elif level.step is SurgeStep.SCRIPT and not it.by_script:
        sentences = _SCRIPTLESS_HELD
    else:
        return None
    return Verdict(CheckName.PRESSURE, Status.HELD, sentences[level.site_wide])


CHECKS: tuple[Check, ...] = (
    member,
    policy,
    honeypot,
    too_fast,
    sanitisers,
    disallowed,
    moderated,
    links,
    namesake,
    proved_by_other,
    claimed_role,
    local_filter,
    pressure,
)


def screen(submission: Submission) -> list[Verdict]:
    """Return every check's verdict; the strictest of them decides."""
    verdicts = [verdict for check in CHECKS if (verdict := check(submission)) is not None]
    return [*verdicts, *submission.opinions]


def strictest(verdicts: list[Verdict]) -> Status:
    """Return the strictest status of the verdicts."""
    return max((verdict.status for verdict in verdicts), key=_STRICTNESS.index, default=Status.HELD)


def _leads_elsewhere(it: Submission) -> bool:
    return bool(it.links or it.words.get("website"))


def _listed(it: Submission, words: str, check: CheckName, status: Status, does: str) -> Verdict | None:
    match = wordlists.find(words, it.words) if words and it.role is None else None
    if match is None:
        return None
    return Verdict(check, status, stored_reasons.LISTED[does] % {"field": match.field, "word": match.word})
