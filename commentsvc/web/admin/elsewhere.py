"""What connects an article with posts elsewhere: connecting them, asking again, and the webmentions it had."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.reading.conversations import NAMES
from commentsvc.domain.social import connecting, links, webmentions
from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext
from commentsvc.web.admin import thread_context
from commentsvc.web.admin.thread_context import ROOT
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, writing

blueprint = Blueprint("elsewhere", __name__, url_prefix=ROOT)

THREAD = "/<int:thread_id>/elsewhere"


@blueprint.get(THREAD)
def page(thread_id: int) -> ResponseReturnValue:
    """The article's posts elsewhere, when they were last asked for, and its webmentions."""
    return _page(thread_id)


@blueprint.post(THREAD)
def connect(thread_id: int) -> ResponseReturnValue:
    """Connect a post."""
    typed = request.form.get("post", "")
    try:
        with writing() as session:
            admin, thread = thread_context.find(thread_id)
            connecting.connect(session, thread, typed, moderator_id=admin.person.id, at=now())
    except InvalidFieldsError as error:
        return _page(thread_id, error.fields)
    return _done(thread_id, gettext("Connected. It will be asked for answers soon."))


@blueprint.post(f"{THREAD}/<int:link_id>/again")
def again(thread_id: int, link_id: int) -> ResponseReturnValue:
    """Let the answers to a post be asked for at once."""
    with writing() as session:
        admin, thread = thread_context.find(thread_id)
        connecting.ask_again(session, thread, link_id, moderator_id=admin.person.id, at=now())
    return _done(thread_id, gettext("It will be asked again soon."))


@blueprint.post(f"{THREAD}/<int:link_id>/disconnect")
def disconnect(thread_id: int, link_id: int) -> ResponseReturnValue:
    """Forget a post."""
    with writing() as session:
        admin, thread = thread_context.find(thread_id)
        connecting.disconnect(session, thread, link_id, moderator_id=admin.person.id, at=now())
    return _done(thread_id, gettext("Disconnected."))


def _done(thread_id: int, text: str) -> ResponseReturnValue:
    cookies.set_notice(text)
    return redirect(url_for("elsewhere.page", thread_id=thread_id), 303)


def _page(thread_id: int, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    admin, thread = thread_context.find(thread_id)
    html = render_template(
        "admin/elsewhere.html",
        **thread_context.context(admin),
        thread=thread,
        links=links.of_thread(database(), thread_id),
        mentions=webmentions.of_thread(database(), thread_id),
        names=NAMES,
        switched_on=links.switches_of(admin.site),
        errors=errors or {},
        typed=request.form,
    )
    return make_response(html, 422 if errors else 200)
