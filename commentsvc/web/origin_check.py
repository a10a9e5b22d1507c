"""Checks by `Origin` that a page of this service sent a changing request."""

from __future__ import annotations

from flask import request

from commentsvc.errors import ForbiddenError
from commentsvc.messages import gettext
from commentsvc.web.context import settings


def require_own_page() -> None:
    """Refuse a change that no page of this service sent; raises ForbiddenError.

    Only our exact `Origin` is accepted: no other page can send it, and every supported browser sends it with each POST.
    `Sec-Fetch-Site` is not used: WebKit says `cross-site` for a form of ours that opens a new window. A request without
    `Origin` is refused whatever else it says, because it may come from anywhere.
    """
    if request.headers.get("Origin") != settings().origin:
        raise ForbiddenError(
            gettext(
                "This request did not come from a page of this service. "
                "If you run it: COMMENTSVC_BASE_URL must be the address that browsers see."
            )
        )
