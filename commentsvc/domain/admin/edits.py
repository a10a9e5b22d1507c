"""Moderators' edits of comments, and their decisions on authors' edits that were held.

Each edit is an action that can be undone while the former text is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain import actions, fields
from commentsvc.domain.accounts import accounts
from commentsvc.domain.comments import comment_text, edit_history, editing, own_changes, revisions
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.fields import Guest
from commentsvc.domain.threads import threads
from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Action, Comment, PendingEdit, Revision, TextFormat

KIND = "comments.edit"
DROPPED = "edits.drop"
"""The kind of the action that drops an author's edit; not "comments.…", which can be undone."""
KEPT = timedelta(days=30)
"""How long a former text is stored: moderators often edit to remove private or illegal text."""
_GONE = gettext_noop("The former text is no longer stored, so it cannot be restored.")
_CHANGED = gettext_noop("Somebody has changed this comment since, so its text stays as it is.")


def checked(comment: Comment, typed: Mapping[str, str], *, longest: int) -> tuple[CommentText, Guest | None]:
    """Validate a moderator's `text`, and a guest's `name`, `email` and `website`; raises InvalidFieldsError.

    A moderator may remove a detail that the site requires: its guest may have asked. The details of an account are its
    own.
    """
    errors: dict[str, str] = {}
    draft, details = None, {}
    # An imported text may exceed the limit here.
    longest = max(longest, len(comment.source))
    try:
        draft = comment_text.from_source(typed.get("text", ""), longest=longest, text_format=comment.format)
    except InvalidFieldsError as error:
        errors |= error.fields
    if comment.commenter_id is None:
        for check in (fields.name, fields.email, fields.website):
            value = typed.get(check.__name__, "")
            try:
                details[check.__name__] = check(value) if value.strip() else None
            except InvalidFieldsError as error:
                errors |= error.fields
    if errors or draft is None:
        raise InvalidFieldsError(errors)
    return draft, Guest(**details) if comment.commenter_id is None else None


def changes(comment: Comment, draft: CommentText, guest: Guest | None) -> bool:
    """Whether an edit would change anything."""
    was = Guest(comment.guest_name, comment.guest_email, comment.guest_website)
    return draft.source != comment.source or guest not in {None, was}


def edit(
    session: Session,
    comment: Comment,
    draft: CommentText,
    *,
    guest: Guest | None,
    moderator_id: int | None,
    at: datetime,
) -> Action:
    """Change a text, and a guest's details if given, and store the former ones. Needs `begin_write`."""
    threads.lock_of(session, comment)
    session.refresh(comment)
    action = actions.record(
        session,
        site_id=comment.site_id,
        moderator_id=moderator_id,
        kind=KIND,
        summary="Edited a comment.",
        at=at,
        facts={"comment": comment.id, "edit": comment.id},
    )
    revisions.store(session, comment, action.id, edited_after=at, at=at)
    editing.edit(session, comment, draft, at=at, guest=guest, moderator_id=moderator_id, action_id=action.id)
    return action


def publish_waiting(
    session: Session, comment: Comment, *, seen: str, moderator_id: int, at: datetime
) -> Action | None:
    """Replace a comment's text by its author's new one, which waited. Needs `begin_write`.

    `seen` is the version that the moderator saw; if the author has changed it since, this does nothing and returns
    None.
    """
    pending = _waiting_as_seen(session, comment, seen)
    if pending is None:
        return None
    action = _record(
        session, comment, edit_history.PUBLISHED, "Published an author's edit.", moderator_id, at
    )
    action.facts = {**action.facts, "edit": comment.id}
    person = comment.commenter_id
    draft = CommentText(
        pending.source,
        TextFormat.MARKDOWN,
        comment_text.render(pending.source, TextFormat.MARKDOWN),
        comment_text.digest_of(pending.source),
    )
    own_changes.replace_text(
        session,
        comment,
        draft,
        action_id=action.id,
        has_role=person is not None and accounts.role_on(session, person, comment.site_id) is not None,
        at=at,
    )
    return action


def drop_waiting(
    session: Session, comment: Comment, *, seen: str, moderator_id: int, at: datetime
) -> Action | None:
    """Delete an author's new text, which waited; `seen` and the result are as in `publish_waiting`."""
    if _waiting_as_seen(session, comment, seen) is None:
        return None
    return _record(session, comment, DROPPED, "Dropped an author's edit.", moderator_id, at)


def obstacle(session: Session, action: Action) -> str | None:
    """Return why the text that an action changed cannot be restored, or None. Locks its thread."""
    edit_or_obstacle = _edit_of(session, action)
    return edit_or_obstacle if isinstance(edit_or_obstacle, str) else None


def restore(session: Session, action: Action, *, undo_id: int, at: datetime) -> bool:
    """Restore the text that an action changed, as part of the action `undo_id`; needs `begin_write`.

    Returns False if there is an obstacle.
    """
    edit_or_obstacle = _edit_of(session, action)
    if isinstance(edit_or_obstacle, str):
        return False
    revision, comment = edit_or_obstacle
    revisions.store(session, comment, undo_id, edited_after=revision.edited_before, at=at)
    former = CommentText(
        revision.source,
        revision.format,
        comment_text.render(revision.source, revision.format),
        comment_text.digest_of(revision.source),
    )
    guest = Guest(revision.guest_name, revision.guest_email, revision.guest_website)
    editing.replace(session, comment, former, guest=guest, edited_at=revision.edited_before)
    return True


def _waiting_as_seen(session: Session, comment: Comment, seen: str) -> PendingEdit | None:
    threads.lock_of(session, comment)
    session.refresh(comment)
    pending = session.get(PendingEdit, comment.id, populate_existing=True)
    if pending is None or own_changes.version_of(pending.source) != seen:
        return None
    return own_changes.drop_pending(session, comment.id)


def _record(
    session: Session, comment: Comment, kind: str, summary: str, moderator_id: int, at: datetime
) -> Action:
    return actions.record(
        session,
        site_id=comment.site_id,
        moderator_id=moderator_id,
        kind=kind,
        summary=summary,
        at=at,
        facts={"comment": comment.id},
    )


def _edit_of(session: Session, action: Action) -> tuple[Revision, Comment] | str:
    revision = session.scalar(select(Revision).where(Revision.action_id == action.id))
    if revision is None:
        return gettext(_GONE)
    comment = session.get_one(Comment, revision.comment_id)
    threads.lock_of(session, comment)
    session.refresh(comment)
    if comment.site_id != action.site_id or comment.edited_at != revision.edited_after:
        return gettext(_CHANGED)
    return revision, comment
