"""Reasons that are stored in English, and read in another language."""

from __future__ import annotations

import gettext
import re

import pytest

from commentsvc import messages
from commentsvc.domain import stored_reasons
from commentsvc.domain.moderation import reports
from commentsvc.domain.spam.spam_filter import Counts, Score, TokenWeight
from commentsvc.domain.surge.detection import _Arrivals

PATTERNS = stored_reasons._PATTERNS


class Shouted(gettext.NullTranslations):
    """Has the patterns and a few words in capitals, but for their placeholders."""

    def gettext(self, message: str) -> str:
        if message not in {*PATTERNS, "two links", "website"}:
            return message
        return re.sub(r"%\(\w+\)s|[^%]+?(?=%\(|$)", lambda part: _shouted(part[0]), message)


def _shouted(part: str) -> str:
    return part if part.startswith("%(") else part.upper()


def test_every_reason_with_a_value_is_translated_and_keeps_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_catalogue", lambda code: Shouted())
    value = "ada, “the site's owner” (50 %)"
    for pattern in PATTERNS:
        names = re.findall(r"%\((\w+)\)s", pattern)
        stored = pattern % dict.fromkeys(names, value)
        assert stored_reasons.translated(stored) == stored
        with messages.using("de"):
            assert stored_reasons.translated(stored) == messages.gettext(pattern) % dict.fromkeys(
                names, value
            )


def test_words_of_ours_in_a_reason_are_translated_and_what_is_not_ours_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(messages, "_catalogue", lambda code: Shouted())
    listed = stored_reasons.LISTED["disallows"] % {"field": "website", "word": "casino"}
    weights = (TokenWeight("sign:links:2", 0.9, Counts(9, 1)), TokenWeight("casino", 0.9, Counts(9, 1)))
    evidence = Score(0.9, weights).reason()
    with messages.using("de"):
        assert stored_reasons.translated(listed) == "ITS WEBSITE HAS “casino”, WHICH THIS SITE DISALLOWS."
        assert stored_reasons.translated(evidence).endswith("TWO LINKS, “casino”.")
        for reason in (_Arrivals(40, 1).sign(None, 10).reason, reports.sentence(["spam"])):
            assert stored_reasons.translated(reason).endswith((" ARE UNUSUAL.", ": 1 × spam."))  # noqa: RUF001
        assert stored_reasons.translated("Somebody said so.") == "Somebody said so."
        assert stored_reasons.translated("") == ""
