"""An article's title: who gave it, and who may see it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, literal
from sqlalchemy.orm import Session

from commentsvc.domain import fields
from commentsvc.domain.threads import threads
from commentsvc.models import Thread, TitleSource

_MAILED = frozenset({TitleSource.ARTICLE, TitleSource.IMPORT, TitleSource.MODERATOR})


def public_title() -> ColumnElement[str | None]:
    """Return the title in a query, NULL while nothing of the thread is public."""
    return case((Thread.approved_count > 0, Thread.title), else_=literal(None))


def name_for_mail(thread: Thread) -> str:
    """Return what a mail calls an article: its title, or its address where the title is a mere browser's word."""
    return thread.title if thread.title and thread.title_source in _MAILED else thread.url


def from_import(session: Session, thread: Thread, title: str) -> None:
    """Take the title that an import brings, where only a browser has said another. Needs `begin_write`."""
    if thread.title_source in {None, TitleSource.BROWSER}:
        _replace(session, thread, fields.title(title), TitleSource.IMPORT)


def from_article(session: Session, thread: Thread, title: str) -> None:
    """Take the title that the article's page has, unless a moderator gave one. Needs `begin_write`."""
    if thread.title_source is not TitleSource.MODERATOR:
        _replace(session, thread, fields.title(title), TitleSource.ARTICLE)


def from_moderator(session: Session, thread: Thread, title: str) -> None:
    """Give a title that stays; an empty one lets the article say it again. Needs `begin_write`."""
    cleaned = fields.title(title)
    if cleaned is not None:
        _replace(session, thread, cleaned, TitleSource.MODERATOR)
        return
    thread.title_checked_at, thread.title_tries = None, threads.TITLE_TRIES
    if thread.title_source is TitleSource.MODERATOR:
        thread.title = thread.title_source = None
        session.flush()
        threads.mark_changed(session, thread.id)


def _replace(session: Session, thread: Thread, title: str | None, source: TitleSource) -> None:
    if title is None:
        return
    is_other, thread.title, thread.title_source = title != thread.title, title, source
    session.flush()
    if is_other:  # readers see it above the thread
        threads.mark_changed(session, thread.id)
