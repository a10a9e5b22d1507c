"""Takes an erased person's name out of what moderators did and said about them: the action log, bans and notes."""

from __future__ import annotations

import re
from collections.abc import Collection

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain.admin.author_ref import AuthorRef, has_address
from commentsvc.domain.admin.ban_list import LABEL_LONGEST
from commentsvc.domain.bans import ban_values
from commentsvc.models import Action, Ban, BanKind, Note

SOMEBODY = "somebody who was erased"
"""How a ban of a network or a browser names its person from then on."""
_SUMMARIES = {
    "note.add": "Wrote a note about somebody.",
    "ban.add": "Banned somebody.",
    "ban.lift": "Lifted a ban.",
    "role.change": "Changed somebody's role.",
    "role.remove": "Took somebody's role away.",
    "token.create": "Created an API token.",
    "token.revoke": "Revoked an API token.",
}
"""The actions that name a person, and what is left of them."""


def forget_commenter(session: Session, commenter_id: int, names: Collection[str]) -> None:
    """Forget an account, on all sites, with the names it had. Needs `begin_write`."""
    # These know a person by number only, and SQLite may give the number to somebody else.
    change_rows(session, delete(Note).where(Note.about == str(AuthorRef.of_account(commenter_id))))
    change_rows(session, delete(Ban).where(Ban.kind == BanKind.PERSON, Ban.value == str(commenter_id)))
    numbered = Action.facts["commenter"].as_integer() == commenter_id
    for kind, summary in _SUMMARIES.items():
        change_rows(
            session, update(Action).where(Action.kind == kind, numbered).values(summary=summary, facts={})
        )
    _forget_names(session, names, None)


def forget_guest(session: Session, site_id: int, email: str | None, names: Collection[str]) -> None:
    """Forget a guest on a site, with the names on their comments. Needs `begin_write`."""
    named = set(names)
    if email is not None:
        who, banned = AuthorRef.of_address(email), ban_values.email(email)
        change_rows(session, delete(Note).where(Note.site_id == site_id, has_address(Note.about, str(who))))
        change_rows(
            session, delete(Ban).where(Ban.site_id == site_id, Ban.kind == BanKind.EMAIL, Ban.value == banned)
        )
        named |= {who.value, banned[:LABEL_LONGEST]}  # what a moderator typed to ban them is in the log
    _forget_names(session, named, site_id)


def _forget_names(session: Session, names: Collection[str], site_id: int | None) -> None:
    """Forget names in sentences. Somebody else of the same name becomes "somebody" too."""
    here = [] if site_id is None else [Action.site_id == site_id]
    for name in filter(None, names):
        bans = update(Ban).where(Ban.label == name).values(label=SOMEBODY)
        bans = bans if site_id is None else bans.where(Ban.site_id == site_id)
        change_rows(session, bans)
        named = Action.kind.in_(_SUMMARIES), Action.summary.contains(name, autoescape=True), *here
        whole_word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        for action in session.scalars(select(Action).where(*named)):
            if whole_word.search(action.summary):
                action.summary = _SUMMARIES[action.kind]
    session.flush()
