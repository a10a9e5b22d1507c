"""Everything that knows HTTP: a file per door, and what the doors share."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import LengthRequired

from commentsvc.config import Settings
from commentsvc.db.session import db
from commentsvc.integrations.oauth import catalogue
from commentsvc.integrations.rate_limits import Counters, PostLimits
from commentsvc.serving.page_cache.cache import PageCache
from commentsvc.serving.page_cache.change_broadcast import ChangeBroadcast
from commentsvc.serving.page_cache.change_signal import ChangeSignal
from commentsvc.serving.request_bodies import BODY_LARGEST, RequestBodyReader
from commentsvc.web import error_pages, headers, health, request_values, static_files, templating
from commentsvc.web.account import pages as account_pages
from commentsvc.web.admin import (
    action_log,
    bans,
    bulk_actions,
    editing,
    invitation,
    people,
    queue,
    rules,
    sign_in,
    site_moves,
    site_settings,
    site_sso,
    statistics,
    surge,
    team,
    thread_moves,
    threads,
)
from commentsvc.web.auth import cookies, handoff, login, person_marks, sso, stale_forms
from commentsvc.web.thread import avatars, counts, posting, preview, reporting
from commentsvc.web.thread import pages as thread_pages

DOORS = (
    static_files,
    thread_pages,
    posting,
    preview,
    reporting,
    counts,
    health,
    login,
    sso,
    avatars,
    handoff,
    account_pages,
    sign_in,
    invitation,
    queue,
    editing,
    bulk_actions,
    action_log,
    statistics,
    people,
    bans,
    team,
    site_settings,
    site_sso,
    rules,
    surge,
    threads,
    thread_moves,
    site_moves,
)


def init_app(app: Flask, settings: Settings) -> None:
    """Plug every door into the application."""
    request_values.init_app(app)
    app.config.update(MAX_CONTENT_LENGTH=BODY_LARGEST, MAX_FORM_MEMORY_SIZE=BODY_LARGEST)
    counters = Counters(settings.redis_url, secret=settings.secret_key)
    app.extensions["commentsvc.post_limits"] = PostLimits(
        network=counters.limiter("network", settings.post_limit),
        person=counters.limiter("person", settings.person_limit),
        thread=counters.limiter("thread", settings.thread_limit),
    )
    app.extensions["commentsvc.preview_limiter"] = counters.limiter("previews", preview.PREVIEWS)
    app.extensions["commentsvc.report_limiter"] = counters.limiter("reports", reporting.LIMIT)
    app.extensions["commentsvc.limiters"] = {
        "logins": counters.limiter("logins", login.LIMIT),
        "cancelled logins": counters.limiter("cancelled logins", login.LIMIT),
        "login questions": counters.limiter("login questions", login.ASKING_LIMIT),
    }
    app.extensions["commentsvc.providers"] = {row.key: row for row in catalogue.offered(settings)}
    cookies.init_app(app, settings)
    csrf = person_marks.PersonCsrf(app)
    for door in DOORS:
        app.register_blueprint(door.blueprint)
    # Guests: access.require_own_page and a signed form token stand instead; readers: reader.require_token.
    for door in (posting, preview, reporting, login, handoff, sso):
        csrf.exempt(door.blueprint)
    templating.init_app(app)
    error_pages.init_app(app)
    stale_forms.init_app(app)
    app.before_request(_require_length)
    app.after_request(headers.apply)


def guard_entrance(app: Flask, settings: Settings) -> None:
    """Have requests wait for their bodies; and for each other, where no server is asked, only a file."""
    only_a_file = settings.database_url.startswith("sqlite") and not settings.redis_url
    app.wsgi_app = RequestBodyReader(app.wsgi_app, one_by_one=only_a_file)  # type: ignore[method-assign, assignment]


def keep_pages(app: Flask, settings: Settings, bell: ChangeSignal, messenger: ChangeBroadcast) -> None:
    """Put the cache of pages in front of the application, where the operator wants it."""
    if not settings.cache_mb:
        return
    with app.app_context():
        engine = db.engine
    app.wsgi_app = PageCache(  # type: ignore[method-assign, assignment]
        app.wsgi_app, room=settings.cache_mb * 1024 * 1024, bell=bell, engine=engine, listen=messenger.listen
    )


def _require_length() -> None:
    """A body without a length would be cut off at the limit in silence; refuse it."""
    if request.headers.get("Transfer-Encoding") and request.content_length is None:
        raise LengthRequired
