"""Social login: out to a provider, back from it, and the session handed to the frame that asked."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue

from commentsvc.adapters.providers import mastodon
from commentsvc.adapters.providers.catalogue import Provider
from commentsvc.adapters.providers.flow import Attempt
from commentsvc.adapters.providers.profile import Profile
from commentsvc.db import begin_write
from commentsvc.domain import accounts, identities, instances, invitations, logins, sessions
from commentsvc.domain.logins import Stage
from commentsvc.errors import CommentsvcError, LoginFailedError, NotFoundError, ProviderError
from commentsvc.models import Identity
from commentsvc.web import access, faults, headers, incoming_pictures, reader
from commentsvc.web.context import database, flow, now, providers, settings
from commentsvc.web.thread import FRAME, PAGE, Asked

blueprint = Blueprint("login", __name__, url_prefix="/login")

FRAMES, TAB, THREAD, PERSON, LINK = "frame", "tab", "thread", "person", "link"
ADMIN, INVITE = "admin", "invite"
"""Where a login began: a frame that waits; a frame whose page came along in the same tab; a thread's own page;
a person's page, to enter or to link a further account; the admin view; an invitation to it."""
_PERSONS_PAGES = {"settings": "/account/settings", "delete": "/account/delete"}
_AT_ONCE = 4
_LONGEST = 2000


@blueprint.post("/start")
def start() -> ResponseReturnValue:
    """Go to a provider. Only a page of ours can begin a login, so nobody can be led into another's session."""
    access.require_own_page()
    provider = _provider(request.form.get("provider", ""))
    purpose = request.form.get("purpose", FRAMES)
    asked = Asked.read(PAGE if purpose == THREAD else FRAME, request.form)
    site_id = asked.address().site.id if purpose in {FRAMES, TAB, THREAD} else None
    try:
        instance = _instance(provider, request.form.get("instance", ""))
        provider = _at(provider, instance)
        url, attempt = flow().begin(provider, _callback(provider), instance=instance)
    except ProviderError as error:
        return _sorry(str(error), 503)
    session = database()
    begin_write(session)
    challenge = request.form.get("challenge") or hashlib.sha256(secrets.token_bytes(32)).hexdigest()
    logins.begin(session, challenge=challenge, state=attempt.state, site_id=site_id, at=now())
    session.commit()
    holder = reader.given() if purpose == LINK else None
    _remember(
        attempt,
        purpose=purpose,
        asked=asked,
        holder=holder.id if holder else 0,
        page=request.form.get("page", "")[:20],
        invitation=request.form.get("invitation", "")[:100],
    )
    # Not a redirect: browsers hold the target of a form's redirect against the form's own `form-action`.
    return headers.keep_nothing(
        make_response(render_template("login/going.html", url=url, label=provider.label))
    )


@blueprint.get("/callback/<key>")
def callback(key: str) -> ResponseReturnValue:
    """Come back from a provider with its answer."""
    answer = {name: value[:_LONGEST] for name, value in request.args.items()}
    state = answer.get("state", "")
    begun = cookie.get("logins", {}).get(state)
    if not state or begun is None or begun["attempt"]["provider"] != key:
        return _sorry("This login was begun in another browser, or too long ago. Please start it again.", 400)
    cookie["logins"] = {other: kept for other, kept in cookie["logins"].items() if other != state}
    provider = _provider(key)
    if provider.form_post:
        answer = logins.stashed(database(), state, at=now())
    try:
        profile = _profile(provider, Attempt(**begun["attempt"]), answer)
        return _arrived(provider, profile, state, begun)
    except CommentsvcError as error:
        return _failed(state, begun, str(error))


