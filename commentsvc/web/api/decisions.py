"""Decisions on comments, the log of a site's actions, undoing one, and replies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.domain.admin import bulk_decisions, replies, undoing
from commentsvc.domain.admin.bulk_decisions import BulkResult
from commentsvc.domain.comments import comment_text
from commentsvc.errors import NotFoundError
from commentsvc.models import Action, Comment, Status
from commentsvc.web.api import answers
from commentsvc.web.api.answers import moment
from commentsvc.web.api.calls import Call
from commentsvc.web.api.moderated_comments import of_site
from commentsvc.web.api.shapes import Flag, ListOf, Moment, OneOf, OrNull, Record, RowNumber, Text, Whole
from commentsvc.web.context import database, now, settings
from commentsvc.web.problems import RefusedCallError

RESTORED = "restored"
_ACTION_ID = OrNull(RowNumber(), about="What undoing needs; null if nothing was changed.")
DECISION = Record(
    "Decision",
    {
        "comments": ListOf(RowNumber(), 1, bulk_decisions.BATCH),
        "status": OneOf(
            (*Status, RESTORED),
            about="`restored` is the status that a comment had before it was spam or trash.",
        ),
        "seen_status": OneOf(tuple(Status), about="A comment that has another status by now stays as it is."),
    },
    frozenset({"seen_status"}),
)
DECIDED = Record(
    "Decided",
    {
        "action": _ACTION_ID,
        "changed": Whole(0),
        "overtaken": ListOf(RowNumber(), about="Comments on which somebody has decided meanwhile."),
        "missing": ListOf(RowNumber(), about="What is no comment of this site."),
    },
)
ACTION = Record(
    "Action",
    {
        "id": RowNumber(),
        "kind": Text(),
        "summary": Text(),
        "by": OrNull(Text(), about="A moderator; null for the service or an author."),
        "program": OrNull(Text(), about="The name of the token by which a program did it."),
        "comment": OrNull(RowNumber()),
        "at": Moment(),
        "undone_at": OrNull(Moment()),
        "can_be_undone": Flag(),
    },
)
ACTIONS = Record("Actions", {"actions": ListOf(ACTION)})
UNDONE = Record("Undone", {"action": _ACTION_ID, "changed": Whole(0), "note": OrNull(Text())})
REPLY = Record(
    "Reply",
    {"text": Text(about="In Markdown."), "approve": Flag(about="Approve the comment too, if it is held.")},
    frozenset({"approve"}),
)
REPLIED = Record("Replied", {"comment": RowNumber(), "status": OneOf(tuple(Status)), "action": RowNumber()})
MOST_UNDONE = 5000
"""Comments of an action that a call undoes; the admin view undoes more in rounds."""


def decide(call: Call) -> Response:
    """Give comments a status, as one action that can be undone."""
    return answers.once(call, lambda session: _decide(session, call))


def list_actions(call: Call) -> Response:
    """Return a page of the log, the latest first."""
    entries, next_after = undoing.log(database(), call.site_id, after=call.query.get("after"))
    shown = [
        {
            "id": str(entry.id),
            "kind": entry.kind,
            "summary": entry.summary,
            "by": entry.moderator,
            "program": entry.program,
            "comment": str(entry.comment_id) if entry.comment_id else None,
            "at": moment(entry.at),
            "undone_at": moment(entry.undone_at),
            "can_be_undone": entry.can_be_undone,
        }
        for entry in entries
    ]
    return answers.answer({"actions": shown}, next_after=next_after)


def undo(call: Call) -> Response:
    """Undo an action, except where somebody has decided since."""
    session = database()
    action = session.get(Action, call.path["action_id"])
    if action is None or action.site_id != call.site_id:
        raise NotFoundError("There is no such action on this site.")
    if action.kind == actions.IMPORT or int(action.facts.get("comments", 0)) > MOST_UNDONE:
        raise RefusedCallError(409, "An import, and what is as large, is undone in the admin view.")
    outcome = BulkResult(next_after=None)
    changed, after, by = 0, None, None
    while True:
        outcome = undoing.undo(
            session, call.path["action_id"], moderator_id=call.maker_id, at=now(), after=after, by=by
        )
        changed, after, by = changed + outcome.changed, outcome.next_after, outcome.action_id
        if after is None:
            break
    body = {"action": str(by) if by else None, "changed": changed, "note": outcome.sentence}
    return answers.answer(body)


def reply(call: Call) -> Response:
    """Reply to a comment in the name of the person who created the token."""
    draft = comment_text.from_source(call.body["text"], longest=settings().max_comment_length)

    def post(session: Session) -> Mapping[str, Any]:
        comment = of_site(call)
        replies.require_answerable(comment)
        posted, action = replies.post(
            session,
            call.site,
            comment,
            draft,
            approve=call.body.get("approve", False),
            moderator_id=call.maker_id,
            role=call.role,
            at=now(),
        )
        return {"comment": str(posted.id), "status": posted.status.value, "action": str(action.id)}

    return answers.once(call, post)


def _decide(session: Session, call: Call) -> Mapping[str, Any]:
    wanted: str = call.body["status"]
    seen = call.body.get("seen_status")
    ids: list[int] = list(dict.fromkeys(call.body["comments"]))
    here = set(
        session.scalars(select(Comment.id).where(Comment.id.in_(ids), Comment.site_id == call.site_id))
    )
    outcome = bulk_decisions.decide(
        session,
        call.site_id,
        dict.fromkeys(here, Status(seen) if seen else None),
        None if wanted == RESTORED else Status(wanted),
        moderator_id=call.maker_id,
        at=now(),
    )
    return {
        "action": str(outcome.action_id) if outcome.action_id else None,
        "changed": outcome.changed,
        "overtaken": [str(one.comment_id) for one in outcome.already_decided],
        "missing": [str(one) for one in ids if one not in here],
    }
