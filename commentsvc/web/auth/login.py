"""Social login: to a provider, back from it, and the session for the frame that asked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from commentsvc import messages
from commentsvc.domain.accounts import login_sessions, login_tickets
from commentsvc.domain.accounts.login_tickets import LoginStage, RedeemedLogin
from commentsvc.errors import (
    BadAddressError,
    CommentsvcError,
    NotFoundError,
    ServiceMovingError,
    TooManyError,
)
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.messages import gettext
from commentsvc.web import access, error_pages, headers, origin_check, page_language
from commentsvc.web.auth import (
    login_arrival,
    login_outcomes,
    pending_logins,
    person_marks,
    provider_calls,
    reader,
)
from commentsvc.web.auth.login_outcomes import Start
from commentsvc.web.auth.login_words import LoginOutcome, Purpose
from commentsvc.web.auth.pending_logins import PendingLogin
from commentsvc.web.context import database, limiter, now, providers, writing
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest

blueprint = Blueprint("login", __name__, url_prefix="/login")

_ON_A_SITE = frozenset({Purpose.FRAME, Purpose.TAB, Purpose.THREAD})
_FAULTS = (CommentsvcError, OperationalError)
"""Errors that end a login with a page of its own."""
_LONGEST = 8000
"""Characters of one parameter in a provider's answer; some providers use whole tokens as codes."""
LIMIT = "30/minute;300/hour"
"""Started logins, and as many cancelled ones, per network: each makes this service write or call a provider."""
ASKING_LIMIT = "600/minute"
"""Polls per network whether a login is done; a frame polls every four seconds, so 40 frames can wait there."""


@blueprint.post("/start")
def start() -> ResponseReturnValue:
    """Go to a provider. Only a page of ours can start a login, so nobody can be led into another person's session."""
    begun_from, challenge = Start.read({"purpose": Purpose.FRAME} | request.form.to_dict()), ""
    page_language.use_named(request.form)
    try:
        origin_check.require_own_page()
        limiter("logins").hit(access.network())
        _require_same_person(begun_from)
        begun_from, site_id = _where(begun_from)
        provider = _provider(request.form.get("provider", ""))
        challenge = _begin(site_id, begun_from)
        return _go(provider, challenge, begun_from)
    except _FAULTS as error:
        _tell_frame(error, challenge=challenge)
        return login_outcomes.failed(error, begun_from, answered=False)


@blueprint.get("/callback/<key>", defaults={"instance": ""})
@blueprint.get("/callback/<key>/<instance>")
def callback(key: str, instance: str) -> ResponseReturnValue:
    """Return from a provider with its answer.

    Every provider, and every Mastodon instance, has its own callback URL, so that none can have another's answer
    delivered here as its own, and receive the code in it.
    """
    state = request.args.get("state", "")
    begun = pending_logins.pop(state, key, instance)
    if begun is None:
        return _unknown(state)
    page_language.use_named(begun.request)
    try:
        login_tickets.require_under_way(database(), state, at=now())
        provider = _provider(key)
        profile = provider_calls.finish(provider, begun.attempt, _answer(provider, state))
        return login_arrival.arrive(provider, profile, begun, at=now())
    except _FAULTS as error:
        _tell_frame(error, state=state)
        return login_outcomes.failed(error, begun.start, answered=True)


@blueprint.post("/callback/<key>")
def posted(key: str) -> ResponseReturnValue:
    """Store an answer that a provider posts from its own page, which does not send our cookie; then redirect.

    The stored answer needs the proof that only this browser gets. Otherwise somebody could start a login, have another
    person finish it, and fetch the answer with the cookie of the browser that started it.
    """
    provider = _provider(key)
    state = request.form.get("state", "")
    if not provider.form_post or not state:
        raise NotFoundError(gettext("There is no such page."))
    wanted = ("code", "state", "user", "error", "iss")
    answer = {name: request.form[name][:_LONGEST] for name in wanted if name in request.form}
    begun_from = Start()
    try:
        begun_from = _begun_from(state)
        with writing() as session:
            proof = login_tickets.store_answer(session, state, answer, at=now())
    except _FAULTS as error:
        return login_outcomes.failed(error, begun_from, answered=True)
    return login_arrival.redirect_to(url_for("login.callback", key=provider.key, state=state, proof=proof))


@blueprint.post("/redeem")
def redeem() -> ResponseReturnValue:
    """Give the session to the frame that started the login: once, and only with its verifier."""
    origin_check.require_own_page()
    limiter("login questions").hit(access.network())
    site_id = ThreadRequest.read(EMBED, request.form).address().site.id
    wants_bearer = request.form.get("want") == "bearer"
    verifier = request.form.get("verifier", "")[:200]
    login_state = login_tickets.peek(database(), verifier, site_id=site_id, at=now())
    if login_state is None:
        login_state = _redeem(verifier, site_id, again=wants_bearer)
    if login_state.stage is LoginStage.PENDING:
        begun = {"begun": True} if login_state.is_begun else {}
        return headers.no_store(make_response(jsonify(stage=login_state.stage, **begun), 202))
    body: dict[str, Any] = {"stage": login_state.stage, "message": login_state.message}
    if login_state.stage is LoginStage.DONE and wants_bearer:
        body["bearer"] = login_state.token
    elif login_state.stage is LoginStage.DONE:
        reader.set_cookie(site_id, login_state.token)
    return headers.no_store(jsonify(body))


