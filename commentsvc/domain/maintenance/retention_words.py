"""How long data is kept, in sentences for readers."""

from __future__ import annotations

from commentsvc.domain.ledger import upkeep
from commentsvc.domain.maintenance import backups
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.domain.subscriptions import confirming
from commentsvc.messages import gettext, ngettext


def sentences(limits: RetentionPeriods) -> list[str]:
    """Return the retention periods in sentences for readers."""
    return [
        _network(limits.networks),
        _email(limits.emails),
        _spam(limits.spam),
        _trash(limits.trash),
        _unconfirmed(confirming.LIFE.days),
        _stopped_mail(limits.consent),
        _erased(upkeep.KEPT.days),
        *([_in_backups(backups.WEEKS * 7)] if limits.backups else []),
    ]


def _network(days: int) -> str:
    if not days:
        return gettext(
            "Your network address is not stored. A hash of its network, made with a key that changes every month, "
            "is kept as long as the comment."
        )
    words = ngettext(
        "Your network address is not stored. A hash of its network, made with a key that changes every month, "
        "is kept for %(count)s day.",
        "Your network address is not stored. A hash of its network, made with a key that changes every month, "
        "is kept for %(count)s days.",
        days,
    )
    return words % {"count": days}


def _email(days: int) -> str:
    if not days:
        return gettext(
            "The e-mail address that a guest typed is never shown and is kept as long as the comment."
        )
    words = ngettext(
        "The e-mail address that a guest typed is never shown and is kept for %(count)s day.",
        "The e-mail address that a guest typed is never shown and is kept for %(count)s days.",
        days,
    )
    return words % {"count": days}


def _spam(days: int) -> str:
    if not days:
        return gettext("Spam is kept.")
    words = ngettext("Spam is deleted after %(count)s day.", "Spam is deleted after %(count)s days.", days)
    return words % {"count": days}


def _trash(days: int) -> str:
    if not days:
        return gettext("Trash is kept.")
    words = ngettext("Trash is deleted after %(count)s day.", "Trash is deleted after %(count)s days.", days)
    return words % {"count": days}


def _unconfirmed(days: int) -> str:
    words = ngettext(
        "An address that was entered for mail about comments and not confirmed is deleted after %(count)s day.",
        "An address that was entered for mail about comments and not confirmed is deleted after %(count)s days.",
        days,
    )
    return words % {"count": days}


def _stopped_mail(days: int) -> str:
    if not days:
        return gettext(
            "When mail is stopped, the address is deleted within two hours; "
            "what remains is a keyed hash with the times of consent, which is kept."
        )
    words = ngettext(
        "When mail is stopped, the address is deleted within two hours; "
        "what remains is a keyed hash with the times of consent, for %(count)s day.",
        "When mail is stopped, the address is deleted within two hours; "
        "what remains is a keyed hash with the times of consent, for %(count)s days.",
        days,
    )
    return words % {"count": days}


def _erased(days: int) -> str:
    words = ngettext(
        "When something is erased, or mail is stopped, a keyed hash of it is kept for at least %(count)s day, "
        "so that nobody comes back when a backup is restored.",
        "When something is erased, or mail is stopped, a keyed hash of it is kept for at least %(count)s days, "
        "so that nobody comes back when a backup is restored.",
        days,
    )
    return words % {"count": days}


def _in_backups(days: int) -> str:
    words = ngettext(
        "What was erased stays in backups, which are replaced within %(count)s day.",
        "What was erased stays in backups, which are replaced within %(count)s days.",
        days,
    )
    return words % {"count": days}
