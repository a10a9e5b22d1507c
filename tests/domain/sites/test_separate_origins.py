"""No site shares an origin with the service."""

from __future__ import annotations

import pytest

from commentsvc.domain.sites.separate_origins import require_separate, shared_origin_fault
from commentsvc.errors import InvalidFieldsError


@pytest.mark.parametrize(
    ("base_url", "instead"),
    [
        ("https://example.org/comments", "https://comments.example.org"),
        ("https://example.org", "https://comments.example.org"),
        ("https://comments.example", "https://discussion.comments.example"),
        ("https://www.example.org:8443/comments", "https://comments.example.org:8443"),
        ("http://127.0.0.1/comments", "http://127.0.0.1:8600"),
        ("http://127.0.0.1:8600", "http://127.0.0.1:8601"),
        ("http://[::1]/comments", "http://[::1]:8600"),
    ],
)
def test_one_origin_is_refused_with_the_line_for_another(base_url: str, instead: str) -> None:
    origin = "/".join(base_url.split("/")[:3])
    with pytest.raises(InvalidFieldsError) as caught:
        require_separate(["https://blog.example", origin], base_url)
    result = caught.value.fields["origins"]
    assert "act as the reader and as you" in result
    assert result.endswith(f"COMMENTSVC_BASE_URL={instead}")


@pytest.mark.parametrize(
    "origin",
    [
        "http://example.org",
        "https://www.example.org",
        "https://example.org:8443",
        "https://comments.example.org",
    ],
)
def test_another_scheme_host_or_port_is_another_origin(origin: str) -> None:
    assert shared_origin_fault([origin], "https://example.org/comments") == ""
