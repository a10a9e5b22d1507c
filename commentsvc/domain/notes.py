"""Moderators' remarks about a person, for other moderators of the same site."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from commentsvc.domain import actions, fields
from commentsvc.errors import InvalidFieldsError
from commentsvc.models import Note

LONGEST = 2000
SHOWN = 50


def add(
    session: Session, site_id: int, who: str, name: str, typed: str, *, moderator_id: int, at: datetime
) -> Note:
    """Note something about `who`, as in people.Person. Needs `begin_write`.

    Raises InvalidFieldsError on `text` where nothing was typed, or too much.
    """
    try:
        text = fields.text(typed, longest=LONGEST)
    except InvalidFieldsError:
        fault = f"Please use at most {LONGEST:,} characters" if typed.strip() else "Please enter a note"
        raise InvalidFieldsError({"text": fault}) from None
    note = Note(site_id=site_id, about=_about(who), text=text, moderator_id=moderator_id, created_at=at)
    session.add(note)
    actions.record(
        session,
        site_id=site_id,
        moderator_id=moderator_id,
        kind="note.add",
        summary=f"Wrote a note about {name}.",
        at=at,
    )
    return note


def of(session: Session, site_id: int, who: str) -> Sequence[Note]:
    """Return the latest notes about somebody on this site, the newest first."""
    query = select(Note).where(Note.site_id == site_id, Note.about == _about(who))
    return session.scalars(
        query.options(joinedload(Note.moderator)).order_by(Note.id.desc()).limit(SHOWN)
    ).all()


def _about(who: str) -> str:
    """However somebody types their address, they are the same."""
    return who.casefold()
