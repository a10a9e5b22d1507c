"""Authors edit and delete their own comments. The caller has proved whose comment it is.

An edit meets every check that a new comment meets. If a check holds it, readers go on seeing the former text, and the
new one waits for a moderator.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.domain.accounts import accounts
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import (
    comments,
    edit_history,
    editing,
    erased_comments,
    known_authors,
    revisions,
    slow_mode,
)
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.comments.comments import FormSignals, NewComment
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions
from commentsvc.domain.spam import checks
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.spam.signals import Signals
from commentsvc.domain.threads import threads
from commentsvc.errors import DuplicateCommentError, NotEditableError, StaleEditError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import (
    Comment,
    EditWindow,
    Kind,
    PendingEdit,
    Site,
    Status,
    TextFormat,
    Thread,
)

REMOVAL_KIND = "author.remove"
"""The action of a removal by the author; not "comments.…", which can be undone."""
FOREVER = datetime.max.replace(tzinfo=UTC)
_WINDOWS = {
    EditWindow.MINUTES_5: timedelta(minutes=5),
    EditWindow.MINUTES_15: timedelta(minutes=15),
    EditWindow.HOUR: timedelta(hours=1),
    EditWindow.DAY: timedelta(days=1),
    EditWindow.ALWAYS: timedelta.max,
}
_REMOVED = Verdict(CheckName.ERASED, Status.TRASH, gettext_noop("Its author deleted it."))
_MODERATED = Verdict(
    CheckName.EDITED, Status.HELD, gettext_noop("A moderator edited it, or undid an edit of its author.")
)
_STAYS_HELD = Verdict(
    CheckName.EDITED, Status.HELD, gettext_noop("Its author has edited it; it was held before.")
)


class EditResult(StrEnum):
    """What became of an edit."""

    SAVED = "saved"
    WAITS = "waits"
    """A check held it: the former text stays until a moderator has decided."""
    UNCHANGED = "unchanged"
    """The comment has this text already, perhaps because the same form was sent twice."""


def editable_until(site: Site, comment: Comment) -> datetime | None:
    """Return when its author's time to edit a comment ends; `FOREVER` for never, None if they may not edit it."""
    is_editable = (
        comment.status in {Status.APPROVED, Status.HELD}
        and comment.kind is Kind.COMMENT
        and comment.format is TextFormat.MARKDOWN
    )
    time = time_to_edit(site)
    if not is_editable or time is None:
        return None
    return FOREVER if time == timedelta.max else comment.created_at + time


def time_to_edit(site: Site) -> timedelta | None:
    """Return how long people may edit a new comment on a site; `timedelta.max` for always, None if never."""
    return _WINDOWS.get(site.edit_window)


def author_of(session: Session, comment: Comment) -> Author:
    """Return the author of a comment with their present role, for `edit`; their network is for the caller to add."""
    person = comment.commenter_id
    return Author(
        guest=Guest(comment.guest_name, comment.guest_email, comment.guest_website),
        commenter_id=person,
        role=accounts.role_on(session, person, comment.site_id) if person is not None else None,
        author_key_hash=comment.author_key_hash,
    )


def latest_text(session: Session, comment: Comment) -> str:
    """Return the source that its author edits: the text that waits for a moderator, or else the comment's."""
    pending = session.get(PendingEdit, comment.id, populate_existing=True)
    return pending.source if pending else comment.source


