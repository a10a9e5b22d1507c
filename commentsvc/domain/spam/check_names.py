"""Every source of a verdict: its stored name, its label, and how a preview of other rules treats it."""

from __future__ import annotations

from enum import Enum, StrEnum, auto

from commentsvc.messages import gettext, gettext_noop


class Replay(Enum):
    """How a preview of other rules treats a check of a stored comment."""

    ASKED_AGAIN = auto()
    """Run again: everything it needs is stored."""
    KEPT = auto()
    """Keep its verdict: it used data that only existed at that moment."""
    LEFT_OUT = auto()
    """Ignore it: it is not about the comment itself but its origin or the traffic at that time."""


class CheckName(StrEnum):
    """A check's name as stored in decisions; never renamed."""

    label: str
    replay: Replay

    def __new__(cls, name: str, label: str, replay: Replay = Replay.KEPT) -> CheckName:
        """Create a member that is compared and stored as a string."""
        member = str.__new__(cls, name)
        member._value_, member.label, member.replay = name, label, replay
        return member

    MEMBER = "member", gettext_noop("Written by the site's team"), Replay.ASKED_AGAIN
    POLICY = "policy", gettext_noop("The site's policy"), Replay.ASKED_AGAIN
    HONEYPOT = "honeypot", gettext_noop("The hidden field")
    TOO_FAST = "too_fast", gettext_noop("Sent too fast")
    SANITISERS = "sanitisers", gettext_noop("The sanitisers disagreed")
    DISALLOWED = "disallowed", gettext_noop("Spam words"), Replay.ASKED_AGAIN
    MODERATED = "moderated", gettext_noop("Words to review"), Replay.ASKED_AGAIN
    LINKS = "links", gettext_noop("Too many links"), Replay.ASKED_AGAIN
    NAMESAKE = "namesake", gettext_noop("A name like somebody else's")
    PROVED_BY_OTHER = "proved_by_other", gettext_noop("A name or address that another guest proved")
    CLAIMED_ROLE = "claimed_role", gettext_noop("A name that claims a role")
    FILTER = "filter", gettext_noop("The site's own filter"), Replay.ASKED_AGAIN
    PRESSURE = "pressure", gettext_noop("Too many comments at once"), Replay.LEFT_OUT
    AKISMET = "akismet", "Akismet"
    REPORTS = "reports", gettext_noop("Readers' reports")
    IMPORT = "import", gettext_noop("Status from the import"), Replay.LEFT_OUT
    ORIGIN = "origin", gettext_noop("An answer from elsewhere"), Replay.KEPT
    EDITED = "edited", gettext_noop("Edited by its author"), Replay.LEFT_OUT
    ERASED = "erased", gettext_noop("Erased at its author's request")


_LABELS = {check.value: check.label for check in CheckName}


def label_of(stored: str) -> str:
    """Return the label of a stored name, even of a check that no longer exists."""
    label = _LABELS.get(stored)
    return gettext(label) if label else stored.replace("_", " ").capitalize()
