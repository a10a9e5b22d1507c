"""The memory in which limits count: what it counts, and that it forgets."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from commentsvc.integrations import memory_window
from commentsvc.integrations.memory_window import MemoryWindow


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

        self.set_to = 0.0
        """What whoever sets the machine's clock adds."""

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now + self.set_to


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(memory_window, "time", clock)
    return clock


def test_so_many_are_let_through_and_no_more(clock: Clock) -> None:
    memory = MemoryWindow()
    assert [memory.acquire_entry("anna", 2, 60) for _ in range(3)] == [True, True, False]
    assert memory.acquire_entry("ben", 2, 60)


def test_one_is_let_through_again_when_the_first_is_a_window_old(clock: Clock) -> None:
    memory = MemoryWindow()
    memory.acquire_entry("anna", 2, 60)
    clock.now += 30
    memory.acquire_entry("anna", 2, 60)
    assert memory.get_moving_window("anna", 2, 60) == (1000.0, 2)
    clock.now += 31
    assert memory.get_moving_window("anna", 2, 60) == (1030.0, 1)
    assert memory.acquire_entry("anna", 2, 60)
    assert not memory.acquire_entry("anna", 2, 60)


def test_a_clock_that_is_set_back_keeps_nobody_out(clock: Clock) -> None:
    memory = MemoryWindow()
    memory.acquire_entry("anna", 1, 60)
    clock.set_to = -7200
    clock.now += 30
    assert memory.get_moving_window("anna", 1, 60) == (clock.time() - 30, 1)
    clock.now += 31
    assert memory.acquire_entry("anna", 1, 60)


def test_whoever_is_not_heard_of_any_more_is_forgotten(clock: Clock) -> None:
    memory = MemoryWindow()
    for number in range(1000):
        memory.acquire_entry(f"guest {number}", 2, 60)
    assert len(memory) == 1000
    clock.now += 61
    for _ in range(500):
        memory.acquire_entry("anna", 1000, 60)
    assert len(memory) == 1


def test_no_thread_is_started_for_a_storage_nor_for_an_act(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Thread] = []
    monkeypatch.setattr(threading.Thread, "start", lambda thread: started.append(thread))
    memory = MemoryWindow()
    for number in range(100):
        memory.acquire_entry(f"guest {number}", 2, 60)
    assert started == []


def test_many_at_once_are_counted_exactly() -> None:
    memory = MemoryWindow()
    with ThreadPoolExecutor(8) as pool:
        let = list(pool.map(lambda _: memory.acquire_entry("anna", 100, 60), range(400)))
    assert sum(let) == 100
