"""Fills an empty database with the blog's site and its comments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import quote

from sqlalchemy.orm import Session

from commentsvc.demo import blog, likes, moderation, other_languages
from commentsvc.demo.conversation import AUTHOR, CONVERSATION, DemoComment
from commentsvc.demo.long_thread import answers
from commentsvc.domain.accounts import accounts
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text, comments
from commentsvc.domain.comments.comments import NewComment
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions
from commentsvc.domain.sites import sites
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Commenter, Policy, Role, Site, Status

_REASONS = {
    Status.HELD: Verdict(
        CheckName.POLICY, Status.HELD, "This person has no approved comment on this site yet."
    ),
    Status.SPAM: Verdict(CheckName.HONEYPOT, Status.SPAM, "A hidden field was filled in."),
}


def fill(session: Session, origin: str, *, at: datetime) -> None:
    """Add the blog at `origin` and its comments, as if written before `at`. Needs `begin_write`."""
    owner = accounts.operator(session)
    owner.name = AUTHOR
    site = sites.add(session, blog.NAME, [origin], owner_id=owner.id)
    site.policy = Policy.OPEN
    session.flush()
    _speak(session, site, owner, origin, blog.COMMENT_SECTION, CONVERSATION, at)
    likes.add_likes(session, site, owner, at=at)
    _speak(session, site, owner, origin, blog.BY_HAND, answers(), at)
    _speak(session, site, owner, origin, blog.ARABIC, other_languages.ARABIC, at)
    _speak(session, site, owner, origin, blog.JAPANESE, other_languages.JAPANESE, at)
    moderation.add_moderation(session, site, owner, origin, at=at)


def _speak(
    session: Session,
    site: Site,
    owner: Commenter,
    origin: str,
    path: str,
    conversation: Iterable[DemoComment],
    at: datetime,
) -> None:
    latest: dict[str, int] = {}
    judged: list[tuple[Comment, Status]] = []
    address = threads.address_on(site, origin + path)
    for made_up in conversation:
        new = NewComment(
            comment_text.from_source(made_up.text, longest=10_000),
            parent_id=latest[made_up.to] if made_up.to else None,
            title=blog.TITLES[path],
        )
        when = at - timedelta(hours=made_up.hours_ago)
        posted = comments.post(session, address, new, _author(made_up, owner), at=when)
        latest[made_up.name] = posted.id
        if made_up.status is not Status.APPROVED:
            judged.append((session.get_one(Comment, posted.id), made_up.status))
    for comment, status in judged:
        reason = _REASONS.get(status)
        decisions.decide(
            session,
            comment,
            status,
            verdicts=[reason] if reason else [],
            moderator_id=None if reason else owner.id,
        )


def _author(comment: DemoComment, owner: Commenter) -> Author:
    if comment.name == AUTHOR:
        return Author(commenter_id=owner.id, role=Role.OWNER)
    email = f"{quote(comment.name.lower()).replace('%', '')}@reader.example"
    return Author(guest=Guest(name=comment.name, email=email, website=comment.website))
