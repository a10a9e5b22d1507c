"""The `deliver` command and what `serve` does in the background: send mail, read titles, delete what is old."""

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
"""Seconds between two looks at the outbox."""
SWEEP_EVERY = 3600
"""Seconds between two looks for what was kept for its time."""

log = logging.getLogger(__name__)


@click.command()
def deliver() -> None:
    """Send the mail that is due, read the titles of articles, and delete what was kept for its time, once.

    `serve` does this by itself all the time. With another WSGI server, have it run every minute.
    """
    settings = service.settings()
    with service.opened(settings) as session:
        sent = _round(session, settings, sender(settings), _never)
        retention.delete_expired(session, RetentionPeriods.read(settings), at=now())
        left = outbox.waiting(session)
    click.echo(f"Tried to send {sent}; {left} waiting.")


def load(application: Application) -> WsgiApp:
    """Return what one of `serve`'s processes answers with, its outbox at work beside it."""
    # No daemon: it ends by itself as soon as the process wants to, with what it was at.
    threading.Thread(target=_work, args=(application.engine, application.settings), name="outbox").start()
    return application.wsgi


def sender(settings: Settings) -> Send | None:
    """Return what sends a mail; None where none is to be sent."""
    if not settings.smtp_url:
        return None
    from commentsvc.integrations import smtp  # for those alone who send any

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
    """Return what asks an article for its title."""

    def read(url: str, origins: frozenset[str]) -> article_titles.TitledPage | None:
        from commentsvc.integrations import article_page  # once there is an article to be asked

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
        except Exception:  # the next round may fare better, and no other thread does this
            log.exception("the background work could not be done")
        for _ in range(EVERY * 2):
            if not main.is_alive():
                return
            time.sleep(0.5)


def _never() -> bool:
    return False


def _round(session: Session, settings: Settings, send: Send | None, stopped: Callable[[], bool]) -> int:
    """Do all that is due, and return how many mails that were."""
    episodes.close_ended(session, at=now())
    outbox.tidy(session, at=now())
    edits.tidy(session, at=now())
    tried = 0
    while send and not stopped() and outbox.deliver(session, send, at=now()):
        tried += 1
    article_titles.refresh(session, title_reader(settings), at=now(), stopped=stopped)
    return tried
