"""Comments as a reader sees them, and the order in which those of a conversation read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from commentsvc.adapters import markup
from commentsvc.domain import pictures
from commentsvc.models import Kind, Role, Status

ANONYMOUS = "Anonymous"
# A word out of the database compared with these needs no detour through the enumeration.
_APPROVED, _HELD = Status.APPROVED.value, Status.HELD.value
_KINDS = {kind.value: kind for kind in Kind}
_NOTHING = markup.trusted("")


class CommentView(NamedTuple):
    """A comment as templates see it. A placeholder has lost its text and its author.

    `thread/comment.html` takes the fields in their order.
    """

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
    html: markup.SafeHtml
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
    replies: list[CommentView]
    more: int
    """Approved replies not in here yet."""
    after: int
    """Where the next ones begin."""

    @property
    def views(self) -> list[CommentView]:
        """All of it, from the root on."""
        return [self.root, *self.replies]


def view(row: Sequence[Any], names: Mapping[int, str], *, own: bool = False) -> CommentView:
    """Return what readers see of one row, as of `views`."""
    return views([row], dict(names), own=own)[0][0]


def views(
    rows: Iterable[Sequence[Any]], names: dict[int, str], *, own: bool = False
) -> tuple[list[CommentView], set[int]]:
    """Return what readers see of rows of `comment_rows`, with `own` their author; and which names were missing.

    `names`, by comment, are of those that others may answer. The rows' own are added: what is answered should come
    before its answer. What is not visible has no name in it.
    """
    found: list[CommentView] = []
    seen: set[int] = set(names)
    missing: set[int] = set()
    for row in rows:
        (
            _, number, root_id, parent_id, depth, status, kind, role, html, created_at, edited,
            pinned, featured, reply_count, name, website, commenter_id, digest,
        ) = row  # fmt: skip
        seen.add(number)
        if parent_id is not None and parent_id not in seen:
            missing.add(parent_id)
        parent_name = names.get(parent_id) or None
        if status == _APPROVED:
            names[number] = name = name or ANONYMOUS
        elif not own or status != _HELD:
            found.append(CommentView(
                number, root_id, parent_id, depth, True, False, _KINDS[kind], "", None, None, None, _NOTHING,
                created_at, False, False, False, reply_count, parent_name,
            ))  # fmt: skip
            continue
        found.append(CommentView(
            number, root_id, parent_id, depth, False, status == _HELD, _KINDS[kind], name or ANONYMOUS,
            pictures.path_of(commenter_id, digest) if digest else None, website or None,
            Role(role) if role else None, markup.trusted(html), created_at,
            edited, pinned, featured, reply_count, parent_name,
        ))  # fmt: skip
    return found, missing


def conversation(root: CommentView, replies: Sequence[CommentView], *, first: int) -> Conversation:
    """Return a root with its first replies; there may be more only where these are as many as `first`."""
    if not replies:
        return Conversation(root, [], 0, 0)
    more = 0
    if len(replies) >= first:
        more = max(0, root.reply_count - sum(not reply.placeholder for reply in replies))
    return Conversation(root, preorder(replies), more, replies[-1].id)


def preorder(replies: Sequence[CommentView]) -> list[CommentView]:
    """Put each reply under what it answers; those whose parent is not among them lead."""
    if len(replies) < 2:
        return list(replies)
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
