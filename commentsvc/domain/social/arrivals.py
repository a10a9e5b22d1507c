"""What becomes of one post from elsewhere that arrives in a thread: a new comment, an edit, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.domain.authors import Author
from commentsvc.domain.bans import bans
from commentsvc.domain.comments import comments, edit_history, editing, known_authors, revisions
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.comments.comments import FormSignals, NewComment
from commentsvc.domain.moderation import decisions
from commentsvc.domain.social import removing, social_post
from commentsvc.domain.social.social_post import SocialPost
from commentsvc.domain.spam import checks
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.surge.detection import SurgeLevel
from commentsvc.domain.threads import threads
from commentsvc.errors import BannedError
from commentsvc.messages import gettext_noop
from commentsvc.models import (
    Comment,
    DeletedImport,
    Kind,
    Site,
    SocialLink,
    Status,
    Thread,
)
from commentsvc.text import markup

MOST = 1000
"""Comments from one origin in one thread; later ones are ignored."""


@dataclass
class Stored:
    """What became of some posts, as numbers of comments."""

    new: int = 0
    edited: int = 0
    removed: int = 0
    refused: int = 0
    """Left out: banned, empty, too many, not for everybody, or our own."""
    ids: list[int] = field(default_factory=list)
    """The new comments."""


class Arrival:
    """Posts that arrive in one thread."""

    def __init__(
        self, session: Session, thread: Thread, at: datetime, holds: bool, own_hosts: frozenset[str]
    ) -> None:
        self._session, self._thread, self._at, self._holds = session, thread, at, holds
        self._site = session.get_one(Site, thread.site_id)
        self._own_hosts = own_hosts | {
            host for origin in self._site.origins if (host := _host(origin.origin)) is not None
        }
        foreign = select(Comment).where(Comment.thread_id == thread.id, Comment.origin.is_not(None))
        known = session.scalars(foreign.order_by(Comment.id).execution_options(populate_existing=True)).all()
        self._by_address: dict[str, Comment] = {}
        self._by_transfer_key: dict[str, Comment] = {}
        for comment in known:
            self._note(comment)
        links = select(SocialLink.address).where(SocialLink.thread_id == thread.id)
        self._own_addresses = frozenset(session.scalars(links))
        count = select(Comment.origin, func.count()).where(
            Comment.thread_id == thread.id, Comment.origin.is_not(None)
        )
        self._count = dict(session.execute(count.group_by(Comment.origin)).all())
        self.stored = Stored()

    def take(self, post: SocialPost) -> None:
        """Store a post, or a change of it."""
        comment = self._find(post)
        if post.noindex:
            self._withdraw(comment)
        elif not post.is_usable or self._is_own(post):
            self.stored.refused += 1
        elif comment is not None:
            self._change(comment, post)
        elif self._count.get(post.origin, 0) >= MOST or self._is_deleted(post):
            self.stored.refused += 1
        else:
            self._add(post)

    def _note(self, comment: Comment) -> None:
        for address in (comment.origin_key, comment.origin_url):
            if address is not None:
                self._by_address.setdefault(address, comment)
        if comment.transfer_key is not None:
            self._by_transfer_key[comment.transfer_key] = comment

    def _find(self, post: SocialPost) -> Comment | None:
        """Return the comment that a post is: the same answer may come by two ways, with its key or its page."""
        for address in (post.key, post.url):
            if address and (comment := self._by_address.get(address)):
                return comment
        return next(
            (comment for key in self._transfer_keys(post) if (comment := self._by_transfer_key.get(key))),
            None,
        )

    def _transfer_keys(self, post: SocialPost) -> tuple[str, str]:
        """Return the keys that it may have: a page may mention two articles, and a key belongs to one comment."""
        key = social_post.transfer_key(post.origin, post.key)
        return key, social_post.transfer_key(post.origin, f"{post.key} {self._thread.key}")

    def _is_own(self, post: SocialPost) -> bool:
        """Whether it is the article's own post, or one of our pages or comments that comes back."""
        if post.key in self._own_addresses or post.url in self._own_addresses:
            return True
        return _host(post.url) in self._own_hosts

    def _is_deleted(self, post: SocialPost) -> bool:
        query = select(DeletedImport.transfer_key).where(
            DeletedImport.site_id == self._site.id,
            DeletedImport.transfer_key.in_(self._transfer_keys(post)),
        )
        return self._session.scalar(query.limit(1)) is not None

    def _withdraw(self, comment: Comment | None) -> None:
        self.stored.refused += 1
        if comment is not None and comment.origin_key is not None and comment.status is not Status.TRASH:
            keys = [comment.origin_key]
            self.stored.removed += removing.remove(
                self._session, self._thread, keys, self._at, reason=removing.WITHDRAWN
            )

    def _add(self, post: SocialPost) -> None:
        draft, author = social_post.text_of(post), social_post.author_of(post)
        if draft is None:
            self.stored.refused += 1
            return
        try:
            verdicts = self._verdicts(post, draft, author, None)
        except BannedError:
            self.stored.refused += 1
            return
        comment = self._row(post, draft, author)
        self._session.add(comment)
        self._session.flush()
        decisions.decide(self._session, comment, checks.strictest(verdicts), verdicts=verdicts)
        self._note(comment)
        self._count[post.origin] = self._count.get(post.origin, 0) + 1
        self.stored.new += 1
        self.stored.ids.append(comment.id)

    def _row(self, post: SocialPost, draft: CommentText, author: Author) -> Comment:
        parent = self._by_address.get(post.parent_key or "")
        key, key_here = self._transfer_keys(post)
        taken = select(Comment.id).where(Comment.site_id == self._site.id, Comment.transfer_key == key)
        comment = Comment(
            site_id=self._site.id,
            thread_id=self._thread.id,
            parent_id=parent.id if parent else None,
            root_id=(parent.root_id or parent.id) if parent else None,
            depth=parent.depth + 1 if parent else 0,
            kind=Kind.COMMENT,
            status=Status.HELD,
            renderer=markup.VERSION,
            author_key_hash=author.author_key_hash,
            created_at=min(post.published_at, self._at),
            transfer_key=key if self._session.scalar(taken) is None else key_here,
            origin=post.origin,
            origin_key=post.key,
        )
        self._describe(comment, post, author)
        comment.source, comment.format = draft.source, draft.format
        comment.html, comment.digest = draft.rendered.html, draft.digest
        return comment

    def _describe(self, comment: Comment, post: SocialPost, author: Author) -> None:
        """Set what is told of a post besides its text."""
        comment.guest_name, comment.guest_website = author.guest.name, author.guest.website
        comment.origin_url, comment.origin_author = post.url, post.author_key
        picture = social_post.picture_of(post)
        if picture != comment.origin_picture:
            comment.origin_picture, comment.origin_picture_digest = picture, None
        comment.content_warning = social_post.warning_of(post)

    def _verdicts(
        self, post: SocialPost, draft: CommentText, author: Author, comment: Comment | None
    ) -> list[Verdict]:
        """Run the checks of a comment; raises BannedError."""
        session, site = self._session, self._site
        bans.require_not_banned(session, site.id, author, hosts=bans.hosts_of([post.url]), at=self._at)
        examined = comments.examine(session, site, draft, author, at=self._at)
        examined = replace(examined, pressure=SurgeLevel())  # it did not come by our form
        known = known_authors.is_known_besides(session, site.id, author, comment.id if comment else 0)
        new = NewComment(draft, form=FormSignals())
        verdicts = comments.verdicts_on(
            session, site, self._thread.id, new, author, examined, known=known, at=self._at
        )
        if self._holds or threads.closed_reason(site, self._thread, at=self._at):
            reason = gettext_noop("It came from elsewhere on the web, where anybody can write.")
            verdicts.append(Verdict(CheckName.ORIGIN, Status.HELD, reason))
        return verdicts

    def _change(self, comment: Comment, post: SocialPost) -> None:
        """Follow a change at the origin, unless the post came by another way or nothing of it is left here."""
        is_same = comment.origin is post.origin and comment.origin_key == post.key
        if not is_same or comment.erased_at is not None or comment.status in {Status.TRASH, Status.SPAM}:
            return
        draft, author = social_post.text_of(post), social_post.author_of(post)
        if draft is None or (
            draft.digest == comment.digest and social_post.warning_of(post) == comment.content_warning
        ):
            self._follow_author(comment, post, author)
            return
        try:
            verdicts = self._verdicts(post, draft, author, comment)
        except BannedError:
            return
        self._replace(comment, post, draft, author, verdicts)

    def _follow_author(self, comment: Comment, post: SocialPost, author: Author) -> None:
        """Take over a new picture or page; a new name is a matter for the checks, with the next new text."""
        before = (comment.origin_picture, comment.origin_url)
        name, website = comment.guest_name, comment.guest_website
        self._describe(comment, post, author)
        comment.guest_name, comment.guest_website = name, website
        if before != (comment.origin_picture, comment.origin_url) and comment.shown:
            self._session.flush()
            threads.mark_changed(self._session, self._thread.id)

    def _replace(
        self,
        comment: Comment,
        post: SocialPost,
        draft: CommentText,
        author: Author,
        verdicts: list[Verdict],
    ) -> None:
        session = self._session
        if edit_history.was_changed_by_moderator(session, comment):
            reason = "A moderator edited it, or undid an edit of its author."
            verdicts.append(Verdict(CheckName.EDITED, Status.HELD, reason))
        action = actions.record(
            session,
            site_id=self._site.id,
            moderator_id=None,
            kind=edit_history.BY_AUTHOR,
            summary="An answer from elsewhere was edited at its origin.",
            at=self._at,
            facts={"comment": comment.id, "edit": comment.id},
        )
        edited_at = min(post.edited_at or self._at, self._at)
        revisions.store(session, comment, action.id, edited_after=edited_at, at=self._at)
        self._describe(comment, post, author)
        editing.replace(session, comment, draft, guest=author.guest, edited_at=edited_at, teaches=False)
        status = checks.strictest(verdicts)
        if status is not Status.APPROVED and comment.status is not status:
            decisions.decide(session, comment, status, verdicts=verdicts)
        self.stored.edited += 1


def _host(url: str) -> str | None:
    return next(iter(bans.hosts_of([url])), None)
