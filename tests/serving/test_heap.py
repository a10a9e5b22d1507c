"""The C library's heap: what is free in it is taken before workers are forked, and given back afterwards."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another library has another heap")

COMMON = """
import ctypes, time
from pathlib import Path
from commentsvc.serving import heap

libc = ctypes.CDLL(None)
libc.malloc.restype = libc.sbrk.restype = ctypes.c_size_t

def malloc(size):
    return libc.malloc(ctypes.c_size_t(size))

def free_every_other(pieces):
    for piece in pieces[::2]:
        libc.free(ctypes.c_size_t(piece))

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])
"""
HOLES = """
free_every_other([malloc(size) for size in (40, 300, 900) for _ in range(2000)])
libc.malloc_trim(0)  # or what is free at the end would count as a hole
end = libc.sbrk(ctypes.c_ssize_t(0)) - 4096
if {closed}:
    heap.close_holes()
pieces = [malloc(size) for size in (40, 300, 900) for _ in range(500)]
print(sum(piece < end for piece in pieces))
"""
FREE = """
pieces = [malloc(10_000) for _ in range(2000)]
for piece in pieces:
    ctypes.memset(piece, 1, 10_000)
free_every_other(pieces)
before = resident()
{share}
until = time.monotonic() + 10
while resident() > before - 1000 and time.monotonic() < until:
    time.sleep(0.05)
print(resident() <= before - 1000)
"""


def said(program: str) -> str:
    command = [sys.executable, "-c", COMMON + program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_nothing_new_lies_between_what_is_loaded() -> None:
    assert int(said(HOLES.format(closed=False))) > 1400
    assert int(said(HOLES.format(closed=True))) < 100


def test_what_is_free_in_the_midst_is_given_back() -> None:
    assert said(FREE.format(share="heap.share()")) == "True"
