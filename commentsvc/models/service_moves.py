"""The move of the whole service to another database."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import choice


class MoveState(StrEnum):
    COPYING = "copying"
    """Everything is being copied from here; ends by itself at `expires`."""
    MOVED = "moved"
    """Everything is in the other database."""
    ARRIVING = "arriving"
    """A copy is here, but the database that it came from is not marked as moved yet."""


class ServiceMove(Base):
    """One row while the service moves, and in the database that it left; `db/write_stop.py` obeys it."""

    __tablename__ = "service_move"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[MoveState] = mapped_column(choice(MoveState))
    token: Mapped[str] = mapped_column(String(32))
    """A random name of this move, the same in both databases."""
    other: Mapped[str] = mapped_column(String(500))
    """The URL of the other database, without a password."""
    expires: Mapped[int | None] = mapped_column(BigInteger)
    """When the stop ends unless it is renewed, in seconds since 1970 by the database's clock; None: never."""
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
