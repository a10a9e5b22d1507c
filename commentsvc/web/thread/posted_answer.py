"""What a person gets back for a comment that is stored: JSON for the page's script, otherwise a redirect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import jsonify, redirect, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.comments import own_comments
from commentsvc.domain.comments.insert_comment import PostedComment
from commentsvc.messages import gettext
from commentsvc.models import Site, Status
from commentsvc.web import error_pages, headers
from commentsvc.web.thread import receipt_links, subscribing
from commentsvc.web.thread.rendering import render_comment, render_posted_note
from commentsvc.web.thread_request import ThreadRequest


@dataclass(frozen=True, slots=True)
class StoredPost:
    """A stored comment, and what its author alone gets."""

    comment: PostedComment
    receipt: str | None = None
    """The token of a guest's receipt."""

    @property
    def is_held(self) -> bool:
        """Whether only its author sees it for now."""
        return self.comment.status is not Status.APPROVED


def answer(
    stored: StoredPost, thread_request: ThreadRequest, site: Site, *, asked_for_mail: bool
) -> ResponseReturnValue:
    """Return the response to a post. The only place where a new receipt's token leaves the service."""
    if error_pages.wants_json():
        notice = gettext(subscribing.ASKED) if asked_for_mail else ""
        return headers.no_store(jsonify(_as_json(stored, thread_request, site, notice)))
    extra: dict[str, Any] = {"asked": 1} if asked_for_mail else {}
    if stored.receipt:
        fields: dict[str, Any] = thread_request.fields()
        page = url_for("thread.posted", mode=thread_request.mode, token=stored.receipt, **fields, **extra)
    else:
        shown = {} if stored.is_held else {"comment": stored.comment.id, "posted": 1}
        page = thread_request.link(**shown, **extra)
    return redirect(f"{page}#comment-{stored.comment.id}", 303)


def _as_json(stored: StoredPost, thread_request: ThreadRequest, site: Site, notice: str) -> dict[str, Any]:
    comment = stored.comment
    link = receipt_links.link(stored.receipt) if stored.receipt else None
    return {
        "id": comment.id,
        "held": stored.is_held,
        "html": render_comment(thread_request, comment.view, site),
        "count": comment.count,
        "mine": [own_comments.just_posted(site, comment.id)],
        "note": render_posted_note(link, notice, held=stored.is_held),
        "notice": notice,
        **({"receipt": link} if link else {}),
    }
