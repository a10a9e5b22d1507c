"""The `work` command: the background work of `serve`, beside another WSGI server."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable

import click
from sqlalchemy.orm import Session

from commentsvc.cli import service
from commentsvc.cli.background_work import BackgroundWork
from commentsvc.domain.notifications import outbox

log = logging.getLogger(__name__)


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, and stop; for cron, every minute.")
def work(once: bool) -> None:
    """Do the background work: mail, titles, expired data.

    It sends mail, reads the titles of articles and deletes expired data, until Ctrl+C or SIGTERM. Only
    another WSGI server needs it beside it: `serve` does this work itself. Several at once do no harm.
    """
    settings = service.settings()
    stopped = _stopped_by_signal()
    with service.migrated(settings) as engine:
        if not once:
            log.info("doing the background work of %s", settings.base_url)
            BackgroundWork(engine, settings, stopped).run()
            return
        with Session(engine) as session:
            tried = BackgroundWork(engine, settings, stopped).once(session)
            waiting = outbox.waiting(session)
    click.echo(f"Tried to send {tried}; {waiting} waiting.")


def _stopped_by_signal() -> Callable[[], bool]:
    """Return a function that tells whether a stop signal has come; the current step is finished first."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal may be closed
    return stopped.is_set
