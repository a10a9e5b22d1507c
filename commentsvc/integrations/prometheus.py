"""The text format of Prometheus, version 0.0.4, in which a scrape is answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_IN_LABEL = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_IN_HELP = str.maketrans({"\\": r"\\", "\n": r"\n"})

Labels = tuple[tuple[str, str], ...]
Sample = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class MetricFamily:
    """A gauge with its samples; a metric without a value at the moment has none."""

    name: str
    help: str
    """A sentence that says the unit."""
    samples: Sequence[Sample]


def exposition(families: Iterable[MetricFamily]) -> str:
    """Return the answer to a scrape."""
    return "".join(line for family in families for line in _lines(family))


def _lines(family: MetricFamily) -> Iterator[str]:
    yield f"# HELP {family.name} {family.help.translate(_IN_HELP)}\n"
    yield f"# TYPE {family.name} gauge\n"
    for labels, value in family.samples:
        shown = ",".join(f'{name}="{text.translate(_IN_LABEL)}"' for name, text in labels)
        yield f"{family.name}{f'{{{shown}}}' if shown else ''} {_number(value)}\n"


def _number(value: float) -> str:
    """Return a number without an exponent where it is whole, so that a time stays exact for people, too."""
    return str(int(value)) if value == int(value) else repr(float(value))
