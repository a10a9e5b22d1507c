"""Compares the running service with the settings, the code and the database of `commentsvc doctor`.

The doctor sends a nonce, signed with the secret key, and a hash of each of its values, keyed with the secret and the
nonce. The service hashes its own and answers, signed as well, which are equal. No value can be derived from either
message. The service stores the nonce in its database, so that it works once; finding it there tells the doctor that
both use the same database, whatever its address and whichever file was copied.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.config import PREFIX, Settings
from commentsvc.domain.accounts import token_hashes
from commentsvc.integrations import signing
from commentsvc.models import Ticket

LIFE = timedelta(seconds=60)
"""How long a question can be asked, and by how much two clocks may differ."""
CODE = "code"
"""The name of the line that compares the installed code."""
_QUESTION, _ANSWER = "setup check", "setup answer"
_NONCE_LONGEST = 100
_SECRET = "secret_key"  # noqa: S105 - the name of the setting, which the signature compares


@dataclass(frozen=True, kw_only=True)
class SetupAnswer:
    """What a service says about itself."""

    lines: dict[str, str]
    """"equal" or "different" by the name of a setting's variable, a provider's variables, or `CODE`."""
    by_trusted_proxy: bool
    """Whether the request came from an address in `trusted_proxies`."""
    forwarded: bool
    """Whether it had `X-Forwarded-For`."""
    service: str
    """A random name of this run of the service, the same in all its workers."""

    @property
    def different(self) -> list[str]:
        """The names of the settings with another value."""
        return sorted(name for name, state in self.lines.items() if state != "equal" and name != CODE)

    @property
    def has_other_code(self) -> bool:
        return self.lines.get(CODE) != "equal"

    def signed(self, secret: str, nonce: str) -> str:
        """Return this as the text of a response, which only somebody with the secret key can make."""
        return signing.sign(secret, f"{_ANSWER} {nonce}", json.dumps(asdict(self)))

    @classmethod
    def read(cls, secret: str, nonce: str, text: str) -> SetupAnswer | None:
        """Return the answer to a question; None if no service with this secret key gave it."""
        signed = signing.unsign(secret, f"{_ANSWER} {nonce}", text, max_age=None)
        return cls(**json.loads(signed[0])) if signed else None


def new_question(secret: str) -> tuple[str, str]:
    """Return a nonce and the token that carries it."""
    nonce = signing.new_token()
    return nonce, signing.sign(secret, _QUESTION, nonce)


def nonce_of(secret: str, token: str, *, at: datetime) -> str | None:
    """Return the nonce of a token; None if it is forged, or was signed more than `LIFE` from now."""
    signed = signing.unsign(secret, _QUESTION, token, max_age=None)
    if signed is None or len(signed[0]) > _NONCE_LONGEST:
        return None
    return signed[0] if abs(at.timestamp() - signed[1]) <= LIFE.total_seconds() else None


def hashes(settings: Settings, code: str, nonce: str) -> dict[str, str]:
    """Return a keyed hash of each setting and of the code, by name; different for each nonce."""
    values = {
        f"{PREFIX}{item.name.upper()}": repr(getattr(settings, item.name))
        for item in fields(settings)
        if "doc" in item.metadata and item.name != _SECRET
    }
    for row in settings.providers:
        values[f"{PREFIX}{row.key.upper()}_…"] = repr(sorted(vars(row).items()))
    values[CODE] = code
    key = f"{_QUESTION} {nonce}"
    return {
        name: signing.keyed_hash(settings.secret_key, key, f"{name}={value}")
        for name, value in values.items()
    }


def compared(own: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, str]:
    """Return "equal" or "different" for each of our lines, and "different" for those that only the doctor has."""
    lines = {
        name: "equal" if hmac.compare_digest(value, asked.get(name, "")) else "different"
        for name, value in own.items()
    }
    return lines | {name: "different" for name in asked if name not in own}


def spend(session: Session, nonce: str, *, at: datetime) -> bool:
    """Store a nonce and return True, or return False if it was used before. Needs `begin_write`."""
    session.execute(delete(Ticket).where(Ticket.purpose == _QUESTION, Ticket.expires_at < at))
    used = Ticket(
        token_hash=token_hashes.hash_of_token(session, nonce),
        purpose=_QUESTION,
        created_at=at,
        expires_at=at + 2 * LIFE,  # a clock that is ahead may have signed it
        redeemed_at=at,
    )
    try:
        with session.begin_nested():
            session.add(used)
    except IntegrityError:
        return False
    return True


def is_spent(session: Session, nonce: str) -> bool:
    """Return whether a nonce is stored in this database."""
    query = select(Ticket.id).where(
        Ticket.token_hash == token_hashes.hash_of_token(session, nonce), Ticket.purpose == _QUESTION
    )
    return session.scalar(query) is not None
