"""Comments as a reader sees them, and the order in which those of a conversation read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from commentsvc.domain.reading import avatars
from commentsvc.domain.reading.queries import time_of
from commentsvc.models import Kind, Role, Status
from commentsvc.text.markup import SafeHtml, trusted

ANONYMOUS = "Anonymous"
# A word out of the database compared with these needs no detour through the enumeration.
_APPROVED, _HELD = Status.APPROVED.value, Status.HELD.value
_NOTHING = trusted("")


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
    before its answer. What is not visible has an empty one.
    """
    make = tuple.__new__  # at half the price of a call with eighteen arguments
    results: list[CommentView] = []
    missing: set[int] = set()
    for (
        number, root_id, parent_id, depth, html, created_at, reply_count, name, website, commenter_id, digest, marks,
    ) in rows:  # fmt: skip
        parent_name = None
        if parent_id is not None:
            parent_name = names.get(parent_id)
            if parent_name is None:
                missing.add(parent_id)
            parent_name = parent_name or None
        status, kind, role, edited, pinned, featured = _USUAL if marks is None else _read(marks)
        if status == _APPROVED:
            name = names[number] = name or ANONYMOUS
        elif own and status == _HELD:
            name = name or ANONYMOUS
            names.setdefault(number, "")
        else:
            names.setdefault(number, "")
            results.append(make(CommentView, (
                number, root_id, parent_id, depth, True, False, kind, "", None, None,
                None, _NOTHING, time_of(created_at), False, False, False, reply_count, parent_name,
            )))  # fmt: skip
            continue
        picture = avatars.path_of(commenter_id, digest) if digest else None
        results.append(make(CommentView, (
            number, root_id, parent_id, depth, False, status == _HELD, kind, name, picture, website or None,
            role, trusted(html), time_of(created_at), edited, pinned, featured, reply_count, parent_name,
        )))  # fmt: skip
    return results, missing


@cache
def _read(marks: str) -> tuple[str, Kind, Role | None, bool, bool, bool]:
    """Read what `comment_rows.marks` has in words; there are a few dozen ways of saying it."""
    status, kind, *others = marks.split()
    role = next((role for role in Role if role.value in others), None)
    return status, Kind(kind), role, "edited" in others, "pinned" in others, "featured" in others


_USUAL = _read(f"{_APPROVED} {Kind.COMMENT}")


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
