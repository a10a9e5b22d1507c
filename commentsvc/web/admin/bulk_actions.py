"""Decisions on selected comments, or on all comments in a filtered list."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain import fields
from commentsvc.domain.admin import bulk_decisions
from commentsvc.domain.admin.bulk_decisions import AlreadyDecided, BulkResult
from commentsvc.messages import gettext, ngettext
from commentsvc.models import Status
from commentsvc.text import numbers
from commentsvc.web.admin.context import (
    AdminContext,
    QueuePosition,
)
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, writing
from commentsvc.web.request_values import form_number

blueprint = Blueprint("bulk_actions", __name__, url_prefix=cookies.ADMIN)

MOST_PICKED = 500
_RESTORE, _KEEP = "restore", "keep"


@blueprint.post("/sites/<site:site_id>/bulk")
def decide(site_id: int) -> ResponseReturnValue:
    """Do what the pressed button says, to the selected comments or to all that match."""
    admin, place = AdminContext.for_site(site_id), QueuePosition.read()
    verdict = request.form.get("verdict", "")
    if verdict not in {*Status, _RESTORE, _KEEP}:
        abort(400)
    if request.form.get("all") and verdict != _KEEP:
        outcome = _sweep(admin, place, verdict)
        if outcome.next_after is not None:
            return render_template(
                "admin/progress.html",
                admin=admin,
                place=place,
                onward=url_for(
                    "bulk_actions.decide", site_id=site_id, **place.arguments(site=None, open=None)
                ),
                fields={
                    "all": 1,
                    "ceiling": form_number("ceiling") or 0,
                    "from": outcome.next_after,
                    "action": outcome.action_id or "",
                    "done": _done(outcome),
                },
                verdict=verdict,
                done=_done(outcome),
                can_be_undone=True,
            )
    else:
        outcome = _picked(admin, verdict)
    undo = {"action_id": outcome.action_id, "site_id": site_id} if outcome.action_id else None
    cookies.set_notice(_sentence(outcome, verdict), undo=undo)
    return place.back(site_id)


def _sweep(admin: AdminContext, place: QueuePosition, verdict: str) -> BulkResult:
    return bulk_decisions.decide_matching(
        database(),
        admin.site.id,
        place.status,
        place.filters,
        _status(verdict),
        ceiling=form_number("ceiling") or 0,
        after=form_number("from"),
        moderator_id=admin.person.id,
        at=now(),
        action_id=form_number("action"),
    )


def _picked(admin: AdminContext, verdict: str) -> BulkResult:
    seen = _seen()
    site_id, moderator_id = admin.site.id, admin.person.id
    with writing() as session:
        if verdict == _KEEP:
            return bulk_decisions.dismiss_reports(session, site_id, seen, moderator_id=moderator_id, at=now())
        return bulk_decisions.decide(
            session, site_id, seen, _status(verdict), moderator_id=moderator_id, at=now()
        )


def _seen() -> dict[int, Status | None]:
    """Return the selected comments, each with the status that the page showed."""
    picks = request.form.getlist("pick")
    if len(picks) > MOST_PICKED:
        abort(400)
    seen: dict[int, Status | None] = {}
    for pick in picks:
        digits, _, status = pick.partition("-")
        comment_id = fields.whole_number(digits)
        if comment_id is None or status not in set(Status):
            abort(400)
        seen[comment_id] = Status(status)
    return seen


def _status(verdict: str) -> Status | None:
    return None if verdict == _RESTORE else Status(verdict)


def _done(outcome: BulkResult) -> int:
    """Return the number of changed comments in all rounds."""
    return (form_number("done") or 0) + outcome.changed


def _sentence(outcome: BulkResult, verdict: str) -> str:
    done = _done(outcome)
    if not done and not outcome.already_decided:
        return gettext("Nothing was selected, or nothing had to change.")
    label = gettext("Kept") if verdict == _KEEP else gettext(bulk_decisions.KINDS[_status(verdict)][1])
    text = bulk_decisions.sentence(label, done)
    return f"{text} {_others(outcome.already_decided)}".strip()


def _others(overtaken: Sequence[AlreadyDecided]) -> str:
    """Return a sentence that names who had already decided."""
    if not overtaken:
        return ""
    names = ", ".join(sorted({earlier.by or gettext("the service") for earlier in overtaken}))
    number = len(overtaken)
    if number == 1:
        return gettext("One comment had already been decided by %(names)s.") % {"names": names}
    return ngettext(
        "%(number)s comment had already been decided by %(names)s.",
        "%(number)s comments had already been decided by %(names)s.",
        number,
    ) % {"number": numbers.number(number), "names": names}
