"""Log lines go to standard error, one a line; no comment text, no address in clear."""

from __future__ import annotations

import logging
import logging.config


def configure(level: str) -> None:
    """Send the root logger to standard error at `level` (a name the logging module knows)."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": level, "handlers": ["stderr"]},
            # Alembic introduces itself whenever it only looks, and each of its plugins whenever it migrates.
            "loggers": {"alembic.runtime": {"level": "WARNING"}},
        }
    )