@blueprint.post("/callback/<key>")
def posted(key: str) -> ResponseReturnValue:
    """Take an answer that a provider posts from its own page, where our cookie is not sent; then come with it."""
    provider = _provider(key)
    state = request.form.get("state", "")
    if not provider.form_post or not state:
        raise NotFoundError("There is no such page.")
    session = database()
    begin_write(session)
    wanted = ("code", "state", "user", "error", "iss")
    logins.stash(
        session,
        state,
        {name: request.form[name][:_LONGEST] for name in wanted if name in request.form},
        at=now(),
    )
    session.commit()
    return redirect(f"/login/callback/{provider.key}?state={state}", 303)


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


def _instance(provider: Provider, typed: str) -> str:
    return mastodon.host_of(typed) if provider.key == "mastodon" else ""


def _at(provider: Provider, instance: str) -> Provider:
    """Return the provider as it is at the Mastodon instance a person named; others stay as they are."""
    return instances.at(database(), provider, instance, _callback(provider)) if instance else provider


def _callback(provider: Provider) -> str:
    return f"{settings().base_url}/login/callback/{provider.key}"


def _remember(attempt: Attempt, **facts: Any) -> None:
    """Keep what this browser must know when it comes back, in its own first-party cookie."""
    asked: Asked = facts.pop("asked")
    kept = list(cookie.get("logins", {}).items())[-(_AT_ONCE - 1) :]
    mine = {"attempt": vars(attempt), "asked": asked.fields(), **facts}
    cookie["logins"] = {**dict(kept), attempt.state: mine}


def _profile(provider: Provider, attempt: Attempt, answer: dict[str, str]) -> Profile:
    provider = _at(provider, attempt.instance)
    return flow().finish(provider, _callback(provider), attempt, answer)


def _arrived(provider: Provider, profile: Profile, state: str, begun: dict[str, Any]) -> ResponseReturnValue:
    purpose = begun["purpose"]
    holder = reader.given() if purpose == LINK else None
    if purpose == LINK and (holder is None or holder.id != begun["holder"]):
        raise LoginFailedError("Please log in once more before you link an account.")
    session = database()
    begin_write(session)
    identity = _identity(provider, profile, holder.id if holder else None)
    logins.complete(session, state, identity, at=now())
    commenter_id = identity.commenter_id
    token = _person_token(identity) if purpose in {THREAD, PERSON} else ""
    if purpose == INVITE:
        invitations.redeem(session, begun["invitation"], identity, at=now())
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
    return accounts.issue_link(database(), identity.commenter, at=now())


def _onward(begun: dict[str, Any], *, token: str = "", link: str = "") -> Response:
    """Go back to where the login began; every address is made here, none is taken from the request."""
    purpose = begun["purpose"]
    if purpose == TAB:
        return _redirect(Asked.read(FRAME, begun["asked"]).address().url)
    if purpose == THREAD:
        return reader.give(_redirect(Asked.read(PAGE, begun["asked"]).link()), token)
    if purpose == PERSON:
        return reader.give(_redirect(_PERSONS_PAGES.get(begun["page"], "/account")), token)
    if purpose == LINK:
        return _redirect("/account/settings")
    if purpose in {ADMIN, INVITE}:
        return _redirect(f"/admin/sign-in/{link}")
    return _redirect("/login/done")


def _failed(state: str, begun: dict[str, Any], message: str) -> ResponseReturnValue:
    """Tell the frame that waits, and whoever looks at this window."""
    session = database()
    begin_write(session)
    logins.fail(session, state, message, at=now())
    session.commit()
    back = {PERSON: "/account", LINK: "/account/settings", ADMIN: "/admin", INVITE: "/admin"}
    if begun["purpose"] == THREAD:
        return _sorry(message, 400, back=Asked.read(PAGE, begun["asked"]).link())
    return _sorry(message, 400, back=back.get(begun["purpose"], ""))


def _sorry(message: str, status: int, *, back: str = "") -> Response:
    return make_response(render_template("login/failed.html", message=message, back=back), status)


def _redirect(url: str) -> Response:
    response = make_response(redirect(url, 303))
    return headers.keep_nothing(response)
