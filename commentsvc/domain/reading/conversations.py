"""Comments as a reader sees them, and the order in which those of a conversation read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from commentsvc.domain.reading import avatars
from commentsvc.domain.reading.queries import CommentRow
from commentsvc.models import Kind, Role, Status
from commentsvc.text.markup import SafeHtml, trusted

ANONYMOUS = "Anonymous"


class CommentView(NamedTuple):
    """A comment as templates see it. A placeholder has lost its text and its author."""

    id: int
    root_id: int | None
    parent_id: int | None
    depth: int
    placeholder: bool
    held: bool
    kind: Kind
    name: str
    picture: str | None
    """The path of their picture here; None for initials."""
    website: str | None
    role: Role | None
    html: SafeHtml
    created_at: datetime
    edited: bool
    pinned: bool
    featured: bool
    reply_count: int
    parent_name: str | None
    """Whom it answers; None where that is a removed comment or nobody."""


class Conversation(NamedTuple):
    """A root and the first of its replies, in the order in which they read."""

    root: CommentView
    replies: Sequence[CommentView] = ()
    more: int = 0
    """Approved replies not in here yet."""
    after: int = 0
    """The id after which the next ones begin."""

    @property
    def views(self) -> list[CommentView]:
        """All of it, from the root on."""
        return [self.root, *self.replies]


def view(row: CommentRow, parent_name: str | None, *, own: bool = False) -> CommentView:
    """Return what readers see of one comment, with `own` its author; `parent_name` is whom it answers."""
    is_held = own and row.status is Status.HELD
    is_placeholder = row.status is not Status.APPROVED and not is_held
    if is_placeholder:
        row = row._replace(
            html="",
            website=None,
            picture_digest=None,
            role=None,
            edited=False,
            pinned=False,
            featured=False,
        )
    return CommentView(
        id=row.id,
        root_id=row.root_id,
        parent_id=row.parent_id,
        depth=row.depth,
        placeholder=is_placeholder,
        held=is_held,
        kind=row.kind,
        name="" if is_placeholder else row.name or ANONYMOUS,
        picture=avatars.path_of(row.commenter_id, row.picture_digest) if row.commenter_id else None,
        website=row.website or None,
        role=row.role,
        html=trusted(row.html),
        created_at=row.created_at,
        edited=row.edited,
        pinned=row.pinned,
        featured=row.featured,
        reply_count=row.reply_count,
        parent_name=parent_name or None,
    )


def views(
    rows: Iterable[CommentRow], names: dict[int, str], *, own: bool = False
) -> tuple[list[CommentView], set[int]]:
    """Return what readers see of comments, with `own` their author; and which names were missing.

    `names`, by comment, are of those that others may answer. The rows' own are added: what is answered should come
    before its answer. What is not visible has an empty one.
    """
    results: list[CommentView] = []
    missing: set[int] = set()
    for row in rows:
        if row.parent_id is not None and row.parent_id not in names:
            missing.add(row.parent_id)
        if row.status is Status.APPROVED:
            names[row.id] = row.name or ANONYMOUS
        else:
            names.setdefault(row.id, "")
        parent_name = names.get(row.parent_id) if row.parent_id is not None else None
        results.append(view(row, parent_name, own=own))
    return results, missing


def conversation(root: CommentView, replies: Sequence[CommentView], *, first: int) -> Conversation:
    """Return a root with its first replies, of which there are some; more only where these are as many as `first`."""
    more = 0
    if len(replies) >= first:
        more = max(0, root.reply_count - sum(not reply.placeholder for reply in replies))
    return Conversation(root, preorder(replies), more, replies[-1].id)


def preorder(replies: Sequence[CommentView]) -> list[CommentView]:
    """Put each reply under what it answers; those whose parent is not among them lead."""
    if len(replies) < 2:
        return [*replies]
    present = {reply.id for reply in replies}
    children: dict[int | None, list[CommentView]] = {}
    for reply in replies:
        children.setdefault(reply.parent_id if reply.parent_id in present else None, []).append(reply)
    ordered: list[CommentView] = []
    waiting = children.get(None, [])[::-1]
    while waiting:
        reply = waiting.pop()
        ordered.append(reply)
        waiting.extend(children.get(reply.id, [])[::-1])
    return ordered
