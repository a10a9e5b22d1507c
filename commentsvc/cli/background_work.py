"""The work outside of requests: mail, titles of articles, expired data. `serve` and `work` do it continuously."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from wsgiref.types import WSGIApplication

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from commentsvc import host_names
from commentsvc.cli.background_thread import BackgroundThread
from commentsvc.cli.scheduled_backups import ScheduledBackups
from commentsvc.cli.service import Application
from commentsvc.cli.social_work import SocialWork
from commentsvc.config import Settings
from commentsvc.db import write_stop
from commentsvc.db.outage import is_unavailability, outage_of
from commentsvc.domain import hash_keys
from commentsvc.domain.admin import import_jobs
from commentsvc.domain.endpoints import endpoints
from commentsvc.domain.maintenance import (
    article_titles,
    deleted_data,
    provider_notices,
    retention,
    work_rounds,
)
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.domain.notifications import events, outbox
from commentsvc.domain.notifications.outbox import OutgoingMail, Send
from commentsvc.domain.subscriptions import announcements, fan_out, feeds, moderator_mail
from commentsvc.domain.subscriptions.composing import Composer
from commentsvc.domain.subscriptions.links import MailLinks
from commentsvc.domain.subscriptions.mail_words import MailWriter
from commentsvc.domain.surge import episodes
from commentsvc.domain.votes import score_changes
from commentsvc.errors import ServiceMovingError
from commentsvc.models import now

if TYPE_CHECKING:
    from commentsvc.integrations.article_page import ArticlePage
    from commentsvc.integrations.site_feed import ReadFeed

EVERY = 5
"""Seconds between two rounds."""
RECORD_EVERY = 60
"""Seconds between two records of a round in the database, which `doctor` and `/healthz` read."""
SWEEP_EVERY = 3600
"""Seconds between two deletions of expired data."""
LOG_EVERY = 30
"""Seconds between two attempts to empty SQLite's write-ahead log, so that erased words do not stay in it."""

Step = Callable[[Session], object]
Stopped = Callable[[], bool]

log = logging.getLogger(__name__)


def load(application: Application) -> WSGIApplication:
    """Start the background thread of a worker process, and return its WSGI application."""
    main = threading.main_thread()
    work = BackgroundWork(application.engine, application.settings, lambda: not main.is_alive())
    # Not a daemon: it finishes its current step when the process stops.
    threading.Thread(target=work.run, name="background work").start()
    return application.wsgi


