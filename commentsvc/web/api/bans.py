"""A site's bans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from commentsvc.domain.admin import ban_list
from commentsvc.domain.admin.ban_list import BanTarget
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.models import Ban, BanKind, Comment
from commentsvc.web.api import answers
from commentsvc.web.api.answers import moment
from commentsvc.web.api.calls import Call
from commentsvc.web.api.shapes import ListOf, Moment, OneOf, OrNull, Record, RowNumber, Text
from commentsvc.web.context import database, now, writing

_KIND = OneOf(tuple(BanKind))
_UNTIL = OrNull(Moment(), about="Null: permanent.")
BAN = Record(
    "Ban",
    {
        "id": RowNumber(),
        "kind": _KIND,
        "value": OrNull(Text(), about="What was typed; null for a person, a browser or a comment's network."),
        "label": Text(about="How moderators recognise it."),
        "reason": Text(),
        "until": _UNTIL,
        "by": OrNull(Text()),
        "created_at": Moment(),
    },
)
BANS = Record("Bans", {"bans": ListOf(BAN)})
NEW_BAN = Record(
    "NewBan",
    {
        "kind": _KIND,
        "value": Text(longest=300, about="An e-mail address, a network or a domain; or else name a comment."),
        "comment": RowNumber(about="Ban its author, in the way that `kind` names."),
        "reason": Text(longest=ban_list.REASON_LONGEST, about="For other moderators."),
        "until": _UNTIL,
    },
    frozenset({"value", "comment"}),
)
BANNED = Record("Banned", {"ban": RowNumber()})


def list_bans(call: Call) -> Response:
    """Return a page of the bans, the latest first."""
    rows, next_after = ban_list.list_bans(database(), call.site_id, after=call.query.get("after"))
    return answers.answer({"bans": [_shown(row) for row in rows]}, next_after=next_after)


def add_ban(call: Call) -> Response:
    """Ban a typed value, or a comment's author; an existing ban gets the new end and reason."""
    return answers.once(call, lambda session: _add(session, call))


def lift_ban(call: Call) -> Response:
    """Lift a ban."""
    with writing() as session:
        ban = session.get(Ban, call.path["ban_id"])
        if ban is None or ban.site_id != call.site_id:
            raise NotFoundError("There is no such ban on this site.")
        ban_list.lift(session, ban, moderator_id=call.maker_id, at=now())
    return Response(status=204)


def _add(session: Session, call: Call) -> Mapping[str, Any]:
    (ban,) = ban_list.add(
        session,
        call.site_id,
        [_target(session, call)],
        reason=call.body["reason"],
        until=call.body["until"],
        moderator_id=call.maker_id,
        at=now(),
    )
    return {"ban": str(ban.id)}


def _target(session: Session, call: Call) -> BanTarget:
    kind = BanKind(call.body["kind"])
    if ("comment" in call.body) is ("value" in call.body):
        raise InvalidFieldsError({"value": "Please name either a value or a comment"})
    if "value" in call.body:
        return ban_list.parse_typed(kind, call.body["value"])
    comment = session.get(Comment, call.body["comment"])
    if comment is None or comment.site_id != call.site_id:
        raise InvalidFieldsError({"comment": "There is no such comment on this site"})
    target = next((one for one in ban_list.possible_bans(comment) if one.kind is kind), None)
    if target is None or kind is BanKind.DOMAIN:
        raise InvalidFieldsError({"kind": "The author of this comment cannot be banned in this way"})
    return target


def _shown(ban: Ban) -> dict[str, Any]:
    is_typed = ban.kind in {BanKind.EMAIL, BanKind.DOMAIN} or ban.label == ban.value
    return {
        "id": str(ban.id),
        "kind": ban.kind.value,
        "value": ban.value if is_typed else None,
        "label": ban_list.describe(ban),
        "reason": ban.reason,
        "until": moment(ban.until),
        "by": ban.moderator.name if ban.moderator else None,
        "created_at": moment(ban.created_at),
    }
