"""Writing comments: post, edit, find."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from commentsvc.adapters import markup
from commentsvc.domain import evidence, fields, moderation, pace, screening, threads, training
from commentsvc.domain.evidence import Evidence, Writer
from commentsvc.domain.fields import Guest
from commentsvc.domain.screening import Submission, Verdict
from commentsvc.domain.threads import Address
from commentsvc.errors import AlreadyPostedError, DuplicateCommentError, InvalidFieldsError, NotFoundError
from commentsvc.models import Comment, Role, Site, Status, TextFormat, Thread


@dataclass(frozen=True)
class Draft:
    """A text checked and rendered: the slow work, done before the database is asked for its lock."""

    source: str
    format: TextFormat
    rendered: markup.Rendered
    digest: str


@dataclass(frozen=True)
class Author:
    """Who writes: a guest, or a Commenter with a role or none."""

    guest: Guest = field(default_factory=Guest)
    commenter_id: int | None = None
    role: Role | None = None
    author_key_hash: str | None = None
    network_hash: str | None = None


@dataclass(frozen=True)
class Signs:
    """How the form was filled in."""

    honeypot_filled: bool = False
    seconds_on_form: float = 3600.0


def look_into(
    session: Session, site: Site, draft: Draft, author: Author, *, at: datetime, address: str | None = None
) -> Evidence:
    """Look up what the checks need, best before the database is asked for its lock; raises BannedError.

    `address` is the client's: compared with bans and lists, never stored.
    """
    writer = Writer(
        name=author.guest.name,
        email=author.guest.email,
        website=author.guest.website,
        commenter_id=author.commenter_id,
        role=author.role,
        author_key_hash=author.author_key_hash,
        network_hash=author.network_hash,
        address=address,
    )
    return evidence.gather(session, site.id, draft.source, draft.rendered.html, writer, at=at)


def draft(source: str, *, longest: int, text_format: TextFormat = TextFormat.MARKDOWN) -> Draft:
    """Check and render a text; raises InvalidFieldsError on `text`."""
    checked = fields.text(source, longest=longest)
    rendered = render(checked, text_format)
    if not markup.plain(rendered.html):
        raise InvalidFieldsError({"text": "Please enter a comment"})
    return Draft(checked, text_format, rendered, digest_of(checked))


def render(source: str, text_format: TextFormat) -> markup.Rendered:
    """Render a stored source the way its format wants."""
    if text_format is TextFormat.HTML:
        return markup.render_html(source)
    return markup.render_markdown(source)


def digest_of(source: str) -> str:
    """Return 32 hexadecimal digits, the same for texts that differ only in spaces, case or letter forms."""
    said = " ".join(unicodedata.normalize("NFKC", source).casefold().split())
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def post(
    session: Session,
    address: Address,
    draft: Draft,
    author: Author,
    *,
    at: datetime,
    parent_id: int | None = None,
    title: str | None = None,
    signs: Signs,
    found: Evidence | None = None,
    idempotency_key: str | None = None,
) -> Comment:
    """Store a comment with its verdict. Needs `begin_write`; the caller commits.

    `found` is what `look_into` returned; without it that is done here, and raises what it does. Raises
    ThreadClosedError, SlowModeError, NotFoundError for a parent that cannot be answered, DuplicateCommentError,
    and AlreadyPostedError where `idempotency_key` has been here before.
    """
    site = address.site
    threads.require_open(site, threads.find(session, address), at=at)
    thread = threads.find_or_create(session, address, title=title, at=at)
    threads.lock(session, thread.id)
    if idempotency_key is not None:
        _require_first(session, thread, idempotency_key)
    if author.role is None:
        pace.require(
            session,
            thread,
            commenter_id=author.commenter_id,
            author_key_hash=author.author_key_hash,
            network_hash=author.network_hash,
            at=at,
        )
    parent = _parent(session, thread, parent_id)
    _require_new(session, thread, draft, author)

    found = found or look_into(session, site, draft, author, at=at)
    verdicts = _screened(session, site, draft, author, signs, found)
    comment = Comment(
        site_id=site.id,
        thread_id=thread.id,
        parent_id=parent.id if parent else None,
        root_id=(parent.root_id or parent.id) if parent else None,
        depth=parent.depth + 1 if parent else 0,
        status=Status.HELD,
        format=draft.format,
        source=draft.source,
        html=draft.rendered.html,
        renderer=markup.VERSION,
        digest=draft.digest,
        commenter_id=author.commenter_id,
        role=author.role,
        guest_name=author.guest.name,
        guest_email=author.guest.email,
        guest_website=author.guest.website,
        author_key_hash=author.author_key_hash,
        network_hash=author.network_hash,
        created_at=at,
        idempotency_key=idempotency_key,
    )
    session.add(comment)
    session.flush()
    moderation.decide(session, comment, screening.strictest(verdicts), verdicts=verdicts)
    session.flush()
    return comment


def _screened(
    session: Session, site: Site, draft: Draft, author: Author, signs: Signs, found: Evidence
) -> list[Verdict]:
    return screening.screen(
        Submission(
            policy=site.policy,
            role=author.role,
            known=moderation.is_known(
                session, site.id, author_key_hash=author.author_key_hash, commenter_id=author.commenter_id
            ),
            honeypot_filled=signs.honeypot_filled,
            seconds_on_form=signs.seconds_on_form,
            sanitisers_agreed=draft.rendered.agreed,
            rules=evidence.rules_of(site),
            words=found.words,
            links=found.links,
            namesake=found.namesake,
            score=found.score,
            opinions=found.opinions,
        )
    )


def edit(
    session: Session,
    comment: Comment,
    draft: Draft,
    *,
    at: datetime,
    guest: Guest | None = None,
    moderator_id: int | None = None,
    action_id: int | None = None,
) -> None:
    """Replace a comment's text, and a guest's details where given. Needs `begin_write`; the caller commits.

    `action_id` is the Action this is a part of.
    """
    replace(session, comment, draft, guest=guest, edited_at=at)
    if not draft.rendered.agreed:
        reason = "The two sanitisers disagreed about this text; please read it."
        verdict = Verdict("sanitisers", Status.HELD, reason)
        moderation.decide(
            session,
            comment,
            Status.HELD,
            verdicts=[verdict],
            moderator_id=moderator_id,
            action_id=action_id,
        )


def replace(
    session: Session, comment: Comment, draft: Draft, *, guest: Guest | None, edited_at: datetime | None
) -> None:
    """Give a comment another text, and a guest other details, whatever the sanitisers said. Needs `begin_write`."""
    threads.lock(session, comment.thread_id)  # before the comment itself, the order in which all others lock
    learned = comment.learned
    training.learn(session, comment, None)  # of what it was; below, of what it is
    comment.source, comment.format = draft.source, draft.format
    comment.html, comment.renderer, comment.digest = draft.rendered.html, markup.VERSION, draft.digest
    if guest is not None and comment.commenter_id is None:
        comment.guest_name, comment.guest_email, comment.guest_website = (
            guest.name,
            guest.email,
            guest.website,
        )
    comment.edited_at = edited_at
    training.learn(session, comment, learned)
    session.flush()
    threads.changed(session, comment.thread_id)


def _require_first(session: Session, thread: Thread, key: str) -> None:
    earlier = session.scalar(
        select(Comment.id).where(Comment.thread_id == thread.id, Comment.idempotency_key == key)
    )
    if earlier is not None:
        raise AlreadyPostedError(earlier)


def _parent(session: Session, thread: Thread, parent_id: int | None) -> Comment | None:
    if parent_id is None:
        return None
    parent = session.get(Comment, parent_id)
    if parent is None or parent.thread_id != thread.id or parent.status is not Status.APPROVED:
        raise NotFoundError("The comment you are answering is no longer there.")
    return parent


def _require_new(session: Session, thread: Thread, draft: Draft, author: Author) -> None:
    """Refuse what the same person has said in this thread before."""
    guest = author.guest
    same: list[object] = []
    if author.commenter_id is not None:
        same.append(Comment.commenter_id == author.commenter_id)
    else:
        details = [Comment.guest_name.is_not_distinct_from(guest.name)]
        details.append(Comment.guest_email.is_not_distinct_from(guest.email))
        if guest.name is None and guest.email is None:
            details.append(Comment.network_hash.is_not_distinct_from(author.network_hash))
        same.append(and_(Comment.commenter_id.is_(None), *details))
        if author.author_key_hash is not None:
            same.append(Comment.author_key_hash == author.author_key_hash)
    repeated = select(Comment.id).where(
        Comment.thread_id == thread.id,
        Comment.digest == draft.digest,
        Comment.status != Status.TRASH,
        or_(*same),  # type: ignore[arg-type]
    )
    if session.scalar(repeated.limit(1)) is not None:
        raise DuplicateCommentError
