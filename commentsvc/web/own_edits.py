"""Edits and removals by authors, as forms send them; the view has proved whose comment it is.

Shared by the thread's pages and by receipts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from commentsvc.domain import fields
from commentsvc.domain.comments import comment_text, comments, own_changes
from commentsvc.domain.comments.comments import FormSignals
from commentsvc.domain.comments.own_changes import EditResult
from commentsvc.domain.surge import alerts, detection
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext_noop
from commentsvc.models import Comment
from commentsvc.text import markup
from commentsvc.web import access, akismet_opinion
from commentsvc.web.context import database, limiter, now, post_limits, settings, writing

REMOVALS = "30/minute;300/hour"
"""Removals per network."""
MESSAGES = {
    EditResult.SAVED: gettext_noop("Your comment is saved."),
    EditResult.WAITS: gettext_noop(
        "Your change is awaiting moderation. Until then your comment stays as it was."
    ),
    EditResult.UNCHANGED: gettext_noop("Your comment is saved."),
}
REMOVED = gettext_noop("Your comment is deleted.")


@dataclass(frozen=True, slots=True)
class OwnEditForm:
    """An author's edit, as it arrived. `subject` is the honeypot; the page's script fills in `script`."""

    given: Mapping[str, str]

    def value(self, name: str) -> str:
        """Return a field as text, empty if it is missing."""
        return self.given.get(name, "")


def facts(comment: Comment, form: OwnEditForm | None = None) -> dict[str, Any]:
    """Return what the template `own_comment_form.html` shows: the text, or what was typed, and its version.

    If the text was changed after the form was opened, `now_reads` is what it is now.
    """
    latest = own_changes.latest_text(database(), comment)
    seen = own_changes.version_of(latest)
    stale = form is not None and form.value("seen") != seen
    return {
        "comment_id": comment.id,
        "text": form.value("text") if form else latest,
        "seen": seen,
        "now_reads": latest if stale else None,
        "waits": latest != comment.source,
    }


def save(comment_id: int, form: OwnEditForm, *, seconds: float) -> EditResult:
    """Check and store an edit; `seconds` is how long the form was open. Raises CommentsvcError."""
    text = fields.text(form.value("text"), longest=settings().max_comment_length)
    session = database()
    comment = _find(comment_id)
    author = access.with_network(own_changes.author_of(session, comment), at=now())
    post_limits().count_attempt(network=access.network(), person=author.person)
    draft = comment_text.from_checked(text)  # slow, so after the limits
    address, thread, is_reply = address_of(comment), comment.thread, comment.parent_id is not None
    examined = comments.examine(session, address.site, draft, author, at=now(), article_url=address.url)
    if author.role is None:
        examined = replace(examined, pressure=detection.peek(session, address.site, thread, at=now()))
    examined = akismet_opinion.with_opinion(examined, address, draft.source, author, is_reply=is_reply)
    signals = FormSignals(
        honeypot_filled=bool(form.value("subject")),
        seconds_on_form=seconds,
        by_script=bool(form.value("script")),
    )
    with writing() as session:
        result = own_changes.edit(
            session,
            _find(comment_id),
            draft,
            author,
            at=now(),
            seen=form.value("seen"),
            form=signals,
            examined=examined,
        )
        if examined.pressure is None and author.role is None:  # the surge may have changed
            site = _find(comment_id).thread.site
            alerts.enqueue_alerts(session, site, settings().alerted, base_url=settings().base_url, at=now())
    return result


def preview(form: OwnEditForm) -> markup.SafeHtml:
    """Return what was typed as a comment, for a browser without script; raises InvalidFieldsError, TooManyError."""
    text = fields.text(form.value("text"), longest=settings().max_comment_length)
    limiter("previews").hit(access.network())
    return markup.trusted(comment_text.from_checked(text).rendered.html)


def require_editable(comment: Comment) -> None:
    """Raise NotEditableError or ThreadClosedError if no edit of a comment could be saved now."""
    thread = comment.thread
    own_changes.require_editable(thread.site, comment, at=now())
    threads.require_open(thread.site, thread, at=now())


def remove(comment_id: int) -> None:
    """Delete a comment for good; raises TooManyError, NotFoundError."""
    limiter("removals").hit(access.network())
    with writing() as session:
        own_changes.remove(session, _find(comment_id), at=now())


def address_of(comment: Comment) -> ThreadAddress:
    """Return the address of a comment's thread."""
    thread = comment.thread
    return ThreadAddress(thread.site, thread.key, thread.url)


def _find(comment_id: int) -> Comment:
    comment = database().get(Comment, comment_id)
    if comment is None or comment.erased_at is not None:
        raise NotFoundError
    return comment
