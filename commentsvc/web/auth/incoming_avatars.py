"""Fetches a person's picture from their provider or website at login, shrinks it and stores it."""

from __future__ import annotations

import logging

from commentsvc.domain.accounts import profiles
from commentsvc.domain.reading import avatars
from commentsvc.errors import CommentsvcError
from commentsvc.http_client import client
from commentsvc.web.context import now, writing

log = logging.getLogger(__name__)

LARGEST = 2 * 1024 * 1024
"""Bytes."""
SECONDS = 3.0
"""Timeout of a login for the picture; without one there are initials."""


def fetch_avatar(commenter_id: int, url: str | None) -> None:
    """Fetch and store a person's picture, if there is one. Commits."""
    if not url:
        return
    from commentsvc.text import images as shrinking  # loads Pillow only if it is needed

    try:
        answer = client.fetch(url, largest=LARGEST, seconds=SECONDS, accept=frozenset({"image/"}))
        small = shrinking.shrink(answer.body)
    except CommentsvcError as error:
        log.info("a picture was not accepted: %s", error)
        return
    with writing() as session:
        if avatars.store(session, commenter_id, small, at=now()):
            profiles.invalidate_pages_of(session, commenter_id)
