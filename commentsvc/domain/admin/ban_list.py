"""Adds and lifts bans; domain/bans/bans.py matches them."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from commentsvc.domain import actions
from commentsvc.domain.accounts import accounts
from commentsvc.domain.bans import ban_values, bans
from commentsvc.domain.reading.thread_pages import ANONYMOUS
from commentsvc.domain.spam import tokens
from commentsvc.errors import ForbiddenError, InvalidFieldsError
from commentsvc.languages import ENGLISH
from commentsvc.messages import gettext, gettext_noop, using
from commentsvc.models import Ban, BanKind, Comment
from commentsvc.text import dates

PAGE = 50
LABEL_LONGEST = 120
REASON_LONGEST = 300
MOST_DOMAINS = 8
"""Domains from a comment's links that are offered to be banned."""
_WIDEST = {4: 8, 6: 16}
"""The shortest prefixes in bits; a shorter one would ban a large part of the Internet."""
_BY = {
    BanKind.EMAIL: gettext_noop("%(name)s by e-mail address"),
    BanKind.AUTHOR: gettext_noop("the browser of %(name)s"),
    BanKind.NETWORK: gettext_noop("the network of %(name)s"),
}
"""Whom a ban is for, in a sentence."""


@dataclass(frozen=True, slots=True)
class BanTarget:
    """Somebody or something that can be banned."""

    kind: BanKind
    value: str
    label: str
    """How moderators recognise it."""
    month: str | None = None
    """The month of a network's hash."""

    @property
    def key(self) -> str:
        """An id among the targets of one comment; keeps hashes out of pages."""
        return f"domain:{self.value}" if self.kind is BanKind.DOMAIN else self.kind.value


def possible_bans(comment: Comment) -> list[BanTarget]:
    """Return everything by which a comment's author can be banned, the most certain first."""
    name = (comment.commenter.name if comment.commenter else comment.guest_name) or ANONYMOUS
    website = comment.commenter.website if comment.commenter else comment.guest_website
    hosts = bans.hosts_of([comment.origin_url, website, *tokens.links(comment.html)])
    domains = dict.fromkeys(ban_values.domain(host) for host in hosts if len(host) <= LABEL_LONGEST)
    candidates = [
        (BanKind.PERSON, str(comment.commenter_id) if comment.commenter_id is not None else None),
        (BanKind.EMAIL, comment.guest_email and ban_values.email(comment.guest_email)),
        (BanKind.AUTHOR, comment.author_key_hash if comment.commenter_id is None else None),
    ]
    if comment.origin_author is not None:
        name = comment.origin_author[:LABEL_LONGEST]
    mine = [BanTarget(kind, value, name) for kind, value in candidates if value]
    if comment.network_hash:
        mine.append(BanTarget(BanKind.NETWORK, comment.network_hash, name, bans.month_of(comment.created_at)))
    return mine + [BanTarget(BanKind.DOMAIN, host, host) for host in list(domains)[:MOST_DOMAINS]]


def parse_typed(kind: BanKind, value: str) -> BanTarget:
    """Return a target from what a moderator typed; raises InvalidFieldsError on `value`."""
    if kind not in {BanKind.EMAIL, BanKind.NETWORK, BanKind.DOMAIN}:
        raise InvalidFieldsError({"value": gettext("Please ban a person from one of their comments")})
    normal = bans.normal(kind, value)
    if kind is BanKind.NETWORK:
        _require_narrow(normal)
    return BanTarget(kind, normal, normal[:LABEL_LONGEST])


def add(
    session: Session,
    site_id: int,
    wanted: Sequence[BanTarget],
    *,
    reason: str,
    until: datetime | None,
    moderator_id: int,
    at: datetime,
) -> list[Ban]:
    """Ban all of `wanted` until a time, or permanently; existing bans get the new end and reason.

    Needs `begin_write`. Raises InvalidFieldsError on `reason` and `until`, and ForbiddenError for people with a role on
    the site.
    """
    errors = {}
    text = " ".join(reason.replace("\0", "").split())
    if not text or len(text) > REASON_LONGEST:
        errors["reason"] = (
            gettext("Please use at most %(number)s characters") % {"number": REASON_LONGEST}
            if text
            else gettext("Please enter a reason, for other moderators")
        )
    if until is not None and until <= at:
        errors["until"] = gettext("Please enter a day that is not over yet")
    if errors:
        raise InvalidFieldsError(errors)
    for target in wanted:
        if target.kind is BanKind.PERSON and accounts.role_on(session, int(target.value), site_id):
            raise ForbiddenError(
                gettext("%(name)s has a role on this site. Remove the role first.") % {"name": target.label}
            )
    added = [_put(session, site_id, target, text, until, moderator_id, at) for target in wanted]
    with using(ENGLISH):  # as the log is stored
        for ban in added:
            _record(session, ban, "ban.add", f"{sentence(ban).removesuffix('.')}: {text}", moderator_id, at)
    return added


