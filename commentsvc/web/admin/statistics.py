"""A site's statistics of the last days, as charts and tables."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.admin import statistics
from commentsvc.domain.maintenance import backups
from commentsvc.messages import gettext, ngettext
from commentsvc.models import Status
from commentsvc.text import dates
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, settings

blueprint = Blueprint("statistics", __name__, url_prefix=cookies.ADMIN)

STACKED = (Status.APPROVED, Status.HELD, Status.SPAM, Status.TRASH)
"""From bottom to top."""


@blueprint.get("/sites/<site:site_id>/statistics")
def overview(site_id: int) -> ResponseReturnValue:
    """Show the charts, each with its figures as a table."""
    admin = AdminContext.for_site(site_id)
    figures = statistics.site_statistics(database(), site_id, at=now())
    busiest = max(figures.days, key=lambda day: day.total)
    return render_template(
        "admin/statistics.html",
        admin=admin,
        figures=figures,
        statuses=STACKED,
        latest=statistics.LATEST,
        usual_wait=in_words(figures.usual_wait) if figures.usual_wait is not None else None,
        busiest=busiest,
        top=ceiling(busiest.total),
        last_backup=_last_backup(admin),
    )


@blueprint.get("/sites/<site:site_id>/glance")
def moved(site_id: int) -> ResponseReturnValue:
    """The page's address in earlier versions."""
    AdminContext.for_site(site_id)
    return redirect(url_for("statistics.overview", site_id=site_id), 301)


def _last_backup(admin: AdminContext) -> str | None:
    """Return what an owner is told about the newest proved backup; None if the service makes none."""
    if not admin.is_owner or not settings().backup_dir:
        return None
    made = backups.last_proved(settings())
    if made is None:
        return gettext("No proved backup was found: ask who runs the service.")
    sentence = gettext("The last proved backup was made on %(day)s at %(time)s (UTC).")
    text = sentence % {"day": dates.date(made), "time": f"{made:%H:%M}"}
    if now() - made > backups.LATE:
        return f"{text} {gettext('It is too old: ask who runs the service.')}"
    return text


def in_words(wait: timedelta) -> str:
    """Return a duration in words: 40 seconds become "under a minute"; else "12 min", "3 h 20 min", "2 days"."""
    minutes = round(wait.total_seconds() / 60)
    if minutes < 1:
        return gettext("under a minute")
    if minutes < 60:
        return gettext("%(minutes)s min") % {"minutes": minutes}
    hours, left = divmod(minutes, 60)
    if hours < 10 and left:
        return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": left}
    if hours < 48:
        return gettext("%(hours)s h") % {"hours": hours}
    days = round(hours / 24)
    return ngettext("%(number)s day", "%(number)s days", days) % {"number": days}


def ceiling(largest: int) -> int:
    """Return a round, even number that is at least `largest`, for the top of the scale."""
    step = 1
    while True:
        for factor in (2, 4, 6, 10):
            if largest <= factor * step:
                return factor * step
        step *= 10
