"""What every test with a browser needs."""

from __future__ import annotations

import pytest

from commentsvc.domain.spam import checks
from tests.support.browser import Blog


@pytest.fixture(autouse=True)
def _quick_readers(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test is faster than any person; the service would hold its comments for that.

    Asked for here, before any page, the blog and the service outlive the browser's last request.
    """
    monkeypatch.setattr(checks, "FASTEST_SECONDS", 0.0)
