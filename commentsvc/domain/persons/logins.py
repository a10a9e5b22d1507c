"""Social logins on their way: begun by a frame, answered by a provider, redeemed once by the frame that began.

The frame keeps a random verifier and hands over its SHA-256, the challenge, under whose hash the ticket is stored.
Whoever knows the verifier, and nobody else, can have the session; so no popup has to speak with its opener.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from commentsvc.adapters import signing
from commentsvc.domain.persons import sessions, token_hashes
from commentsvc.errors import BadAddressError, LoginFailedError
from commentsvc.models import Identity, LoginSession, Ticket

LOGIN = "login"
LIFE = timedelta(minutes=5)
"""How long a person may take at the provider, and a frame to ask."""
SECOND_ASKING = timedelta(seconds=60)
"""How soon a frame that was refused the cookie must ask for the bearer token instead."""

_PROOF = "proof"


class Stage(StrEnum):
    PENDING = "pending"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True)
class Redeemed:
    """Where a login stands; `token` opens the session, once."""

    stage: Stage
    token: str = ""
    message: str = ""


def begin(session: Session, *, challenge: str, state: str, site_id: int | None, at: datetime) -> None:
    """Store that a login is under way. Needs `begin_write`; raises BadAddressError for a damaged challenge."""
    if not re.fullmatch(r"[0-9a-f]{64}", challenge):
        raise BadAddressError("This login was not begun as it should be. Please try again.")
    hashed = token_hashes.of_challenge(session, challenge)
    session.execute(delete(Ticket).where(Ticket.purpose == LOGIN, Ticket.expires_at < at - LIFE))
    if session.scalar(select(Ticket.id).where(Ticket.token_hash == hashed)) is not None:
        raise BadAddressError("This login was begun before. Please try again.")
    session.add(
        Ticket(
            token_hash=hashed,
            state_hash=token_hashes.of_token(session, state),
            site_id=site_id,
            purpose=LOGIN,
            created_at=at,
            expires_at=at + LIFE,
        )
    )


def complete(session: Session, state: str, identity: Identity, *, at: datetime) -> None:
    """Note who came back. Needs `begin_write`; raises LoginFailedError for a login unknown, ended or too old."""
    ticket = _under_way(session, state, at=at)
    ticket.identity_id, ticket.commenter_id = identity.id, identity.commenter_id
    ticket.stash = None


def fail(session: Session, state: str, message: str, *, at: datetime) -> None:
    """Note that it came to nothing, so that the frame can say so. Needs `begin_write`."""
    try:
        ticket = _under_way(session, state, at=at)
    except LoginFailedError:
        return
    ticket.failure, ticket.stash = message[:300], None


def stash(session: Session, state: str, answer: Mapping[str, str], *, at: datetime) -> str:
    """Keep an answer that came without the browser's cookie; return the proof that fetches it.

    Needs `begin_write`; raises LoginFailedError.
    """
    ticket = _under_way(session, state, at=at)
    if ticket.stash is not None:
        raise LoginFailedError("This answer was given before. Please log in again.")
    proof = signing.new_token()
    ticket.stash = {**answer, _PROOF: token_hashes.of_token(session, proof)}
    return proof


def stashed(session: Session, state: str, proof: str, *, at: datetime) -> dict[str, str]:
    """Return the answer kept for this login, to the browser that brought it; raises LoginFailedError."""
    found = dict(_under_way(session, state, at=at).stash or {})
    if found.pop(_PROOF, "") != token_hashes.of_token(session, proof):
        raise LoginFailedError("This login was begun in another browser. Please start it again.")
    return found


def redeem(
    session: Session, verifier: str, *, site_id: int, browser: str, again: bool, at: datetime
) -> Redeemed:
    """Return where the login begun with this verifier stands, and its session's token if it is done.

    Once only; `again`, within a minute, gives a new session in place of the first, for a frame whose browser
    did not keep the cookie. A login that is not known is still on its way here, for a frame begins to ask before
    the provider is asked for anything. Needs `begin_write`. Raises LoginFailedError.
    """
    ticket = session.scalar(
        select(Ticket)
        .where(Ticket.token_hash == token_hashes.of_token(session, verifier), Ticket.purpose == LOGIN)
        .with_for_update()
    )
    if ticket is None:
        return Redeemed(Stage.PENDING)
    if ticket.site_id != site_id or ticket.expires_at < at:
        raise LoginFailedError("This login took too long. Please try again.")
    if ticket.failure:
        return Redeemed(Stage.FAILED, message=ticket.failure)
    if ticket.commenter_id is None or ticket.identity_id is None:
        return Redeemed(Stage.PENDING)
    if ticket.redeemed_at is not None:
        if not again or ticket.redeemed_at + SECOND_ASKING < at:
            raise LoginFailedError("This login was used before. Please log in again.")
        session.execute(
            delete(LoginSession).where(
                LoginSession.identity_id == ticket.identity_id,
                LoginSession.site_id == site_id,
                LoginSession.created_at == ticket.redeemed_at,
            )
        )
        ticket.expires_at = at - timedelta(seconds=1)
    ticket.redeemed_at = at
    token = sessions.open_for(
        session,
        commenter_id=ticket.commenter_id,
        identity_id=ticket.identity_id,
        purpose=sessions.READER,
        site_id=site_id,
        browser=browser,
        at=at,
    )
    return Redeemed(Stage.DONE, token=token)


def _under_way(session: Session, state: str, *, at: datetime) -> Ticket:
    ticket = session.scalar(
        select(Ticket).where(Ticket.state_hash == token_hashes.of_token(session, state)).with_for_update()
    )
    if ticket is None or ticket.expires_at < at or ticket.commenter_id is not None or ticket.failure:
        raise LoginFailedError("This login took too long, or was finished before. Please try again.")
    return ticket
