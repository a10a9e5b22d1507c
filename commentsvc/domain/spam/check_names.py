"""Everything that can give a verdict: its stored name, its label, and what a preview of other rules makes of it."""

from __future__ import annotations

from enum import Enum, StrEnum, auto


class Replay(Enum):
    """How a preview of other rules takes a check's part in the decision on a stored comment."""

    ASKED_AGAIN = auto()
    """All that it looks at is stored."""
    KEPT = auto()
    """It saw what only that moment had."""
    LEFT_OUT = auto()
    """It says nothing of the comment itself: where it came from, or how many came at that hour."""


class CheckName(StrEnum):
    """A check's name as decisions keep it. None is ever renamed."""

    label: str
    replay: Replay

    def __new__(cls, name: str, label: str, replay: Replay = Replay.KEPT) -> CheckName:
        """Make a name that is compared and stored as a string."""
        member = str.__new__(cls, name)
        member._value_, member.label, member.replay = name, label, replay
        return member

    MEMBER = "member", "Written by the site's people", Replay.ASKED_AGAIN
    POLICY = "policy", "The site's policy", Replay.ASKED_AGAIN
    HONEYPOT = "honeypot", "The hidden field"
    TOO_FAST = "too_fast", "Sent too fast"
    SANITISERS = "sanitisers", "The sanitisers disagreed"
    DISALLOWED = "disallowed", "Words for spam", Replay.ASKED_AGAIN
    MODERATED = "moderated", "Words to look at", Replay.ASKED_AGAIN
    LINKS = "links", "Too many links", Replay.ASKED_AGAIN
    NAMESAKE = "namesake", "A name like that of another"
    CLAIMED_ROLE = "claimed_role", "A name that claims a role"
    FILTER = "filter", "The site's own filter", Replay.ASKED_AGAIN
    PRESSURE = "pressure", "Too many comments at once", Replay.LEFT_OUT
    AKISMET = "akismet", "Akismet"
    REPORTS = "reports", "Readers' reports"
    IMPORT = "import", "As it was before its import", Replay.LEFT_OUT
    ERASED = "erased", "Erased at its author's wish"


_LABELS = {check.value: check.label for check in CheckName}


def label_of(stored: str) -> str:
    """Return the label of a name that a decision has kept, which may be of a check that is no more."""
    return _LABELS.get(stored) or stored.replace("_", " ").capitalize()
