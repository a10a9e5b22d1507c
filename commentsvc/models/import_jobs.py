"""Imports of files that owners upload in the admin view."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, choice, now


class ImportState(StrEnum):
    """How far an import by upload is."""

    CHECKING = "checking"
    """The dry run is due or in progress."""
    READY = "ready"
    """The owner decides on the report of the dry run."""
    IMPORTING = "importing"
    """The import is due or in progress."""
    DONE = "done"
    FAILED = "failed"


class ImportJob(Base):
    """The last import by upload into a site."""

    __tablename__ = "import_job"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), unique=True)
    commenter_id: Mapped[int | None] = mapped_column(
        ForeignKey("commenter.id", ondelete="SET NULL"), index=True
    )
    """The owner who uploaded the file, or decided to import it."""
    state: Mapped[ImportState] = mapped_column(choice(ImportState), default=ImportState.CHECKING)
    file_name: Mapped[str] = mapped_column(String(200))
    """For people: as the owner's computer names it."""
    file: Mapped[str | None] = mapped_column(String(64))
    """Its name in the data directory; None once it is deleted."""
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes that the current pass reads, unpacked; 0 if unknown."""
    bytes_read: Mapped[int] = mapped_column(BigInteger, default=0)
    report: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Lines for the owner."""
    error: Mapped[str | None] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(default=0)
    """How often the current pass has begun."""
    claim: Mapped[str | None] = mapped_column(String(32))
    """A random name of the process that works on it."""
    claimed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When that process last showed that it is alive."""
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
