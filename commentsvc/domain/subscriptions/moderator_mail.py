"""Mail to moderators about held comments: who wants it, and what is due to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Select, case, delete, exists, func, literal, select
from sqlalchemy.orm import Session

from commentsvc import languages
from commentsvc.db.rows import change_rows, insert_rows
from commentsvc.db.session import UTCDateTime, begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.notifications import suppression
from commentsvc.domain.subscriptions import endings, fan_out, mail_words, subscription_requests
from commentsvc.domain.subscriptions.subscription_requests import SubscriptionRequest
from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext
from commentsvc.models import (
    Comment,
    Delivery,
    DeliveryKind,
    DeliveryState,
    EndReason,
    Frequency,
    Membership,
    Role,
    Site,
    Status,
    Subscription,
    SubscriptionKind,
    Suppression,
)

LINK_LIFE = timedelta(days=mail_words.LINK_DAYS)
"""How long the links of a mail work; also the age up to which a held comment is mailed."""
BATCH = 500
"""Deliveries in one transaction, during which nobody else can write on SQLite."""


class ModeratorMail(StrEnum):
    """What mail a moderator wants about a site."""

    NOTHING = "nothing"
    DIGEST = "digest"
    EACH = "each"


def role_of(session: Session, subscription: Subscription) -> Role | None:
    """Return the role of a moderator who may get mail now; None if the role, the mail or the site's switch is off."""
    if (
        subscription.commenter_id is None
        or not subscription.is_active
        or not subscription.site.moderator_mail
    ):
        return None
    return accounts.role_on(session, subscription.commenter_id, subscription.site_id)


def language_of(subscription: Subscription) -> str:
    """Return the language of mail to a moderator: their own, or the one in which they asked for it."""
    chosen = subscription.commenter.language if subscription.commenter is not None else None
    return languages.for_admin(chosen or subscription.language)


def of_moderator(session: Session, site_id: int, commenter_id: int) -> Subscription | None:
    """Return a moderator's subscription to a site's held comments, confirmed or not; None for nothing."""
    query = select(Subscription).where(
        Subscription.site_id == site_id,
        Subscription.kind == SubscriptionKind.HELD,
        Subscription.commenter_id == commenter_id,
        Subscription.ended_at.is_(None),
    )
    return session.scalars(query.order_by(Subscription.id.desc()).limit(1)).first()


def wanted_by(subscription: Subscription | None) -> ModeratorMail:
    """Return what a moderator chose."""
    if subscription is None:
        return ModeratorMail.NOTHING
    return ModeratorMail.DIGEST if subscription.frequency is Frequency.DAILY else ModeratorMail.EACH


def choose(
    session: Session,
    key: bytes,
    *,
    site_id: int,
    commenter_id: int,
    wanted: ModeratorMail,
    address: str,
    at: datetime,
) -> None:
    """Change what mail a moderator gets about a site; a new address is confirmed first. Needs `begin_write`.

    `address` has the form of `fields.email`; it is ignored for NOTHING. Raises InvalidFieldsError if another
    moderator of the site has it.
    """
    address_hash = suppression.hash_of_address(key, address) if address else ""
    current = of_moderator(session, site_id, commenter_id)
    if current is not None and (wanted is ModeratorMail.NOTHING or current.address_hash != address_hash):
        endings.end(session, current, EndReason.LINK, at=at)
        session.flush()
    if wanted is ModeratorMail.NOTHING:
        return
    _require_free(session, site_id, commenter_id, address_hash, at)
    kind = SubscriptionKind.HELD
    request = SubscriptionRequest(
        site_id=site_id, thread_id=None, kind=kind, address=address, commenter_id=commenter_id
    )
    subscription_requests.request(session, key, request, at=at)
    subscription = of_moderator(session, site_id, commenter_id)
    if subscription is not None:
        subscription.frequency = Frequency.DAILY if wanted is ModeratorMail.DIGEST else Frequency.AT_ONCE
        session.flush()


def spread(session: Session, *, digest_hour: int, at: datetime) -> int:
    """Write the deliveries of held comments that have none; return how many were missing. Commits.

    A comment has one delivery for each recipient, so that processes which do this at once repeat nothing.
    """
    ids = _subscription_ids(session)
    _withdraw(session, ids)
    missing = len(session.execute(_missing(ids, at, digest_hour)).all()) if ids else 0
    session.rollback()
    if missing:
        begin_write(session)
        insert_rows(session, Delivery, _missing(ids, at, digest_hour))
        session.commit()
    return missing


