"""Orders the comments of an article, however many: parents before their replies, in a few bytes for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class ReplyOrder:
    """The comments of an article by their positions in the order of time."""

    numbers: array[int] = field(default_factory=lambda: array("q"))
    """By which the caller knows each comment."""
    parents: array[int] = field(default_factory=lambda: array("q"))
    """The position of each comment's parent; -1 for a comment that is no reply, or whose parent is missing."""
    sizes: array[int] = field(default_factory=lambda: array("q"))
    carrying: bytearray = field(default_factory=bytearray)
    """1 for each comment that has a reply, or a reply's reply, that readers see."""

    @classmethod
    def read(cls, rows: Iterable[tuple[int, int | None, bool, int]]) -> ReplyOrder:
        """Read number, parent's position, whether readers see it, and size of each comment in the order of time."""
        order = cls()
        seen = bytearray()
        for position, (number, parent, is_seen, size) in enumerate(rows):
            order.numbers.append(number)
            order.parents.append(-1 if parent is None or parent == position else parent)
            order.sizes.append(size)
            seen.append(is_seen)
        order.carrying = bytearray(len(seen))
        for position, parent in enumerate(order.parents):
            while seen[position] and parent >= 0 and not order.carrying[parent]:
                order.carrying[parent] = 1
                parent = order.parents[parent]
        return order

    def pieces(self, size: int) -> Iterator[list[tuple[int, bool]]]:
        """Yield numbers and whether they carry replies, parents first, in pieces of at most `size` or one comment."""
        piece: list[tuple[int, bool]] = []
        room = size
        for position in self._positions():
            if piece and self.sizes[position] > room:
                yield piece
                piece, room = [], size
            piece.append((self.numbers[position], bool(self.carrying[position])))
            room -= self.sizes[position]
        if piece:
            yield piece

    def _positions(self) -> Iterator[int]:
        """Yield each position once; a reply that is older than its parent comes right after it."""
        done = bytearray(len(self.numbers))
        waiting: dict[int, list[int]] = {}
        for position, parent in enumerate(self.parents):
            if parent >= 0 and not done[parent]:
                waiting.setdefault(parent, []).append(position)
            else:
                yield from _with_waiting(position, waiting, done)
        # What is left answers each other in a circle.
        for position in range(len(done)):
            if not done[position]:
                yield from _with_waiting(position, waiting, done)


def _with_waiting(position: int, waiting: dict[int, list[int]], done: bytearray) -> Iterator[int]:
    ready = [position]
    while ready:
        position = ready.pop()
        if not done[position]:
            done[position] = 1
            yield position
            ready.extend(reversed(waiting.pop(position, [])))
