"""Under what tokens of sessions, links and logins are stored: a hash that a new secret key makes worthless.

All of them end with the secret key, those too that no cookie of ours signs: bearer tokens, and links.
"""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from commentsvc.integrations import signing

PURPOSE = "token"
_SECRET = "commentsvc_token_secret"  # noqa: S105 - the option's name


def hash_with(engine: Engine, secret: str) -> None:
    """Have the tokens in this database hashed with `secret`; whoever opens a session of it hashes alike."""
    engine.update_execution_options(**{_SECRET: secret})


def hash_of_token(session: Session, token: str) -> str:
    """Return the 64 hexadecimal digits under which a token is stored."""
    return hash_of_challenge(session, signing.challenge_of(token))


def hash_of_challenge(session: Session, challenge: str) -> str:
    """Return what `hash_of_token` does, from the token's SHA-256 in hexadecimal digits."""
    secret: str = session.get_bind().get_execution_options()[_SECRET]
    return signing.keyed_hash(secret, PURPOSE, challenge)
