"""Tokens for programs: who may do what, where and until when."""

from __future__ import annotations

import hmac
import re
import secrets
import zlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import Session, selectinload

from commentsvc.db.rows import change_rows
from commentsvc.domain import actions, fields
from commentsvc.domain.accounts import accounts, token_hashes
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import ApiToken, ApiTokenSite, Role, Site, TokenScope

LONGEST_LIFE = 3650
"""Days."""
KEPT = timedelta(days=30)
"""How long an expired token stays in the list, so that its owner sees why a program has stopped."""
_TEXT = re.compile(r"(csvc_([1-9][0-9]{0,17})_[0-9a-f]{40})([0-9a-f]{8})")
"""A fixed beginning and a checksum, by which programs that look for leaked secrets recognise a token."""


def create(
    session: Session,
    name: str,
    scopes: Collection[TokenScope],
    site_ids: Collection[int],
    *,
    maker_id: int,
    days: int | None,
    at: datetime,
) -> tuple[ApiToken, str]:
    """Return a new token and its text, which is not stored. It expires after `days`, with None never.

    Needs `begin_write`. Raises InvalidFieldsError, and NotFoundError if the maker does not own all the sites.
    """
    errors: dict[str, str] = {}
    try:
        name = fields.name(name, missing=gettext("Please enter a name, such as what will use the token"))
    except InvalidFieldsError as error:
        errors |= error.fields
    if not scopes:
        errors["scopes"] = gettext("Please choose what the token may be used for")
    if not site_ids:
        errors["sites"] = gettext("Please choose a site")
    if days is not None and not 1 <= days <= LONGEST_LIFE:
        errors["days"] = gettext("Between 1 and %(most)s days") % {"most": LONGEST_LIFE}
    if errors:
        raise InvalidFieldsError(errors)
    if any(accounts.role_on(session, maker_id, site_id) is not Role.OWNER for site_id in site_ids):
        raise NotFoundError
    token = ApiToken(
        commenter_id=maker_id,
        name=name,
        token_hash="",
        scopes=[scope.value for scope in TokenScope if scope in scopes],
        expires_at=None if days is None else at + timedelta(days=days),
        created_at=at,
    )
    session.add(token)
    session.flush()
    text = _text(token.id, secrets.token_hex(20))
    token.token_hash = token_hashes.hash_of_token(session, text)
    session.add_all(ApiTokenSite(token_id=token.id, site_id=site_id) for site_id in sorted(set(site_ids)))
    session.flush()
    words = f"Created the API token “{name}”, to {', '.join(token.scopes)}."
    _record(session, token, "token.create", words, moderator_id=maker_id, at=at)
    return token, text


def find(session: Session, text: str, *, at: datetime) -> ApiToken | None:
    """Return the token of this text; None if it is not valid now."""
    parts = _TEXT.fullmatch(text)
    if parts is None or _checksum(parts[1]) != parts[3]:
        return None
    token = session.get(ApiToken, int(parts[2]))
    if token is None or not hmac.compare_digest(token.token_hash, token_hashes.hash_of_token(session, text)):
        return None
    return token if token.expires_at is None or token.expires_at > at else None


def role_on(session: Session, token: ApiToken, site_id: int) -> Role | None:
    """Return the role with which a token acts on a site: that of its maker now; None where it may not be used."""
    if session.get(ApiTokenSite, (token.id, site_id)) is None:
        return None
    return accounts.role_on(session, token.commenter_id, site_id)


def sites_of(session: Session, token: ApiToken) -> list[tuple[Site, Role]]:
    """Return the sites on which a token acts, with its role there, by name."""
    query = select(Site).join(ApiTokenSite, ApiTokenSite.site_id == Site.id)
    sites = session.scalars(query.where(ApiTokenSite.token_id == token.id).order_by(Site.name))
    roles = ((site, accounts.role_on(session, token.commenter_id, site.id)) for site in sites.all())
    return [(site, role) for site, role in roles if role is not None]


def tokens_on(session: Session, site_ids: Collection[int]) -> Sequence[ApiToken]:
    """Return the tokens of some sites, the latest first, including those that have expired."""
    here = exists().where(ApiTokenSite.token_id == ApiToken.id, ApiTokenSite.site_id.in_(site_ids))
    query = select(ApiToken).where(here).order_by(ApiToken.id.desc())
    return session.scalars(
        query.options(selectinload(ApiToken.sites), selectinload(ApiToken.commenter))
    ).all()


def revoke(session: Session, token: ApiToken, *, moderator_id: int, at: datetime) -> None:
    """End a token on all its sites, with immediate effect. Needs `begin_write`."""
    words = f"Revoked the API token “{token.name}”."
    _record(session, token, "token.revoke", words, moderator_id=moderator_id, at=at)
    session.delete(token)
    session.flush()


def end_on(session: Session, commenter_id: int, site_id: int) -> None:
    """End a person's tokens on a site where they lose their role, so that no later role revives them.

    Needs `begin_write`.
    """
    theirs = select(ApiToken.id).where(ApiToken.commenter_id == commenter_id)
    change_rows(
        session,
        delete(ApiTokenSite).where(ApiTokenSite.site_id == site_id, ApiTokenSite.token_id.in_(theirs)),
    )


def note_use(session: Session, token: ApiToken, *, at: datetime) -> None:
    """Note the day of a token's last use. Needs `begin_write`."""
    change_rows(session, update(ApiToken).where(ApiToken.id == token.id).values(last_used_on=at.date()))


def are_useless(*, at: datetime) -> ColumnElement[bool]:
    """Return an SQL condition: tokens that expired long ago, or whose sites are all gone."""
    has_site = exists().where(ApiTokenSite.token_id == ApiToken.id)
    return or_(and_(ApiToken.expires_at.is_not(None), ApiToken.expires_at < at - KEPT), ~has_site)


def _text(token_id: int, secret: str) -> str:
    start = f"csvc_{token_id}_{secret}"
    return start + _checksum(start)


def _checksum(start: str) -> str:
    return f"{zlib.crc32(start.encode()):08x}"


def _record(
    session: Session, token: ApiToken, kind: str, summary: str, *, moderator_id: int, at: datetime
) -> None:
    sites = select(ApiTokenSite.site_id).where(ApiTokenSite.token_id == token.id)
    for site_id in session.scalars(sites.order_by(ApiTokenSite.site_id)).all():
        actions.record(
            session,
            site_id=site_id,
            moderator_id=moderator_id,
            kind=kind,
            summary=summary,
            at=at,
            facts={"commenter": token.commenter_id},
        )
