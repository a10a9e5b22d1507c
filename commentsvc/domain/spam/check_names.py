"""Every source of a verdict: its stored name, its label, and how a preview of other rules treats it."""

from __future__ import annotations

from enum import StrEnum

from commentsvc.messages import gettext, gettext_noop


class CheckName(StrEnum):
    """A check's name as stored in decisions; never renamed."""

    label: str
    is_kept: bool
    """Whether a preview of other rules keeps its verdict, which used data that only existed at that moment.

    Of the others, some are run again, and some are ignored: they are not about the comment itself but its origin or
    the traffic at that time.
    """

    def __new__(cls, name: str, label: str, is_kept: bool = True) -> CheckName:
        """Create a member that is compared and stored as a string."""
        member = str.__new__(cls, name)
        member._value_, member.label, member.is_kept = name, label, is_kept
        return member

    MEMBER = "member", gettext_noop("Written by the site's team"), False
    POLICY = "policy", gettext_noop("The site's policy"), False
    HONEYPOT = "honeypot", gettext_noop("The hidden field")
    TOO_FAST = "too_fast", gettext_noop("Sent too fast")
    SANITISERS = "sanitisers", gettext_noop("The sanitisers disagreed")
    DISALLOWED = "disallowed", gettext_noop("Spam words"), False
    MODERATED = "moderated", gettext_noop("Words to review"), False
    LINKS = "links", gettext_noop("Too many links"), False
    NAMESAKE = "namesake", gettext_noop("A name like somebody else's")
    PROVED_BY_OTHER = "proved_by_other", gettext_noop("A name or address that another guest proved")
    CLAIMED_ROLE = "claimed_role", gettext_noop("A name that claims a role")
    FILTER = "filter", gettext_noop("The site's own filter"), False
    PRESSURE = "pressure", gettext_noop("Too many comments at once"), False
    AKISMET = "akismet", "Akismet"
    REPORTS = "reports", gettext_noop("Readers' reports")
    IMPORT = "import", gettext_noop("Status from the import"), False
    ORIGIN = "origin", gettext_noop("An answer from elsewhere")
    EDITED = "edited", gettext_noop("Edited by its author"), False
    ERASED = "erased", gettext_noop("Erased at its author's request")


_LABELS = {check.value: check.label for check in CheckName}


def label_of(stored: str) -> str:
    """Return the label of a stored name, even of a check that no longer exists."""
    label = _LABELS.get(stored)
    return gettext(label) if label else stored.replace("_", " ").capitalize()
