"""Moderators' notes about a person, for other moderators of the same site."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from commentsvc.domain import actions, fields
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import Note
from commentsvc.text import numbers

LONGEST = 2000
SHOWN = 50


def add(
    session: Session, site_id: int, who: AuthorRef, name: str, typed: str, *, moderator_id: int, at: datetime
) -> Note:
    """Add a note about `who`. Needs `begin_write`.

    Raises InvalidFieldsError on `text` if it is empty or too long.
    """
    text = _checked(typed)
    note = Note(site_id=site_id, about=str(who), text=text, moderator_id=moderator_id, created_at=at)
    session.add(note)
    actions.record(
        session,
        site_id=site_id,
        moderator_id=moderator_id,
        kind="note.add",
        summary=f"Wrote a note about {name}.",
        at=at,
        facts={"commenter": int(who.value)} if who.is_account else None,
    )
    return note


def own_note(session: Session, site_id: int, note_id: int, moderator_id: int) -> Note:
    """Return a note of this moderator; raises NotFoundError for all others."""
    note = session.get(Note, note_id, populate_existing=True)
    if note is None or (note.site_id, note.moderator_id) != (site_id, moderator_id):
        raise NotFoundError
    return note


def is_about(note: Note, who: AuthorRef) -> bool:
    """Whether a note is about this person."""
    return note.about == str(who)


def edit(session: Session, note: Note, typed: str, *, at: datetime) -> None:
    """Replace a note's text. Needs `begin_write`; raises as `add` does."""
    note.text = _checked(typed)
    _record(session, note, "note.edit", "Changed one of their notes.", at)


def delete(session: Session, note: Note, *, at: datetime) -> None:
    """Delete a note. Needs `begin_write`."""
    _record(session, note, "note.delete", "Deleted one of their notes.", at)
    session.delete(note)
    session.flush()


def _record(session: Session, note: Note, kind: str, summary: str, at: datetime) -> None:
    actions.record(
        session, site_id=note.site_id, moderator_id=note.moderator_id, kind=kind, summary=summary, at=at
    )


def notes_about(session: Session, site_id: int, who: AuthorRef) -> Sequence[Note]:
    """Return the latest notes about a person on this site, the newest first."""
    query = select(Note).where(Note.site_id == site_id, Note.about == str(who))
    return session.scalars(
        query.options(joinedload(Note.moderator)).order_by(Note.id.desc()).limit(SHOWN)
    ).all()


def _checked(typed: str) -> str:
    try:
        return fields.text(typed, longest=LONGEST)
    except InvalidFieldsError:
        message = (
            gettext("Please use at most %(number)s characters") % {"number": numbers.number(LONGEST)}
            if typed.strip()
            else gettext("Please enter a note")
        )
        raise InvalidFieldsError({"text": message}) from None
