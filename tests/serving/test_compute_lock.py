"""One after the other, of those who compute; who waits for something else lets others go on."""

from __future__ import annotations

import threading
from contextlib import suppress

from commentsvc import compute_lock
from tests.support import processes
from tests.support.compute_lock_thread import LATE, SOON, Other, is_free


def test_one_has_the_floor_and_the_next_gets_it_afterwards() -> None:
    with compute_lock.held():
        other = Other()
        assert not other.had.wait(SOON)
    assert other.had.wait(LATE)
    assert is_free()


def test_who_waits_lets_another_go_on_and_then_has_the_floor_again() -> None:
    with compute_lock.held():
        with compute_lock.left():
            assert Other().had.wait(LATE)
        assert not is_free()
    assert is_free()


def test_who_leaves_twice_leaves_once() -> None:
    with compute_lock.held(), compute_lock.left(), compute_lock.left():
        assert is_free()
    assert is_free()


def test_who_has_not_the_floor_leaves_nobodys() -> None:
    held, end = threading.Event(), threading.Event()

    def hold() -> None:
        with compute_lock.held():
            held.set()
            end.wait(LATE)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(LATE)
    with compute_lock.left():
        assert not is_free()
    end.set()
    holder.join()
    assert is_free()


def test_a_fault_leaves_the_floor_free() -> None:
    with suppress(LookupError), compute_lock.held():
        raise LookupError
    with suppress(LookupError), compute_lock.held(), compute_lock.left():
        raise LookupError
    assert is_free()


def test_readers_and_those_in_line_take_turns_in_the_order_they_came() -> None:
    order: list[str] = []

    def go(name: str) -> None:
        with compute_lock.held(in_line=name.startswith("writer")):
            order.append(name)

    came = ["writer 1", "writer 2", "writer 3", "writer 4", "reader 1", "reader 2"]
    threads = [threading.Thread(target=go, args=(name,)) for name in came]
    with compute_lock.held():
        for waiting, thread in enumerate(threads, 1):
            thread.start()
            processes.until(lambda waiting=waiting: compute_lock.waiting() == waiting, "it to wait")  # type: ignore[misc]
    for thread in threads:
        thread.join(LATE)
    assert order == ["writer 1", "reader 1", "writer 2", "reader 2", "writer 3", "writer 4"]
    assert is_free()


def test_whoever_waits_for_the_disk_goes_on_before_the_next_in_line() -> None:
    order: list[str] = []
    away, back = threading.Event(), threading.Event()

    def leave() -> None:
        with compute_lock.held(in_line=True):
            with compute_lock.left():
                away.set()
                assert back.wait(LATE)
            order.append("returned")

    def go() -> None:
        with compute_lock.held(in_line=True):
            order.append("next")

    returning = threading.Thread(target=leave)
    returning.start()
    assert away.wait(LATE)
    with compute_lock.held(in_line=True):
        following = threading.Thread(target=go)
        following.start()
        processes.until(lambda: compute_lock.waiting() == 1, "the next in line")
        back.set()
        processes.until(lambda: compute_lock.waiting() == 2, "who comes back")
    for thread in (returning, following):
        thread.join(LATE)
    assert order == ["returned", "next"]
