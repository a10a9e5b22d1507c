"""Social login: out to a provider, back from it, and the session handed to the frame that asked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc.adapters.providers.catalogue import Provider
from commentsvc.adapters.providers.profile import Profile
from commentsvc.db import begin_write
from commentsvc.domain.persons import accounts, identities, invitations, logins, sessions
from commentsvc.domain.persons.logins import Stage
from commentsvc.errors import (
    BadAddressError,
    CommentsvcError,
    LoginFailedError,
    NotFoundError,
    ProviderError,
)
from commentsvc.models import Identity
from commentsvc.web import access, attempts, faults, headers, incoming_pictures, outside, person_marks, reader
from commentsvc.web.attempts import Begun
from commentsvc.web.context import database, now, providers
from commentsvc.web.thread import FRAME, PAGE, Asked

blueprint = Blueprint("login", __name__, url_prefix="/login")

FRAMES, TAB, THREAD, PERSON, LINK = "frame", "tab", "thread", "person", "link"
ADMIN, INVITE = "admin", "invite"
"""Where a login began: a frame that waits; a frame whose page came along in the same tab; a thread's own page;
a person's page, to enter or to link a further account; the admin view; an invitation to it."""
_PERSONS_PAGES = {"settings": "/account/settings", "delete": "/account/delete"}
_PURPOSES = frozenset({FRAMES, TAB, THREAD, PERSON, LINK, ADMIN, INVITE})
_ON_A_SITE = frozenset({FRAMES, TAB, THREAD})
_LONGEST = 8000
"""Characters of one part of a provider's answer; some make their codes of whole tokens."""
LIMIT = "30/minute;300/hour"
"""Logins begun from one network: each makes this service ask another."""


@blueprint.post("/start")
def start() -> ResponseReturnValue:
    """Go to a provider. Only a page of ours can begin a login, so nobody can be led into another's session."""
    access.require_own_page()
    provider = _provider(request.form.get("provider", ""))
    current_app.extensions["commentsvc.logins"].hit(access.network())
    purpose = request.form.get("purpose", FRAMES)
    if purpose not in _PURPOSES:
        raise BadAddressError("This login was not begun as it should be. Please try again.")
    asked, site_id = _asked(purpose)
    holder = reader.given() if purpose == LINK else None
    if holder and (mark := request.form.get("mark")):  # which every page of ours has that links accounts
        person_marks.require(mark, holder.commenter)
    challenge = request.form.get("challenge") or hashlib.sha256(secrets.token_bytes(32)).hexdigest()
    try:
        url, label, attempt = outside.begin(provider, request.form.get("instance", ""))
    except ProviderError as error:
        return _not_begun(challenge, site_id, str(error))
    _begin(challenge, attempt.state, site_id)
    attempts.remember(
        Begun(
            attempt,
            purpose,
            asked=asked.fields() if asked else {},
            holder=holder.token_hash if holder else "",
            page=request.form.get("page", "")[:20],
            invitation=request.form.get("invitation", "")[:100],
        )
    )
    # Not a redirect: browsers hold the target of a form's redirect against the form's own `form-action`.
    return headers.keep_nothing(make_response(render_template("login/going.html", url=url, label=label)))


@blueprint.get("/callback/<key>", defaults={"instance": ""})
@blueprint.get("/callback/<key>/<instance>")
def callback(key: str, instance: str) -> ResponseReturnValue:
    """Come back from a provider with its answer.

    Every provider, and every Mastodon instance, comes back to an address of its own: so none can have the answer
    of another brought here as if it were its own, and be sent the code that is in it.
    """
    state = request.args.get("state", "")
    begun = attempts.take(state, key, instance)
    if begun is None:
        return _sorry("This login was begun in another browser, or too long ago. Please start it again.", 400)
    provider = _provider(key)
    try:
        profile = outside.finish(provider, begun.attempt, _answer(provider, state))
        return _arrived(provider, profile, begun)
    except CommentsvcError as error:
        return _failed(begun, str(error))


