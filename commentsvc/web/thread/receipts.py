"""A guest's private page: what became of their comment, and what they can do with it.

The token in its path is the only proof, so that it works without cookies, on any device. Changes also need our exact
`Origin`, and putting the comment under an account that account's session.
"""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.comments import guest_claims, receipts
from commentsvc.domain.reading import thread_pages
from commentsvc.models import Comment, LoginSession, Status
from commentsvc.web import origin_check
from commentsvc.web.auth import cookies, reader
from commentsvc.web.context import database, now, providers, writing
from commentsvc.web.thread import claimants, receipt_links
from commentsvc.web.thread_request import STANDALONE, ThreadRequest

blueprint = Blueprint("receipts", __name__, url_prefix="/receipt")

_SHOWN = (Status.APPROVED, Status.HELD)
_NOTICES = {
    "renewed": "This is the new link to your comment. The one before no longer works.",
}
"""What the page says after a change, by the value of `done` in its query."""

blueprint.after_request(receipt_links.private)


@blueprint.get("/<token>")
def page(token: str) -> ResponseReturnValue:
    """The comment as it looks, its fate in plain words, and buttons; viewing it changes nothing."""
    return _page(token, receipt_links.comment_of(token), notice=_NOTICES.get(request.args.get("done", "")))


@blueprint.post("/<token>/renew")
def renew(token: str) -> ResponseReturnValue:
    """Replace the link, for somebody who has passed it on by mistake."""
    _require_own(token)
    fresh = receipts.new_token()
    with writing() as session:
        receipts.renew(session, receipt_links.hash_of(token), receipt_links.hash_of(fresh))
    return _back(fresh, "renewed")


@blueprint.post("/<token>/claim")
def claim(token: str) -> ResponseReturnValue:
    """Put the comment under the account of the person who is logged in, which ends the link."""
    _require_own(token)
    author = claimants.claimant(reader.current(None), mark=request.form.get("mark", ""))
    with writing() as session:
        comment = receipts.find_locked(session, receipt_links.hash_of(token))
        guest_claims.claim(session, comment, author, at=now())
    cookies.set_notice("The comment is now under your account. Its private link no longer works.")
    return redirect(url_for("account.home"), 303)


def _require_own(token: str) -> None:
    """Refuse a change that no page of ours sent, and count a guess; raises ForbiddenError, NotFoundError."""
    origin_check.require_own_page()
    receipt_links.comment_of(token)


def _page(token: str, comment: Comment, *, notice: str | None = None, status: int = 200) -> Response:
    session, holder = database(), reader.current(None)
    thread, site = comment.thread, comment.thread.site
    view = None
    if comment.status in _SHOWN:
        # The page itself says that it waits.
        view = thread_pages.comment_view(session, comment.id, own=True)._replace(held=False)
    html = render_template(
        "thread/receipt.html",
        token=token,
        link=receipt_links.link(token),
        comment=comment,
        view=view,
        thread=thread,
        site=site,
        thread_request=ThreadRequest(mode=STANDALONE, url=thread.url),
        outcome=receipts.outcome_of(session, comment),
        notice=notice,
        member=_described(holder),
        providers=list(providers().values()),
    )
    return make_response(html, status)


def _described(holder: LoginSession | None) -> dict[str, str] | None:
    """Return what the button of a claim needs: the name, and the proofs of the session."""
    if holder is None:
        return None
    return {
        "name": holder.commenter.name,
        "mark": reader.form_mark(holder),
        "csrf": reader.csrf_token(),
    }


def _back(token: str, done: str) -> ResponseReturnValue:
    return redirect(url_for("receipts.page", token=token, done=done), 303)
