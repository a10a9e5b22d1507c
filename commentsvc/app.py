"""Creates the WSGI application from its parts."""

from __future__ import annotations

import os

from flask import Flask, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import LengthRequired

from commentsvc import installed_code, logs
from commentsvc.config import Settings
from commentsvc.db import write_stop
from commentsvc.db.session import db as database
from commentsvc.db.session import engine_options, on_commit
from commentsvc.domain.accounts import token_hashes
from commentsvc.domain.ledger import files as ledger_files
from commentsvc.integrations.oauth import catalogue
from commentsvc.integrations.rate_limits import Counters, PostLimits
from commentsvc.serving import stack
from commentsvc.serving.page_cache.change_broadcast import ChangeBroadcast
from commentsvc.serving.page_cache.change_signal import ChangeSignal
from commentsvc.serving.request_bodies import BODY_LARGEST
from commentsvc.web import access, error_pages, headers, page_language, request_values, routes, templating
from commentsvc.web.auth import cookies, stale_forms
from commentsvc.web.context import Services

CHANGES = "changes.bell"
"""The file of the change signal in the data directory."""


def create_app(settings: Settings | None = None) -> Flask:
    """Return the service as a WSGI application; `settings` default to the process's environment."""
    settings = settings or Settings.from_env(os.environ)
    logs.configure(settings.log_level, settings.log_format)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    app = Flask("commentsvc", static_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url),
        MAX_CONTENT_LENGTH=BODY_LARGEST,
        MAX_FORM_MEMORY_SIZE=BODY_LARGEST,
    )
    database.init_app(app)
    signal = ChangeSignal(settings.data_dir / CHANGES)
    broadcast = ChangeBroadcast(settings.redis_url, signal)
    with app.app_context():
        engine = database.engine
    on_commit(engine, broadcast.publish)
    write_stop.obey(engine)
    token_hashes.hash_with(engine, settings.secret_key)
    ledger_files.write_to(engine, settings.ledger_dir)
    _services(settings, broadcast).install(app)
    _init_web(app, settings)
    layers = stack.around_flask(settings, engine, signal, broadcast)
    app.wsgi_app = stack.wrap(app.wsgi_app, layers)  # type: ignore[assignment]
    return app


def _services(settings: Settings, broadcast: ChangeBroadcast) -> Services:
    counters = Counters(settings.redis_url, secret=settings.secret_key)
    limiters = {name: counters.limiter(name, rate) for name, rate in routes.limits(settings).items()}
    return Services(
        settings=settings,
        broadcast=broadcast,
        providers={row.key: row for row in catalogue.offered(settings)},
        post_limits=PostLimits(**{name: limiters.pop(name) for name in routes.POST_LIMITS}),
        limiters=limiters,
        code=installed_code.fingerprint(),
    )


def _init_web(app: Flask, settings: Settings) -> None:
    request_values.init_app(app)
    page_language.init_app(app)
    cookies.init_app(app, settings)
    csrf = CSRFProtect(app)
    routes.init_app(app)
    for blueprint in routes.without_session_token():
        csrf.exempt(blueprint)
    templating.init_app(app)
    access.init_app(app, settings)
    error_pages.init_app(app)
    stale_forms.init_app(app)
    app.before_request(_require_length)
    app.after_request(headers.apply)


def _require_length() -> None:
    """Refuse a body without a length, which would be silently cut off at the limit."""
    if request.headers.get("Transfer-Encoding") and request.content_length is None:
        raise LengthRequired
