"""The `deliver` command, and the background thread of `serve`: send mail, read titles, delete expired data."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

import click
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from commentsvc.cli import service
from commentsvc.cli.service import Application
from commentsvc.config import Settings
from commentsvc.db.outage import is_unavailability, outage_of
from commentsvc.domain.admin import edits
from commentsvc.domain.maintenance import article_titles, deleted_data, provider_notices, retention
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.domain.notifications import outbox
from commentsvc.domain.notifications.outbox import OutgoingMail, Send
from commentsvc.domain.surge import episodes
from commentsvc.models import now
from commentsvc.serving.server import WsgiApp

EVERY = 5
"""Seconds between two checks of the outbox."""
SWEEP_EVERY = 3600
"""Seconds between two deletions of expired data."""

LOG_EVERY = 30
"""Seconds between two attempts to empty SQLite's write-ahead log, so that erased words do not stay in it."""

Step = Callable[[Session], object]

log = logging.getLogger(__name__)


@click.command()
def deliver() -> None:
    """Send due mail, read the titles of articles, and delete expired data, once.

    `serve` does this continuously. With another WSGI server, run this command every minute.
    """
    settings = service.settings()
    with service.opened(settings) as session:
        sent = _send_mail(session, settings, _never)
        for step in _upkeep(settings, _never):
            step(session)
        retention.delete_expired(session, RetentionPeriods.read(settings), at=now())
        left = outbox.waiting(session)
    click.echo(f"Tried to send {sent}; {left} waiting.")


def load(application: Application) -> WsgiApp:
    """Start the background thread of a worker process, and return its WSGI application."""
    # Not a daemon: it finishes its current step when the process stops.
    threading.Thread(target=_work, args=(application.engine, application.settings), name="outbox").start()
    return application.wsgi


def sender(settings: Settings) -> Send | None:
    """Return a function that sends a mail; None if no mail server is set."""
    if not settings.smtp_url:
        return None
    from commentsvc.integrations import smtp  # here, because not every service sends mail

    relay = smtp.SmtpServer.read(settings.smtp_url)

    def send(letter: OutgoingMail) -> None:
        smtp.send(
            relay,
            settings.sender,
            letter.recipient,
            letter.subject,
            letter.text,
            number=letter.number,
        )

    return send


def title_reader(settings: Settings) -> article_titles.Read:
    """Return a function that reads the title of an article."""

    def read(url: str, origins: frozenset[str]) -> article_titles.TitledPage | None:
        from commentsvc.integrations import article_page  # here, so that it is loaded when first needed

        return article_page.read(url, within=origins, allow_private=settings.private_articles)

    return read


def _work(engine: Engine, settings: Settings) -> None:
    main = threading.main_thread()
    next_sweep = next_log = time.monotonic()

    def stopped() -> bool:
        return not main.is_alive()

    def sweep(session: Session) -> None:
        nonlocal next_sweep
        if time.monotonic() >= next_sweep:
            next_sweep = time.monotonic() + SWEEP_EVERY
            if retention.delete_expired(session, RetentionPeriods.read(settings), at=now(), stopped=stopped):
                next_sweep = time.monotonic()

    def empty_log(session: Session) -> None:
        nonlocal next_log
        if engine.dialect.name == "sqlite" and time.monotonic() >= next_log:
            next_log = time.monotonic() + LOG_EVERY
            session.rollback()
            deleted_data.empty_log(engine, within=0)

    def mail(session: Session) -> None:
        _send_mail(session, settings, stopped)

    while not stopped():
        for step in (mail, *_upkeep(settings, stopped), sweep, empty_log):
            _run(engine, step)
        for _ in range(EVERY * 2):
            if stopped():
                return
            time.sleep(0.5)


def _run(engine: Engine, step: Step) -> None:
    """Run a step; an error ends neither the steps that follow nor the thread, and may be gone in the next round."""
    try:
        with Session(engine) as session:
            step(session)
        outage_of(engine).worked(writing=False)
    except Exception as error:
        if is_unavailability(error):
            outage_of(engine).failed(error, "background work", writing=False)
        else:
            log.exception("the background work failed")


def _never() -> bool:
    return False


def _send_mail(session: Session, settings: Settings, stopped: Callable[[], bool]) -> int:
    """Send all mail that is due, and return how many were tried."""
    send, tried = sender(settings), 0
    while send and not stopped() and outbox.deliver(session, send, at=now()):
        tried += 1
    return tried


def _upkeep(settings: Settings, stopped: Callable[[], bool]) -> Sequence[Step]:
    """Return what else is done in each round."""
    return (
        lambda session: episodes.close_ended(session, at=now()),
        lambda session: outbox.tidy(session, at=now()),
        lambda session: edits.tidy(session, at=now()),
        lambda session: provider_notices.resume(session, at=now()),
        lambda session: article_titles.refresh(session, title_reader(settings), at=now(), stopped=stopped),
    )
