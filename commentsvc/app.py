"""The service as a WSGI application: wires the parts together and does nothing else."""

from __future__ import annotations

import os

from flask import Flask

from commentsvc import logs, web
from commentsvc.config import Settings
from commentsvc.db.session import db as database
from commentsvc.db.session import engine_options, on_commit
from commentsvc.domain.accounts import token_hashes
from commentsvc.serving.page_cache.change_broadcast import ChangeBroadcast
from commentsvc.serving.page_cache.change_signal import ChangeSignal


def create_app(settings: Settings | None = None) -> Flask:
    """Return the service as a WSGI application; `settings` default to the process's environment."""
    settings = settings or Settings.from_env(os.environ)
    logs.configure(settings.log_level)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    app = Flask("commentsvc", static_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url),
    )
    app.extensions["commentsvc.settings"] = settings
    database.init_app(app)
    bell = ChangeSignal(settings.data_dir / "changes.bell")
    messenger = ChangeBroadcast(settings.redis_url, bell)
    app.extensions["commentsvc.messenger"] = messenger
    with app.app_context():
        on_commit(database.engine, messenger.publish)
        token_hashes.hash_with(database.engine, settings.secret_key)
    web.init_app(app, settings)
    web.guard_entrance(app, settings)
    web.keep_pages(app, settings, bell, messenger)
    return app
