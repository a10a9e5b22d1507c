"""Exports everything that this service knows about a person, for that person."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import answer_feeds, identities, login_sessions
from commentsvc.domain.proofs import address_proofs
from commentsvc.domain.subscriptions import subscription_records
from commentsvc.domain.threads import titles
from commentsvc.models import (
    ApiToken,
    Comment,
    Commenter,
    Decision,
    Membership,
    PendingEdit,
    Picture,
    Revision,
    Site,
    Status,
    Thread,
    Vote,
)

FORMAT = "commentsvc person 1"


def person(session: Session, commenter_id: int, *, at: datetime) -> dict[str, Any]:
    """Return a person's data, ready for JSON; times are in ISO 8601, UTC."""
    commenter = session.get_one(Commenter, commenter_id)
    feed = answer_feeds.of_person(session, commenter_id)
    return {
        "format": FORMAT,
        "exported_at": _time(at),
        "name": commenter.name,
        "website": commenter.website,
        "language": commenter.language,
        "since": _time(commenter.created_at),
        "picture": _picture(session, commenter),
        "identities": [
            {
                "provider": one.provider,
                "issuer": one.issuer,
                "subject": one.subject,
                "name": one.name,
                "linked_at": _time(one.created_at),
            }
            for one in identities.identities_of(session, commenter_id)
        ],
        "roles": _roles(session, commenter_id),
        "sessions": _sessions(session, commenter_id, at=at),
        "api_tokens": _api_tokens(session, commenter_id),
        "comments": list(_comments(session, commenter_id)),
        "former_texts": _former_texts(session, commenter_id),
        "waiting_texts": _waiting_texts(session, commenter_id),
        "address_proofs": _address_proofs(session, commenter_id),
        "votes": _votes(session, commenter_id),
        "decisions": _decisions(session, commenter_id),
        "answer_feed_since": _time(feed.created_at) if feed else None,
        "mail": list(subscription_records.export(session, commenter_id)),
        "mail_not_sent": subscription_records.export_suppressions(session, commenter_id),
    }


def _picture(session: Session, commenter: Commenter) -> dict[str, Any]:
    picture = session.get(Picture, commenter.id)
    return {
        "shown": commenter.show_picture,
        "fetched_at": _time(picture.fetched_at) if picture else None,
        "base64": base64.b64encode(picture.data).decode() if picture else None,
    }


def _roles(session: Session, commenter_id: int) -> list[dict[str, Any]]:
    query = select(Site.name, Membership.role).join(Membership)
    rows = session.execute(query.where(Membership.commenter_id == commenter_id).order_by(Site.name))
    return [{"site": site, "role": role.value} for site, role in rows]


def _sessions(session: Session, commenter_id: int, *, at: datetime) -> list[dict[str, Any]]:
    names = sites_by_id(session)
    return [
        {
            "for": one.purpose,
            "site": names.get(one.site_id or 0),
            "browser": one.browser,
            "since": _time(one.created_at),
            "until": _time(one.expires_at),
        }
        for one in login_sessions.sessions_of(session, commenter_id, at=at)
    ]


def _api_tokens(session: Session, commenter_id: int) -> list[dict[str, Any]]:
    query = select(ApiToken).where(ApiToken.commenter_id == commenter_id).order_by(ApiToken.id)
    return [
        {
            "name": token.name,
            "scopes": token.scopes,
            "sites": [site.name for site in token.sites],
            "created_at": _time(token.created_at),
            "until": _time(token.expires_at),
            "last_used_on": token.last_used_on and token.last_used_on.isoformat(),
        }
        for token in session.scalars(query)
    ]


def sites_by_id(session: Session) -> dict[int, str]:
    """Return the names of all sites."""
    return {row.id: row.name for row in session.execute(select(Site.id, Site.name))}


def _comments(session: Session, commenter_id: int) -> Iterable[dict[str, Any]]:
    query = (
        select(
            Comment.id,
            Comment.parent_id,
            Comment.status,
            Comment.format,
            Comment.source,
            Comment.role,
            Comment.created_at,
            Comment.edited_at,
            Thread.url,
            titles.public_title().label("title"),
            Site.name.label("site"),
        )
        .join(Thread, Thread.id == Comment.thread_id)
        .join(Site, Site.id == Comment.site_id)
        .where(Comment.commenter_id == commenter_id)
        .order_by(Comment.id)
    )
    for row in session.execute(query):
        yield {
            "id": row.id,
            "site": row.site,
            "article": row.url,
            "title": row.title,
            "answers": row.parent_id,
            "status": row.status.value,
            "format": row.format.value,
            "text": row.source,
            "role": row.role.value if row.role else None,
            "written_at": _time(row.created_at),
            "edited_at": _time(row.edited_at),
        }


def _former_texts(session: Session, commenter_id: int) -> list[dict[str, Any]]:
    """Return the texts of their comments before edits, while those are stored."""
    query = select(Revision).join(Comment, Comment.id == Revision.comment_id)
    return [
        {
            "comment": one.comment_id,
            "format": one.format.value,
            "text": one.source,
            "changed_at": _time(one.created_at),
        }
        for one in session.scalars(query.where(Comment.commenter_id == commenter_id).order_by(Revision.id))
    ]


def _waiting_texts(session: Session, commenter_id: int) -> list[dict[str, Any]]:
    """Return the new texts that they gave their comments and that wait for a moderator."""
    query = select(PendingEdit).join(Comment, Comment.id == PendingEdit.comment_id)
    return [
        {"comment": one.comment_id, "text": one.source, "written_at": _time(one.created_at)}
        for one in session.scalars(query.where(Comment.commenter_id == commenter_id))
    ]


def _address_proofs(session: Session, commenter_id: int) -> list[dict[str, Any]]:
    """Return when their browsers proved an e-mail address; the address itself is stored only as a hash."""
    browsers = address_proofs.browsers_of(session, commenter_id)
    return [
        {"site": site, "proved_at": _time(proved_at), "used_at": _time(used_at)}
        for site, proved_at, used_at in address_proofs.of_browsers(session, browsers)
    ]


def _votes(session: Session, commenter_id: int) -> list[dict[str, Any]]:
    """Return the comments that they liked or voted on, without the text of others."""
    query = (
        select(Vote.comment_id, Vote.value, Vote.created_at, Thread.url, Site.name)
        .join(Comment, Comment.id == Vote.comment_id)
        .join(Thread, Thread.id == Comment.thread_id)
        .join(Site, Site.id == Comment.site_id)
        .where(Vote.commenter_id == commenter_id, Comment.status == Status.APPROVED)
        .order_by(Vote.created_at, Vote.comment_id)
    )
    return [
        {
            "comment": row.comment_id,
            "site": row.name,
            "article": row.url,
            "vote": row.value,
            "at": _time(row.created_at),
        }
        for row in session.execute(query)
    ]


def _decisions(session: Session, commenter_id: int) -> list[dict[str, Any]]:
    """Return their decisions as a moderator."""
    query = select(Decision.comment_id, Decision.status, Decision.created_at)
    rows = session.execute(query.where(Decision.moderator_id == commenter_id).order_by(Decision.id))
    return [
        {"comment": row.comment_id, "status": row.status.value, "at": _time(row.created_at)} for row in rows
    ]


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
