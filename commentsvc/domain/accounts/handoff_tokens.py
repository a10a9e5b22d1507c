"""From a frame to a person's own page: a token that works once and for a minute.

A frame's cookie is kept apart for each website, so the page would not see it; the token goes across.
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
from commentsvc.models import LoginSession, Ticket

PASS = "pass"  # noqa: S105 - what the ticket is for
LIFE = timedelta(seconds=60)
_SESSION = "session"


def issue(session: Session, holder: LoginSession, *, token: str = "", at: datetime) -> str:
    """Return a token with which the holder of a frame's session enters their own page.

    `token` is one that the frame has made, so that its window can open at once: 64 hexadecimal digits. Needs
    `begin_write`; raises BadAddressError for a token of another form, or one that was used before.
    """
    if token and not re.fullmatch(r"[0-9a-f]{64}", token):
        raise BadAddressError("This token was not made as it should be.")
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
        raise BadAddressError("This token was used before.") from None
    return token


def is_known(session: Session, token: str) -> bool:
    """Whether a token was issued, and is perhaps spent; one that a frame has made may be on its way."""
    query = select(Ticket.id).where(
        Ticket.token_hash == token_hashes.hash_of_token(session, token), Ticket.purpose == PASS
    )
    return session.scalar(query) is not None


def redeem(session: Session, token: str, *, browser: str, at: datetime) -> str:
    """Spend a token; return that of the session it opens. Needs `begin_write`; raises LoginFailedError.

    The new session is as old as the frame's, because nobody has proved anything since. Where a site vouched for
    the person, it opens their own page and nothing else.
    """
    ticket = session.scalar(
        select(Ticket)
        .where(Ticket.token_hash == token_hashes.hash_of_token(session, token), Ticket.purpose == PASS)
        .with_for_update()
    )
    if ticket is None or ticket.redeemed_at is not None or ticket.expires_at < at:
        raise LoginFailedError("This took too long. Please press “Your comments” once more.")
    ticket.redeemed_at = at
    named = (ticket.stash or {}).get(_SESSION)  # not its id: SQLite gives that of an ended one to the next
    holder = session.scalar(select(LoginSession).where(LoginSession.token_hash == named))
    if holder is None or holder.commenter_id != ticket.commenter_id or holder.expires_at <= at:
        raise LoginFailedError("You are no longer logged in. Please log in once more.")
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
