"""The score of a comment, by which the order "best" sorts."""

from __future__ import annotations

from math import sqrt

_Z = 1.96
"""For a confidence of 95 %."""
_SCALE = 10**9


def score(ups: int, downs: int) -> int:
    """Return the score, from -10⁹ to 10⁹; 0 without votes.

    It is the lower bound of Wilson's interval for the share of ups, so that 9 of 10 come before 1 of 1, and without
    downs more likes always come first. A comment with more downs than ups has the bound for the downs, below zero:
    it comes after those without votes.
    """
    return -_lower_bound(downs, ups) if downs > ups else _lower_bound(ups, downs)


def _lower_bound(these: int, others: int) -> int:
    number = these + others
    if not number:
        return 0
    share, square = these / number, _Z * _Z
    spread = _Z * sqrt((share * (1 - share) + square / (4 * number)) / number)
    return round(_SCALE * (share + square / (2 * number) - spread) / (1 + square / number))
