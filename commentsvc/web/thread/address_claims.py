"""What a guest's form claims about an e-mail address, and the code typed into it that proves the claim."""

from __future__ import annotations

from commentsvc.domain.authors import Author
from commentsvc.domain.proofs import address_codes, address_proofs
from commentsvc.domain.proofs.address_proofs import AddressClaim, AuthorHashes
from commentsvc.domain.spam import lookalikes
from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import FieldRule, Site
from commentsvc.web import access
from commentsvc.web.context import hash_key, limiter, now, settings, writing

TRIES = "20/hour;60/day"
"""Codes tried per network; each code has its own limit."""
WRONG = gettext_noop("This code is wrong, was tried too often, or is older than 10 minutes.")
"""One sentence for all, which does not tell whether somebody else asked for a code."""


def are_offered(site: Site) -> bool:
    """Whether guests can prove an address: they are asked for one, and mail can be sent."""
    return bool(settings().smtp_url) and site.guests and site.email_field is not FieldRule.OFF


def claim(site_id: int, email: str, author_key_hash: str) -> AddressClaim:
    """Return the claim that this browser belongs to this address."""
    return AddressClaim(site_id, address_proofs.email_hash(hash_key(), email), author_key_hash)


def author_hashes(*, email: str | None, name: str | None) -> AuthorHashes:
    """Return the hashes by which an author is compared with proofs."""
    return address_proofs.author_hashes(hash_key(), email=email, name_forms=lookalikes.forms(name))


def redeem(claim: AddressClaim, code: str) -> None:
    """Prove a claim by a code; raises InvalidFieldsError, TooManyError. Commits."""
    limiter("address tries").hit(access.network())
    typed = "".join(code.split())
    with writing() as session:  # a wrong code counts, so it is committed too
        is_proved = address_codes.redeem(session, claim, typed, secret=settings().secret_key, at=now())
    if not is_proved:
        raise InvalidFieldsError({"code": gettext(WRONG)})


def redeem_for(author: Author, site_id: int, code: str) -> None:
    """Prove a guest's address by a code that was sent along with a comment; raises as `redeem`. Commits."""
    if not code.strip() or author.guest.email is None:
        return
    if author.author_key_hash is None:
        raise InvalidFieldsError({"code": gettext(WRONG)})
    redeem(claim(site_id, author.guest.email, author.author_key_hash), code)
