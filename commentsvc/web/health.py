"""/healthz, /livez and /readyz: whether this process works, for supervisors and load balancers."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from commentsvc.db import outage, readiness, sqlite
from commentsvc.db.session import db, sqlite_file
from commentsvc.domain.maintenance import work_rounds
from commentsvc.models import Comment, Site, Thread, now
from commentsvc.web import error_pages
from commentsvc.web.context import database, outage_of_database, settings

blueprint = Blueprint("health", __name__)

_TABLES = select(
    *(select(func.max(table.id)).scalar_subquery() for table in (Site, Thread, Comment)),
    work_rounds.last_round.scalar_subquery().label("last_round"),
)
"""A row of each table that every page reads; a lock on one of them is an outage, too."""

READY_WITHIN = 1.0
"""Seconds in which the database must answer: the usual limit of those who ask."""


@blueprint.get("/livez")
def livez() -> ResponseReturnValue:
    """Return 200 if this process answers; it does not use the database, whose outage is no reason to restart it."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Return 200 if the database answers within a second; otherwise 503."""
    if readiness.answers(db.engine, _TABLES, within=READY_WITHIN):
        return jsonify(status="ok")
    return _ill("The database does not answer.")


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Return 200 if the database answers and can store; otherwise 503, with what is wrong.

    It also says whether background work is done. That is no reason to keep readers from this process.
    """
    try:
        row = database().execute(_TABLES).one()
    except SQLAlchemyError as error:
        words = error_pages.unavailable(error)
        return _ill(words if words == error_pages.NOT_STORED else _why(error))
    file = sqlite_file(settings().database_url)
    if outage_of_database().is_storage_doubted or (file and sqlite.storage_fault(file.parent)):
        return _ill(error_pages.NOT_STORED)
    is_late = work_rounds.is_late(row.last_round, at=now())
    return jsonify(status="ok", background_work="late" if is_late else "ok")


def _why(error: SQLAlchemyError) -> str:
    """Return what is wrong, without the names and addresses that a database's message may have."""
    is_gone = outage.reason(error) in (sqlite.MISSING, sqlite.REPLACED)
    return "The database file is missing or was replaced." if is_gone else "The database does not answer."


def _ill(message: str) -> ResponseReturnValue:
    response = jsonify(status="unavailable", message=message)
    response.status_code = 503
    response.headers["Retry-After"] = "5"
    return response
