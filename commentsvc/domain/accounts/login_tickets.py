"""Login tickets: a frame begins a login, the provider answers it, and the same frame redeems it, once.

The frame keeps a random verifier and sends its SHA-256, the challenge, whose hash identifies the ticket. Only the
holder of the verifier can get the session, so the popup does not need to communicate with its opener.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import login_sessions, token_hashes
from commentsvc.errors import BadAddressError, LoginCancelledError, LoginExpiredError, LoginFailedError
from commentsvc.integrations import signing
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Identity, LoginSession, Ticket

LOGIN = "login"
LIFE = timedelta(minutes=15)
"""How long a login may take, and how long the frame can poll for it."""
KNOWN_FOR = timedelta(days=1)
"""How long a finished login is remembered, so that somebody who comes back late gets a helpful message."""
SECOND_ASKING = timedelta(seconds=60)
"""How soon a frame whose browser refused the cookie must ask for the bearer token instead."""

_PROOF = "proof"
_CANCELLED = gettext_noop("This login was cancelled.")
_USED = gettext_noop("This login is already used. Please log in again.")
_TOO_LONG = gettext_noop("This login took too long. Please try again.")


class LoginStage(StrEnum):
    PENDING = "pending"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True)
class RedeemedLogin:
    """The stage of a login; `token` opens the session, once."""

    stage: LoginStage
    token: str = ""
    message: str = ""
    is_begun: bool = True
    """Whether the login's window has reached this service."""


