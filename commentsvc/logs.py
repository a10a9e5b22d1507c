"""Logging to standard error, without comment texts and without addresses in clear text."""

from __future__ import annotations

import json
import logging
import logging.config
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

JSON = "json"
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that this thread answers; empty outside of requests."""


def configure(level: str, log_format: str = "text") -> None:
    """Send the root logger to standard error at `level`, a name of the logging module, as `text` or `json`."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter(log_format)},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": level, "handlers": ["stderr"]},
            # Alembic logs its context even for a mere check, and each of its plugins with every migration.
            "loggers": {"alembic.runtime": {"level": "WARNING"}},
        }
    )


def formatter(log_format: str, name: str = "%(name)s") -> dict[str, Any]:
    """Return the configuration of the lines' formatter; `name` says in text who logs."""
    if log_format == JSON:
        return {"()": JsonFormatter}
    return {"()": TextFormatter, "fmt": f"%(asctime)s %(levelname)s {name}: %(message)s"}


class TextFormatter(logging.Formatter):
    """Formats a line for people, with the request's id at the end of the message if it has a traceback.

    Other lines name what they are about; a traceback is what the error page's id leads to.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name of the overridden method
        """Return the line without the traceback."""
        line = super().formatMessage(record)
        number = request_id.get()
        return f"{line} [{number}]" if number and record.exc_info else line


class JsonFormatter(logging.Formatter):
    """Formats a record as one line with a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback is a field of it."""
        fields = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json_line(fields, at=datetime.fromtimestamp(record.created, UTC), request=request_id.get())


def json_line(fields: dict[str, Any], *, at: datetime, request: str) -> str:
    """Return a log line as a JSON object in ASCII, with its time and the id of its request, if it has one."""
    ends = {"request_id": request} if request else {}
    return json.dumps({"time": at.isoformat(timespec="milliseconds"), **fields, **ends}, default=str)