@blueprint.post("/callback/<key>")
def posted(key: str) -> ResponseReturnValue:
    """Take an answer that a provider posts from its own page, where our cookie is not sent; then come with it.

    What is kept can be had only with the proof that this very browser is given. Else somebody could begin a login,
    have another person finish it, and fetch the answer with the cookie of the browser that began.
    """
    provider = _provider(key)
    state = request.form.get("state", "")
    if not provider.form_post or not state:
        raise NotFoundError("There is no such page.")
    wanted = ("code", "state", "user", "error", "iss")
    answer = {name: request.form[name][:_LONGEST] for name in wanted if name in request.form}
    session = database()
    begin_write(session)
    proof = logins.stash(session, state, answer, at=now())
    session.commit()
    return _redirect(f"/login/callback/{provider.key}?{urlencode({'state': state, 'proof': proof})}")


@blueprint.post("/redeem")
def redeem() -> ResponseReturnValue:
    """Hand the session to the frame that began the login: once, to whoever holds its verifier."""
    access.require_own_page()
    address = Asked.read(FRAME, request.form).address()
    wants_bearer = request.form.get("want") == "bearer"
    session = database()
    begin_write(session)
    found = logins.redeem(
        session,
        request.form.get("verifier", "")[:200],
        site_id=address.site.id,
        browser=reader.browser(),
        again=wants_bearer,
        at=now(),
    )
    session.commit()
    if found.stage is Stage.PENDING:
        return headers.keep_nothing(make_response(jsonify(stage=found.stage), 202))
    body: dict[str, Any] = {"stage": found.stage, "message": found.message}
    if found.stage is Stage.DONE and wants_bearer:
        body["bearer"] = found.token
    elif found.stage is Stage.DONE:
        reader.keep(address.site.id, found.token)
    return headers.keep_nothing(jsonify(body))


@blueprint.post("/leave")
def leave() -> ResponseReturnValue:
    """End the session, here and in the database."""
    access.require_own_page()
    asked = Asked.read(PAGE, request.form)
    site_id = None if request.form.get("door") == "page" else asked.address().site.id
    reader.require_token()
    token = reader.token(site_id)
    if token:
        session = database()
        begin_write(session)
        sessions.end(session, token)
        session.commit()
    reader.forget(site_id)
    if faults.wants_json():
        return headers.keep_nothing(jsonify(left=True))
    return _redirect(asked.link())


@blueprint.get("/opening")
def opening() -> ResponseReturnValue:
    """What a popup shows until the provider's page comes; it closes itself where it was opened in vain."""
    return render_template("login/opening.html")


@blueprint.get("/done")
def done() -> ResponseReturnValue:
    """The popup's last page; it closes itself."""
    return render_template("login/done.html")


def _provider(key: str) -> Provider:
    found = providers().get(key)
    if found is None:
        raise NotFoundError("This service offers no login of that kind.")
    return found


def _asked(purpose: str) -> tuple[Asked | None, int | None]:
    """Return the thread to go back to, as short as it can be said, and the site that the login is for."""
    if purpose not in _ON_A_SITE:
        return None, None
    asked = Asked.read(PAGE if purpose == THREAD else FRAME, request.form)
    address = asked.address()
    if purpose == FRAMES:
        return None, address.site.id
    return replace(asked, url=address.url, canonical=""), address.site.id


def _begin(challenge: str, state: str, site_id: int | None, *, failure: str = "") -> None:
    session = database()
    begin_write(session)
    logins.begin(session, challenge=challenge, state=state, site_id=site_id, at=now())
    if failure:
        logins.fail(session, state, failure, at=now())
    session.commit()


def _not_begun(challenge: str, site_id: int | None, message: str) -> Response:
    """Tell the frame that waits, and whoever looks at this window."""
    _begin(challenge, secrets.token_urlsafe(32), site_id, failure=message)
    return _sorry(message, 503)


