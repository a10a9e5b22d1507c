"""The title of an article: its source, and who may see it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, literal
from sqlalchemy.orm import Session

from commentsvc.domain import fields
from commentsvc.domain.threads import threads
from commentsvc.models import Thread, TitleSource

_MAILED = frozenset({TitleSource.ARTICLE, TitleSource.IMPORT, TitleSource.MODERATOR})


def public_title() -> ColumnElement[str | None]:
    """Return an SQL expression for the title, NULL if nothing in the thread is public."""
    return case((Thread.approved_count > 0, Thread.title), else_=literal(None))


def name_for_mail(thread: Thread) -> str:
    """Return an article's name in a mail: its title, or its URL if the title only comes from a browser."""
    return thread.title if thread.title and thread.title_source in _MAILED else thread.url


def approved_title(thread: Thread) -> str | None:
    """Return a title that no stranger chose, of an article with an approved comment; None if there is none."""
    if thread.title_source not in _MAILED or thread.approved_count < 1:
        return None
    return thread.title


def from_import(session: Session, thread: Thread, title: str) -> None:
    """Set an imported title, unless a moderator or the article gave one. Needs `begin_write`."""
    if thread.title_source in {None, TitleSource.BROWSER}:
        _replace(session, thread, fields.title(title), TitleSource.IMPORT)


def from_article(session: Session, thread: Thread, title: str) -> None:
    """Set the title from the article's page, unless a moderator gave one. Needs `begin_write`."""
    if thread.title_source is not TitleSource.MODERATOR:
        _replace(session, thread, fields.title(title), TitleSource.ARTICLE)


def from_moderator(session: Session, thread: Thread, title: str) -> None:
    """Set a title that stays; an empty one lets the article's page provide it again. Needs `begin_write`."""
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
