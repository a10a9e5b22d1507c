"""Erases members and guests: their comments, and every row about them.

Comments with replies stay as placeholders, so that the thread keeps its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, select, true, update
from sqlalchemy.orm import Session, aliased

from commentsvc.db.rows import change_rows
from commentsvc.db.session import begin_write
from commentsvc.domain import hash_keys
from commentsvc.domain.accounts import profiles
from commentsvc.domain.admin.author_ref import AuthorKind, AuthorRef, has_address
from commentsvc.domain.comments import erased_comments
from commentsvc.domain.ledger import entries, subjects
from commentsvc.domain.maintenance import deleted_data, erased_names
from commentsvc.domain.notifications import suppression
from commentsvc.domain.proofs import address_proofs
from commentsvc.domain.spam import lookalikes
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.subscriptions import subscription_records
from commentsvc.domain.threads import threads
from commentsvc.domain.votes import voters
from commentsvc.errors import ForbiddenError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import (
    AUTHOR_COLUMNS,
    Comment,
    Commenter,
    Identity,
    LedgerKind,
    Membership,
    Revision,
    Role,
    Site,
    Status,
    now,
)

BATCH = 200
"""Comments per transaction, during which nobody else can write on SQLite."""
_LEFT = Verdict(CheckName.ERASED, Status.TRASH, gettext_noop("Its author deleted their account here."))
_ASKED = Verdict(CheckName.ERASED, Status.TRASH, gettext_noop("Its author asked for it to be erased."))
_NOBODY: dict[str, None] = dict.fromkeys(AUTHOR_COLUMNS)


Progress = Callable[[int], object]
"""Called with the number of comments erased since its last call."""


def _quietly(_number: int) -> None:
    """Show no progress."""


class Texts(StrEnum):
    """What happens to a person's texts."""

    REMOVE = "remove"
    KEEP = "keep"
    """Without a name."""


def erase(session: Session, commenter_id: int, texts: Texts, *, progress: Progress = _quietly) -> None:
    """Erase a person; raises ForbiddenError for the only owner of a site.

    Commits after every batch; the account goes last, so that an interrupted run can be started again. Identities,
    sessions, tickets, roles, picture, and everything else that belongs to the account go with it.
    """
    _require_no_site_alone(session, commenter_id)
    mine = Comment.commenter_id == commenter_id
    begin_write(session)
    # First, because the comments tell which browsers were theirs.
    browsers = address_proofs.browsers_of(session, commenter_id)
    address_proofs.forget_browsers(session, browsers)
    session.commit()
    voters.forget(session, commenter_id=commenter_id, browsers=browsers, at=now())
    if texts is Texts.REMOVE:
        _remove_all(session, mine, _LEFT, progress)
    begin_write(session)
    locked = _threads_of(session, mine)
    threads.lock_all(session, locked)  # threads before the account: the lock order of a post
    session.execute(select(Commenter.id).where(Commenter.id == commenter_id).with_for_update())
    # The person may have posted something a moment ago, in another window.
    if _threads_of(session, mine) - (set() if texts is Texts.REMOVE else locked):
        session.rollback()
        erase(session, commenter_id, texts, progress=progress)
        return
    forget_account(session, commenter_id, texts)
    session.commit()
    deleted_data.purge(session)


def forget_account(session: Session, commenter_id: int, texts: Texts) -> None:
    """Delete an account and every row about it; its comments stay, without an author. Needs `begin_write`.

    `texts` is what was done with these, for the ledger.
    """
    account = session.get(Commenter, commenter_id)
    if account is None:
        return
    mine = Comment.commenter_id == commenter_id
    identities = list(session.scalars(select(Identity).where(Identity.commenter_id == commenter_id)))
    entries.record(session, LedgerKind.PERSON, subjects.people(account, identities), detail=texts)
    erased_comments.forget_words_about(session, select(Comment.id).where(mine))
    names = {account.name, *(identity.name for identity in identities)}
    erased_names.forget_commenter(session, commenter_id, {name for name in names if name})
    profiles.invalidate_pages_of(session, commenter_id)
    theirs = update(Comment).where(mine).values(**_NOBODY)
    change_rows(session, theirs)
    for address_hash in subscription_records.hashes_of(session, commenter_id):
        subscription_records.erase_address(session, address_hash)
    session.expunge(account)
    change_rows(session, delete(Commenter).where(Commenter.id == commenter_id))


