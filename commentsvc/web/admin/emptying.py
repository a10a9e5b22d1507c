"""Empties the list of spam, or the trash, for good; for the site's owner."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.admin import bulk_decisions
from commentsvc.domain.admin.queue_filters import Tab
from commentsvc.domain.maintenance import expired_comments
from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import Status
from commentsvc.web.admin.context import AdminContext, QueuePosition
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, settings
from commentsvc.web.request_values import form_number

blueprint = Blueprint("emptying", __name__, url_prefix=cookies.ADMIN)

_LATEST = 253_402_300_799_000
"""Milliseconds until the end of the year 9999, the last that Python knows."""


@blueprint.route("/sites/<site:site_id>/empty", methods=["GET", "POST"])
def empty(site_id: int) -> ResponseReturnValue:
    """The question how many comments should go, and the button that deletes them."""
    admin, place = AdminContext.for_site(site_id, owner=True), QueuePosition.read()
    if place.status not in {Tab.SPAM, Tab.TRASH}:
        raise NotFoundError(gettext("Only spam and trash can be emptied."))
    status = Status(place.status.value)
    if request.method == "POST":
        return _delete(admin, place, status)
    shown_at, kept = now(), settings()
    return render_template(
        "admin/empty.html",
        admin=admin,
        place=place,
        number=expired_comments.size(database(), site_id, status, before=shown_at),
        most=expired_comments.COUNTED,
        before=int(shown_at.timestamp() * 1000),
        days=kept.keep_spam_days if status is Status.SPAM else kept.keep_trash_days,
    )


def _delete(admin: AdminContext, place: QueuePosition, status: Status) -> ResponseReturnValue:
    """Delete a round of comments: those that were in the list when the question was asked."""
    asked = form_number("before", _LATEST)
    if asked is None:
        abort(400)
    result = expired_comments.remove_all(
        database(),
        admin.site.id,
        status,
        before=min(now(), datetime.fromtimestamp(asked / 1000, UTC)),
        moderator_id=admin.person.id,
        at=now(),
        action_id=form_number("action"),
    )
    done = (form_number("done") or 0) + result.deleted
    if result.is_finished:
        cookies.set_notice(
            bulk_decisions.sentence(gettext("Deleted for good"), done)
            if done
            else gettext("Nothing was left.")
        )
        return place.back(admin.site.id)
    return render_template(
        "admin/progress.html",
        admin=admin,
        place=place,
        onward=url_for("emptying.empty", site_id=admin.site.id, status=status.value),
        fields={"before": asked, "action": result.action_id, "done": done},
        verdict="delete",
        done=done,
    )
