"""deliver, and what `serve` does beside answering: mail is sent, what has become calm noted, what is old forgotten."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import click
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from commentsvc.adapters.server import WsgiApp
from commentsvc.cli import service
from commentsvc.cli.service import Application
from commentsvc.config import Settings
from commentsvc.domain import outbox
from commentsvc.domain.desk import revisions
from commentsvc.domain.outbox import Letter, Send
from commentsvc.domain.verdicts import spells
from commentsvc.models import now

EVERY = 5
"""Seconds between two looks at the outbox."""

log = logging.getLogger(__name__)


@click.command()
def deliver() -> None:
    """Send the mail that is due, once.

    `serve` does this by itself all the time. With another WSGI server, have it run every minute.
    """
    settings = service.settings()
    with service.opened(settings) as session:
        sent = _round(session, sender(settings), lambda: False)
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
    from commentsvc.adapters import mail  # for those alone who send any

    relay = mail.Relay.read(settings.smtp_url)

    def send(letter: Letter) -> None:
        mail.send(
            relay,
            settings.sender,
            letter.recipient,
            letter.subject,
            letter.text,
            number=letter.number,
        )

    return send


def _work(engine: Engine, settings: Settings) -> None:
    send, main = sender(settings), threading.main_thread()
    while main.is_alive():
        try:
            with Session(engine) as session:
                _round(session, send, lambda: not main.is_alive())
        except Exception:  # the next round may fare better, and no other thread does this
            log.exception("the outbox could not be looked at")
        for _ in range(EVERY * 2):
            if not main.is_alive():
                return
            time.sleep(0.5)


def _round(session: Session, send: Send | None, stopped: Callable[[], bool]) -> int:
    """Do all that is due, and return how many mails that were."""
    spells.sweep(session, at=now())
    outbox.tidy(session, at=now())
    revisions.tidy(session, at=now())
    tried = 0
    while send and not stopped() and outbox.deliver(session, send, at=now()):
        tried += 1
    return tried
