"""Finds names that look like somebody else's; whole names are compared by their visual form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, bindparam, exists, select
from sqlalchemy.orm import Session

from commentsvc.db.session import Base
from commentsvc.models import Role, Status
from commentsvc.text.characters import is_drawn

RECENT = 500
"""How many of a site's latest approved comments are searched for accounts to protect."""

# Characters that look like Latin letters: Cyrillic, Greek, Armenian and Cherokee letters, digits, and pairs.
_ALIKE = str.maketrans(
    {
        **dict(zip("абвгекмнорстухіјѕԁԛԝһӏүѵьз", "a6brekmhopctyxijsdqwhlyvbe", strict=True)),
        **dict(zip("αβγεηικμνορτυχωϲϳ", "abyenikmvoptuxwcj", strict=True)),
        **dict(zip("օսոհզցյ", "ounhqgj", strict=True)),
        **dict(zip("ⲟɑɡɩıꓲꭰꮯ", "oagiiidc", strict=True)),
        **dict(zip("01358$@|!", "olesbsali", strict=True)),
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "æ": "ae",
        "œ": "oe",
    }
)
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("i", "l"), ("j", "l"))

_SITE, _COMMENT, _COMMENTER, _MEMBERSHIP = (
    Base.metadata.tables[name] for name in ("site", "comment", "commenter", "membership")
)
_MEMBER_IDS = select(_MEMBERSHIP.c.commenter_id).where(_MEMBERSHIP.c.site_id == bindparam("site_id"))
_OTHERS = _COMMENTER.alias("others")
# Tells whether anybody else has an account; if nobody has, the search of the latest comments is skipped, which takes
# as long as everything else that a post reads.
_ARE_OTHERS = exists().where(_OTHERS.c.id.not_in(_MEMBER_IDS))
MEMBERS = (
    select(_COMMENTER.c.id, _COMMENTER.c.name, _MEMBERSHIP.c.role, _ARE_OTHERS.label("are_others"))
    .select_from(_SITE.outerjoin(_MEMBERSHIP).outerjoin(_COMMENTER))
    .where(_SITE.c.id == bindparam("site_id"))
    .order_by(_MEMBERSHIP.c.role.desc(), _MEMBERSHIP.c.id)
)
"""The people with a role on `site_id`, the owner first; one empty row if there is nobody."""
_LATEST = (
    select(_COMMENT.c.commenter_id)
    .where(_COMMENT.c.site_id == bindparam("site_id"), _COMMENT.c.status == Status.APPROVED)
    .order_by(_COMMENT.c.id.desc())
    .limit(RECENT)
    .subquery()
)
_RECENT = select(_COMMENTER.c.id, _COMMENTER.c.name).where(
    _COMMENTER.c.id.in_(select(_LATEST.c.commenter_id))
)


@dataclass(frozen=True, slots=True)
class Namesake:
    """A person of the site whose name another name resembles."""

    name: str
    role: Role | None
    """None for a commenter without a role."""


@lru_cache(maxsize=8192)
def skeleton(name: str) -> str:
    """Return the visual form of a name: two names with the same one can be mistaken for each other."""
    letters = unicodedata.normalize("NFKC", name).casefold()
    return _seen_letters(letters) or letters.strip()


def forms(name: str | None) -> list[str]:
    """Return the visual forms of a name to compare, its skeleton first; empty for no name."""
    if not name:
        return []
    # "|" and "!" may replace letters or stand beside words.
    return [skeleton(name), skeleton(_BESIDE_WORDS.sub(" ", name))]


def _seen_letters(letters: str) -> str:
    bare = "".join(char for char in unicodedata.normalize("NFD", letters) if not unicodedata.combining(char))
    seen = "".join(char for char in bare.translate(_ALIKE) if char.isalnum() and is_drawn(char))
    for pair, letter in _PAIRS:
        seen = seen.replace(pair, letter)
    return seen


# Titles that badges show, and the small words that join them to a name.
_TITLES = """
    author autor auteur auteure autorin moderator moderatorin moderador moderateur mod mods admin admins administrator
    administrador administrateur owner official verified staff team editor webmaster
    blogger founder creator support sysop
""".split()  # noqa: SIM905 - a list that people read
_SMALL = "the real your of for this blog site website page here thread aka and".split()  # noqa: SIM905


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted({_seen_letters(word) for word in words}, key=len, reverse=True))


_TITLE_ONLY = re.compile(f"(?:{_any_of(_SMALL)})*(?:{_any_of(_TITLES)})(?:{_any_of((*_SMALL, *_TITLES))})*")
_AROUND = re.compile(f"(?:{_any_of((*_SMALL, *_TITLES))})*")
_BRACKETED = re.compile(r"[(\[{<\u3010\u300c\u3014\u00ab\u2039]([^)\]}>\u3011\u300d\u3015\u00bb\u203a]+)")
_SEPARATOR = re.compile(
    r"\s*[|/\\,;:~*=\u00b7\u2022\u2022\u2192\u2190]+\s*|\s+[-\u2010-\u2015\u2212]+\s+|[\u2012-\u2015]+"
)
_BESIDE_WORDS = re.compile(r"[|/\\]|[^\w\s]+(?=\s|$)|(?<!\S)[^\w\s]+")
_SEALS = frozenset("\u2611\u2705\u2713\u2714\U0001f5f8\U0001f5f9")


def claims_a_role(name: str | None) -> bool:
    """Whether a name shows a title that only our badges may show: "Ann (Author)", "[Mod] Ann", "Moderator"."""
    if not name:
        return False
    folded = unicodedata.normalize("NFKC", name)
    if not _SEALS.isdisjoint(folded):
        return True
    parts = [folded, *_BRACKETED.findall(folded), *_SEPARATOR.split(folded)]
    return any(_TITLE_ONLY.fullmatch(_seen_letters(part.casefold())) for part in parts)


def _resembles(wanted: str, skeleton_of_member: str) -> bool:
    """Whether a name is a member's name, alone or with titles around it; both as skeletons."""
    before, member, after = wanted.partition(skeleton_of_member)
    return bool(member) and all(map(_AROUND.fullmatch, (before, after)))


def find(
    session: Session,
    site_id: int,
    name: str | None,
    *,
    commenter_id: int | None = None,
    members: Sequence[Row[Any]] | None = None,
) -> Namesake | None:
    """Return the person of the site whose name `name` resembles, the owner first; never `commenter_id` itself.

    `members` are the rows of `MEMBERS`, if the caller has read them.
    """
    if not name:
        return None
    if members is None:
        members = session.execute(MEMBERS, {"site_id": site_id}).all()
    wanted = set(forms(name))
    return next(
        (
            person
            for person in _people(session, site_id, commenter_id, members)
            if any(_resembles(form, skeleton(person.name)) for form in wanted)
        ),
        None,
    )


def _people(
    session: Session, site_id: int, commenter_id: int | None, members: Sequence[Row[Any]]
) -> Iterable[Namesake]:
    """Yield people with a role on a site, then recent commenters with an account."""
    for member in members:
        if member.id is not None and member.id != commenter_id:
            yield Namesake(member.name, member.role)
    if members and not members[0].are_others:  # nobody else has an account
        return
    for number, name in session.execute(_RECENT, {"site_id": site_id}).all():
        if number != commenter_id:
            yield Namesake(name, None)