def waiting(session: Session, site_id: int) -> int:
    """Return how many comments of a site wait for a decision."""
    held = select(func.count()).where(Comment.site_id == site_id, Comment.status == Status.HELD)
    return session.scalar(held) or 0


def _subscription_ids(session: Session) -> list[int]:
    """Return the subscriptions of moderators; a query of its own, which the index by site and kind answers."""
    sites = session.scalars(select(Site.id).where(Site.moderator_mail)).all()
    query = select(Subscription.id).where(
        Subscription.site_id.in_(sites),
        Subscription.kind == SubscriptionKind.HELD,
        Subscription.thread_id.is_(None),  # as in the partial index
        Subscription.confirmed_at.is_not(None),
    )
    return list(session.scalars(query))


def _withdraw(session: Session, ids: Sequence[int]) -> None:
    """Delete what waits about comments that were decided on, so that the address can get mail as a reader. Commits."""
    decided = select(Comment.id).where(Comment.id == Delivery.comment_id, Comment.status != Status.HELD)
    stale = (
        Delivery.subscription_id.in_(ids),
        Delivery.kind == DeliveryKind.HELD,
        Delivery.state == DeliveryState.WAITING,
        Delivery.attempts == 0,
        decided.exists(),
    )
    if ids and session.scalar(select(exists().where(*stale))):
        begin_write(session)
        change_rows(session, delete(Delivery).where(*stale))
        session.commit()


def _missing(ids: Sequence[int], at: datetime, digest_hour: int) -> Select[tuple[object, ...]]:
    """Select some deliveries that are to be written."""
    has_delivery = exists().where(
        Delivery.comment_id == Comment.id, Delivery.recipient_hash == Subscription.address_hash
    )
    gets_none = exists().where(
        Suppression.address_hash == Subscription.address_hash, suppression.is_effective(Subscription.site_id)
    )
    digest = literal(fan_out.next_digest(at, digest_hour), UTCDateTime())
    when = case((Subscription.frequency == Frequency.DAILY, digest), else_=literal(at, UTCDateTime()))
    return (
        select(
            Comment.site_id.label("site_id"),
            literal(DeliveryKind.HELD.value).label("kind"),
            Subscription.id.label("subscription_id"),
            Comment.id.label("comment_id"),
            Subscription.address_hash.label("recipient_hash"),
            literal(DeliveryState.WAITING.value).label("state"),
            literal(0).label("attempts"),
            when.label("next_attempt_at"),
            literal(at, UTCDateTime()).label("created_at"),
        )
        .select_from(Subscription)
        .join(Site, Site.id == Subscription.site_id)
        .join(
            Membership,
            (Membership.site_id == Subscription.site_id)
            & (Membership.commenter_id == Subscription.commenter_id),
        )
        .join(Comment, Comment.site_id == Subscription.site_id)
        .where(
            Subscription.id.in_(ids),
            Subscription.confirmed_at <= Comment.created_at,
            Subscription.ended_at.is_(None),
            Site.moderator_mail,
            Comment.status == Status.HELD,
            Comment.created_at > at - LINK_LIFE,
            func.coalesce(Comment.transfer_key, "") == "",  # not by the index of imported comments
            ~has_delivery,
            ~gets_none,
        )
        .limit(BATCH)
    )


def _require_free(session: Session, site_id: int, commenter_id: int, address_hash: str, at: datetime) -> None:
    """Raise InvalidFieldsError if another moderator gets mail at the address; end what a former one got there."""
    query = select(Subscription).where(
        Subscription.site_id == site_id,
        Subscription.kind == SubscriptionKind.HELD,
        Subscription.address_hash == address_hash,
        Subscription.commenter_id != commenter_id,
        Subscription.ended_at.is_(None),
    )
    for other in session.scalars(query).all():
        if other.commenter_id and accounts.role_on(session, other.commenter_id, site_id) is not None:
            raise InvalidFieldsError(
                {"address": gettext("Another moderator of this site gets the mail of this address.")}
            )
        endings.end(session, other, EndReason.LINK, at=at)
    session.flush()