@blueprint.post("/cancel")
def cancel() -> ResponseReturnValue:
    """Cancel a login for the frame that started it; whoever finishes it afterwards sees a message."""
    origin_check.require_own_page()
    limiter("cancelled logins").hit(access.network())
    site_id = ThreadRequest.read(EMBED, request.form).address().site.id
    with writing() as session:
        login_tickets.cancel(session, request.form.get("verifier", "")[:200], site_id=site_id, at=now())
    return headers.no_store(jsonify(cancelled=True))


@blueprint.post("/leave")
def leave() -> ResponseReturnValue:
    """End the session in the browser and in the database."""
    origin_check.require_own_page()
    thread_request = ThreadRequest.read(STANDALONE, request.form)
    site_id = None if request.form.get("door") == "page" else thread_request.address().site.id
    reader.require_token()
    token = reader.token(site_id)
    if token:
        with writing() as session:
            login_sessions.end(session, token)
    reader.clear_cookie(site_id)
    if error_pages.wants_json():
        return headers.no_store(jsonify(left=True))
    return login_arrival.redirect_to(thread_request.link())


@blueprint.get("/opening")
def opening() -> ResponseReturnValue:
    """A popup's content until the provider's page loads; it closes itself if it is not needed."""
    return headers.leave_to_opener(make_response(render_template("login/opening.html")))


@blueprint.get("/done")
def done() -> ResponseReturnValue:
    """The popup's last page; it closes itself."""
    return login_outcomes.page(LoginOutcome.DONE, Start(Purpose.FRAME))


def _require_same_person(begun_from: Start) -> None:
    """Refuse to link an account if the page was opened by another person; raises OtherPersonError."""
    holder = reader.person_of_cookie() if begun_from.purpose is Purpose.LINK else None
    if holder and (mark := request.form.get("mark")):  # every page of ours that links accounts has it
        person_marks.require(mark, holder.commenter)


def _provider(key: str) -> Provider:
    provider = providers().get(key)
    if provider is None:
        raise NotFoundError(gettext("This service does not offer this login."))
    return provider


def _where(begun_from: Start) -> tuple[Start, int | None]:
    """Return where the login began, with as little data as possible, and the id of its site.

    The pages on the way speak the language of where it began.
    """
    purpose = begun_from.purpose
    if purpose is None:
        raise BadAddressError(gettext("This login request is not valid. Please try again."))
    if purpose not in _ON_A_SITE:
        return replace(begun_from, thread_request=_spoken()), None
    thread_request = ThreadRequest.read(STANDALONE if purpose is Purpose.THREAD else EMBED, request.form)
    address = thread_request.address()
    short = replace(thread_request, url=address.url, canonical="").fields()
    if purpose is Purpose.THREAD:  # the link back names a language only if the page's own link does
        return replace(begun_from, thread_request=short), address.site.id
    thread = short if purpose is Purpose.TAB else {}
    return replace(begun_from, thread_request=thread | _spoken()), address.site.id


def _spoken() -> dict[str, str]:
    return {page_language.PARAMETER: messages.language().code}


def _begin(site_id: int | None, begun_from: Start) -> str:
    """Store a ticket, which tells the frame that its window has come this far; return its challenge."""
    challenge = request.form.get("challenge") or hashlib.sha256(secrets.token_bytes(32)).hexdigest()
    with writing() as session:
        login_tickets.begin(
            session, challenge=challenge, site_id=site_id, begun_from=begun_from.facts(), at=now()
        )
    return challenge


def _go(provider: Provider, challenge: str, begun_from: Start) -> Response:
    url, label, attempt = provider_calls.begin(provider, request.form.get("instance", ""))
    holder = reader.person_of_cookie() if begun_from.purpose is Purpose.LINK else None
    pending_logins.remember(
        PendingLogin.read(attempt, begun_from, holder=holder.token_hash if holder else "")
    )
    with writing() as session:
        login_tickets.note_state(session, challenge, attempt.state, at=now())
    # Not a redirect: browsers apply a form's `form-action` policy to redirects too.
    own_window = begun_from.purpose is Purpose.FRAME
    lets_go = own_window and bool(attempt.instance)
    html = render_template("login/going.html", url=url, label=label, lets_go=lets_go)
    response = headers.no_store(make_response(html))
    return headers.leave_to_opener(response) if own_window else response


def _answer(provider: Provider, state: str) -> dict[str, str]:
    if provider.form_post:
        return login_tickets.stored_answer(database(), state, request.args.get("proof", ""), at=now())
    return {name: value[:_LONGEST] for name, value in request.args.items()}


def _redeem(verifier: str, site_id: int, *, again: bool) -> RedeemedLogin:
    with writing() as session:
        return login_tickets.redeem(
            session, verifier, site_id=site_id, browser=reader.browser(), again=again, at=now()
        )


def _begun_from(state: str) -> Start:
    """Return where a login began, by its ticket, and speak its language."""
    begun_from = Start.read(login_tickets.begun_from(database(), state))
    page_language.use_named(begun_from.thread_request)
    return begun_from


def _unknown(state: str) -> Response:
    begun_from = _begun_from(state)
    message = gettext("This login began in another browser, or too long ago. Please start it again.")
    return login_outcomes.page(LoginOutcome.UNKNOWN, begun_from, message, status=400)


def _tell_frame(error: Exception, *, challenge: str = "", state: str = "") -> None:
    """Record for the polling frame why a login failed, unless the login never began."""
    database().rollback()
    is_told = isinstance(error, CommentsvcError) and not isinstance(error, TooManyError | ServiceMovingError)
    if not is_told or not (challenge or state):
        return
    with writing() as session:
        login_tickets.fail(session, str(error), challenge=challenge, state=state, at=now())
