"""What every test with a browser needs."""

from __future__ import annotations

import pytest

from commentsvc.domain.spam import checks


@pytest.fixture(autouse=True)
def _quick_readers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test is faster than any person; the service would hold its comments for that.

    Asked for here, before any page, the blog and the service outlive the browser's last request.
    """
    if "blog" in request.fixturenames:
        request.getfixturevalue("blog")
    monkeypatch.setattr(checks, "FASTEST_SECONDS", 0.0)
