"""What every test with a browser needs."""

from __future__ import annotations

import pytest

from commentsvc.domain.spam import checks


@pytest.fixture(autouse=True)
def _quick_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test is faster than any person; the service would hold its comments for that."""
    monkeypatch.setattr(checks, "FASTEST_SECONDS", 0.0)
