"""What readers see of an article's posts and mentions elsewhere, besides the comments: links, likes and boosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.domain.reading.conversations import NAMES
from commentsvc.domain.social import links, networks
from commentsvc.messages import gettext, ngettext
from commentsvc.models import MentionKind, MentionState, Site, SocialOrigin, Thread, Webmention
from commentsvc.text import numbers


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An article's post, or what other websites did with the article."""

    origin: SocialOrigin
    name: str
    address: str
    """The post's page; empty for other websites."""
    likes: int
    boosts: int

    @property
    def counts(self) -> str:
        """Its likes and boosts in words; empty if there are none."""
        likes, boosts = self._likes(), self._boosts()
        if not self.likes or not self.boosts:
            return likes if self.likes else boosts
        # translators: for example 3 likes and 1 boost.
        return gettext("%(likes)s and %(boosts)s") % {"likes": likes, "boosts": boosts}

    def _likes(self) -> str:
        words = ngettext("%(number)s like", "%(number)s likes", self.likes)
        return words % {"number": numbers.number(self.likes)} if self.likes else ""

    def _boosts(self) -> str:
        if self.origin is SocialOrigin.MASTODON:
            # translators: what Mastodon calls passing a post on.
            words = ngettext("%(number)s boost", "%(number)s boosts", self.boosts)
        else:
            # translators: what Bluesky and other websites call passing a post on.
            words = ngettext("%(number)s repost", "%(number)s reposts", self.boosts)
        return words % {"number": numbers.number(self.boosts)} if self.boosts else ""


def of_thread(session: Session, site: Site, thread: Thread | None) -> Sequence[Elsewhere]:
    """Return what readers see above the comments of a thread; no query where nothing is switched on."""
    if thread is None:
        return ()
    shown: list[Elsewhere] = []
    if networks.switched_on(site):
        shown += [
            Elsewhere(link.origin, NAMES[link.origin], page_of(link.address), link.likes, link.boosts)
            for link in links.of_thread(session, thread.id)
            if links.is_shown_on(site, link)
        ]
    if site.webmention:
        shown += _mentions(session, thread.id)
    return shown


def page_of(address: str) -> str:
    """Return the page of a post for a link; an at-URI's is at Bluesky's own client."""
    if not address.startswith("at://"):
        return address
    author, _, rest = address.removeprefix("at://").partition("/")
    return f"https://bsky.app/profile/{author}/post/{rest.rpartition('/')[2]}"


def _mentions(session: Session, thread_id: int) -> list[Elsewhere]:
    """Return the likes and reposts of other websites, if there are any."""
    query = select(Webmention.kind, func.count()).where(
        Webmention.thread_id == thread_id,
        Webmention.state == MentionState.VERIFIED,
        Webmention.kind.in_((MentionKind.LIKE, MentionKind.REPOST)),
    )
    rows = session.execute(query.group_by(Webmention.kind)).all()
    number = {row[0]: row[1] for row in rows}
    likes, reposts = number.get(MentionKind.LIKE, 0), number.get(MentionKind.REPOST, 0)
    name = NAMES[SocialOrigin.WEBMENTION]
    return [Elsewhere(SocialOrigin.WEBMENTION, name, "", likes, reposts)] if likes or reposts else []
