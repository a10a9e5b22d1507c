"""Made-up likes on the comments of the blog's article."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.authors import Author
from commentsvc.domain.votes import votes
from commentsvc.models import Comment, Commenter, Likes, Role, Site, Status

LIKES: Mapping[str, int] = {
    "Anselm": 14,
    "Noor": 9,
    "Kofi": 6,
    "Liv": 11,
    "Tomas": 3,
    "Hanneke": 2,
    "Wren": 1,
}
"""How many readers like the first comment of each."""
LIKED_BY_AUTHOR = ("Anselm", "Liv")


def add_likes(session: Session, site: Site, owner: Commenter, *, at: datetime) -> None:
    """Switch likes on, and have made-up readers and the owner like comments. Needs `begin_write`."""
    site.likes = Likes.LIKES
    session.flush()
    for name, number in LIKES.items():
        first = select(Comment.id).where(
            Comment.site_id == site.id, Comment.guest_name == name, Comment.status == Status.APPROVED
        )
        comment_id = session.scalars(first.order_by(Comment.id)).first()
        if comment_id is None:
            raise ValueError(f"{name} is not in the conversation")
        for reader in range(number):
            voter = Author(author_key_hash=f"{reader:064}", network_hash=f"{reader:064}")
            votes.cast(session, comment_id, voter, 1, at=at)
        if name in LIKED_BY_AUTHOR:
            votes.cast(session, comment_id, Author(commenter_id=owner.id, role=Role.OWNER), 1, at=at)
