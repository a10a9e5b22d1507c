"""Known authors: a browser or account with an approved comment on the site. A typed e-mail address proves nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, Exists, exists, func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import Base
from commentsvc.domain.authors import Author
from commentsvc.models import Status

_c = Base.metadata.tables["comment"].c


def has_approved(site_id: int | BindParameter[int], proof: ColumnElement[bool]) -> Exists:
    """Return an SQL condition: whether the account or browser of `proof` has an approved comment on a site."""
    # `coalesce` hides the status from the planner; otherwise SQLite scans all approved comments of the site.
    is_approved = func.coalesce(_c.status, "") == Status.APPROVED
    return exists().where(_c.site_id == site_id, proof, is_approved)


def was_known(session: Session, site_id: int, author: Author, *, before: datetime) -> bool:
    """Whether an author was known on a site by a comment written before `before`."""
    return _is_known(session, site_id, author, _c.created_at < before)


def is_known_besides(session: Session, site_id: int, author: Author, comment_id: int) -> bool:
    """Whether an author is known on a site by another comment than this one."""
    return _is_known(session, site_id, author, _c.id != comment_id)


def _is_known(session: Session, site_id: int, author: Author, which: ColumnElement[bool]) -> bool:
    if author.commenter_id is not None:
        proof = _c.commenter_id == author.commenter_id
    elif author.author_key_hash is not None:
        proof = _c.author_key_hash == author.author_key_hash
    else:
        return False
    return bool(session.scalar(select(has_approved(site_id, proof).where(which))))
