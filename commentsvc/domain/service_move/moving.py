"""Moves the whole service to another database: all rows in one snapshot, compared before anything is final."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_snapshot, connect_despite_stop
from commentsvc.domain.service_move import source_stop, target
from commentsvc.domain.service_move.source_stop import SourceStop
from commentsvc.domain.service_move.tables import TABLES, TableDigest, digest_of
from commentsvc.models import MoveState

Progress = Callable[[str], object]
"""Called with the name of each table that was copied, and of each that was compared."""
STEPS = 2 * len(TABLES)
"""How often `Progress` is called."""


@dataclass(frozen=True, slots=True)
class ComparedTable:
    """A table on both sides."""

    name: str
    source: TableDigest
    target: TableDigest

    @property
    def is_equal(self) -> bool:
        return self.source == self.target


@dataclass(slots=True)
class MoveReport:
    """What a move did."""

    tables: list[ComparedTable] = field(default_factory=list)
    nul_texts: int = 0
    """Texts with a NUL character, which PostgreSQL cannot store."""
    completed_earlier: bool = False
    """Whether an earlier move had copied everything and was only completed."""

    @property
    def is_done(self) -> bool:
        """Whether the other database has everything; otherwise nothing was written there."""
        return all(table.is_equal for table in self.tables)


@dataclass(frozen=True, slots=True)
class Side:
    """A database of the move, with its URL without a password."""

    engine: Engine
    url: str


def move(source: Side, destination: Side, progress: Progress) -> MoveReport:
    """Copy everything, compare it, and let the destination take the place of the source.

    Both have the current schema. Raises MoveError; then, and if a table differs, the destination is as it was, and the
    source accepts changes again.
    """
    if _complete_earlier(source.engine, destination.engine):
        return MoveReport(completed_earlier=True)
    source_stop.require_free(source.engine)
    with destination.engine.connect() as connection:  # before anybody's comment is refused in vain
        target.require_empty(connection)
    with source_stop.held(source.engine, destination.url) as stop:
        report = _copied(source, destination, stop, progress)
        if not report.is_done:
            return report
        # If the process is killed here, the source refuses changes for a minute; the destination stays unusable.
        stop.finish()
    with connect_despite_stop(destination.engine) as connection, connection.begin():
        target.mark_arrived(connection, stop.token)
    target.analyse(destination.engine)
    return report


def _copied(source: Side, destination: Side, stop: SourceStop, progress: Progress) -> MoveReport:
    """Copy and compare in one transaction, which is committed only if everything is equal."""
    report = MoveReport()
    with Session(source.engine) as session, connect_despite_stop(destination.engine) as there:
        begin_snapshot(session)
        here = session.connection()
        with there.begin() as transaction:
            target.prepare(there)
            for number, table in enumerate(TABLES):
                report.nul_texts += target.copy_table(here, there, number, stop)
                progress(table.name)
            target.continue_numbers(there)
            report.tables = _compared(here, there, progress)
            stop.renew()
            if report.is_done:
                target.mark_arriving(there, stop.token, source.url)
            else:
                transaction.rollback()
    return report


def _compared(here: Connection, there: Connection, progress: Progress) -> list[ComparedTable]:
    """Read every table on both sides."""
    without_nul = there.dialect.name == "postgresql"
    tables: list[ComparedTable] = []
    for table in TABLES:
        pair: Sequence[TableDigest] = [
            digest_of(side, table, without_nul=without_nul) for side in (here, there)
        ]
        tables.append(ComparedTable(table.name, *pair))
        progress(table.name)
    return tables


def _complete_earlier(source: Engine, destination: Engine) -> bool:
    """Complete a move that was killed after the source was marked as moved; return whether there was one."""
    left, arriving = source_stop.state_of(source), source_stop.state_of(destination)
    if left is None or arriving is None or left.token != arriving.token or left.state is not MoveState.MOVED:
        return False
    with connect_despite_stop(destination) as connection, connection.begin():
        target.mark_arrived(connection, arriving.token)
    return True