def erase_guest(
    session: Session, who: AuthorRef, *, site_id: int | None = None, progress: Progress = _quietly
) -> int:
    """Erase a guest, on one site or on all; return how many comments they had written.

    The case of an e-mail address does not matter. If several guests used a name, all of them are erased. Commits after
    every batch, and can be repeated.
    """
    theirs = is_by_guest(who, Comment) & (true() if site_id is None else Comment.site_id == site_id)
    names = set(session.scalars(select(Comment.guest_name).where(theirs).distinct()))
    browsers = set(session.scalars(select(Comment.author_key_hash).where(theirs).distinct()))
    voters.forget(session, browsers=[key for key in browsers if key], site_id=site_id, at=now())
    number = _remove_all(session, theirs, _ASKED, progress)
    begin_write(session)
    forget_guest(session, who, {name for name in names if name}, site_id=site_id)
    session.commit()
    deleted_data.purge(session)
    return number


def forget_guest(session: Session, who: AuthorRef, names: Collection[str], *, site_id: int | None) -> None:
    """Delete every row about a guest whose comments are erased, with the names on these. Needs `begin_write`."""
    entries.record(session, LedgerKind.GUEST, [subjects.guest(who.kind, who.value)], site_id=site_id)
    site_ids = [site_id] if site_id is not None else session.scalars(select(Site.id)).all()
    email = who.value if who.kind is AuthorKind.EMAIL else None
    if email is not None:
        address_hash = suppression.hash_of_address(hash_keys.load_within(session), email)
        subscription_records.erase_address(session, address_hash, site_id=site_id)
    edited = select(Revision.id).join(Comment, Comment.id == Revision.comment_id)
    edited = edited.where(is_by_guest(who, Revision), Comment.site_id.in_(site_ids))
    change_rows(session, delete(Revision).where(Revision.id.in_(edited)))
    name_form = lookalikes.skeleton(who.value) if who.kind is AuthorKind.NAME else None
    address_proofs.forget_guest(session, email=email, name_form=name_form, site_id=site_id)
    for each in site_ids:
        erased_names.forget_guest(session, each, email, names)


def count(session: Session, who: AuthorRef, *, site_id: int | None = None) -> int:
    """Return how many comments of a person erasing them would remove."""
    theirs = who.condition() if who.is_account else is_by_guest(who, Comment)
    here = theirs & (true() if site_id is None else Comment.site_id == site_id)
    return session.scalar(select(func.count()).select_from(Comment).where(here)) or 0


def is_by_guest(who: AuthorRef, table: type[Comment] | type[Revision]) -> ColumnElement[bool]:
    """Return an SQL condition for the texts of a guest; the case of an e-mail address does not matter."""
    if who.kind is AuthorKind.EMAIL:
        return has_address(table.guest_email, who.value)
    return table.guest_name == who.value


def _remove_all(session: Session, theirs: ColumnElement[bool], verdict: Verdict, progress: Progress) -> int:
    """Empty all comments of a person; return how many there were."""
    number = 0
    while batch := _batch(session, theirs):
        begin_write(session)
        threads.lock_all(session, _threads_of(session, Comment.id.in_(batch)))
        erased_comments.forget_words_about(session, batch)
        for comment_id in batch:
            erased_comments.erase(session, comment_id, verdict, at=now())
        session.commit()
        number += len(batch)
        progress(len(batch))
    return number


def _require_no_site_alone(session: Session, commenter_id: int) -> None:
    """A site without an owner could not be managed by anybody."""
    other = aliased(Membership)
    others = (
        select(func.count())
        .where(other.site_id == Site.id, other.role == Role.OWNER, other.commenter_id != commenter_id)
        .scalar_subquery()
    )
    name = session.scalar(
        select(Site.name)
        .join(Membership)
        .where(Membership.commenter_id == commenter_id, Membership.role == Role.OWNER, others == 0)
        .limit(1)
    )
    if name is not None:
        raise ForbiddenError(
            gettext("You are the only owner of %(site)s. Make somebody else its owner first.")
            % {"site": name}
        )


def _batch(session: Session, theirs: ColumnElement[bool]) -> Sequence[int]:
    """Return some of a person's comments, site by site, because each site's filter has a row to lock."""
    query = select(Comment.id).where(theirs)
    ordered = query.order_by(Comment.site_id, Comment.thread_id, Comment.id.desc())
    return session.scalars(ordered.limit(BATCH)).all()


def _threads_of(session: Session, which: ColumnElement[bool]) -> set[int]:
    return set(session.scalars(select(Comment.thread_id).where(which).distinct()))
