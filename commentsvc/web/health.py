"""/healthz: whether this process works, for supervisors and load balancers."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from commentsvc.web.context import database

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Return 200 if the database answers; otherwise the error handler returns 503."""
    database().execute(text("SELECT 1"))
    return jsonify(status="ok")
