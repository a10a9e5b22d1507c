"""The audit log: sentences about what moderators did. Rows are added; the only change is to mark one as undone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from commentsvc.models import Action

IMPORT = "comments.import"
"""The kind of an import, whose undoing lets the same comments be imported again."""


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
    action = Action(
        site_id=site_id,
        moderator_id=moderator_id,
        kind=kind,
        summary=summary[:300],
        facts=dict(facts or {}),
        created_at=at,
    )
    session.add(action)
    session.flush()
    return action
