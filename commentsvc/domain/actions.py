"""The audit log: sentences about what moderators did. Later only undo marks, totals and erasures change a row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from commentsvc.models import Action

BY_PROGRAM = "program"
"""The fact of an action that a program did: the name of its token."""
_PROGRAM = "commentsvc_program"
IMPORT = "comments.import"
"""The kind of an import, whose undoing lets the same comments be imported again."""


def act_by_program(session: Session, name: str) -> None:
    """Name a program's token in all actions that this session records."""
    session.info[_PROGRAM] = name


def record(
    session: Session,
    *,
    site_id: int,
    moderator_id: int | None,
    kind: str,
    summary: str,
    at: datetime,
    facts: Mapping[str, Any] | None = None,
) -> Action:
    """Add an entry and return it with its id. `facts` are what undoing needs. Needs `begin_write`.

    `kind` is a dotted word such as `comments.spam` or `thread.merge`; `summary` a sentence for people.
    """
    by = {BY_PROGRAM: session.info[_PROGRAM]} if _PROGRAM in session.info else {}
    action = Action(
        site_id=site_id,
        moderator_id=moderator_id,
        kind=kind,
        summary=summary[:300],
        facts={**(facts or {}), **by},
        created_at=at,
    )
    session.add(action)
    session.flush()
    return action
