"""The pages that mails lead to: confirming, stopping, and the list of everything that an address gets.

A token in the path is the proof; some mail programs cut the query. Reading a page changes nothing, because the scanners
of mail servers open every link. The pages speak the language of the mail, as far as the link is known.
"""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.notifications import suppression
from commentsvc.domain.subscriptions import confirming, links, subscriptions
from commentsvc.domain.subscriptions.confirming import Confirmation
from commentsvc.domain.subscriptions.subscriptions import Scope
from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import EndReason, Frequency, Subscription
from commentsvc.web import access, headers, origin_check, page_language
from commentsvc.web.context import database, limiter, now, writing
from commentsvc.web.request_values import form_number

blueprint = Blueprint("subscriptions", __name__, url_prefix=links.PREFIX)

LIMIT = "120/minute;1200/hour"
"""Pages and buttons per network."""
_ONE_CLICK = "List-Unsubscribe"
"""The field that a mail program sends with its own button (RFC 8058)."""


@blueprint.before_request
def count() -> None:
    """Count a request, so that nobody guesses tokens."""
    if request.endpoint not in {"subscriptions.stop", "subscriptions.stop_site"}:
        limiter("subscription pages").hit(access.network())


@blueprint.get("/confirm/<token>")
def ask(token: str) -> ResponseReturnValue:
    """Show what the button would confirm."""
    confirmation = _confirmation(token)
    state = "expired" if confirmation is None else "pending" if confirmation.pending else "confirmed"
    return _page(
        "confirm",
        404 if confirmation is None else 200,
        state=state,
        token=token,
        pending=confirmation.pending if confirmation else (),
        row=confirmation.subscription if confirmation else None,
        days=confirming.LIFE.days,
    )


@blueprint.post("/confirm/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """Confirm, or never get mail again."""
    origin_check.require_own_page()
    _confirmation(token)  # for its language
    with writing() as session:
        if request.form.get("answer") == "never":
            is_done = confirming.refuse(session, token, at=now())
            row, state = None, "refused" if is_done else "expired"
        else:
            row = confirming.confirm(session, token, shown_up_to=form_number("shown") or 0, at=now())
            state = "confirmed" if row else "expired"
    status = 404 if state == "expired" else 200
    return _page("confirm", status, state=state, token=token, pending=(), row=row, days=confirming.LIFE.days)


@blueprint.get("/stop/<token>", defaults={"scope": Scope.ONE})
@blueprint.get("/stop-site/<token>", defaults={"scope": Scope.SITE})
def offer_stop(token: str, scope: Scope) -> ResponseReturnValue:
    """Show the buttons that would stop mail."""
    row = _row(token)
    return _page("stop", token=token, row=row, scope=scope, done=row.ended_at is not None)


@blueprint.post("/stop/<token>", endpoint="stop", defaults={"scope": Scope.ONE})
@blueprint.post("/stop-site/<token>", endpoint="stop_site", defaults={"scope": Scope.SITE})
def stop(token: str, scope: Scope) -> ResponseReturnValue:
    """Stop mail. A mail program's own button sends this too, without cookies and `Origin`, and wants no redirect."""
    is_one_click = _ONE_CLICK in request.form
    wanted = request.form.get("scope", "")
    chosen = Scope(wanted) if wanted in set(Scope) and not is_one_click else scope
    how = EndReason.ONE_CLICK if is_one_click else EndReason.LINK
    row = subscriptions.by_token(database(), token)
    if row is not None:  # the lock is not for those who guess
        _speak_as(row)
        with writing() as session:
            subscriptions.end(session, row, chosen, how, at=now())
    if is_one_click or row is None:
        response = make_response(f"{gettext('You get no more of these mails.')}\n")
        response.mimetype = "text/plain"
        return _private(response)
    return _page("stop", token=token, row=row, scope=scope, done=True)


@blueprint.get("/list/<token>")
def show(token: str) -> ResponseReturnValue:
    """Everything that the address gets."""
    return _list(_row(token))


@blueprint.post("/list/<token>")
def change(token: str) -> ResponseReturnValue:
    """Change how often mail about one subscription comes, stop it or everything, undo, or try an address again."""
    origin_check.require_own_page()
    action, number, at = request.form.get("action", ""), form_number("number") or 0, now()
    with writing() as session:
        row = _row(token)
        notice = gettext("Saved.")
        if action in set(Frequency):
            subscriptions.set_frequency(session, row, number, Frequency(action))
        elif action == "stop":
            subscriptions.end_one(session, row, number, at=at)
            notice = gettext("Stopped.")
        elif action == "stop-all":
            subscriptions.end(session, row, Scope.ALL, EndReason.LINK, at=at)
            notice = gettext("You get no more mail from here.")
        elif action == "again":
            subscriptions.mail_again(session, row)
        elif action == "undo":
            is_undone = subscriptions.undo(session, row, at=at)
            notice = (
                gettext("It goes on as before.") if is_undone else gettext("It is too late to undo this.")
            )
    return _list(row, notice)


def _confirmation(token: str) -> Confirmation | None:
    """Return what a confirmation mail's link is about, and speak its language; None if it is unknown or too old."""
    confirmation = confirming.find(database(), token, at=now())
    if confirmation is not None:
        _speak_as(confirmation.subscription)
    return confirmation


def _row(token: str) -> Subscription:
    """Return the subscription of a mail's link, and speak its language; raises NotFoundError."""
    row = subscriptions.by_token(database(), token)
    if row is None:
        raise NotFoundError(gettext("This link does not work. Please use the one in the latest mail."))
    _speak_as(row)
    return row


def _speak_as(row: Subscription) -> None:
    page_language.use_for_site(row.site, row.language, framed=False)


def _list(row: Subscription, notice: str = "") -> Response:
    reason = suppression.effective(database(), row.address_hash, None, suppression.BOUNCES)
    return _page(
        "list",
        row=row,
        token=row.token,
        rows=subscriptions.of_same_address(database(), row),
        notice=notice,
        bounces=reason is not None,
        can_undo=subscriptions.can_undo(row, at=now()),
    )


def _page(name: str, status: int = 200, **facts: object) -> Response:
    html = render_template(f"subscriptions/{name}.html", list_url=_list_url, **facts)
    return _private(make_response(html, status))


def _list_url(row: Subscription) -> str:
    return url_for("subscriptions.show", token=row.token)


def _private(response: Response) -> Response:
    """Keep a page with a token in its address out of caches, search engines and other sites' logs."""
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "same-origin"
    return headers.no_store(response)
