"""A site's commenters with their numbers of comments, in the order that a moderator chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Subquery, case, func, or_, select, union_all
from sqlalchemy.orm import Session

from commentsvc.domain.admin import ban_list
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.admin.ban_list import BanTarget
from commentsvc.domain.bans import ban_values
from commentsvc.domain.reading.thread_pages import ANONYMOUS
from commentsvc.models import BanKind, Comment, Commenter, Membership, Role, Status

PAGE = 50
LATEST = 5_000
"""Comments per status that are counted, the latest first, so that the page is as fast on a site with millions."""


class PeopleOrder(StrEnum):
    """What people are sorted by, the largest or latest first."""

    SEEN = "seen"
    COMMENTS = "comments"
    HELD = "held"
    SPAM = "spam"


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A commenter in the list."""

    who: AuthorRef
    name: str
    email: str | None
    role: Role | None
    comments: int
    """Approved ones."""
    held: int
    spam: int
    seen_at: datetime
    """The time of their latest comment."""
    is_banned: bool

    @property
    def is_known(self) -> bool:
        """Whether they have an approved comment, by which a site may let their further ones appear at once."""
        return self.comments > 0


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """A page of the list."""

    rows: list[PersonRow]
    next_page: int | None


def page(session: Session, site_id: int, order: PeopleOrder, *, number: int, at: datetime) -> PeoplePage:
    """Return page `number`, from 0, of all who wrote the latest comments."""
    counted = _counted(_latest(site_id), order).offset(number * PAGE).limit(PAGE + 1)
    found = session.execute(counted).all()
    return PeoplePage(_rows(session, site_id, found[:PAGE], at), number + 1 if len(found) > PAGE else None)


def of_people(
    session: Session, site_id: int, people: Sequence[AuthorRef], order: PeopleOrder, *, at: datetime
) -> list[PersonRow]:
    """Return the rows of these people, such as those that a search found."""
    accounts = [int(who.value) for who in people if who.is_account]
    emails = [who.value for who in people if not who.is_account]
    columns = (Comment.id, Comment.commenter_id, Comment.guest_email, Comment.status, Comment.created_at)
    # Two parts, as each has an index of its own.
    theirs = union_all(
        select(*columns).where(Comment.commenter_id.in_(accounts), Comment.site_id == site_id),
        select(*columns).where(
            Comment.site_id == site_id, Comment.guest_email.in_(emails), Comment.commenter_id.is_(None)
        ),
    )
    return _rows(session, site_id, session.execute(_counted(theirs.subquery(), order)).all(), at)


def _latest(site_id: int) -> Subquery:
    """Select the latest comments of each status."""
    parts = [
        select(Comment.id, Comment.commenter_id, Comment.guest_email, Comment.status, Comment.created_at)
        .where(Comment.site_id == site_id, Comment.status == status)
        .order_by(Comment.id.desc())
        .limit(LATEST)
        .subquery()
        for status in Status
    ]
    return union_all(*(select(part) for part in parts)).subquery()


def _counted(source: Subquery, order: PeopleOrder) -> Any:
    """Select each author in `source` with their numbers; guests without an e-mail address are left out."""
    email = case((source.c.commenter_id.is_(None), source.c.guest_email)).label("email")
    numbers = {
        name: func.sum(case((source.c.status == status, 1), else_=0))
        for name, status in (
            (PeopleOrder.COMMENTS, Status.APPROVED),
            (PeopleOrder.HELD, Status.HELD),
            (PeopleOrder.SPAM, Status.SPAM),
        )
    }
    seen = func.max(source.c.created_at)
    return (
        select(
            source.c.commenter_id,
            email,
            func.max(source.c.id).label("latest"),
            seen.label("seen_at"),
            *(number.label(name.value) for name, number in numbers.items()),
        )
        .where(or_(source.c.commenter_id.is_not(None), source.c.guest_email.is_not(None)))
        .group_by(source.c.commenter_id, email)
        .order_by(
            *([numbers[order].desc()] if order in numbers else []), seen.desc(), func.max(source.c.id).desc()
        )
    )


def _rows(session: Session, site_id: int, found: Sequence[Row[Any]], at: datetime) -> list[PersonRow]:
    names = _names(session, [row.latest for row in found])
    roles = _roles(session, site_id, [row.commenter_id for row in found if row.commenter_id])
    people = [(_who(row), row) for row in found]
    banned = _banned(session, site_id, [who for who, _ in people], at)
    return [
        PersonRow(
            who=who,
            name=names.get(row.latest) or ANONYMOUS,
            email=row.email,
            role=roles.get(row.commenter_id),
            comments=row.comments,
            held=row.held,
            spam=row.spam,
            seen_at=row.seen_at,
            is_banned=who in banned,
        )
        for who, row in people
    ]


def _who(row: Row[Any]) -> AuthorRef:
    who = AuthorRef.read(row.commenter_id, row.email, None)
    assert who is not None  # noqa: S101 - the query selects nobody without either
    return who


def _names(session: Session, comment_ids: Sequence[int]) -> dict[int, str | None]:
    """Return the current name of an account, or the name of a guest in their latest comment."""
    query = (
        select(Comment.id, func.coalesce(Commenter.name, Comment.guest_name))
        .outerjoin(Commenter, Commenter.id == Comment.commenter_id)
        .where(Comment.id.in_(comment_ids))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _roles(session: Session, site_id: int, commenter_ids: Sequence[int]) -> dict[int, Role]:
    query = select(Membership.commenter_id, Membership.role).where(
        Membership.site_id == site_id, Membership.commenter_id.in_(commenter_ids)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _banned(session: Session, site_id: int, people: Sequence[AuthorRef], at: datetime) -> set[AuthorRef]:
    """Return those who are banned by account or e-mail address."""
    targets = {who: _ban_target(who) for who in people}
    bans = ban_list.bans_in_force(session, site_id, list(targets.values()), at=at)
    banned = {(ban.kind, ban.value) for ban in bans}
    return {who for who, target in targets.items() if (target.kind, target.value) in banned}


def _ban_target(who: AuthorRef) -> BanTarget:
    if who.is_account:
        return BanTarget(BanKind.PERSON, who.value, who.value)
    return BanTarget(BanKind.EMAIL, ban_values.email(who.value), who.value)
