"""Mails the operator when a surge begins, in English like everything for operators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain.notifications import outbox
from commentsvc.domain.surge import episodes
from commentsvc.domain.surge.episodes import WORDS, SurgeStep
from commentsvc.models import Pressure, Site


def enqueue_alerts(
    session: Session, site: Site, recipients: Sequence[str], *, base_url: str, at: datetime
) -> int:
    """Enqueue a mail to each recipient about every surge that has not been mailed yet; return the number of mails.

    Needs `begin_write`; the mails are sent after the commit.
    """
    if not recipients:
        return 0
    written = 0
    for row in episodes.open_rows(session, site.id):
        if row.mailed_at is None and episodes.effective_step(row, at) and _is_first(session, row, at):
            where = episodes.where(session, row, in_mail=True)
            for recipient in recipients:
                _write(session, site, row, where, recipient, base_url=base_url, at=at)
            written += len(recipients)
    session.flush()
    return written


def _is_first(session: Session, row: Pressure, at: datetime) -> bool:
    """Mark a surge as mailed; return whether this process was the first to do so."""
    untold = update(Pressure).where(Pressure.id == row.id, Pressure.mailed_at.is_(None)).values(mailed_at=at)
    return change_rows(session, untold) == 1


def _write(
    session: Session, site: Site, row: Pressure, where: str, recipient: str, *, base_url: str, at: datetime
) -> None:
    words = WORDS[SurgeStep(row.step)]
    text = (
        f"Comments are pouring in on {where} ({site.name}): {row.reason}\n\n"
        f"Since {row.began_at:%H:%M} UTC {words}. More are held if it goes on, and fewer\n"
        f"when it ends. You can look at the held comments, hold all of them, or let them appear:\n\n"
        f"    {base_url}/admin?site={site.id}\n\n"
        f"This is the only mail about it. You get it because COMMENTSVC_ALERT_MAIL names this address.\n"
    )
    outbox.enqueue(
        session,
        site_id=site.id,
        recipient=recipient,
        subject=f"Comments are pouring in on {site.name}",
        text=text,
        at=at,
    )
