"""Why checks decided as they did: stored in English, and translated where moderators read it.

A reason is stored when a reader posts, in a language that is not the moderator's. So a reason that has a value in it is
written by a pattern of this file, which finds the value again.
"""

from __future__ import annotations

import re
from functools import cache

from commentsvc import messages
from commentsvc.languages import ENGLISH
from commentsvc.messages import gettext, gettext_noop

TOO_FAST = gettext_noop("Sent %(seconds)s seconds after the form was opened.")
LISTED = {
    "disallows": gettext_noop("Its %(field)s has “%(word)s”, which this site disallows."),
    "holds for review": gettext_noop("Its %(field)s has “%(word)s”, which this site holds for review."),
}
ONE_LINK = gettext_noop("It has %(links)s link; this site holds comments with more than %(most)s.")
LINKS = gettext_noop("It has %(links)s links; this site holds comments with more than %(most)s.")
NAMESAKE = {
    "owner": gettext_noop("The name looks like that of %(name)s, the site's owner."),
    "moderator": gettext_noop("The name looks like that of %(name)s, the site's moderator."),
    "": gettext_noop("The name looks like that of %(name)s, who comments here with an account."),
}
"""By the role of the person whose name it is."""
FILTER = gettext_noop("The site's own filter considers this spam with %(probability)s.")
FILTER_FOR = gettext_noop(
    "The site's own filter considers this spam with %(probability)s. Strongest evidence for spam: %(evidence)s."
)
FILTER_AGAINST = gettext_noop(
    "The site's own filter considers this spam with %(probability)s. Strongest evidence against spam: %(evidence)s."
)
SURGE_MINUTES = gettext_noop("%(number)s came within 5 minutes, where %(usual)s are unusual.")
SURGE_MINUTE = gettext_noop("%(number)s came within one minute, where %(usual)s are unusual.")
ONE_REPORT = gettext_noop("1 reader reported this comment: %(reasons)s.")
REPORTS = gettext_noop("%(number)s readers reported this comment: %(reasons)s.")

_PATTERNS = (
    *(TOO_FAST, *LISTED.values(), ONE_LINK, LINKS, *NAMESAKE.values(), FILTER_FOR, FILTER_AGAINST, FILTER),
    *(SURGE_MINUTES, SURGE_MINUTE, ONE_REPORT, REPORTS),
)
"""In the order in which they are tried."""
FIELDS = (
    gettext_noop("text"),
    gettext_noop("name"),
    gettext_noop("e-mail address"),
    gettext_noop("website"),
    gettext_noop("network address"),
)
"""Where a listed word was found."""
_TRANSLATED = {"field", "evidence"}
"""Values that are words of ours, separated by commas."""
_PLACEHOLDER = re.compile(r"%\\\((\w+)\\\)s")


def translated(reason: str) -> str:
    """Return a stored reason in the current language; one that is not ours stays as it is."""
    if not reason or messages.language().code == ENGLISH:
        return reason
    if (whole := gettext(reason)) != reason:
        return whole
    for pattern in _PATTERNS:
        if match := _form(pattern).fullmatch(reason):
            values = {name: _value(name, text) for name, text in match.groupdict().items()}
            return gettext(pattern) % values
    return reason


def _value(name: str, text: str) -> str:
    return ", ".join(gettext(word) for word in text.split(", ")) if name in _TRANSLATED else text


@cache
def _form(pattern: str) -> re.Pattern[str]:
    """Return a form that matches the sentences of a pattern, with its values as groups."""
    return re.compile(_PLACEHOLDER.sub(r"(?P<\1>.+?)", re.escape(pattern)), re.DOTALL)
