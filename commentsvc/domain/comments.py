"""Writing comments: post, edit, find."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from commentsvc.adapters import markup
from commentsvc.db import concerns_only
from commentsvc.domain import (
    entry,
    evidence,
    fields,
    moderation,
    pace,
    pressure,
    screening,
    threads,
    training,
)
from commentsvc.domain.entry import Posted
from commentsvc.domain.evidence import Evidence, Writer
from commentsvc.domain.fields import Guest
from commentsvc.domain.pressure import Felt
from commentsvc.domain.screening import Submission, Verdict
from commentsvc.domain.threads import Address
from commentsvc.errors import (
    AlreadyPostedError,
    DuplicateCommentError,
    InvalidFieldsError,
    NotFoundError,
    WorkNeededError,
)
from commentsvc.models import Comment, Role, Site, Status, TextFormat


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
    worked: bool = False
    """Its browser has done the work that is asked for under pressure."""
    can_work: bool = False
    """It would, if it were asked to."""


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
    """Do what `put` does, and return the comment itself."""
    posted = put(
        session,
        address,
        draft,
        author,
        at=at,
        parent_id=parent_id,
        title=title,
        signs=signs,
        found=found,
        idempotency_key=idempotency_key,
    )
    return session.get_one(Comment, posted.id)


def put(
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
) -> Posted:
    """Store a comment with its verdict. Needs `begin_write`; the caller commits.

    `found` is what `look_into` returned; without it that is done here, and raises what it does. Raises
    ThreadClosedError, SlowModeError, NotFoundError for a parent that cannot be answered, DuplicateCommentError,
    AlreadyPostedError where `idempotency_key` has been here before, and WorkNeededError where the browser can.
    """
    site, guest = address.site, author.guest
    session.flush()  # what follows does not look at what is only in memory
    here = entry.place(session, address, title=title, at=at)
    concerns_only(session, site.id, here.key)
    known = entry.look(
        session,
        site.id,
        here,
        draft.digest,
        idempotency_key,
        commenter_id=author.commenter_id,
        name=guest.name,
        email=guest.email,
        author_key=author.author_key_hash,
        network=author.network_hash,
    )
    if known.earlier_id is not None:
        raise AlreadyPostedError(known.earlier_id)
    if author.role is None:
        pace.require(
            session,
            site.id,
            here,
            commenter_id=author.commenter_id,
            author_key_hash=author.author_key_hash,
            network_hash=author.network_hash,
            at=at,
        )
    parent = entry.parent(session, here, parent_id) if parent_id is not None else None
    if parent_id is not None and parent is None:
        raise NotFoundError("The comment you are answering is no longer there.")
    if known.repeated:
        raise DuplicateCommentError

    found = found or look_into(session, site, draft, author, at=at)
    felt = found.pressure
    if felt is None:
        felt = pressure.feel(session, site, here.id, at=at) if author.role is None else Felt()
    of_old = _is_of_old(session, site, author, felt)
    submission = _submission(site, draft, author, signs, found, felt, known=known.approved, of_old=of_old)
    verdicts = screening.screen(submission)
    if signs.can_work and screening.waits_for_work(submission, verdicts):
        raise WorkNeededError
    row = {
        "site_id": site.id,
        "thread_id": here.id,
        "status": screening.strictest(verdicts),
        "format": draft.format,
        "source": draft.source,
        "html": draft.rendered.html,
        "renderer": markup.VERSION,
        "digest": draft.digest,
        "commenter_id": author.commenter_id,
        "role": author.role,
        "guest_name": guest.name,
        "guest_email": guest.email,
        "guest_website": guest.website,
        "author_key_hash": author.author_key_hash,
        "network_hash": author.network_hash,
        "created_at": at,
        "idempotency_key": idempotency_key,
    }
    return entry.add(session, row, parent, [verdict.as_row() for verdict in verdicts])


def _submission(
    site: Site,
    draft: Draft,
    author: Author,
    signs: Signs,
    found: Evidence,
    felt: Felt,
    *,
    known: bool,
    of_old: bool,
) -> Submission:
    return Submission(
        policy=site.policy,
        role=author.role,
        known=known,
        honeypot_filled=signs.honeypot_filled,
        seconds_on_form=signs.seconds_on_form,
        sanitisers_agreed=draft.rendered.agreed,
        rules=evidence.rules_of(site),
        words=found.words,
        links=found.links,
        namesake=found.namesake,
        score=found.score,
        opinions=found.opinions,
        pressure=felt,
        of_old=of_old,
        worked=signs.worked,
    )


def _is_of_old(session: Session, site: Site, author: Author, felt: Felt) -> bool:
    """Whether this person was known well before the pressure began: nobody earns that within it."""
    if felt.since is None:
        return False
    return moderation.is_known(
        session,
        site.id,
        author_key_hash=author.author_key_hash,
        commenter_id=author.commenter_id,
        before=felt.since - pressure.OLD,
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