class BackgroundWork:
    """Rounds of work. Any number of processes may do them at once: each row is taken by one of them."""

    def __init__(self, engine: Engine, settings: Settings, stopped: Stopped = lambda: False) -> None:
        self._engine, self._settings, self._stopped = engine, settings, stopped
        self._next_record = self._next_sweep = self._next_log = time.monotonic()
        self._import = BackgroundThread("import by upload", lambda: _run(engine, self._import_uploads))
        self._backups = ScheduledBackups(engine, settings)
        self._requests = BackgroundThread("requests to endpoints", lambda: _run(engine, self._send_requests))
        self._social = SocialWork(engine, settings, _run, stopped)

    def run(self) -> None:
        """Do a round every few seconds until `stopped` returns True; log errors."""
        while not self._stopped():
            _run(self._engine, self._round)
            for _ in range(EVERY * 2):
                if self._stopped():
                    return
                time.sleep(0.5)

    def _round(self, _session: Session) -> None:
        """Do what is due, unless the service moves to another database."""
        if write_stop.stands(self._engine):
            return
        for step in (
            self._record,
            self._read_feeds,
            self._mail,
            *self._upkeep(),
            self._begin_import,
            self._begin_requests,
            self._social.begin,
            self._backups.begin,
            self._backups.keep_ledger,
            self._sweep,
            self._empty_log,
        ):
            _run(self._engine, step)

    def once(self, session: Session) -> int:
        """Do all that is due now, and return how many mails were tried; raises the errors of the database."""
        self._record(session)
        self._read_feeds(session)
        tried = self._mail(session)
        for step in self._upkeep():
            step(session)
        self._import_uploads(session)
        self._send_requests(session)
        self._social.work(session)
        self._backups.keep_ledger(session)
        session.rollback()
        self._backups.make()
        retention.delete_expired(session, RetentionPeriods.read(self._settings), at=now())
        return tried

    def _record(self, _session: Session) -> None:
        if time.monotonic() >= self._next_record:
            self._next_record = time.monotonic() + RECORD_EVERY
            work_rounds.record(self._engine, at=now())

    def _read_feeds(self, session: Session) -> None:
        """Look for new articles, if mail is sent: they are announced only by mail."""
        if self._settings.smtp_url:
            feeds.poll(session, feed_reader(self._settings), at=now(), stopped=self._stopped)

    def _mail(self, session: Session) -> int:
        """Send all mail that is due, and return how many were tried."""
        if not self._settings.smtp_url:
            return self._without_mail(session)
        with sending(self._settings) as send:
            return self._send_all(session, send)

    def _without_mail(self, session: Session) -> int:
        """Tell only endpoints of new comments; return that no mail was tried."""
        if endpoints.is_any(session):
            key = hash_keys.load(self._engine)
            hour = self._settings.digest_hour
            fan_out.spread(session, key, digest_hour=hour, at=now(), mails=False, stopped=self._stopped)
        else:
            fan_out.discard(session, at=now())
        return 0

    def _send_all(self, session: Session, send: Send) -> int:
        tried = 0

        def counted(letter: OutgoingMail) -> None:
            nonlocal tried
            tried += 1
            send(letter)

        hash_key = hash_keys.load(self._engine)
        hour = self._settings.digest_hour
        moderator_mail.spread(session, digest_hour=hour, at=now())
        fan_out.spread(session, hash_key, digest_hour=hour, at=now(), stopped=self._stopped)
        announcements.spread(session, digest_hour=hour, at=now(), stopped=self._stopped)
        compose, per_hour = composer(self._settings).compose, self._settings.mail_per_hour
        while not self._stopped() and outbox.deliver(
            session, counted, at=now(), compose=compose, per_hour=per_hour
        ):
            pass
        return tried

    def _upkeep(self) -> Sequence[Step]:
        """Return what else is done in each round."""
        read = title_reader(self._settings)
        return (
            lambda session: episodes.close_ended(session, at=now()),
            lambda session: score_changes.publish(session, at=now()),
            lambda session: import_jobs.tidy(session, self._settings.data_dir, at=now()),
            lambda session: provider_notices.resume(session, at=now()),
            lambda session: article_titles.refresh(session, read, at=now(), stopped=self._stopped),
        )

    def _begin_import(self, session: Session) -> None:
        """Begin a due import, which may take minutes."""
        if import_jobs.is_any_due(session):
            self._import.begin()

    def _begin_requests(self, session: Session) -> None:
        """Begin to send what is due to endpoints, whose servers may be slow."""
        if endpoints.is_any(session):
            self._requests.begin()

    def _send_requests(self, session: Session) -> None:
        if not endpoints.is_any(session):
            return
        from commentsvc.domain.endpoints import (
            composing,
            sending,
        )  # here, because few services have endpoints

        events.spread_held(session, at=now())
        writer = composing.RequestWriter(MailLinks(self._settings.base_url), self._settings.secret_key)
        sender = sending.EndpointSender(writer, self._settings.private_endpoints)
        while not self._stopped() and sending.deliver(session, sender, at=now()):
            pass

    def _import_uploads(self, session: Session) -> None:
        if import_jobs.is_any_due(session):
            from commentsvc.domain.transfer import import_runner  # here, because few services import anything

            import_runner.run_due(session, self._settings.data_dir, stopped=self._stopped)

    def _sweep(self, session: Session) -> None:
        if time.monotonic() < self._next_sweep:
            return
        self._next_sweep = time.monotonic() + SWEEP_EVERY
        periods = RetentionPeriods.read(self._settings)
        if retention.delete_expired(session, periods, at=now(), stopped=self._stopped):
            self._next_sweep = time.monotonic()

    def _empty_log(self, session: Session) -> None:
        if self._engine.dialect.name == "sqlite" and time.monotonic() >= self._next_log:
            self._next_log = time.monotonic() + LOG_EVERY
            session.rollback()
            deleted_data.empty_log(self._engine, within=0)


@contextmanager
def sending(settings: Settings) -> Iterator[Send]:
    """Yield a function that sends a mail, through one connection as far as possible; a mail server must be set."""
    from commentsvc.integrations import smtp  # here, because not every service sends mail

    relay = smtp.SmtpServer.read(settings.smtp_url)
    connection = smtp.SmtpConnection(relay, settings.sender)

    def send(letter: OutgoingMail) -> None:
        smtp.send(
            relay,
            settings.sender,
            letter.recipient,
            letter.subject,
            letter.text,
            number=letter.number,
            html=letter.html,
            sender_name=letter.sender_name,
            message_id=letter.message_id,
            headers=letter.headers,
            connection=connection,
        )

    try:
        yield send
    finally:
        connection.close()


def composer(settings: Settings) -> Composer:
    """Return what writes the mails to subscribers."""
    host = settings.sender.rpartition("@")[2]
    with suppress(ValueError):
        host = host_names.in_ascii(host)
    writer = MailWriter(MailLinks(settings.base_url), host)
    return Composer(writer, settings.secret_key, settings.digest_hour)


def title_reader(settings: Settings) -> article_titles.Read:
    """Return a function that reads the title of an article."""

    def read(url: str, origins: frozenset[str]) -> ArticlePage | None:
        from commentsvc.integrations import article_page  # here, so that it is loaded when first needed

        return article_page.read(url, within=origins, allow_private=settings.private_articles)

    return read


def feed_reader(settings: Settings) -> feeds.ReadFeedAt:
    """Return a function that requests a site's feed."""

    def read(url: str, etag: str | None, last_modified: str | None) -> ReadFeed:
        from commentsvc.integrations import site_feed  # here, because few services read feeds

        return site_feed.read(
            url, etag=etag, last_modified=last_modified, allow_private=settings.private_articles
        )

    return read


def _run(engine: Engine, step: Step) -> None:
    """Run a step; an error ends neither the steps that follow nor the thread, and may be gone in the next round."""
    try:
        with Session(engine) as session:
            step(session)
        outage_of(engine).worked(writing=False)
    except ServiceMovingError:
        log.info("the background work pauses, because the service moves to another database")
    except Exception as error:
        if is_unavailability(error):
            outage_of(engine).failed(error, "background work", writing=False)
        else:
            log.exception("the background work failed")
