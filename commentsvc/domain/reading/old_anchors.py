"""Finds the comments that the old links of other systems lead to: `#comment-5`, `#isso-5` and so on.

In a thread with imported comments an anchor means the comment's number there; our own links have the form
`#comment-c5`. Links that earlier releases gave out, `#comment-5` with our own number, go on working wherever no
imported comment of the thread has that number.

`static/embed.js` and `article_urls.py` have one pattern for the anchors of all systems: a new system has to match it.
"""

from __future__ import annotations

import re

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from commentsvc.domain.fields import ROW_PATTERN
from commentsvc.models import Comment

ANCHORS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("wordpress", re.compile(r"comment-(\d+)")),
    ("disqus", re.compile(r"comment-(\d+)")),
    ("isso", re.compile(r"isso-(\d+)")),
    ("remark42", re.compile(r"remark42__comment-([\w-]+)")),
    ("commento", re.compile(r"commento-([0-9a-f]+)")),
    ("commento", re.compile(r"comentario-([0-9a-f-]+)")),
    ("blogger", re.compile(r"c(\d+)")),
    ("artalk", re.compile(r"atk-comment-(\d+)")),
    ("commentsvc", re.compile(r"comment-c?(\d+)")),  # a service like this: see domain/archive/records.py
)
"""The form of each system's anchors, by its name in transfer keys; the group is the comment's id there."""
LONGEST = 200
"""Longest anchor that is looked up, in characters."""
_OWN = re.compile(f"comment-c({ROW_PATTERN})")
_OWN_EARLIER = re.compile(f"comment-({ROW_PATTERN})")


def own(comment_id: int) -> str:
    """Return the anchor of one of our comments, on the page of its article."""
    return f"#comment-c{comment_id}"


def is_anchor(text: str) -> bool:
    """Whether a text has the form of a link to a comment, ours or another system's; with or without its `#`."""
    anchor = text.removeprefix("#")
    forms = [_OWN, _OWN_EARLIER, *(form for _, form in ANCHORS)]
    return len(anchor) <= LONGEST and any(form.fullmatch(anchor) for form in forms)


def comment_id(session: Session, thread_id: int, anchor: str) -> int | None:
    """Return the id of the comment in a thread that an anchor means; None if it leads nowhere."""
    if not is_anchor(anchor):
        return None
    anchor = anchor.removeprefix("#")
    if match := _OWN.fullmatch(anchor):
        return restored(session, thread_id, int(match[1])) or int(match[1])
    imported = _imported(session, thread_id, anchor)
    if imported is None and (match := _OWN_EARLIER.fullmatch(anchor)):
        query = select(Comment.id).where(Comment.id == int(match[1]), Comment.thread_id == thread_id)
        return session.scalar(query)
    return imported


def restored(session: Session, thread_id: int, number: int) -> int | None:
    """Return the id of a comment of a thread that had this number in another database; None if it is one of ours."""
    is_here = select(Comment.id).where(Comment.id == number, Comment.thread_id == thread_id)
    return None if session.scalar(is_here) else _imported(session, thread_id, f"comment-c{number}")


def _imported(session: Session, thread_id: int, anchor: str) -> int | None:
    ids = [(system, match[1]) for system, form in ANCHORS if (match := form.fullmatch(anchor))]
    if not ids:
        return None
    key = Comment.transfer_key
    query = select(Comment.id, key).where(
        Comment.thread_id == thread_id,
        or_(
            *(
                and_(
                    key.startswith(f"{system}:"),
                    # After "~" stands what tells comments of one number apart: see import_matching.py.
                    or_(
                        key.endswith(f":{number}", autoescape=True),
                        key.contains(f":{number}~", autoescape=True),
                    ),
                )
                for system, number in ids
            )
        ),
    )
    rows = session.execute(query.order_by(Comment.id)).all()
    exact = [row.id for row in rows if "~" not in row.transfer_key.rpartition(":")[2]]
    return next(iter(exact or [row.id for row in rows]), None)
