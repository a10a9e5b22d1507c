"""The record of background work, which is one row whoever does the work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import db
from commentsvc.domain.maintenance import work_rounds
from commentsvc.models import WorkRound
from tests.support.comment_builders import NOON


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_the_last_round_is_recorded(app: Flask, session: Session) -> None:
    assert session.scalar(work_rounds.last_round) is None
    for minutes in (0, 1):
        session.rollback()
        work_rounds.record(db.engine, at=NOON + timedelta(minutes=minutes))
        assert session.scalar(work_rounds.last_round) == NOON + timedelta(minutes=minutes)
    assert session.scalar(select(func.count(WorkRound.id))) == 1


def test_work_is_late_where_nobody_has_begun_it() -> None:
    assert work_rounds.is_late(None, at=NOON)
    assert not work_rounds.is_late(NOON - work_rounds.LATE, at=NOON)
    assert work_rounds.is_late(NOON - work_rounds.LATE - timedelta(seconds=1), at=NOON)
