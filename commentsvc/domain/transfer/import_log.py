"""The entry of an import in the site's log, with which all of it can be undone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.models import Action


class ImportLog:
    """Writes one entry for the comments of a running import, and keeps it up to date with every batch."""

    def __init__(self, session: Session, site_id: int, *, at: datetime, moderator_id: int | None) -> None:
        self._session, self._site_id, self._at = session, site_id, at
        self._moderator_id = moderator_id
        self._action_id: int | None = None
        self._counted = 0
        """Comments for which earlier entries stand."""
        self.systems: set[str] = set()
        """The names of the systems that the comments come from."""

    def entry(self, number: int) -> Action:
        """Return the entry, after `number` comments; a new one if somebody has undone it meanwhile.

        Needs `begin_write`.
        """
        action = self._session.get(Action, self._action_id or 0, with_for_update=True, populate_existing=True)
        if action is None or action.undone_at is not None:
            action = actions.record(
                self._session,
                site_id=self._site_id,
                moderator_id=self._moderator_id,
                kind=actions.IMPORT,
                summary="",
                at=self._at,
            )
            self._counted = number
        return action

    def conclude(self, action: Action, number: int) -> None:
        """Write that there are `number` comments now; remove an entry that stands for none, as in a second run."""
        number -= self._counted
        self._action_id = action.id if number else None
        if number:
            noun = "comment" if number == 1 else "comments"
            action.summary = f"Imported {number:,} {noun} from {', '.join(sorted(self.systems))}."
        else:
            self._session.delete(action)
