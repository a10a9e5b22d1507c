"""Shared by all views: the services of the running application, its database session, the clock."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.db.outage import Outage, outage_of
from commentsvc.db.session import begin_write, db
from commentsvc.domain import hash_keys
from commentsvc.domain.sites import sites
from commentsvc.domain.social.visits import Visits
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.integrations.rate_limits import Limiter, PostLimits
from commentsvc.models import now
from commentsvc.serving.page_cache.change_broadcast import ChangeBroadcast

if TYPE_CHECKING:
    from commentsvc.integrations.oauth.flow import Flow

__all__ = [
    "Services",
    "close_database",
    "database",
    "flow",
    "has_used_database",
    "hash_key",
    "limiter",
    "now",
    "outage_of_database",
    "post_limits",
    "providers",
    "services",
    "services_of",
    "settings",
    "shown_name",
    "writing",
]

_KEY = "commentsvc"


@dataclass
class Services:
    """The parts of an application besides Flask and the database."""

    settings: Settings
    broadcast: ChangeBroadcast
    """Announces changes to other machines."""
    providers: dict[str, Provider]
    """Login providers by key, in the order in which they are offered."""
    post_limits: PostLimits
    """The limits of a new comment."""
    limiters: dict[str, Limiter]
    """All other limits, by the names in `routes.py`."""
    code: str = ""
    """The fingerprint of the code that was loaded."""
    run: str = field(default_factory=partial(secrets.token_hex, 8))
    """A random name; workers that were forked afterwards have the same."""

    export_slot: threading.Semaphore = field(default_factory=threading.Semaphore)
    """Taken while an export is downloaded: one at a time in a process, because it has one of the few threads."""

    upload_slot: threading.Semaphore = field(default_factory=threading.Semaphore)
    """Taken while a file is uploaded, for the same reason."""

    visits: Visits = field(default_factory=Visits)
    """What this process knows of readers' visits, for answers from elsewhere."""

    @cached_property
    def flow(self) -> Flow:
        """The OAuth client; loaded when needed, because it takes a fifth of the memory and start-up time."""
        from commentsvc.integrations.oauth.flow import Flow

        return Flow()

    @cached_property
    def hash_key(self) -> bytes:
        """The key of hashes that must last, read from the database once per process."""
        return hash_keys.load(db.engine)

    def install(self, app: Flask) -> None:
        """Set these as the services of an application."""
        app.extensions[_KEY] = self


def services_of(app: Flask) -> Services:
    """Return the services of an application."""
    return cast(Services, app.extensions[_KEY])


def services() -> Services:
    """Return the services of the running application."""
    return services_of(current_app)


def settings() -> Settings:
    """Return the running service's settings."""
    return services().settings


def shown_name() -> str:
    """Return the name by which a sign-in page says whose it is: the only site's, or else the service's host."""
    return sites.only_name(database()) or settings().host


def hash_key() -> bytes:
    """Return the key of hashes that must last."""
    return services().hash_key


def post_limits() -> PostLimits:
    """Return the limits of a new comment."""
    return services().post_limits


def limiter(name: str) -> Limiter:
    """Return the limit with this name from `routes.py`."""
    return services().limiters[name]


def database() -> Session:
    """Return this request's database session."""
    return db.session()


def has_used_database() -> bool:
    """Whether this request has a database session."""
    return db.session.registry.has()


def outage_of_database() -> Outage:
    """Return what this process knows about an outage of its database."""
    return outage_of(db.engine)


def close_database(_error: BaseException | None) -> None:
    """Close this request's database session, and forget it even if that fails, or another request would get it."""
    try:
        db.session.remove()
    finally:
        db.session.registry.clear()


@contextmanager
def writing() -> Iterator[Session]:
    """Yield this request's session with the write lock: one transaction, in which a view makes its change.

    Leaving the block commits, at its end or by `return`. An error of any kind rolls back, ends the transaction and
    propagates to the caller, who may read and answer without blocking other writers. Objects loaded before are read
    again under the lock. Notices, cookies and redirects come after the block.
    """
    session = database()
    try:
        begin_write(session)
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


def providers() -> dict[str, Provider]:
    """Return the login providers of this service, by key, in the order in which they are offered."""
    return services().providers


def flow() -> Flow:
    """Return the OAuth client."""
    return services().flow