def version_of(text: str) -> str:
    """Return 16 hexadecimal digits for a form, which tell whether the text has changed since."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def edit(
    session: Session,
    comment: Comment,
    draft: CommentText,
    author: Author,
    *,
    at: datetime,
    seen: str | None = None,
    form: FormSignals | None = None,
    examined: Signals | None = None,
) -> EditResult:
    """Replace the text of a comment, or let the new text wait. Needs `begin_write`; the caller commits.

    `seen` is the `version_of` the text in the author's form, `examined` the result of `comments.examine`; without it
    that runs here. Raises NotEditableError, StaleEditError, ThreadClosedError, SlowModeError, DuplicateCommentError
    and BannedError.
    """
    threads.lock_of(session, comment)
    session.refresh(comment)
    site, thread = session.get_one(Site, comment.site_id), session.get_one(Thread, comment.thread_id)
    require_editable(site, comment, at=at)
    latest = latest_text(session, comment)
    if draft.source == latest:
        return EditResult.UNCHANGED
    if seen is not None and seen != version_of(latest):
        raise StaleEditError
    if draft.source == comment.source:  # they withdraw the text that waits
        drop_pending(session, comment.id)
        return EditResult.SAVED
    threads.require_open(site, thread, at=at)
    if author.role is None:
        slow_mode.require_pause(thread.slow_seconds, comment.edited_at, at=at)
    if edit_history.is_repeat(session, comment, draft, author):
        raise DuplicateCommentError
    examined = examined or comments.examine(session, site, draft, author, at=at, article_url=thread.url)
    known = known_authors.is_known_besides(session, site.id, author, comment.id)
    new = NewComment(draft, form=form or FormSignals())
    verdicts = comments.verdicts_on(session, site, thread.id, new, author, examined, known=known, at=at)
    if author.role is None and edit_history.was_changed_by_moderator(session, comment):
        verdicts.append(_MODERATED)
    return _store(session, comment, draft, author, verdicts, at=at)


def remove(session: Session, comment: Comment, *, at: datetime) -> None:
    """Erase a comment, whatever its status. Needs `begin_write`; the caller commits.

    Replies keep a placeholder. Nobody can restore it; another call changes nothing.
    """
    threads.lock_of(session, comment)
    session.refresh(comment)
    if comment.erased_at is not None:
        return
    if comment.learned is Status.SPAM:
        comment.learned = None  # or spammers could make the filter forget their spam
    actions.record(
        session,
        site_id=comment.site_id,
        moderator_id=None,
        kind=REMOVAL_KIND,
        summary="Deleted their own comment.",
        at=at,
        facts={"comment": comment.id},
    )
    erased_comments.forget_words_about(session, [comment.id])
    erased_comments.erase(session, comment.id, _REMOVED, at=at)


def replace_text(
    session: Session, comment: Comment, draft: CommentText, *, action_id: int, has_role: bool, at: datetime
) -> None:
    """Replace the text of a comment as part of an action, and store the former one. Needs `begin_write`.

    Only the site's team keeps its badge on a new text. The spam filter learned a moderator's decision about the former
    text, so it does not learn the new one.
    """
    revisions.store(session, comment, action_id, edited_after=at, at=at)
    if not has_role:
        comment.role = None
    editing.replace(session, comment, draft, guest=None, edited_at=at, teaches=False)


def drop_pending(session: Session, comment_id: int) -> PendingEdit | None:
    """Delete the waiting text of a comment, and return it if there was one. Needs `begin_write`."""
    pending = session.get(PendingEdit, comment_id, populate_existing=True)
    if pending is not None:
        session.delete(pending)
        session.flush()
    return pending


def require_editable(site: Site, comment: Comment, *, at: datetime) -> None:
    """Raise NotEditableError if its author may not, or no longer, edit a comment."""
    until = editable_until(site, comment)
    if until is None:
        raise NotEditableError(gettext("This comment cannot be edited."))
    if at >= until:
        raise NotEditableError(gettext("The time for editing this comment is over."))


def _store(
    session: Session,
    comment: Comment,
    draft: CommentText,
    author: Author,
    verdicts: list[Verdict],
    *,
    at: datetime,
) -> EditResult:
    status = checks.strictest(verdicts)
    drop_pending(session, comment.id)
    if comment.status is Status.APPROVED and status is not Status.APPROVED:
        reasons = [verdict.as_row() for verdict in verdicts]
        session.add(PendingEdit(comment_id=comment.id, source=draft.source, reasons=reasons, created_at=at))
        session.flush()
        return EditResult.WAITS
    action = actions.record(
        session,
        site_id=comment.site_id,
        moderator_id=None,
        kind=edit_history.BY_AUTHOR,
        summary="Edited their own comment.",
        at=at,
        facts={"comment": comment.id, "edit": comment.id},
    )
    replace_text(session, comment, draft, action_id=action.id, has_role=author.role is not None, at=at)
    if comment.status is Status.HELD:
        verdicts = [*verdicts, _STAYS_HELD]
        decisions.decide(session, comment, checks.strictest(verdicts), verdicts=verdicts)
    return EditResult.SAVED
