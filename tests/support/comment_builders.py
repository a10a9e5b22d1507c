"""Short ways to write comments in tests of the rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text, comments
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.comments.comments import FormSignals, NewComment
from commentsvc.domain.fields import Guest
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.models import Comment, Site, Thread
from tests.conftest import BLOG

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ANNA = Guest("Anna", "anna@mail.example")
BEN = Guest("Ben", "ben@mail.example")


def post_comment(
    session: Session, address: ThreadAddress, draft: CommentText, author: Author, *, at: datetime, **sent: Any
) -> Comment:
    """Post a comment with the other fields of a NewComment; return it as it was stored."""
    posted = comments.post(session, address, NewComment(draft, **sent), author, at=at)
    return session.get_one(Comment, posted.id)


class Pen:
    """Writes in one thread, a minute after what it wrote before."""

    def __init__(self, session: Session, address: ThreadAddress) -> None:
        self.session, self.address, self.at = session, address, NOON
        self.written = 0

    def write(
        self,
        text: str = "",
        *,
        by: Guest | Author = ANNA,
        to: Comment | int | None = None,
        form: FormSignals | None = None,
        key: str | None = None,
        title: str | None = None,
    ) -> Comment:
        """Post a comment, of a text of its own where none is given."""
        self.written += 1
        self.at += timedelta(minutes=1)
        return post_comment(
            self.session,
            self.address,
            comment_text.from_source(text or f"Comment number {self.written}", longest=10_000),
            Author(guest=by) if isinstance(by, Guest) else by,
            at=self.at,
            parent_id=to.id if isinstance(to, Comment) else to,
            title=title,
            form=form or FormSignals(),
            idempotency_key=key,
        )

    @property
    def thread(self) -> Thread:
        """The thread as the database has it."""
        thread = threads.find(self.session, self.address)
        assert thread is not None
        self.session.refresh(thread)
        return thread


def article(session: Session, site: Site, path: str = "/article") -> Pen:
    """Return a pen for an article of `site`."""
    return Pen(session, threads.address_on(site, BLOG + path))
