"""/healthz: whether this process can do its work, for supervisors and load balancers."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from commentsvc.web.context import database

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 while the database answers; the 503 otherwise comes from the error handler."""
    database().execute(text("SELECT 1"))
    return jsonify(status="ok")
