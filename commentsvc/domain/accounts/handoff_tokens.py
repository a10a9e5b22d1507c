"""Single-use tokens, valid for a minute, that take a login from a frame to the person's own page.

A frame's cookie is partitioned by website, so the page cannot see it; the token passes the login on.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import login_sessions, single_sign_on, token_hashes
from commentsvc.errors import BadAddressError, LoginFailedError
from commentsvc.integrations import signing
from commentsvc.messages import gettext
from commentsvc.models import LoginSession, Ticket

PASS = "pass"  # noqa: S105 - what the ticket is for
LIFE = timedelta(seconds=60)
_SESSION = "session"


def issue(session: Session, holder: LoginSession, *, token: str = "", at: datetime) -> str:
    """Return a token with which the holder of a frame's session can open their own page.

    `token` is one that the frame created, so that its window can open at once: 64 hexadecimal digits. Needs
    `begin_write`; raises BadAddressError if it has another form, or was used before.
    """
    if token and not re.fullmatch(r"[0-9a-f]{64}", token):
        raise BadAddressError(gettext("This token is not valid."))
    session.execute(delete(Ticket).where(Ticket.purpose == PASS, Ticket.expires_at < at))
    token = token or signing.new_token()
    ticket = Ticket(
        token_hash=token_hashes.hash_of_token(session, token),
        commenter_id=holder.commenter_id,
        identity_id=holder.identity_id,
        purpose=PASS,
        stash={_SESSION: holder.token_hash},
        created_at=at,
        expires_at=at + LIFE,
    )
    try:
        with session.begin_nested():
            session.add(ticket)
    except IntegrityError:
        raise BadAddressError(gettext("This token was used before.")) from None
    return token


def is_known(session: Session, token: str) -> bool:
    """Whether a token was issued, used or not; one that a frame created may still be on its way."""
    query = select(Ticket.id).where(
        Ticket.token_hash == token_hashes.hash_of_token(session, token), Ticket.purpose == PASS
    )
    return session.scalar(query) is not None


def redeem(session: Session, token: str, *, browser: str, at: datetime) -> str:
    """Use up a token; return the token of the new session. Needs `begin_write`; raises LoginFailedError.

    The new session is as old as the frame's, because nobody has logged in since. If the site's single sign-on opened
    the frame's session, the new one is for their own page only.
    """
    ticket = session.scalar(
        select(Ticket)
        .where(Ticket.token_hash == token_hashes.hash_of_token(session, token), Ticket.purpose == PASS)
        .with_for_update()
    )
    if ticket is None or ticket.redeemed_at is not None or ticket.expires_at < at:
        raise LoginFailedError(gettext("This took too long. Please press “Your comments” again."))
    ticket.redeemed_at = at
    named = (ticket.stash or {}).get(_SESSION)  # not its id: SQLite reuses the ids of deleted rows
    holder = session.scalar(select(LoginSession).where(LoginSession.token_hash == named))
    if holder is None or holder.commenter_id != ticket.commenter_id or holder.expires_at <= at:
        raise LoginFailedError(gettext("You are no longer logged in. Please log in again."))
    vouched = holder.identity is not None and holder.identity.provider == single_sign_on.PROVIDER
    return login_sessions.open_for(
        session,
        commenter_id=holder.commenter_id,
        identity_id=holder.identity_id,
        purpose=login_sessions.OWN if vouched else login_sessions.PERSON,
        site_id=None,
        browser=browser,
        at=holder.created_at,
        life=holder.expires_at - holder.created_at,
    )
