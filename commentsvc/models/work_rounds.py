"""When background work was last done, by whichever process of whichever machine."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from commentsvc.db.session import Base, UTCDateTime


class WorkRound(Base):
    """The beginning of the last round of background work; one row."""

    __tablename__ = "work_round"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
