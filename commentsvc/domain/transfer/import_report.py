"""Counts what an import did or, in a dry run, would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from commentsvc.domain.transfer.import_plan import PlannedComment
from commentsvc.models import Kind, Status

_SHOWN = 20
"""Addresses listed in the report."""
ORPHAN = "replies to a missing comment, which start their own conversations now"


@dataclass(frozen=True)
class ImportReport:
    """The counts of a finished import. In a dry run they say what an import would do."""

    dry_run: bool
    threads_new: int
    threads_existing: int
    new: Mapping[tuple[Kind, Status], int]
    already_there: int
    skipped: Mapping[str, int]
    """Number of skipped comments by reason."""
    notes: Mapping[str, int]
    """Number of comments by note."""
    moved: Mapping[tuple[str, str], int]
    """Number of articles that got another home, by (old, new)."""
    differing: Mapping[str, int] = field(default_factory=dict)
    """Number of existing comments that differ from the file, by what differs: `text` or `status`."""
    brought: Mapping[str, int] = field(default_factory=dict)
    """Number of those that have what the file says now, by the same names."""
    elsewhere: Mapping[tuple[int, str, str], int] = field(default_factory=dict)
    """Number of comments that lie in another thread than their article's, by (thread's id, its URL, article's URL)."""

    @property
    def read(self) -> int:
        """Number of comments, pingbacks and trackbacks in the file."""
        return sum(self.new.values()) + self.already_there + sum(self.skipped.values())

    def count(self, kind: Kind | None = None, status: Status | None = None) -> int:
        """Return the number of new comments with this kind and status."""
        return sum(
            number
            for (its_kind, its_status), number in self.new.items()
            if kind in {None, its_kind} and status in {None, its_status}
        )

    def lines(self) -> list[str]:
        """Return the report as lines of text, for a terminal."""
        would = "would be " if self.dry_run else ""
        lines = ["Dry run: nothing was changed."] if self.dry_run else []
        lines += [
            f"Threads:      {self.threads_new} {would}new, {self.threads_existing} already existed",
            *(self._line(kind, would) for kind in Kind),
            f"Existing:     {self.already_there} of {self.read}",
            *self._differing(),
            f"Skipped:      {sum(self.skipped.values())}",
            *(f"  {reason}: {number}" for reason, number in sorted(self.skipped.items())),
            *(
                f"Note: articles of {old}, stored under {new} (--to sets another address): {number}"
                for (old, new), number in sorted(self.moved.items())
            ),
            *(f"Note: {note}: {number}" for note, number in sorted(self.notes.items())),
            *self._elsewhere(),
        ]
        if not self.new:
            lines.append("Nothing new in this file.")
        return lines

    def _differing(self) -> list[str]:
        """Return lines about existing comments that the file has otherwise."""
        return [
            f"  with another {kind} in the file: {number}"
            + (f", {self.brought[kind]} brought" if kind in self.brought else " (--update brings it)")
            for kind, number in sorted(self.differing.items())
        ]

    def _elsewhere(self) -> list[str]:
        """Return lines about existing comments that readers do not see under their articles."""
        if not self.elsewhere:
            return []
        number, listed = sum(self.elsewhere.values()), sorted(self.elsewhere.items())
        left = len(listed) - _SHOWN
        return [
            f"Elsewhere:    {number} of them in threads at other addresses; --follow moves these threads",
            *(f"  {old} is now {new}: {count}" for (_, old, new), count in listed[:_SHOWN]),
            *([f"  and {left} more addresses"] if left > 0 else []),
        ]

    def _line(self, kind: Kind, would: str) -> str:
        states = [f"{self.count(kind, status)} {status}" for status in Status if self.count(kind, status)]
        label = f"{kind.value.capitalize()}s:"
        return f"{label:<13} {self.count(kind)} {would}new" + (f" ({', '.join(states)})" if states else "")


@dataclass
class ImportTally:
    """The counts of a running import."""

    dry_run: bool
    threads_new: set[str] = field(default_factory=set)
    threads_existing: set[str] = field(default_factory=set)
    new: Counter[tuple[Kind, Status]] = field(default_factory=Counter)
    already_there: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)
    brought: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[tuple[int, str, str]] = field(default_factory=Counter)

    def add(self, planned: PlannedComment, *, orphan: bool) -> None:
        """Count a stored comment; `orphan` if its parent is missing."""
        self.new[planned.kind, planned.status] += 1
        self.notes.update(planned.notes)
        if orphan:
            self.notes[ORPHAN] += 1

    def report(self) -> ImportReport:
        return ImportReport(
            dry_run=self.dry_run,
            threads_new=len(self.threads_new),
            threads_existing=len(self.threads_existing),
            new=dict(self.new),
            already_there=self.already_there,
            skipped=dict(self.skipped),
            notes=dict(self.notes),
            moved=dict(self.moved),
            differing=dict(self.differing),
            brought=dict(self.brought),
            elsewhere=dict(self.elsewhere),
        )
