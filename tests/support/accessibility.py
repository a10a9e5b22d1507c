"""Asks axe what on a page keeps people out."""

from __future__ import annotations

from dataclasses import dataclass

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Frame, Page

# axe also lists every element that passed. Carrying these to the test takes longer than all of axe's checks.
_FIND = """(only) => axe.run(document, { resultTypes: ["violations"], ...(only.length && { runOnly: only }) }).then(
  ({ violations }) => violations.map(({ id, impact, nodes }) => ({
    rule: id,
    impact,
    elements: nodes.map((node) => node.html),
    advice: nodes[0].failureSummary,
  })))"""
_SERIOUS = {"serious", "critical"}


@dataclass(frozen=True)
class Violation:
    """A rule that elements of the page break."""

    rule: str
    impact: str
    elements: list[str]
    advice: str


def violations(place: Page | Frame, *, only: tuple[str, ...] = ()) -> list[Violation]:
    """Return every rule that the document breaks, or those of `only`."""
    if not place.evaluate("'axe' in window"):
        place.evaluate(AXE_SCRIPT)
    return [Violation(**row) for row in place.evaluate(_FIND, only)]


def serious_violations(place: Page | Frame, *, only: tuple[str, ...] = ()) -> list[Violation]:
    """Return those that keep people out."""
    return [violation for violation in violations(place, only=only) if violation.impact in _SERIOUS]
