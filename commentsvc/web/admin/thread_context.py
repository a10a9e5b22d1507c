"""Shared by the thread views of the admin view: finding a thread for its moderators, and returning to it."""

from __future__ import annotations

from typing import Any

from flask import redirect, url_for
from werkzeug.wrappers import Response as Redirect

from commentsvc.domain.thread_admin import thread_controls
from commentsvc.models import Action, Thread
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.auth import cookies
from commentsvc.web.context import database

ROOT = f"{cookies.ADMIN}/threads"


def find(thread_id: int, *, owner: bool = False) -> tuple[AdminContext, Thread]:
    """Return a thread and its site's context; raises NotFoundError for people without a role there."""
    thread = thread_controls.get(database(), thread_id)
    return AdminContext.for_site(thread.site_id, owner=owner), thread


def done(thread_id: int, text: str, action: Action | None = None) -> Redirect:
    """Return to a thread's page with a message, and an undo button if there is an action."""
    cookies.set_notice(text, action=action.id if action else None)
    return redirect(url_for("threads.detail", thread_id=thread_id), 303)


def context(admin: AdminContext) -> dict[str, Any]:
    """Return what every page about threads shows: the context and the message."""
    return {"admin": admin, "articles": True, "message": cookies.pop_notice()}
