"""Memory does not grow with the file: neither while it is read, nor while a dry run remembers what it has seen."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commentsvc.domain.transfer import spool
from commentsvc.domain.transfer.pending_comments import PendingComments, Written
from tests.support import exports

PIECE = 1 << 20
TEXT = "Some words that a reader has written about the article. " * 12
ROOM = 2 << 20
"""Bytes that may differ between two runs: buffers and caches of a fixed size."""


def disqus(number: int) -> str:
    articles = "".join(
        f'<thread dsq:id="{at}"><link>https://blog.example/{at}/</link><title>Article</title></thread>'
        for at in range(number // 50)
    )
    posts = "".join(
        f'<post dsq:id="{at + 10_000}"><message><![CDATA[<p>{TEXT}</p>]]></message>'
        f'<createdAt>2019-01-02T09:30:15Z</createdAt><thread dsq:id="{at % (number // 50)}"/></post>'
        for at in range(number)
    )
    head = '<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals">'
    return f"{head}{articles}{posts}</disqus>"


def commento(number: int) -> str:
    comments = [
        {
            "commentHex": f"{at:x}",
            "url": f"/{at % 50}/",
            "markdown": TEXT,
            "creationDate": "2019-01-02T09:30:15Z",
        }
        for at in range(number)
    ]
    return json.dumps({"version": 1, "comments": comments, "commenters": []})


def waline_on_one_article(number: int) -> str:
    comments = [
        {"objectId": at, "url": "/a/", "comment": TEXT, "insertedAt": "2019-01-02T09:30:15Z"}
        for at in range(number)
    ]
    return json.dumps({"type": "waline", "data": {"Comment": comments}})


def peak_of_reading(path: Path) -> tuple[int, int]:
    """Return the most bytes in use while a file is read, and the number of its comments."""
    tracemalloc.start()
    try:
        number = sum(len(article.comments) for article in exports.articles(path))
        return tracemalloc.get_traced_memory()[1], number
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("write", [disqus, commento, waline_on_one_article])
def test_a_file_four_times_as_long_needs_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[int], str]
) -> None:
    monkeypatch.setattr(spool, "PIECE", PIECE)
    path = tmp_path / "export"
    peaks = []
    for number in (2500, 10_000):
        path.write_text(write(number))
        peak, read = peak_of_reading(path)
        assert read == number
        peaks.append(peak)
    assert path.stat().st_size > 6 << 20
    assert peaks[1] - peaks[0] < ROOM


def test_a_dry_run_remembers_comments_outside_of_memory() -> None:
    pending = PendingComments()
    at = datetime(2019, 1, 2, 9, 30, tzinfo=UTC)
    tracemalloc.start()
    for number in range(20_000):
        pending[f"disqus::{number}"] = Written("blog.example/a", f"{number:032}", at)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert used < 1 << 20
    assert pending.get("disqus::7") == Written("blog.example/a", f"{7:032}", at)
    keys = [f"disqus::{number}" for number in range(20_001)]
    assert [key for key in keys if key not in pending] == ["disqus::20000"]
    assert pending.get("disqus::20000") is None
    pending.clear()
    assert not any(key in pending for key in keys)
    pending.close()
