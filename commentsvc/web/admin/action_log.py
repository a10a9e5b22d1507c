"""The audit log, which moderators can only read, and undoing its actions."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain import actions
from commentsvc.domain.admin import bulk_decisions, undoing
from commentsvc.domain.admin.bulk_decisions import BulkResult
from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext, ngettext
from commentsvc.models import Action
from commentsvc.text import numbers
from commentsvc.web.admin.context import (
    AdminContext,
    QueuePosition,
)
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now
from commentsvc.web.request_values import form_number, query_number

blueprint = Blueprint("action_log", __name__, url_prefix=cookies.ADMIN)

LOG = "/sites/<site:site_id>/activity"


@blueprint.get(LOG)
def listing(site_id: int) -> ResponseReturnValue:
    """A site's actions, the latest first."""
    admin = AdminContext.for_site(site_id)
    lines, next_after = undoing.log(database(), site_id, after=query_number("after"))
    return render_template(
        "admin/actions.html", admin=admin, lines=lines, next_after=next_after, notice=cookies.pop_notice()
    )


@blueprint.get("/sites/<site:site_id>/actions")
def moved(site_id: int) -> ResponseReturnValue:
    """The page's address in earlier versions."""
    AdminContext.for_site(site_id)
    return redirect(url_for("action_log.listing", site_id=site_id), 301)


@blueprint.post(f"{LOG}/<int:action_id>/undo")
def undo(site_id: int, action_id: int) -> ResponseReturnValue:
    """Undo an action, and return to the page with the button."""
    admin = AdminContext.for_site(site_id)
    session = database()
    action = session.get(Action, action_id)
    if action is None or action.site_id != site_id:
        raise NotFoundError
    is_import = action.kind == actions.IMPORT
    if is_import and not admin.is_owner:
        raise NotFoundError
    outcome = undoing.undo(
        session,
        action_id,
        moderator_id=admin.person.id,
        at=now(),
        after=form_number("from"),
        by=form_number("action"),
    )
    done = (form_number("done") or 0) + outcome.changed
    if outcome.next_after is not None:
        place = QueuePosition.read()
        here = place.arguments(site=None, open=None)
        return render_template(
            "admin/progress.html",
            admin=AdminContext.for_site(site_id),
            place=place,
            onward=url_for("action_log.undo", site_id=site_id, action_id=action_id, **here),
            fields={"from": outcome.next_after, "action": outcome.action_id or "", "done": done},
            verdict="undo",
            done=done,
            can_be_undone=not is_import,
        )
    if is_import:
        cookies.set_notice(
            gettext("Moved to the trash: %(comments)s. You can import again.")
            % {"comments": bulk_decisions.count_in_words(done)}
        )
    else:
        undone = outcome.action_id and {"action_id": outcome.action_id, "site_id": site_id}
        cookies.set_notice(_sentence(outcome, done), undo=undone)
    if "status" in request.args:
        return QueuePosition.read().back(site_id, query_number("next"))
    return redirect(url_for("action_log.listing", site_id=site_id), 303)


def _nothing(outcome: BulkResult) -> str:
    if outcome.already_decided or outcome.elsewhere:
        return gettext("Nothing was restored.")
    return gettext("Nothing was restored: it has been deleted since.")


def _sentence(outcome: BulkResult, done: int) -> str:
    sentences = [outcome.sentence] if outcome.sentence else []
    if done or not sentences:
        restored = gettext("Restored %(comments)s.") % {"comments": bulk_decisions.count_in_words(done)}
        sentences.append(restored if done else _nothing(outcome))
    if stay := len(outcome.already_decided):
        names = sorted({earlier.by or gettext("the service") for earlier in outcome.already_decided})
        sentences.append(
            gettext("Not restored: %(comments)s, already decided by %(names)s.")
            % {"comments": bulk_decisions.count_in_words(stay), "names": ", ".join(names)}
        )
    if outcome.elsewhere:
        sentences.append(_elsewhere(outcome.elsewhere))
    return " ".join(sentences)


def _elsewhere(number: int) -> str:
    if number == 1:
        return gettext("One comment is on another site now.")
    return ngettext(
        "%(number)s comment is on another site now.", "%(number)s comments are on another site now.", number
    ) % {"number": numbers.number(number)}
