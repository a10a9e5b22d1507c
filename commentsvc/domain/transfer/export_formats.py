"""The formats in which a site can be exported, and what each of them leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from commentsvc.domain.archive import writing
from commentsvc.domain.transfer import export_plain, export_wxr
from commentsvc.messages import gettext_noop
from commentsvc.models import Site

Write = Callable[[Session, Site, datetime], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format."""

    name: str
    """For `--format`."""
    ending: str
    """Of its files' names."""
    media_type: str
    label: str
    """For people."""
    lost: str
    """A sentence about what it leaves out."""
    write: Write


FORMATS: Sequence[ExportFormat] = (
    ExportFormat(
        "archive",
        ".zip",
        "application/zip",
        gettext_noop("Archive"),
        gettext_noop("Left out are secrets, sessions, tokens, webhooks, previews and who voted."),
        lambda session, site, at: writing.pieces(session, site, at=at),
    ),
    ExportFormat(
        "wxr",
        ".xml",
        "application/xml",
        gettext_noop("WXR, for WordPress and Disqus"),
        gettext_noop(
            "Texts become HTML, and times full seconds. Left out are the badges of moderators and of authors without "
            "an account, pins, the times of edits, accounts, decisions and their reasons, earlier texts, reports, "
            "bans, rules, settings and subscriptions."
        ),
        lambda session, site, _: export_wxr.pieces(session, site),
    ),
    ExportFormat(
        "json",
        ".json",
        "application/json",
        "JSON",
        gettext_noop(
            "Left out are whether an article is closed, accounts, decisions and their reasons, earlier texts, "
            "reports, bans, rules, settings and subscriptions."
        ),
        lambda session, site, _: export_plain.json_pieces(session, site),
    ),
    ExportFormat(
        "csv",
        ".csv",
        "text/csv",
        gettext_noop("CSV, for spreadsheets"),
        gettext_noop(
            "Cells that a spreadsheet would run as a formula begin with an apostrophe. Left out are whether an article "
            "is closed, accounts, decisions and their reasons, earlier texts, reports, bans, rules, settings and "
            "subscriptions."
        ),
        lambda session, site, _: export_plain.csv_pieces(session, site),
    ),
)
NAMES = tuple(each.name for each in FORMATS)


def named(name: str) -> ExportFormat | None:
    """Return the format of this name."""
    return next((each for each in FORMATS if each.name == name), None)


def of_file(path: Path) -> ExportFormat | None:
    """Return the format that a file's ending means."""
    return next((each for each in FORMATS if each.ending == path.suffix.lower()), None)
