"""Logging to standard error, without comment texts and without addresses in clear text."""

from __future__ import annotations

import logging
import logging.config


def configure(level: str) -> None:
    """Send the root logger to standard error at `level`, a name of the logging module."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": level, "handlers": ["stderr"]},
            # Alembic logs its context even for a mere check, and each of its plugins with every migration.
            "loggers": {"alembic.runtime": {"level": "WARNING"}},
        }
    )
