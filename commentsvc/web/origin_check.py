"""The check that a changing request was sent by a page of this service, by its `Origin`."""

from __future__ import annotations

from flask import request

from commentsvc.errors import ForbiddenError
from commentsvc.web.context import settings


def require_own_page() -> None:
    """Refuse a change that was not sent by a page of this service; raises ForbiddenError.

    Only our exact `Origin` will do: no other page can send it, and every browser that we support sends one with each
    POST. `Sec-Fetch-Site` is not asked: WebKit says `cross-site` for a form of ours that opens a new window. A request
    without `Origin` is refused whatever else it says, because it may come from anywhere.
    """
    if request.headers.get("Origin") != settings().base_url:
        raise ForbiddenError(
            "This request did not come from a page of this service. "
            "If you run it: COMMENTSVC_BASE_URL must be the address that browsers see."
        )
