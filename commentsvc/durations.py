"""Sentences about how long somebody has to wait.

Each is whole in each unit, because languages inflect a duration with the words around it.
"""

from __future__ import annotations

from commentsvc.messages import ngettext


def slow_mode(every: int) -> str:
    """Return the rule of slow mode, for a pause in seconds; from two minutes on in whole minutes, if exact."""
    if _is_in_minutes(every):
        text = ngettext(
            "Slow mode: one comment every %(number)s minute.",
            "Slow mode: one comment every %(number)s minutes.",
            every // 60,
        )
        return text % {"number": every // 60}
    text = ngettext(
        "Slow mode: one comment every %(number)s second.",
        "Slow mode: one comment every %(number)s seconds.",
        every,
    )
    return text % {"number": every}


def comment_again(wait: int) -> str:
    """Return when a person can comment again, in seconds from now; units as in `slow_mode`."""
    if _is_in_minutes(wait):
        text = ngettext(
            "You can comment again in %(number)s minute.",
            "You can comment again in %(number)s minutes.",
            wait // 60,
        )
        return text % {"number": wait // 60}
    text = ngettext(
        "You can comment again in %(number)s second.",
        "You can comment again in %(number)s seconds.",
        wait,
    )
    return text % {"number": wait}


def try_again(wait: int) -> str:
    """Return when to try again, in seconds from now; from 90 seconds on in minutes."""
    if wait < 90:
        text = ngettext(
            "That was a lot in a short time. Please try again in %(number)s second.",
            "That was a lot in a short time. Please try again in %(number)s seconds.",
            wait,
        )
        return text % {"number": wait}
    minutes = round(wait / 60)
    text = ngettext(
        "That was a lot in a short time. Please try again in %(number)s minute.",
        "That was a lot in a short time. Please try again in %(number)s minutes.",
        minutes,
    )
    return text % {"number": minutes}


def _is_in_minutes(seconds: int) -> bool:
    return seconds >= 120 and seconds % 60 == 0
