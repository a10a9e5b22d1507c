"""One after the other, of those who compute; who waits for something else lets others go on."""

from __future__ import annotations

import threading
from contextlib import suppress

from floors import LATE, SOON, Other, is_free

from commentsvc import floor


def test_one_has_the_floor_and_the_next_gets_it_afterwards() -> None:
    with floor.taken():
        other = Other()
        assert not other.had.wait(SOON)
    assert other.had.wait(LATE)
    assert is_free()


def test_who_waits_lets_another_go_on_and_then_has_the_floor_again() -> None:
    with floor.taken():
        with floor.left():
            assert Other().had.wait(LATE)
        assert not is_free()
    assert is_free()


def test_who_leaves_twice_leaves_once() -> None:
    with floor.taken(), floor.left(), floor.left():
        assert is_free()
    assert is_free()


def test_who_has_not_the_floor_leaves_nobodys() -> None:
    held, end = threading.Event(), threading.Event()

    def hold() -> None:
        with floor.taken():
            held.set()
            end.wait(LATE)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(LATE)
    with floor.left():
        assert not is_free()
    end.set()
    holder.join()
    assert is_free()


def test_a_fault_leaves_the_floor_free() -> None:
    with suppress(LookupError), floor.taken():
        raise LookupError
    with suppress(LookupError), floor.taken(), floor.left():
        raise LookupError
    assert is_free()
