"""The `deliver` command, and the background thread of `serve`: send mail, read titles, delete expired data."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import click
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from commentsvc.cli import service
from commentsvc.cli.service import Application
from commentsvc.config import Settings
from commentsvc.domain.admin import edits
from commentsvc.domain.maintenance import article_titles, retention
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

log = logging.getLogger(__name__)


@click.command()
def deliver() -> None:
    """Send due mail, read the titles of articles, and delete expired data, once.

    `serve` does this continuously. With another WSGI server, run this command every minute.
    """
    settings = service.settings()
    with service.opened(settings) as session:
        sent = _round(session, settings, sender(settings), _never)
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
    send, main = sender(settings), threading.main_thread()
    next_sweep = time.monotonic()
    while main.is_alive():
        try:
            with Session(engine) as session:
                _round(session, settings, send, lambda: not main.is_alive())
                if time.monotonic() >= next_sweep:
                    next_sweep = time.monotonic() + SWEEP_EVERY
                    if retention.delete_expired(
                        session,
                        RetentionPeriods.read(settings),
                        at=now(),
                        stopped=lambda: not main.is_alive(),
                    ):
                        next_sweep = time.monotonic()
        except Exception:  # keep the thread alive: the next round may succeed
            log.exception("the background work failed")
        for _ in range(EVERY * 2):
            if not main.is_alive():
                return
            time.sleep(0.5)


def _never() -> bool:
    return False


def _round(session: Session, settings: Settings, send: Send | None, stopped: Callable[[], bool]) -> int:
    """Do everything that is due, and return the number of mails tried."""
    episodes.close_ended(session, at=now())
    outbox.tidy(session, at=now())
    edits.tidy(session, at=now())
    tried = 0
    while send and not stopped() and outbox.deliver(session, send, at=now()):
        tried += 1
    article_titles.refresh(session, title_reader(settings), at=now(), stopped=stopped)
    return tried