def _answer(provider: Provider, state: str) -> dict[str, str]:
    if provider.form_post:
        return logins.stashed(database(), state, request.args.get("proof", ""), at=now())
    return {name: value[:_LONGEST] for name, value in request.args.items()}


def _arrived(provider: Provider, profile: Profile, begun: Begun) -> ResponseReturnValue:
    purpose = begun.purpose
    holder = reader.given() if purpose == LINK else None
    if purpose == LINK and (holder is None or holder.token_hash != begun.holder):
        raise LoginFailedError("Please log in once more before you link an account.")
    session = database()
    begin_write(session)
    identity = _identity(provider, profile, holder.id if holder else None)
    logins.complete(session, begun.attempt.state, identity, at=now())
    commenter_id = identity.commenter_id
    token = _person_token(identity) if purpose in {THREAD, PERSON} else ""
    if purpose == INVITE:
        invitations.redeem(session, begun.invitation, identity, at=now())
    link = _admin_link(identity) if purpose in {ADMIN, INVITE} else ""
    session.commit()
    incoming_pictures.take(commenter_id, profile.picture)
    return _onward(begun, token=token, link=link)


def _identity(provider: Provider, profile: Profile, holder_id: int | None) -> Identity:
    key, proof = provider.key, (provider.key, profile.issuer, profile.subject)
    session = database()
    if holder_id is None:
        return identities.of_login(
            session, *proof, name=profile.name or provider.label, link=profile.link, at=now()
        )
    holder = sessions.by_id(session, holder_id)
    return identities.link(session, holder, *proof, name=profile.name or key, at=now())


def _person_token(identity: Identity) -> str:
    if earlier := reader.given():
        sessions.end_one(database(), earlier.commenter_id, earlier.id)
    return sessions.open_for(
        database(),
        commenter_id=identity.commenter_id,
        identity_id=identity.id,
        purpose=sessions.PERSON,
        site_id=None,
        browser=reader.browser(),
        at=now(),
    )


def _admin_link(identity: Identity) -> str:
    if not accounts.sites_of(database(), identity.commenter):
        raise LoginFailedError(
            f"You are {identity.name} ({identity.provider}, {identity.subject}); no site has made you its moderator."
        )
    return accounts.issue_link(database(), identity.commenter, at=now(), identity=identity)


def _onward(begun: Begun, *, token: str = "", link: str = "") -> Response:
    """Go back to where the login began; every address is made here, none is taken from the request."""
    purpose = begun.purpose
    if purpose == TAB:
        return _redirect(Asked.read(FRAME, begun.asked).address().url)
    if purpose == THREAD:
        return reader.give(_redirect(Asked.read(PAGE, begun.asked).link()), token)
    if purpose == PERSON:
        return reader.give(_redirect(_PERSONS_PAGES.get(begun.page, "/account")), token)
    if purpose == LINK:
        return _redirect("/account/settings")
    if purpose in {ADMIN, INVITE}:
        return _redirect(f"/admin/sign-in/{link}")
    return _redirect("/login/done")


def _failed(begun: Begun, message: str) -> ResponseReturnValue:
    """Tell the frame that waits, and whoever looks at this window."""
    session = database()
    begin_write(session)
    logins.fail(session, begun.attempt.state, message, at=now())
    session.commit()
    back = {PERSON: "/account", LINK: "/account/settings", ADMIN: "/admin", INVITE: "/admin"}
    if begun.purpose == THREAD:
        return _sorry(message, 400, back=Asked.read(PAGE, begun.asked).link())
    return _sorry(message, 400, back=back.get(begun.purpose, ""))


def _sorry(message: str, status: int, *, back: str = "") -> Response:
    return make_response(render_template("login/failed.html", message=message, back=back), status)


def _redirect(url: str) -> Response:
    response = make_response(redirect(url, 303))
    return headers.keep_nothing(response)
