"""The page of one held comment for those to whom it was sent, by mail or chat; the token in its path is the proof.

Reading it changes nothing, because the scanners of mail servers open every link. It speaks the language of the mail; a
chat has none, so there it is the browser's.
"""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc import languages, messages
from commentsvc.domain.admin import bulk_decisions, mail_decisions
from commentsvc.domain.admin.bulk_decisions import AlreadyDecided
from commentsvc.domain.comments import comment_text
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.subscriptions import decision_links, links
from commentsvc.domain.subscriptions.decision_links import DecisionLink
from commentsvc.errors import (
    BadAddressError,
    DuplicateCommentError,
    InvalidFieldsError,
    NotFoundError,
    ThreadClosedError,
)
from commentsvc.messages import gettext
from commentsvc.models import Comment, Commenter, Status
from commentsvc.text import markup
from commentsvc.web import access, error_pages, headers, origin_check
from commentsvc.web.context import database, limiter, now, settings, writing

blueprint = Blueprint("mail_decisions", __name__, url_prefix=f"{links.PREFIX}/held")

LIMIT = "60/minute;600/hour"
"""Pages and buttons per network."""
_REPLY = "reply"
_STATUS = {"approve": Status.APPROVED, "spam": Status.SPAM, "trash": Status.TRASH}


@blueprint.before_request
def count() -> None:
    """Count a request, so that nobody guesses tokens."""
    limiter("decisions by mail").hit(access.network())


@blueprint.get("/<int:delivery_id>/<token>/<action>")
def show(delivery_id: int, token: str, action: str) -> ResponseReturnValue:
    """Show the comment and the buttons, the one of the link first."""
    return _page(_link(delivery_id, token), token, action)


@blueprint.post("/<int:delivery_id>/<token>/<action>")
def decide(delivery_id: int, token: str, action: str) -> ResponseReturnValue:
    """Do what the pressed button says, unless somebody has decided before."""
    origin_check.require_own_page()
    wanted = request.form.get("do", "")
    if wanted != _REPLY and wanted not in _STATUS:
        raise BadAddressError(gettext("There is no such button."))
    _link(delivery_id, token)  # the lock is not for those who guess
    try:
        draft = _draft() if wanted == _REPLY else None
        with writing() as session:
            link = _link(delivery_id, token)
            if draft is None:
                earlier = mail_decisions.decide(session, link, _STATUS[wanted], at=now())
            else:
                earlier = mail_decisions.reply(session, link, draft, at=now())
    except (InvalidFieldsError, DuplicateCommentError, ThreadClosedError) as error:
        database().rollback()
        words = error.fields["text"] if isinstance(error, InvalidFieldsError) else str(error)
        return _page(_link(delivery_id, token), token, _REPLY, error_pages.status_of(error), error=words)
    return _page(_link(delivery_id, token), token, wanted, earlier=earlier, done=earlier is None)


def _link(delivery_id: int, token: str) -> DecisionLink:
    link = decision_links.find_link(database(), settings().secret_key, delivery_id, token, at=now())
    if link is None:
        raise _unknown()
    messages.use(link.language or languages.for_admin(messages.language().code))
    return link


def _unknown() -> NotFoundError:
    return NotFoundError(
        gettext(
            "This link does not work: it is older than seven days, or the moderator's role or mail has ended. "
            "Please sign in to the admin view."
        )
    )


def _draft() -> CommentText:
    return comment_text.from_source(request.form.get("text", ""), longest=settings().max_comment_length)


def _page(
    link: DecisionLink,
    token: str,
    action: str,
    status: int = 200,
    *,
    earlier: AlreadyDecided | None = None,
    done: bool = False,
    error: str = "",
) -> Response:
    if action != _REPLY and action not in _STATUS:
        raise _unknown()
    comment = link.comment
    if comment.status is not Status.HELD and not done:
        earlier = earlier or bulk_decisions.already_decided(database(), comment)
    html = render_template(
        "mail_decision.html",
        comment=comment,
        author=_name(comment),
        html=markup.trusted(comment.html),
        chat=link.chat,
        moderator=database().get_one(Commenter, link.moderator_id),
        delivery_id=link.delivery.id,
        token=token,
        action=action,
        earlier=earlier,
        done=done,
        error=error,
        text=request.form.get("text", "") if error else "",
        queue_url=links.MailLinks(settings().base_url).queue(comment.site_id),
    )
    response = make_response(html, status)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "same-origin"
    return headers.no_store(response)


def _name(comment: Comment) -> str:
    return (comment.commenter.name if comment.commenter else comment.guest_name) or gettext("Anonymous")
