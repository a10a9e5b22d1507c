"""Whether any site takes answers from elsewhere."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from commentsvc.models import Site


def is_any_on(session: Session) -> bool:
    """Whether any site takes webmentions or shows answers from social networks."""
    is_on = or_(Site.webmention, Site.mastodon, Site.bluesky)
    return session.scalar(select(Site.id).where(is_on).limit(1)) is not None
