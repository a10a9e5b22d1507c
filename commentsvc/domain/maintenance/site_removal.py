"""Removes a site with everything that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.db.session import begin_write
from commentsvc.domain.maintenance import deleted_data
from commentsvc.domain.threads import threads
from commentsvc.models import ApiToken, ApiTokenSite, Comment, Origin, PreviewOrigin, Site, Thread

BATCH = 200
"""Comments per transaction, during which nobody else can write on SQLite."""


@dataclass(frozen=True, slots=True)
class SiteContents:
    """What goes with a site."""

    threads: int
    comments: int


def contents(session: Session, site_id: int) -> SiteContents:
    """Count what `remove` would delete."""
    counts = [
        select(func.count()).select_from(table).where(table.site_id == site_id).scalar_subquery()
        for table in (Thread, Comment)
    ]
    row = session.execute(select(*counts)).one()
    return SiteContents(row[0], row[1])


def remove(
    session: Session, site_id: int, *, progress: Callable[[int], object], most: int | None = None
) -> bool:
    """Delete a site, its threads, comments, roles, bans, notes, log, and the tokens that are for no other site.

    Accounts stay: they may be used elsewhere.

    Its origins go first, so that nobody comments meanwhile. Commits after every batch, newest comments first, because a
    comment takes its replies along; an interrupted run can be started again. With `most` it stops after about so many
    comments and returns False if the site is still there.
    """
    begin_write(session)
    for table in (Origin, PreviewOrigin):
        change_rows(session, delete(table).where(table.site_id == site_id))
    threads.invalidate_site(session, site_id)
    session.commit()
    removed = 0
    newest = select(Comment.id).where(Comment.site_id == site_id).order_by(Comment.id.desc()).limit(BATCH)
    while batch := session.scalars(newest).all():
        if most is not None and removed >= most:
            return False
        begin_write(session)
        change_rows(session, delete(Comment).where(Comment.id.in_(batch)))
        session.commit()
        removed += len(batch)
        progress(len(batch))
    begin_write(session)
    change_rows(session, delete(Site).where(Site.id == site_id))
    # A token that is for no site can be used for nothing, and no list shows it.
    change_rows(session, delete(ApiToken).where(~exists().where(ApiTokenSite.token_id == ApiToken.id)))
    session.commit()
    deleted_data.purge(session)
    return True
