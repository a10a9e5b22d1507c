"""What the API shows: for each kind of thing its shape in the document, and the function that fills it in."""

from __future__ import annotations

from typing import Any

from flask import url_for

from commentsvc.domain.reading.public_lists import ListedComment
from commentsvc.domain.threads import threads
from commentsvc.models import Kind, Role, SocialOrigin, Thread
from commentsvc.web.api.answers import moment
from commentsvc.web.api.shapes import Flag, ListOf, Moment, OneOf, OrNull, Record, RowNumber, Text, Whole
from commentsvc.web.context import now, settings

ROLE = OrNull(OneOf(tuple(Role)), about="The role on the site when it was written.")
KIND = OneOf(tuple(Kind))
HTML = Text(about="The text as sanitised HTML.", longest=10**7)

AUTHOR = Record(
    "Author",
    {
        "name": Text(),
        "website": OrNull(Text()),
        "role": ROLE,
        "picture": OrNull(Text(), about="The address of a picture on this service."),
    },
)
COMMENT = Record(
    "Comment",
    {
        "id": RowNumber(),
        "thread": RowNumber(),
        "parent": OrNull(
            RowNumber(), about="The comment that it answers, which may be in no list because it was removed."
        ),
        "kind": KIND,
        "author": AUTHOR,
        "html": HTML,
        "created_at": Moment(),
        "edited_at": OrNull(Moment()),
        "pinned": Flag(),
        "featured": Flag(),
        "url": Text(about="The comment in its article."),
        "origin": OrNull(OneOf(tuple(SocialOrigin)), about="Where it was written; null if here."),
        "origin_url": OrNull(Text(), about="Its page there."),
        "content_warning": OrNull(
            Text(), about="What to show in place of the text until a reader asks for it."
        ),
    },
    about="A comment that everybody may read.",
)
COMMENTS = Record("Comments", {"comments": ListOf(COMMENT)})
THREAD = Record(
    "Thread",
    {
        "id": RowNumber(),
        "url": Text(about="The address of the article."),
        "title": OrNull(Text()),
        "comments": Whole(0, about="The number of approved comments."),
        "is_open": Flag(about="Whether it accepts new comments."),
        "created_at": Moment(),
    },
    about="The discussion of an article, from its first public comment on.",
)
THREADS = Record("Threads", {"threads": ListOf(THREAD)})


def comment(listed: ListedComment) -> dict[str, Any]:
    """Return what everybody may read of a comment."""
    view = listed.view
    return {
        "id": str(view.id),
        "thread": str(listed.thread_id),
        "parent": str(view.parent_id) if view.parent_id else None,
        "kind": view.kind.value,
        "author": {
            "name": view.name,
            "website": view.website,
            "role": view.role.value if view.role else None,
            "picture": settings().base_url + view.picture if view.picture else None,
        },
        "html": str(view.html),
        "created_at": moment(view.created_at),
        "edited_at": moment(view.edited_at),
        "pinned": view.pinned,
        "featured": view.featured,
        "url": permalink(view.id),
        "origin": view.origin.value if view.origin else None,
        "origin_url": view.origin_url,
        "content_warning": view.warning,
    }


def thread(row: Thread) -> dict[str, Any]:
    """Return what everybody may read of a thread that has public comments."""
    return {
        "id": str(row.id),
        "url": row.url,
        "title": row.title,
        "comments": row.approved_count,
        "is_open": threads.closed_reason(row.site, row, at=now()) is None,
        "created_at": moment(row.created_at),
    }


def permalink(comment_id: int) -> str:
    """Return the address that leads to a comment in its article."""
    return settings().origin + url_for("thread.permalink", comment_id=comment_id)
