"""The daily backup of the background work, in a thread of its own, and the upkeep of the ledger beside it."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from commentsvc.cli.background_thread import BackgroundThread
from commentsvc.config import Settings
from commentsvc.domain.ledger import upkeep
from commentsvc.domain.maintenance import backups
from commentsvc.errors import BackupError, BackupRunningError
from commentsvc.models import now

CHECK_EVERY = 60
"""Seconds between two questions whether a backup is due."""
AGAIN_AFTER = 3600
"""Seconds until another attempt if one failed, as on a full disk."""
LEDGER_EVERY = 600
"""Seconds between two comparisons of the ledger's file with its table."""

log = logging.getLogger(__name__)


class ScheduledBackups:
    """The backups that one process makes; several processes make one a day together."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._next_check = self._next_ledger = time.monotonic()
        # A stop does not wait for it: what is unfinished has no name, and is removed by the next one.
        self._thread = BackgroundThread("backup", self.make, daemon=True)

    def begin(self, _session: Session) -> None:
        """Begin the backup of today if there is none yet; it may take minutes, for which mail must not wait."""
        is_running, is_early = self._thread.is_running, time.monotonic() < self._next_check
        if not self._settings.backup_dir or is_running or is_early:
            return
        self._next_check = time.monotonic() + CHECK_EVERY
        if self._is_due():
            self._thread.begin()

    def make(self) -> None:
        """Make the backup of today unless there is one; an error is logged, and the next attempt is later."""
        if not self._settings.backup_dir:
            return
        from commentsvc.domain.recovery import making  # here, because few processes make any

        try:
            path = making.make_daily(self._engine, Path(self._settings.backup_dir), at=now())
        except BackupRunningError:
            return
        except BackupError as error:
            self._failed(str(error))
        except Exception:
            self._next_check = time.monotonic() + AGAIN_AFTER
            log.exception("the backup failed, and will be tried again")
        else:
            if path is not None:
                log.info("a backup was made and proved: %s", path)

    def keep_ledger(self, session: Session) -> None:
        """Bring the ledger's file up to date, and drop what no backup needs."""
        if time.monotonic() < self._next_ledger:
            return
        self._next_ledger = time.monotonic() + LEDGER_EVERY
        directory = self._settings.ledger_dir
        try:
            upkeep.bring_up_to_date(session, directory)
            existing = backups.in_directory(directory) if directory.is_dir() else []
            oldest = existing[-1].at if existing else None
            upkeep.drop_old(session, directory, oldest_backup=oldest, at=now())
        except OSError as error:
            log.error("the ledger in %s cannot be written: %s", directory, error.strerror)

    def _is_due(self) -> bool:
        try:
            return backups.is_due(Path(self._settings.backup_dir), at=now())
        except OSError as error:
            self._failed(f"{self._settings.backup_dir} cannot be read: {error.strerror}.")
            return False

    def _failed(self, reason: str) -> None:
        self._next_check = time.monotonic() + AGAIN_AFTER
        log.error("%s It will be tried again.", reason)
