"""The order of an article's comments: parents before their replies, whatever the order of time."""

from __future__ import annotations

import random

from commentsvc.domain.transfer.reply_order import ReplyOrder


def order(
    *parents: int | None, seen: str = "", size: int = 1, most: int = 100
) -> list[list[tuple[int, bool]]]:
    """Return the pieces of comments whose numbers are 100, 101 …; `seen` has a "-" for each that is not seen."""
    rows = [
        (100 + position, parent, seen[position : position + 1] != "-", size)
        for position, parent in enumerate(parents)
    ]
    return list(ReplyOrder.read(rows).pieces(most))


def numbers(*parents: int | None) -> list[int]:
    return [number for piece in order(*parents) for number, _ in piece]


def test_comments_come_in_the_order_of_time() -> None:
    assert numbers(None, 0, None, 1) == [100, 101, 102, 103]


def test_a_reply_that_is_older_than_its_parent_comes_after_it() -> None:
    assert numbers(2, 0, None, None) == [102, 100, 101, 103]


def test_a_circle_and_an_answer_to_itself_come_once() -> None:
    assert sorted(numbers(1, 0, 2, None)) == [100, 101, 102, 103]


def test_every_comment_comes_once_and_after_its_parent() -> None:
    chance = random.Random(1)
    parents = [chance.choice([None, chance.randrange(500)]) for _ in range(500)]
    result = numbers(*parents)
    assert sorted(result) == list(range(100, 600))
    place = {number - 100: at for at, number in enumerate(result)}
    late = [at for at, parent in enumerate(parents) if parent is not None and place[parent] > place[at]]
    assert len(late) <= sum(_is_in_circle(parents, at) for at in range(500))


def _is_in_circle(parents: list[int | None], start: int) -> bool:
    position, steps = parents[start], 0
    while position is not None and position != start and steps < 500:
        position, steps = parents[position], steps + 1
    return position == start


def test_what_carries_visible_replies_is_told() -> None:
    (piece,) = order(None, 0, 1, None, 3, seen="--  -")
    assert piece == [(100, True), (101, True), (102, False), (103, False), (104, False)]


def test_pieces_have_a_size() -> None:
    assert [len(piece) for piece in order(*[None] * 5, size=4, most=10)] == [2, 2, 1]
    assert [len(piece) for piece in order(None, None, size=40, most=10)] == [1, 1]
