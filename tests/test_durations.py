"""Sentences about how long somebody has to wait, in each unit."""

from __future__ import annotations

from commentsvc import durations


def test_a_pause_is_in_minutes_where_it_is_exact() -> None:
    sentences = {
        1: "Slow mode: one comment every 1 second.",
        90: "Slow mode: one comment every 90 seconds.",
        120: "Slow mode: one comment every 2 minutes.",
        150: "Slow mode: one comment every 150 seconds.",
    }
    assert {every: durations.slow_mode(every) for every in sentences} == sentences
    assert durations.comment_again(1) == "You can comment again in 1 second."
    assert durations.comment_again(300) == "You can comment again in 5 minutes."


def test_a_limit_is_over_in_about_that_time() -> None:
    for wait, words in {1: "1 second", 89: "89 seconds", 90: "2 minutes", 3600: "60 minutes"}.items():
        assert durations.try_again(wait) == f"That was a lot in a short time. Please try again in {words}."