def lift(session: Session, ban: Ban, *, moderator_id: int, at: datetime) -> None:
    """Lift a ban. Needs `begin_write`."""
    with using(ENGLISH):  # as the log is stored
        _record(session, ban, "ban.lift", f"Lifted the ban of {describe(ban)}.", moderator_id, at)
    session.delete(ban)
    session.flush()


def list_bans(
    session: Session, site_id: int, *, after: int | None = None
) -> tuple[Sequence[Ban], int | None]:
    """Return a page of a site's bans, the latest first, including expired ones; and where the next page begins."""
    query = select(Ban).where(Ban.site_id == site_id).options(joinedload(Ban.moderator))
    if after is not None:
        query = query.where(Ban.id < after)
    rows = session.scalars(query.order_by(Ban.id.desc()).limit(PAGE + 1)).all()
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def bans_in_force(
    session: Session, site_id: int, wanted: Sequence[BanTarget], *, at: datetime
) -> Sequence[Ban]:
    """Return the bans of these targets that apply now."""
    if not wanted:
        return []
    sought: list[ColumnElement[bool]] = [and_(Ban.kind == it.kind, Ban.value == it.value) for it in wanted]
    query = select(Ban).where(Ban.site_id == site_id, or_(Ban.until.is_(None), Ban.until > at), or_(*sought))
    return session.scalars(query.options(joinedload(Ban.moderator)).order_by(Ban.id.desc())).all()


def is_elsewhere(target: Ban | BanTarget) -> bool:
    """Whether a ban is for an author who writes elsewhere."""
    return target.kind is BanKind.AUTHOR and target.value.startswith(ban_values.ELSEWHERE)


def describe(ban: Ban) -> str:
    """Return whom or what a ban is for, for use in a sentence."""
    if ban.kind is BanKind.DOMAIN:
        return gettext("links to %(name)s") % {"name": ban.value}
    if ban.kind is BanKind.PERSON or ban.label == ban.value or is_elsewhere(ban):
        return ban.label
    return gettext(_BY[ban.kind]) % {"name": ban.label}


def sentence(ban: Ban) -> str:
    """Return who is banned, and for how long."""
    named = {"name": describe(ban)}
    if ban.until is None:
        return gettext("Banned %(name)s permanently.") % named
    return gettext("Banned %(name)s until %(time)s.") % {
        **named,
        "time": dates.exact(ban.until),
    }


def _put(
    session: Session,
    site_id: int,
    target: BanTarget,
    reason: str,
    until: datetime | None,
    moderator_id: int,
    at: datetime,
) -> Ban:
    new = Ban(
        site_id=site_id,
        kind=target.kind,
        value=target.value,
        month=target.month,
        label=target.label,
        reason=reason,
        until=until,
        moderator_id=moderator_id,
        created_at=at,
    )
    try:
        with session.begin_nested():
            session.add(new)
    except IntegrityError:  # already banned, perhaps a moment ago
        same = (Ban.site_id == site_id, Ban.kind == target.kind, Ban.value == target.value)
        ban = session.scalars(select(Ban).where(*same).with_for_update()).one()
        ban.reason, ban.until, ban.moderator_id, ban.created_at = reason, until, moderator_id, at
        ban.month = target.month
        session.flush()
        return ban
    return new


def _record(session: Session, ban: Ban, kind: str, summary: str, moderator_id: int, at: datetime) -> None:
    actions.record(
        session,
        site_id=ban.site_id,
        moderator_id=moderator_id,
        kind=kind,
        summary=summary,
        at=at,
        facts={"commenter": int(ban.value)} if ban.kind is BanKind.PERSON else None,
    )


def _require_narrow(network: str) -> None:
    try:
        parsed = ipaddress.ip_network(network)
    except ValueError:
        message = gettext("Please enter an address such as 192.0.2.7 or a range such as 192.0.2.0/24")
        raise InvalidFieldsError({"value": message}) from None
    if parsed.prefixlen < _WIDEST[parsed.version]:
        raise InvalidFieldsError(
            {"value": gettext("This range is too wide: it would ban a great many people")}
        )