def begin(
    session: Session,
    *,
    challenge: str,
    site_id: int | None,
    begun_from: Mapping[str, str] | None = None,
    at: datetime,
) -> None:
    """Store a new login, before any request to its provider.

    Needs `begin_write`; raises BadAddressError for a challenge that is damaged or already used, and
    LoginCancelledError.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", challenge):
        raise BadAddressError(gettext("This login request is not valid. Please try again."))
    hashed = token_hashes.hash_of_challenge(session, challenge)
    session.execute(delete(Ticket).where(Ticket.purpose == LOGIN, Ticket.expires_at < at - KNOWN_FOR))
    if _is_stored(session, _ticket(hashed, site_id, at=at, begun_from=dict(begun_from or {}))):
        return
    earlier = session.scalars(select(Ticket).where(Ticket.token_hash == hashed)).one()
    if earlier.failure == _CANCELLED:
        raise LoginCancelledError
    raise BadAddressError(gettext("This login has already begun. Please try again."))


def note_state(session: Session, challenge: str, state: str, *, at: datetime) -> None:
    """Store the OAuth state by which the provider's answer will find this login.

    Needs `begin_write`; raises LoginCancelledError, LoginExpiredError.
    """
    hashed = token_hashes.hash_of_challenge(session, challenge)
    ticket = session.scalar(select(Ticket).where(Ticket.token_hash == hashed).with_for_update())
    _require_under_way(ticket, at=at).state_hash = token_hashes.hash_of_token(session, state)


def cancel(session: Session, verifier: str, *, site_id: int, at: datetime) -> None:
    """Cancel a login for the frame that began it: nobody is logged in, and whoever finishes it sees a message.

    If the login's window has not reached this service yet, it will be refused. If the login was redeemed a moment ago,
    its session ends. Needs `begin_write`.
    """
    if _is_stored(
        session, _ticket(token_hashes.hash_of_token(session, verifier), site_id, at=at, failure=_CANCELLED)
    ):
        return
    ticket = _of_verifier(session, verifier, lock=True)
    if ticket is None or ticket.site_id != site_id or ticket.failure:
        return
    if ticket.redeemed_at is None:
        ticket.failure, ticket.stash = _CANCELLED, None
    elif ticket.redeemed_at + SECOND_ASKING > at:
        _end_session(session, ticket)


def begun_from(session: Session, state: str) -> dict[str, str]:
    """Return where the login with this state began; empty if unknown."""
    query = select(Ticket.begun_from).where(Ticket.state_hash == token_hashes.hash_of_token(session, state))
    return session.scalar(query) or {}


def require_under_way(session: Session, state: str, *, at: datetime) -> None:
    """Raise LoginCancelledError or LoginExpiredError if this login cannot be completed."""
    _require_under_way(_of_state(session, state), at=at)


def complete(session: Session, state: str, identity: Identity, *, at: datetime) -> None:
    """Store who logged in. Needs `begin_write`; raises LoginCancelledError, LoginExpiredError."""
    ticket = _under_way(session, state, at=at)
    ticket.identity_id, ticket.commenter_id = identity.id, identity.commenter_id
    ticket.stash = None


def fail(session: Session, message: str, *, challenge: str = "", state: str = "", at: datetime) -> None:
    """Store that a login, given by its challenge or state, failed, so that the frame can say so.

    Has no effect on a login that has ended. Needs `begin_write`.
    """
    named = (
        Ticket.token_hash == token_hashes.hash_of_challenge(session, challenge)
        if challenge
        else Ticket.state_hash == token_hashes.hash_of_token(session, state)
    )
    ticket = session.scalar(select(Ticket).where(named, Ticket.purpose == LOGIN).with_for_update())
    if ticket is not None and _is_under_way(ticket, at=at):
        ticket.failure, ticket.stash = message[:300], None


def store_answer(session: Session, state: str, answer: Mapping[str, str], *, at: datetime) -> str:
    """Store an answer that came without the browser's cookie; return the proof that retrieves it.

    Needs `begin_write`; raises LoginFailedError.
    """
    ticket = _under_way(session, state, at=at)
    if ticket.stash is not None:
        raise LoginFailedError(gettext("This answer was already received. Please log in again."))
    proof = signing.new_token()
    ticket.stash = {**answer, _PROOF: token_hashes.hash_of_token(session, proof)}
    return proof


def stored_answer(session: Session, state: str, proof: str, *, at: datetime) -> dict[str, str]:
    """Return the stored answer of this login to the browser that sent it; raises LoginFailedError."""
    answer = dict(_under_way(session, state, at=at).stash or {})
    if answer.pop(_PROOF, "") != token_hashes.hash_of_token(session, proof):
        raise LoginFailedError(gettext("This login began in another browser. Please start it again."))
    return answer


def peek(session: Session, verifier: str, *, site_id: int, at: datetime) -> RedeemedLogin | None:
    """Return the stage of this verifier's login, without a lock; None if a session can be opened.

    An unknown login counts as pending, because the frame starts to poll as soon as its window opens. Raises
    LoginFailedError.
    """
    ticket = _of_verifier(session, verifier)
    return (
        RedeemedLogin(LoginStage.PENDING, is_begun=False)
        if ticket is None
        else _standing(ticket, site_id, at=at)
    )


def redeem(
    session: Session, verifier: str, *, site_id: int, browser: str, again: bool, at: datetime
) -> RedeemedLogin:
    """Return the stage of a login as `peek` does, and open its session if it is done.

    Only once; `again`, within a minute, replaces the session by a new one, for a frame whose browser did not store
    the cookie. Needs `begin_write`. Raises LoginFailedError.
    """
    ticket = _of_verifier(session, verifier, lock=True)
    if ticket is None:
        return RedeemedLogin(LoginStage.PENDING, is_begun=False)
    if standing := _standing(ticket, site_id, at=at):
        return standing
    if ticket.redeemed_at is not None:
        if not again or ticket.redeemed_at + SECOND_ASKING < at:
            raise LoginFailedError(gettext(_USED))
        _end_session(session, ticket)
        ticket.expires_at = at - timedelta(seconds=1)
    ticket.redeemed_at = at
    token = login_sessions.open_for(
        session,
        commenter_id=cast(int, ticket.commenter_id),
        identity_id=ticket.identity_id,
        purpose=login_sessions.READER,
        site_id=site_id,
        browser=browser,
        at=at,
    )
    return RedeemedLogin(LoginStage.DONE, token=token)


def _end_session(session: Session, ticket: Ticket) -> None:
    """End the session that this ticket opened."""
    session.execute(
        delete(LoginSession).where(
            LoginSession.identity_id == ticket.identity_id,
            LoginSession.site_id == ticket.site_id,
            LoginSession.created_at == ticket.redeemed_at,
        )
    )


def _standing(ticket: Ticket, site_id: int, *, at: datetime) -> RedeemedLogin | None:
    """Return the stage of a login that is not done; None if it is. Raises LoginFailedError."""
    if ticket.site_id != site_id or ticket.expires_at < at:
        raise LoginFailedError(gettext(_TOO_LONG))
    if ticket.failure:
        # An error is stored in the words that its window showed; ours is stored in English.
        return RedeemedLogin(LoginStage.FAILED, message=gettext(ticket.failure))
    if ticket.commenter_id is None or ticket.identity_id is None:
        return RedeemedLogin(LoginStage.PENDING)
    return None


def _ticket(token_hash: str, site_id: int | None, *, at: datetime, **more: Any) -> Ticket:
    return Ticket(
        token_hash=token_hash, site_id=site_id, purpose=LOGIN, created_at=at, expires_at=at + LIFE, **more
    )


def _is_stored(session: Session, ticket: Ticket) -> bool:
    """Store a new ticket; return False if there is already one with its challenge."""
    try:
        with session.begin_nested():
            session.add(ticket)
    except IntegrityError:
        return False
    return True


def _of_verifier(session: Session, verifier: str, *, lock: bool = False) -> Ticket | None:
    query = select(Ticket).where(
        Ticket.token_hash == token_hashes.hash_of_token(session, verifier), Ticket.purpose == LOGIN
    )
    return session.scalar(query.with_for_update() if lock else query)


def _of_state(session: Session, state: str, *, lock: bool = False) -> Ticket | None:
    query = select(Ticket).where(Ticket.state_hash == token_hashes.hash_of_token(session, state))
    return session.scalar(query.with_for_update() if lock else query)


def _under_way(session: Session, state: str, *, at: datetime) -> Ticket:
    return _require_under_way(_of_state(session, state, lock=True), at=at)


def _require_under_way(ticket: Ticket | None, *, at: datetime) -> Ticket:
    if ticket is not None and ticket.failure == _CANCELLED:
        raise LoginCancelledError
    if ticket is None or not _is_under_way(ticket, at=at):
        raise LoginExpiredError
    return ticket


def _is_under_way(ticket: Ticket, *, at: datetime) -> bool:
    return ticket.expires_at >= at and ticket.commenter_id is None and not ticket.failure
