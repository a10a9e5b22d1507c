"""What the source of a webmention says, as a post that can be stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from commentsvc.domain.social import social_post
from commentsvc.domain.social.social_post import SocialPost
from commentsvc.models import MentionKind, SocialOrigin

if TYPE_CHECKING:
    from commentsvc.integrations.webmention_source import MentionSource

EXCERPT = 1000
"""Characters of a reply."""
MENTION = 280
"""Characters of the text of a mere mention."""


ReadSource = Callable[[str, str], "MentionSource"]
"""Reads a source for its link to a target; never raises for whatever the source answers."""


def post_of(answer: MentionSource, kind: MentionKind, at: datetime) -> SocialPost:
    host = urlsplit(answer.url).hostname or ""
    plain, html = _texts(answer, kind)
    published = answer.published_at or at
    return SocialPost(
        origin=SocialOrigin.WEBMENTION,
        key=answer.url,
        url=answer.url,
        parent_key=None,
        author_name=answer.name or host,
        author_handle=host,
        # A page can claim any author; it is believed only of its own host.
        author_url=answer.author_url if (urlsplit(answer.author_url).hostname == host) else answer.url,
        picture_url=answer.picture_url or None,
        html=html,
        text=plain,
        published_at=max(published, datetime(1990, 1, 1, tzinfo=UTC)),
    )


def _texts(answer: MentionSource, kind: MentionKind) -> tuple[str | None, str | None]:
    """Return the text of the comment, as plain text or as HTML."""
    if kind is MentionKind.REPLY and answer.html and len(answer.html) <= 4 * EXCERPT:
        return None, answer.html
    plain = social_post.plain(answer.html)
    most = EXCERPT if kind is MentionKind.REPLY else MENTION
    excerpt = plain if len(plain) <= most else plain[:most].rsplit(" ", 1)[0] + " …"
    title = answer.title if answer.title and not plain.startswith(answer.title[:40]) else ""
    if title and excerpt:
        return None, f"<p><strong>{escape(title)}</strong></p><p>{escape(excerpt)}</p>"
    return excerpt or title or "Mentioned this article.", None
