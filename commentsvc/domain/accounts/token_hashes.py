"""The stored hashes of the tokens of sessions, links and logins; a new secret key invalidates them.

So the secret key ends them all, including those that no cookie signature protects: bearer tokens and links.
"""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from commentsvc.integrations import signing

PURPOSE = "token"
_SECRET = "commentsvc_token_secret"  # noqa: S105 - the option's name


def hash_with(engine: Engine, secret: str) -> None:
    """Set the secret for the token hashes of this database; it applies to all its sessions."""
    engine.update_execution_options(**{_SECRET: secret})


def hash_of_token(session: Session, token: str) -> str:
    """Return a token's stored hash, in 64 hexadecimal digits."""
    return hash_of_challenge(session, signing.challenge_of(token))


def hash_of_challenge(session: Session, challenge: str) -> str:
    """Return the same as `hash_of_token`, from the token's SHA-256 in hexadecimal digits."""
    secret: str = session.get_bind().get_execution_options()[_SECRET]
    return signing.keyed_hash(secret, PURPOSE, challenge)
