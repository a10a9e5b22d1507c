"""What servers say in place of an answer, for those who treat each in its own way."""

from __future__ import annotations

from datetime import datetime

from commentsvc.errors import OutboundError


class AskedTooOftenError(OutboundError):
    """A server wants no more requests before `until`."""

    def __init__(self, message: str, until: datetime) -> None:
        self.until = until
        super().__init__(message)


class GoneError(OutboundError):
    """A server says that it does not have what was asked for."""
