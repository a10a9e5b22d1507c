"""The C library's heap, in which a worker has its pages and what SQLite remembers; only glibc's is known here."""

from __future__ import annotations

import ctypes
import threading
import time
from contextlib import suppress

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_PAGE = 4096
_PIECE = 1032
"""Bytes; the largest that glibc hands out without looking for a better place."""
_EVERY = 1.0
"""Seconds."""


def close_holes() -> None:
    """Take all that is free between what is loaded; called before the workers are forked.

    They would put there what they remember, a few bytes here and there, and each copy the pages around them: 1.5 MB of
    holes for all, instead of 4 MB of copies for each.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.malloc_trim(0)
        libc.malloc.restype = libc.sbrk.restype = ctypes.c_size_t
        end = libc.sbrk(ctypes.c_ssize_t(0)) - _PAGE
        for size in range(_PIECE, 0, -16):
            while 0 < libc.malloc(ctypes.c_size_t(size)) < end:
                pass


def share() -> None:
    """Have all threads of a worker share one heap, and give back to the system what is free in it, time and again.

    Pages that several threads make would otherwise leave holes in a heap of each: a fifth more memory. Pieces of a
    page's size stay in the heap: fetching pieces of 100 KB from the system anew was a quarter of a page's time. Setting
    one of the two limits turns off glibc's own adjustment of both (mallopt(3)).
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 1024 * 1024)
        libc.mallopt(_M_TRIM_THRESHOLD, 4 * 1024 * 1024)
        libc.mallopt(_M_ARENA_MAX, 1)
        threading.Thread(target=_give_back, args=(libc,), daemon=True, name="heap").start()


def _give_back(libc: ctypes.CDLL) -> None:
    """Give back whole pages amid the heap too, which glibc does not by itself: 3 MB a worker, in a millisecond."""
    while True:
        time.sleep(_EVERY)
        libc.malloc_trim(0)
