"""What a login provider tells about one of its users, the same for all providers."""

from __future__ import annotations

from dataclasses import dataclass

from commentsvc.models import NoticeKind

OLDEST = 24 * 3600
"""Seconds after which a notice is no longer accepted."""


@dataclass(frozen=True)
class ReceivedNotice:
    """A notice whose signature, audience and time have been checked."""

    kind: NoticeKind
    subject: str
    """The provider's id of the person."""
    number: str
    """Distinguishes this notice from others about the same person; a repeated notice has the same."""
