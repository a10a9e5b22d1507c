"""A guest's private page: what became of their comment, and what they can do with it.

The token in its path is the only proof, so that it works without cookies, on any device. Changes also need our exact
`Origin`, and putting the comment under an account that account's session.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.comments import guest_claims, receipts
from commentsvc.domain.comments.own_changes import EditResult
from commentsvc.domain.reading import thread_pages
from commentsvc.errors import (
    CommentsvcError,
    NotEditableError,
    NotFoundError,
    StaleFormError,
    ThreadClosedError,
)
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Comment, Status
from commentsvc.text.markup import SafeHtml
from commentsvc.web import access, error_pages, origin_check, own_edits, page_language
from commentsvc.web.auth import cookies, reader
from commentsvc.web.context import database, limiter, now, providers, writing
from commentsvc.web.own_edits import OwnEditForm
from commentsvc.web.thread import claimants, receipt_links
from commentsvc.web.thread_request import STANDALONE, ThreadRequest

blueprint = Blueprint("receipts", __name__, url_prefix="/receipt")

_SHOWN = (Status.APPROVED, Status.HELD)
_RENEWED = "renewed"
_NOTICES: dict[str, str] = {
    _RENEWED: gettext_noop("This is the new link to your comment. The one before no longer works."),
    **{result.value: message for result, message in own_edits.MESSAGES.items()},
}
"""What the page says after a change, by the value of `done` in its query."""

blueprint.after_request(receipt_links.private)


@blueprint.get("/<token>")
def page(token: str) -> ResponseReturnValue:
    """The comment as readers see it, its status in words, and buttons; viewing it changes nothing."""
    comment = _comment_of(token)
    notice = _NOTICES.get(request.args.get("done", ""), "")
    return _page(token, comment, notice=notice and gettext(notice))


@blueprint.post("/<token>/edit")
def edit(token: str) -> ResponseReturnValue:
    """Change the text, which meets the checks of a new comment; or show it as a comment, and store nothing."""
    comment_id = _own(token).id
    form = OwnEditForm(request.form.to_dict())
    try:
        if form.value("do") == "preview":
            shown = own_edits.preview(form)
            return _page(token, _comment_of(token), form=form, preview=shown)
        result = _save(token, comment_id, form)
    except NotFoundError:
        raise
    except CommentsvcError as error:
        database().rollback()
        return _page(token, _comment_of(token), form=form, error=error)
    return _back(token, result)


@blueprint.post("/<token>/delete")
def delete(token: str) -> ResponseReturnValue:
    """Delete the comment for good, which ends the link."""
    comment = _own(token)
    site, url = comment.thread.site.name, comment.thread.url
    own_edits.remove(comment.id)
    return make_response(render_template("thread/receipt_deleted.html", site_name=site, url=url))


@blueprint.post("/<token>/renew")
def renew(token: str) -> ResponseReturnValue:
    """Replace the link, for somebody who has passed it on by mistake."""
    _own(token)
    limiter("receipt changes").hit(access.network())
    fresh = receipts.new_token()
    with writing() as session:
        receipts.renew(session, receipt_links.hash_of(token), receipt_links.hash_of(fresh))
    return _back(fresh, _RENEWED)


@blueprint.post("/<token>/claim")
def claim(token: str) -> ResponseReturnValue:
    """Put the comment under the account of the person who is logged in, which ends the link."""
    _own(token)
    author = claimants.claimant(reader.of_own_pages(), mark=request.form.get("mark", ""))
    limiter("receipt changes").hit(access.network())
    with writing() as session:
        comment = receipts.find_locked(session, receipt_links.hash_of(token))
        guest_claims.claim(session, comment, author, at=now())
    cookies.set_notice(gettext("The comment is now under your account. Its private link no longer works."))
    return redirect(url_for("account.home"), 303)


def _own(token: str) -> Comment:
    """Return the comment that a page of ours is about to change.

    Raises ForbiddenError for another page, and NotFoundError and TooManyError for a guess.
    """
    origin_check.require_own_page()
    return _comment_of(token)


def _comment_of(token: str) -> Comment:
    """Return the comment of a receipt, and speak the reader's language or its site's; raises as `comment_of` there."""
    comment = receipt_links.comment_of(token)
    page_language.use_for_site(comment.thread.site, page_language.asked(request.args), framed=False)
    return comment


def _language() -> str | None:
    """Return the language that the request names, which forms and links repeat; None for none."""
    return page_language.asked(request.args) or None


def _save(token: str, comment_id: int, form: OwnEditForm) -> EditResult:
    address = own_edits.address_of(_comment_of(token))
    seconds = access.seconds_on_form(access.shown_form(form.value("token"), address))
    return own_edits.save(comment_id, form, seconds=seconds)


def _page(
    token: str,
    comment: Comment,
    *,
    notice: str = "",
    form: OwnEditForm | None = None,
    preview: SafeHtml | None = None,
    error: CommentsvcError | None = None,
) -> Response:
    thread, view = comment.thread, None
    if comment.status in _SHOWN:
        # The page itself says that it waits.
        view = thread_pages.comment_view(database(), comment.id, own=True)._replace(held=False)
    html = render_template(
        "thread/receipt.html",
        token=token,
        link=receipt_links.link(token),
        feed=receipt_links.feed_link(token, comment.id),
        comment=comment,
        view=view,
        thread=thread,
        site=thread.site,
        thread_request=ThreadRequest(mode=STANDALONE, url=thread.url),
        language=_language(),
        outcome=receipts.outcome_of(database(), comment),
        notice=notice,
        edit=_edit_form(comment, form, error),
        preview=preview,
        error=error,
        providers=list(providers().values()),
        member=_member(),
    )
    response = make_response(html, error_pages.status_of(error) if error else 200)
    error_pages.set_retry_after(response, error)
    return response


def _edit_form(
    comment: Comment, form: OwnEditForm | None, error: CommentsvcError | None
) -> dict[str, Any] | None:
    """Return what the form shows; None where nothing could be saved, unless something was typed, which stays."""
    try:
        own_edits.require_editable(comment)
    except (NotEditableError, ThreadClosedError):
        if form is None:
            return None
    again = isinstance(error, StaleFormError) and error.genuine
    token = access.form_token(own_edits.address_of(comment), again=again)
    return {**own_edits.facts(comment, form), "token": token}


def _member() -> dict[str, str] | None:
    """Return what the button of a claim needs of the person who is logged in: the name, and the session's proofs."""
    holder = reader.of_own_pages()
    if holder is None:
        return None
    mark, csrf = reader.form_mark(holder), reader.csrf_token()
    return {"name": holder.commenter.name, "mark": mark, "csrf": csrf}


def _back(token: str, done: str) -> ResponseReturnValue:
    return redirect(url_for("receipts.page", token=token, done=done, lang=_language()), 303)
