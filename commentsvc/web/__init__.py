"""Everything that knows HTTP: a file per door, and what the doors share."""

from __future__ import annotations

from flask import Flask, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import LengthRequired

from commentsvc.adapters.bell import Bell
from commentsvc.adapters.limits import Counters, PostLimits
from commentsvc.adapters.messenger import Messenger
from commentsvc.adapters.providers import catalogue
from commentsvc.config import Settings
from commentsvc.db import db
from commentsvc.web import (
    account,
    action_log,
    admin,
    assets,
    bans,
    bulk_actions,
    counts,
    dashboard,
    embed,
    faults,
    handover,
    headers,
    health,
    incoming,
    invitation,
    login,
    moderator_texts,
    people,
    portrait,
    posting,
    pressure,
    reporting,
    rules,
    sessions,
    signin,
    site_moves,
    site_settings,
    site_sso,
    sso,
    team,
    templating,
    thread_moves,
    threads_admin,
)
from commentsvc.web.entrance import BODY_LARGEST, Entrance
from commentsvc.web.pagecache import PageCache

DOORS = (
    assets,
    embed,
    posting,
    reporting,
    counts,
    health,
    login,
    sso,
    portrait,
    handover,
    account,
    signin,
    invitation,
    admin,
    moderator_texts,
    bulk_actions,
    action_log,
    dashboard,
    people,
    bans,
    team,
    site_settings,
    site_sso,
    rules,
    pressure,
    threads_admin,
    thread_moves,
    site_moves,
)


def init_app(app: Flask, settings: Settings) -> None:
    """Plug every door into the application."""
    incoming.init_app(app)
    app.config.update(MAX_CONTENT_LENGTH=BODY_LARGEST, MAX_FORM_MEMORY_SIZE=BODY_LARGEST)
    counters = Counters(settings.redis_url, secret=settings.secret_key)
    app.extensions["commentsvc.post_limits"] = PostLimits(
        network=counters.limiter("network", settings.post_limit),
        person=counters.limiter("person", settings.person_limit),
        thread=counters.limiter("thread", settings.thread_limit),
    )
    app.extensions["commentsvc.preview_limiter"] = counters.limiter("previews", posting.PREVIEWS)
    app.extensions["commentsvc.report_limiter"] = counters.limiter("reports", reporting.LIMIT)
    app.extensions["commentsvc.limiters"] = {
        "logins": counters.limiter("logins", login.LIMIT),
        "cancelled logins": counters.limiter("cancelled logins", login.LIMIT),
        "login questions": counters.limiter("login questions", login.ASKING_LIMIT),
    }
    app.extensions["commentsvc.providers"] = {row.key: row for row in catalogue.offered(settings)}
    sessions.init_app(app, settings)
    csrf = CSRFProtect(app)
    for door in DOORS:
        app.register_blueprint(door.blueprint)
    # Guests: access.require_own_page and a signed form token stand instead; readers: reader.require_token.
    for door in (posting, reporting, login, handover, sso):
        csrf.exempt(door.blueprint)
    templating.init_app(app)
    faults.init_app(app)
    app.before_request(_require_length)
    app.after_request(headers.apply)


def guard_entrance(app: Flask, settings: Settings) -> None:
    """Have requests wait for their bodies; and for each other, where no server is asked, only a file."""
    only_a_file = settings.database_url.startswith("sqlite") and not settings.redis_url
    app.wsgi_app = Entrance(app.wsgi_app, one_by_one=only_a_file)  # type: ignore[method-assign, assignment]


def keep_pages(app: Flask, settings: Settings, bell: Bell, messenger: Messenger) -> None:
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
