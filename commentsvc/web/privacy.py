"""/privacy: what is stored and how long, and which hosts are ever called, from the running settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, select

from commentsvc.domain.maintenance import retention_words
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.domain.social import switches
from commentsvc.models import Likes, Site
from commentsvc.web import headers
from commentsvc.web.context import database, providers, settings

blueprint = Blueprint("privacy", __name__)


@blueprint.get("/privacy")
def page() -> ResponseReturnValue:
    """The page, for readers and owners."""
    running = settings()
    akismet = database().scalar(select(exists().where(Site.akismet_key.is_not(None), Site.akismet_key != "")))
    likes = database().scalar(select(exists().where(Site.likes != Likes.OFF)))
    elsewhere = switches.is_any_on(database())
    html = render_template(
        "privacy.html",
        sentences=retention_words.sentences(RetentionPeriods.read(running)),
        providers=list(providers().values()),
        mail_host=urlsplit(running.smtp_url).hostname or "",
        mastodon=running.mastodon,
        akismet=bool(akismet),
        likes=bool(likes),
        elsewhere=elsewhere,
    )
    return headers.no_store(make_response(html))
