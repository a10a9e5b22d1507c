"""The six-digit codes that are mailed to an address, and redeemed in the form that asked for them.

Nothing here depends on whether an address is known, so neither answers nor mails tell a stranger.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import and_, case, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain.notifications import outbox
from commentsvc.domain.proofs import address_proofs
from commentsvc.domain.proofs.address_proofs import AddressClaim
from commentsvc.errors import TooManyError
from commentsvc.integrations import mail_templates, signing
from commentsvc.messages import gettext
from commentsvc.models import AddressCode, Site

LIFE = timedelta(minutes=10)
TRIES = 5
"""Of each code."""
PAUSE = timedelta(hours=1)
"""Between two mails to one address, whoever asks."""
MOST_MAILS = 3
"""Mails to one address of which no code is used; then there is a pause of `LONG_PAUSE`."""
LONG_PAUSE = timedelta(days=1)
MOST_PER_HOUR = 60
"""Mails to all addresses together: somebody will send the form by a script."""
DIGITS = 6


def send(session: Session, site: Site, email: str, claim: AddressClaim, *, secret: str, at: datetime) -> None:
    """Mail a code, unless the address got one lately. Needs `begin_write`; the mail leaves after the commit.

    `secret` is the service's secret key, so that a copy of the database is not enough to find a code. Raises
    TooManyError if too many codes were mailed to all addresses together.
    """
    sent_lately = select(func.count()).select_from(AddressCode).where(AddressCode.sent_at > at - PAUSE)
    if (session.scalar(sent_lately) or 0) >= MOST_PER_HOUR:
        raise TooManyError(round(PAUSE.total_seconds()))
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    if _start(session, claim, _hash(secret, claim, code), at):
        _enqueue(session, site, email, code, at)


def redeem(session: Session, claim: AddressClaim, code: str, *, secret: str, at: datetime) -> bool:
    """Count a try, and store the proof if it is right; return whether the address is proved now.

    Needs `begin_write`; the caller commits in either case, or the try would not count.
    """
    if address_proofs.is_proved(session, claim):
        return True
    given = _hash(secret, claim, code)
    is_right = AddressCode.code_hash == given
    statement = (
        update(AddressCode)
        .where(
            AddressCode.email_hash == claim.email_hash,
            AddressCode.site_id == claim.site_id,
            AddressCode.author_key_hash == claim.author_key_hash,
            AddressCode.code_hash.is_not(None),
            AddressCode.tries < TRIES,
            AddressCode.sent_at > at - LIFE,
        )
        .values(
            tries=AddressCode.tries + 1,
            mails=case((is_right, 0), else_=AddressCode.mails),
            code_hash=case((is_right, None), else_=AddressCode.code_hash),
        )
        .returning(AddressCode.code_hash)
    )
    row = session.execute(statement.execution_options(synchronize_session=False)).one_or_none()
    if row is None or row.code_hash is not None:
        return False
    address_proofs.add(session, claim, at=at)
    return True


def _start(session: Session, claim: AddressClaim, code_hash: str, at: datetime) -> bool:
    """Store a new code; return False if the address got one lately."""
    rested = AddressCode.sent_at <= at - LONG_PAUSE
    may_get_one = or_(rested, and_(AddressCode.sent_at <= at - PAUSE, AddressCode.mails < MOST_MAILS))
    values = {
        "site_id": claim.site_id,
        "author_key_hash": claim.author_key_hash,
        "code_hash": code_hash,
        "tries": 0,
        "sent_at": at,
    }
    statement = (
        update(AddressCode)
        .where(AddressCode.email_hash == claim.email_hash, may_get_one)
        .values(mails=case((rested, 1), else_=AddressCode.mails + 1), **values)
    )
    if change_rows(session, statement):
        return True
    try:
        with session.begin_nested():
            session.execute(insert(AddressCode).values(email_hash=claim.email_hash, mails=1, **values))
    except IntegrityError:  # there is a code already, perhaps since a moment ago
        return False
    return True


def _hash(secret: str, claim: AddressClaim, code: str) -> str:
    return signing.keyed_hash(
        secret, "address code", f"{claim.site_id} {claim.email_hash} {claim.author_key_hash} {code}"
    )


def _enqueue(session: Session, site: Site, email: str, code: str, at: datetime) -> None:
    """Store the mail, in the language of the form that asked for it."""
    name = mail_templates.line(site.name)
    outbox.enqueue(
        session,
        site_id=site.id,
        recipient=email,
        subject=gettext("%(code)s is your code for %(site)s") % {"code": code, "site": name},
        text=_text(code, name, at + LIFE),
        at=at,
    )


def _text(code: str, site: str, until: datetime) -> str:
    paragraphs = (
        code,
        gettext("Type this code into the comment form of %(site)s, to prove that this address is yours.")
        % {"site": mail_templates.isolated(site)},
        gettext("It is valid until %(time)s UTC, and only in the browser that asked for it.")
        % {"time": f"{until:%H:%M}"},
        gettext(
            "If that was not you, somebody has typed your address, perhaps by mistake. You need not do anything. "
            "Give this code to nobody: with it they could comment as you."
        ),
    )
    return "\n\n".join(map(mail_templates.filled, paragraphs)) + "\n"
