"""Whether a certificate is renewed in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from commentsvc.cli.checks import reachability
from commentsvc.http_client.client import Certificate

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "left", "is_late"),
    [
        (90, 16, False),  # Let's Encrypt's are renewed with 30 days left
        (90, 14, True),
        (6, 2, False),
        (6, 0.9, True),
        (398, 20, False),
        (398, 13, True),
        (90, -1, True),
    ],
)
def test_a_certificate_that_should_have_been_renewed_is_found(
    days: float, left: float, is_late: bool
) -> None:
    ends = NOW + timedelta(days=left)
    finding = reachability.certificate(Certificate(ends - timedelta(days=days), ends), at=NOW)
    assert bool(finding.advice) is is_late
    assert f"{ends:%Y-%m-%d}" in finding.state
