"""A site's comments as moderators see them: the list, one, changing one, deleting one for good."""

from __future__ import annotations

from typing import Any

from flask import Response

from commentsvc.domain.admin import edits, queue_entries, queue_query
from commentsvc.domain.admin.queue_entries import QueueEntry
from commentsvc.domain.admin.queue_filters import LONGEST_WORDS, Filters, KindFilter, Tab
from commentsvc.domain.maintenance import expired_comments
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.models import Comment, Status, TextFormat
from commentsvc.web.api import answers
from commentsvc.web.api.answers import moment
from commentsvc.web.api.calls import Call
from commentsvc.web.api.public_reading import LIMIT
from commentsvc.web.api.representations import HTML, KIND, ROLE, permalink
from commentsvc.web.api.shapes import (
    CalendarDay,
    ListOf,
    Moment,
    OneOf,
    OrNull,
    Record,
    RowNumber,
    Shape,
    Text,
    Whole,
)
from commentsvc.web.context import database, now, settings, writing
from commentsvc.web.problems import RefusedCallError

AUTHOR = Record(
    "ModeratedAuthor",
    {
        "name": Text(),
        "email": OrNull(Text(), about="Of a guest; not proved to be theirs."),
        "website": OrNull(Text()),
        "account": OrNull(RowNumber(), about="Null for a guest."),
        "role": ROLE,
    },
)
COMMENT = Record(
    "ModeratedComment",
    {
        "id": RowNumber(),
        "thread": RowNumber(),
        "article": Text(about="The address of the article."),
        "title": OrNull(Text()),
        "parent": OrNull(RowNumber()),
        "kind": KIND,
        "status": OneOf(tuple(Status)),
        "reasons": ListOf(Text(), about="Why it has this status, in words."),
        "author": AUTHOR,
        "source": Text(about="As it was written. Never show it as HTML.", longest=10**7),
        "format": OneOf(tuple(TextFormat), about="The language of `source`."),
        "html": HTML,
        "created_at": Moment(),
        "edited_at": OrNull(Moment()),
        "reports": Whole(0, about="How many readers have reported it."),
        "url": Text(about="The comment in its article, while it is approved."),
    },
)
COMMENTS = Record("ModeratedComments", {"comments": ListOf(COMMENT)})
_DETAIL = OrNull(Text(longest=2000), about="Of a guest; null removes it.")
CHANGE = Record(
    "CommentChange",
    {
        "text": Text(about="In the format of the comment."),
        "name": _DETAIL,
        "email": _DETAIL,
        "website": _DETAIL,
    },
    frozenset({"text", "name", "email", "website"}),
    about="What changes; what is not named stays.",
)
QUERY: dict[str, Shape] = {
    "status": OneOf(tuple(Tab), about="The list; `all` has approved and held comments."),
    "q": Text(longest=LONGEST_WORDS, shortest=1, about="Words to search for."),
    "thread": RowNumber(),
    "kind": OneOf(tuple(KindFilter)),
    "since": CalendarDay(about="The first day, in UTC."),
    "until": CalendarDay(about="The last day, in UTC."),
    "after": RowNumber(about="Where the page begins, from the Link of the one before."),
    "limit": LIMIT,
}


def list_comments(call: Call) -> Response:
    """Return a page of a list, the latest first."""
    named = {"q": "q", "thread": "article", "kind": "kind", "since": "since", "until": "until"}
    filters = Filters.read({to: str(call.query[name]) for name, to in named.items() if name in call.query})
    tab = Tab(call.query.get("status", Tab.ALL))
    limit: int = call.query.get("limit", LIMIT.default)
    page = queue_query.find(
        database(), call.site_id, tab, filters, after=call.query.get("after"), limit=limit
    )
    entries = queue_entries.load(database(), page.ids, whole=True)
    sources = queue_entries.sources(database(), page.ids)
    shown = [_shown(entry, *sources[entry.id]) for entry in entries]
    return answers.answer({"comments": shown}, next_after=page.next_after)


def get_comment(call: Call) -> Response:
    """Return a comment with its tag."""
    return _answer(of_site(call))


def change_comment(call: Call) -> Response:
    """Change a comment's text, or the details of its guest."""
    comment = of_site(call)
    change: dict[str, str] = {name: value or "" for name, value in call.body.items()}
    details = change.keys() - {"text"}
    if comment.commenter_id is not None and details:
        raise InvalidFieldsError(
            dict.fromkeys(details, "The author has an account, whose details are their own")
        )
    stored = {
        "text": comment.source,
        "name": comment.guest_name or "",
        "email": comment.guest_email or "",
        "website": comment.guest_website or "",
    }
    longest = settings().max_comment_length
    call.require_match(_tag(comment))
    draft, guest = edits.checked(comment, stored | change, longest=longest)
    with writing() as session:
        comment = of_site(call)
        call.require_match(_tag(comment))
        if edits.changes(comment, draft, guest):
            edits.edit(session, comment, draft, guest=guest, moderator_id=call.maker_id, at=now())
    return _answer(of_site(call))


def delete_comment(call: Call) -> Response:
    """Delete a comment for good, which nothing can undo."""
    call.require_owner()
    comment = of_site(call)
    if comment.status not in {Status.SPAM, Status.TRASH}:
        raise RefusedCallError(409, "Only spam and trash are deleted for good. Move it to the trash first.")
    expired_comments.remove_chosen(
        database(),
        call.site_id,
        [comment.id],
        moderator_id=call.maker_id,
        at=now(),
        progress=lambda _: None,
    )
    return Response(status=204)


def of_site(call: Call) -> Comment:
    """Return the comment in a call's path; raises NotFoundError if it is not on the site."""
    comment = database().get(Comment, call.path["comment_id"])
    if comment is None or comment.site_id != call.site_id:
        raise NotFoundError("There is no such comment on this site.")
    return comment


def _answer(comment: Comment) -> Response:
    (entry,) = queue_entries.load(database(), [comment.id], whole=True)
    return answers.answer(_shown(entry, comment.source, comment.format), tag=_tag(comment))


def _tag(comment: Comment) -> str:
    """Return the tag of what an edit changes."""
    guest = (comment.guest_name, comment.guest_email, comment.guest_website)
    return answers.tag_of(comment.id, comment.status.value, comment.source, guest, moment(comment.edited_at))


def _shown(entry: QueueEntry, source: str, text_format: TextFormat) -> dict[str, Any]:
    ref = entry.author
    return {
        "id": str(entry.id),
        "thread": str(entry.thread_id),
        "article": entry.url,
        "title": entry.title,
        "parent": str(entry.parent_id) if entry.parent_id else None,
        "kind": entry.kind.value,
        "status": entry.status.value,
        "reasons": entry.decision.reasons if entry.decision else [],
        "author": {
            "name": entry.name,
            "email": entry.email,
            "website": entry.website,
            "account": ref.value if ref is not None and ref.is_account else None,
            "role": entry.role.value if entry.role else None,
        },
        "source": source,
        "format": text_format.value,
        "html": str(entry.html or ""),
        "created_at": moment(entry.created_at),
        "edited_at": moment(entry.edited_at),
        "reports": entry.reports,
        "url": permalink(entry.id),
    }
