"""What readers are told of a thread that is closed, or will be: a sentence for each."""

from __future__ import annotations

from datetime import datetime

from commentsvc.messages import gettext, ngettext
from commentsvc.text import dates


def closed_on(at: datetime) -> str:
    """Return that a date closed the thread."""
    return gettext("Comments were closed on %(date)s.") % {"date": dates.date(at)}


def closes_on(at: datetime) -> str:
    """Return that a date will close the thread."""
    return gettext("Comments close on %(date)s.") % {"date": dates.date(at)}


def closed_after(days: int) -> str:
    """Return that its age closed the thread."""
    if days == 1:
        return gettext("Comments closed after one day.")
    text = ngettext("Comments closed after %(days)s day.", "Comments closed after %(days)s days.", days)
    return text % {"days": days}
