"""What a page that embeds a thread may do: a preview shows it, but takes comments only if the owner allows it."""

from __future__ import annotations

from datetime import datetime

from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import ThreadClosedError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Thread

ON_PREVIEW = gettext_noop("This is a preview of the website. Please comment on the published page.")


def framing_origins(address: ThreadAddress) -> list[str]:
    """Return the origins whose pages may show the thread: the site's, and that of the preview that asks."""
    own = [item.origin for item in address.site.origins]
    return [*own, address.preview_origin] if address.preview_origin else own


def closed_reason(address: ThreadAddress, thread: Thread | None, *, at: datetime) -> str | None:
    """Return why nobody can comment from the page that asks, as a sentence; None if people can."""
    if address.is_read_only:
        return gettext(ON_PREVIEW)
    return threads.closed_reason(address.site, thread, at=at)


def announcement(address: ThreadAddress, thread: Thread | None, *, at: datetime) -> str | None:
    """Return what readers need to know before they write, as sentences; None if nothing, or if nobody can write."""
    return None if address.is_read_only else threads.announcement(address.site, thread, at=at)


def require_writable(address: ThreadAddress) -> None:
    """Raise ThreadClosedError if the page that asks may only show the thread."""
    if address.is_read_only:
        raise ThreadClosedError(gettext(ON_PREVIEW))
