"""One check over many values in one test: all of them are tried, and those that fail are named together."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

Value = TypeVar("Value")
SHOWN = 20


def check_each(values: Collection[Value], check: Callable[[Value], object]) -> None:
    """Run a check for every value; fails with the values for which it raised anything."""
    assert values, "there is nothing to check"
    failures = []
    for value in values:
        try:
            check(value)
        except Exception as error:
            failures.append(f"{getattr(value, 'id', value)!s:.80}: {error!r:.300}")
    assert not failures, f"{len(failures)} of {len(values)}:\n" + "\n".join(failures[:SHOWN])
