"""The local spam filter: learns from a site's own decisions how likely a comment is spam, and says why.

Robinson's method weighs the words and Fisher's combines them, as in SpamBayes: rare words weigh little, and
contradictory words give a score of about 0.5. Nothing leaves the site.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, ColumnElement, exists, select
from sqlalchemy.orm import Session

from commentsvc.domain import stored_reasons
from commentsvc.domain.spam import tokens
from commentsvc.domain.spam.tokens import TokenSource
from commentsvc.models import FilterWord

ENOUGH = 20
"""Decisions of each kind that the filter needs before it gives a score."""
STRENGTH, UNKNOWN = 2.0, 0.5
"""The weight of the prior, and the prior: the probability assumed for an unknown word."""
TELLING = 0.1
"""Minimum distance from 0.5 for a word to count."""
MOST_TELLING = 150
EXPLAINED = 5
IN_QUERY = 500


@dataclass(frozen=True, slots=True)
class Counts:
    """How many comments of each kind contain a word; for the empty word, how many comments there are."""

    spam: int = 0
    ham: int = 0

    def without(self, other: Counts) -> Counts:
        """Return the counts without `other`'s share."""
        return Counts(max(0, self.spam - other.spam), max(0, self.ham - other.ham))


@dataclass(frozen=True, slots=True)
class TokenWeight:
    """A word that counted in a score, with its share of spam."""

    token: str
    weight: float
    """From 0, only in good comments, to 1, only in spam."""
    seen: Counts

    def __str__(self) -> str:
        return tokens.in_words(self.token)


@dataclass(frozen=True, slots=True)
class Score:
    """The probability that a comment is spam, from 0 to 1, and the words that weighed most."""

    value: float
    token_weights: tuple[TokenWeight, ...]

    def reason(self) -> str:
        """Return the score as a sentence."""
        speaks = self.value >= UNKNOWN
        most = [str(sign) for sign in self.token_weights if (sign.weight >= UNKNOWN) == speaks][:EXPLAINED]
        sentence = stored_reasons.FILTER_FOR if speaks else stored_reasons.FILTER_AGAINST
        values = {"probability": _percent(self.value), "evidence": ", ".join(most)}
        return (sentence if most else stored_reasons.FILTER) % values


def has_learned(site_id: int | BindParameter[int]) -> ColumnElement[bool]:
    """Return an SQL condition: whether a site's filter has learned enough to give a score."""
    enough = (FilterWord.spam >= ENOUGH, FilterWord.ham >= ENOUGH)
    return exists().where(FilterWord.site_id == site_id, FilterWord.word == "", *enough)


def score(session: Session, site_id: int, comment: TokenSource) -> Score | None:
    """Return a comment's score; None until the filter has learned enough."""
    comment_tokens = tokens.tokens_of(comment)
    counts = lookup(session, site_id, comment_tokens)
    return weigh(comment_tokens, counts)


def lookup(session: Session, site_id: int, words: Iterable[str]) -> dict[str, Counts]:
    """Return the counts of some words; the empty word has the number of learned comments."""
    wanted = sorted({"", *words})
    counts: dict[str, Counts] = {}
    for at in range(0, len(wanted), IN_QUERY):
        query = select(FilterWord.word, FilterWord.spam, FilterWord.ham).where(
            FilterWord.site_id == site_id, FilterWord.word.in_(wanted[at : at + IN_QUERY])
        )
        counts |= {row.word: Counts(max(0, row.spam), max(0, row.ham)) for row in session.execute(query)}
    return counts


def weigh(
    comment_tokens: Sequence[str], counts: Mapping[str, Counts], *, learned_as: Counts | None = None
) -> Score | None:
    """Return the score of a comment with these tokens; None until enough is learned.

    `learned_as` is this comment's own share of the counts, which is left out: it must not support itself.
    """
    own = learned_as or Counts()
    total = counts.get("", Counts()).without(own)
    if min(total.spam, total.ham) < ENOUGH:
        return None
    signs = [_sign(token, counts.get(token, Counts()).without(own), total) for token in comment_tokens]
    telling = [sign for sign in signs if abs(sign.weight - UNKNOWN) > TELLING]
    telling.sort(key=lambda sign: (-abs(sign.weight - UNKNOWN), sign.token))
    telling = telling[:MOST_TELLING]
    return Score(_combined([sign.weight for sign in telling]), tuple(telling))


def _sign(token: str, seen: Counts, total: Counts) -> TokenWeight:
    spam, ham = seen.spam / total.spam, seen.ham / total.ham
    often = seen.spam + seen.ham
    share = spam / (spam + ham) if often else UNKNOWN
    return TokenWeight(token, (STRENGTH * UNKNOWN + often * share) / (STRENGTH + often), seen)


def _combined(weights: Sequence[float]) -> float:
    """Combine by Fisher's method: near 1 if all words point to spam, near 0 if none does."""
    if not weights:
        return UNKNOWN
    spam = 1 - _chi_square(-2 * sum(math.log(1 - weight) for weight in weights), len(weights))
    ham = 1 - _chi_square(-2 * sum(math.log(weight) for weight in weights), len(weights))
    return (1 + spam - ham) / 2


def _chi_square(value: float, pairs: int) -> float:
    """Return the probability that a chi-squared value with 2 x `pairs` degrees of freedom is at least `value`."""
    half = value / 2
    term = total = math.exp(-half)
    if term == 0.0:  # underflow: too extreme for the sum below
        return 0.0 if half > pairs else 1.0
    for at in range(1, pairs):
        term *= half / at
        total += term
    return min(total, 1.0)


def _percent(value: float) -> str:
    """Format a probability, never as 0% or 100%."""
    return f"{min(99, max(1, round(value * 100)))}% certainty"
