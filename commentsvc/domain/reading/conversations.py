"""Comments as readers see them, and their order within a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from commentsvc.domain.reading import avatars
from commentsvc.domain.reading.queries import CommentRow
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Kind, Role, SocialOrigin, Status
from commentsvc.text.markup import SafeHtml, trusted

# translators: the name of somebody who gave none.
ANONYMOUS = gettext_noop("Anonymous")
NAMES = {
    SocialOrigin.WEBMENTION: gettext_noop("the web"),
    SocialOrigin.MASTODON: "Mastodon",
    SocialOrigin.BLUESKY: "Bluesky",
}
"""How readers know where a comment was written."""


class CommentView(NamedTuple):
    """A comment for the templates. A placeholder has no text and no author."""

    id: int
    root_id: int | None
    parent_id: int | None
    depth: int
    placeholder: bool
    held: bool
    kind: Kind
    name: str
    picture: str | None
    """The path of the author's picture on our server; None for initials."""
    website: str | None
    role: Role | None
    html: SafeHtml
    created_at: datetime
    edited_at: datetime | None
    pinned: bool
    featured: bool
    reply_count: int
    ups: int
    downs: int
    score: int
    """The place in the order by score."""
    liked_by_owner: bool
    parent_name: str | None
    """The author of the parent; None for a root or if the parent was removed."""
    origin: SocialOrigin | None = None
    """Where it was written; None if here."""
    origin_url: str | None = None
    """Its page there."""
    warning: str | None = None
    """What its author says of the text, which is shown only to readers who ask for it."""

    @property
    def via(self) -> str:
        """Where it was written, in words such as "via Mastodon"; empty if here."""
        if self.origin is None:
            return ""
        if self.origin is SocialOrigin.WEBMENTION:
            return gettext("via the web")
        return gettext("via %(network)s") % {"network": NAMES[self.origin]}


class Conversation(NamedTuple):
    """A root and its first replies, in reading order."""

    root: CommentView
    replies: Sequence[CommentView] = ()
    more: int = 0
    """Number of approved replies that are not included."""
    after: int = 0
    """The id after which the next replies begin."""

    @property
    def views(self) -> list[CommentView]:
        """The root and the replies."""
        return [self.root, *self.replies]


def view(row: CommentRow, parent_name: str | None, *, own: bool = False) -> CommentView:
    """Return what readers (with `own`, its author) see of a comment; `parent_name` is the author of its parent."""
    is_held = own and row.status is Status.HELD
    is_placeholder = row.status is not Status.APPROVED and not is_held
    if is_placeholder:
        row = row._replace(
            html="",
            website=None,
            picture_digest=None,
            role=None,
            edited_at=None,
            pinned=False,
            featured=False,
            ups=0,
            downs=0,
            liked_by_owner=False,
            origin=None,
            origin_url=None,
            foreign_picture=None,
            content_warning=None,
        )
    return CommentView(
        id=row.id,
        root_id=row.root_id,
        parent_id=row.parent_id,
        depth=row.depth,
        placeholder=is_placeholder,
        held=is_held,
        kind=row.kind,
        name="" if is_placeholder else row.name or gettext(ANONYMOUS),
        picture=avatars.path_of(row.commenter_id, row.picture_digest)
        if row.commenter_id
        else avatars.foreign_path(row.foreign_picture),
        website=row.website or None,
        role=row.role,
        html=trusted(row.html),
        created_at=row.created_at,
        edited_at=row.edited_at,
        pinned=row.pinned,
        featured=row.featured,
        reply_count=row.reply_count,
        ups=row.ups,
        downs=row.downs,
        score=row.score,
        liked_by_owner=row.liked_by_owner,
        parent_name=parent_name or None,
        origin=row.origin,
        origin_url=row.origin_url,
        warning=row.content_warning,
    )


def views(
    rows: Iterable[CommentRow], names: dict[int, str], *, own: bool = False
) -> tuple[list[CommentView], set[int]]:
    """Return what readers (with `own`, their author) see of comments, and the ids of parents whose names are missing.

    `names` has known author names by comment id and gets those of `rows`, where a parent should come before its
    replies. Comments that are not visible have an empty name.
    """
    comments: list[CommentView] = []
    missing: set[int] = set()
    for row in rows:
        if row.parent_id is not None and row.parent_id not in names:
            missing.add(row.parent_id)
        if row.status is Status.APPROVED:
            names[row.id] = row.name or gettext(ANONYMOUS)
        else:
            names.setdefault(row.id, "")
        parent_name = names.get(row.parent_id) if row.parent_id is not None else None
        comments.append(view(row, parent_name, own=own))
    return comments, missing


def conversation(root: CommentView, replies: Sequence[CommentView], *, first: int) -> Conversation:
    """Return a root with its first replies (at least one); there can be more only if there are `first` of them."""
    more = 0
    if len(replies) >= first:
        more = max(0, root.reply_count - sum(not reply.placeholder for reply in replies))
    return Conversation(root, preorder(replies), more, replies[-1].id)


def preorder(replies: Sequence[CommentView]) -> list[CommentView]:
    """Return replies in reading order, each below its parent; those without a parent in the list come first."""
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
