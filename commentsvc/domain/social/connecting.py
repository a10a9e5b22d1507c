"""Connects articles with posts by hand, in the admin view, and notes it in the log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.domain.social import links
from commentsvc.domain.threads import threads
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext, ngettext
from commentsvc.models import FoundBy, SocialLink, SocialOrigin, Thread

KIND = "thread.elsewhere"
"""The kind of these actions in the log."""


def origin_and_address(typed: str) -> tuple[SocialOrigin, str] | None:
    """Return the network of a typed address, and the form in which it is stored; None if it is no post."""
    from commentsvc.domain.social import bluesky, mastodon  # here, because few requests need them

    for origin, normal in ((SocialOrigin.BLUESKY, bluesky.normal), (SocialOrigin.MASTODON, mastodon.normal)):
        if address := normal(typed.strip()):
            return origin, address
    return None


def connect(session: Session, thread: Thread, typed: str, *, moderator_id: int, at: datetime) -> SocialLink:
    """Connect a post with an article. Needs `begin_write`; raises InvalidFieldsError on `post`."""
    post = origin_and_address(typed)
    if post is None:
        raise InvalidFieldsError(
            {"post": gettext("Please enter the address of a post, such as https://social.example/@you/1234")}
        )
    link = links.connect(session, thread, *post, by=FoundBy.ADMIN, at=at)
    if link is None:
        most = ngettext(
            "An article may have at most %(number)s post",
            "An article may have at most %(number)s posts",
            links.MOST,
        )
        raise InvalidFieldsError({"post": most % {"number": links.MOST}})
    _note(session, thread, f"Connected {link.address} with {_name(thread)}.", moderator_id, at)
    threads.mark_changed(session, thread.id)
    return link


def ask_again(session: Session, thread: Thread, link_id: int, *, moderator_id: int, at: datetime) -> None:
    """Let a post be asked for at once. Needs `begin_write`; raises NotFoundError."""
    link = _find(session, thread, link_id)
    links.restart(link, at=at)
    _note(session, thread, f"Had {link.address} asked again.", moderator_id, at)


def disconnect(session: Session, thread: Thread, link_id: int, *, moderator_id: int, at: datetime) -> None:
    """Forget a post; its answers stay as comments. Needs `begin_write`; raises NotFoundError.

    If the article's page names it, it is connected again when the page is read the next time.
    """
    link = _find(session, thread, link_id)
    _note(session, thread, f"Disconnected {link.address} from {_name(thread)}.", moderator_id, at)
    session.delete(link)
    session.flush()
    threads.mark_changed(session, thread.id)


def _find(session: Session, thread: Thread, link_id: int) -> SocialLink:
    threads.lock(session, thread.id)
    link = session.get(SocialLink, link_id, populate_existing=True)
    if link is None or link.thread_id != thread.id:
        raise NotFoundError(gettext("This post is not connected any more."))
    return link


def _name(thread: Thread) -> str:
    return thread.title or thread.url


def _note(session: Session, thread: Thread, summary: str, moderator_id: int, at: datetime) -> None:
    actions.record(
        session, site_id=thread.site_id, moderator_id=moderator_id, kind=KIND, summary=summary, at=at
    )
