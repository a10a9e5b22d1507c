"""The audit log: who did what, and taking it back. Nobody can change what it says."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.admin import bulk_decisions, undoing
from commentsvc.domain.admin.bulk_decisions import Outcome
from commentsvc.errors import NotFoundError
from commentsvc.models import Action
from commentsvc.web.admin.context import LARGEST_ROW, LARGEST_SITE, Desk, Place, guard, number, posted_number
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now

blueprint = Blueprint("action_log", __name__, url_prefix=cookies.ADMIN)
blueprint.before_request(guard)

LOG = f"/sites/<int(max={LARGEST_SITE}):site_id>/actions"


@blueprint.get(LOG)
def show(site_id: int) -> ResponseReturnValue:
    """What was done on a site, the latest first."""
    desk = Desk.at(site_id)
    lines, next_after = undoing.log(database(), site_id, after=number("after", LARGEST_ROW))
    return render_template(
        "admin/actions.html", desk=desk, lines=lines, next_after=next_after, notice=cookies.take_notice()
    )


@blueprint.post(f"{LOG}/<int(max={LARGEST_ROW}):action_id>/undo")
def undo(site_id: int, action_id: int) -> ResponseReturnValue:
    """Put back what an action changed, and lead back to where the button was."""
    desk = Desk.at(site_id)
    session = database()
    action = session.get(Action, action_id)
    if action is None or action.site_id != site_id:
        raise NotFoundError("There is no such page, or it is not yours to see.")
    outcome = undoing.undo(
        session,
        action_id,
        moderator_id=desk.person.id,
        at=now(),
        after=posted_number("from"),
        by=posted_number("action"),
    )
    done = (posted_number("done") or 0) + outcome.changed
    if outcome.next_after is not None:
        return render_template(
            "admin/progress.html",
            desk=Desk.at(site_id),
            place=Place.read(),
            verdict=None,
            undone=action_id,
            outcome=outcome,
            done=done,
        )
    undone = outcome.action_id and {"action_id": outcome.action_id, "site_id": site_id}
    cookies.leave_notice(_sentence(outcome, done), undo=undone)
    if "status" in request.args:
        return Place.read().back(site_id, number("next", LARGEST_ROW))
    return redirect(url_for("action_log.show", site_id=site_id), 303)


def _nothing(outcome: Outcome) -> str:
    if outcome.overtaken or outcome.elsewhere:
        return "Nothing was put back."
    return "Nothing was put back: what this was about is deleted by now."


def _sentence(outcome: Outcome, done: int) -> str:
    said = [outcome.said] if outcome.said else []
    if done or not said:
        said.append(f"Put back {bulk_decisions.named(done)}." if done else _nothing(outcome))
    if stay := len(outcome.overtaken):
        names = sorted({one.by or "the service" for one in outcome.overtaken})
        said.append(
            f"On {bulk_decisions.named(stay)} {', '.join(names)} has decided since: as it is now, so it stays."
        )
    if outcome.elsewhere:
        is_ = "is" if outcome.elsewhere == 1 else "are"
        said.append(f"{bulk_decisions.named(outcome.elsewhere).capitalize()} {is_} on another site now.")
    return " ".join(said)
