"""Which rows of each table belong to one site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, union

from commentsvc.domain.accounts import single_sign_on
from commentsvc.domain.archive.parts import ArchivePart
from commentsvc.models import (
    Action,
    Ban,
    Comment,
    Commenter,
    Decision,
    Identity,
    Membership,
    Note,
    Picture,
    Site,
    Subscription,
    Suppression,
)


def of_site(part: ArchivePart, site_id: int | None) -> Sequence[ColumnElement[bool]]:
    """Return the conditions of a site's rows of a part; none for the whole service."""
    if site_id is None:
        return ()
    if part.model is Site:
        return (Site.id == site_id,)
    if part.model is Suppression:  # one that is for all sites belongs here if its address subscribed here
        here = select(Subscription.address_hash).where(Subscription.site_id == site_id)
        for_all = and_(Suppression.site_id.is_(None), Suppression.address_hash.in_(here))
        return (or_(Suppression.site_id == site_id, for_all),)
    columns: Any = part.table.c
    if "site_id" in columns:
        return (columns.site_id == site_id,)
    if "comment_id" in columns:
        return (columns.comment_id.in_(select(Comment.id).where(Comment.site_id == site_id)),)
    people = _people(site_id)
    if part.model is Commenter:
        return (Commenter.id.in_(people),)
    if part.model is Identity:  # not their logins by another site's own sign-in
        own = Identity.issuer == single_sign_on.issuer(site_id)
        return (Identity.commenter_id.in_(people), or_(Identity.provider != single_sign_on.PROVIDER, own))
    return (Picture.commenter_id.in_(people),)


def _people(site_id: int) -> Any:
    """Return the ids of everybody with an account whom a site's rows name."""
    own = [
        (Comment.commenter_id, Comment.site_id),
        (Membership.commenter_id, Membership.site_id),
        (Action.moderator_id, Action.site_id),
        (Ban.moderator_id, Ban.site_id),
        (Note.moderator_id, Note.site_id),
        (Subscription.commenter_id, Subscription.site_id),
    ]
    decided = select(Decision.moderator_id).join(Comment, Comment.id == Decision.comment_id)
    return union(
        *(select(person).where(site == site_id, person.is_not(None)) for person, site in own),
        decided.where(Comment.site_id == site_id, Decision.moderator_id.is_not(None)),
    )
