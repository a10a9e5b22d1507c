"""Completes a login after a provider has proved the identity, and sends the person on."""

from __future__ import annotations

from datetime import datetime

from flask import Response, make_response, redirect, url_for

from commentsvc.domain.accounts import accounts, identities, invitations, login_sessions, login_tickets
from commentsvc.errors import NoRoleError, NotFreshError
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.integrations.oauth.profile import Profile
from commentsvc.messages import gettext
from commentsvc.models import Identity
from commentsvc.web import headers, page_language
from commentsvc.web.auth import incoming_avatars, reader
from commentsvc.web.auth.login_outcomes import persons_page, receipt_page
from commentsvc.web.auth.login_words import Purpose
from commentsvc.web.auth.pending_logins import PendingLogin
from commentsvc.web.context import database, writing
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest

_ON_OWN_PAGES = frozenset({Purpose.THREAD, Purpose.PERSON, Purpose.RECEIPT})
"""The logins to pages of ours that are not in a frame."""


def arrive(provider: Provider, profile: Profile, begun: PendingLogin, *, at: datetime) -> Response:
    """Complete a login according to its purpose, and redirect. Commits; raises a login's errors."""
    purpose = begun.start.purpose
    holder = reader.person_of_cookie() if purpose is Purpose.LINK else None
    if purpose is Purpose.LINK and (holder is None or holder.token_hash != begun.holder):
        raise NotFreshError(gettext("Please log in again before you link an account."))
    with writing() as session:
        identity = _identity(provider, profile, holder.id if holder else None, at=at)
        login_tickets.complete(session, begun.attempt.state, identity, at=at)
        commenter_id = identity.commenter_id
        token = _person_token(identity, at=at) if purpose in _ON_OWN_PAGES else ""
        if purpose is Purpose.INVITE:
            invitations.redeem(session, begun.invitation, identity, at=at)
        link = _admin_link(identity, at=at) if purpose in {Purpose.ADMIN, Purpose.INVITE} else ""
    incoming_avatars.fetch_avatar(commenter_id, profile.picture)
    return _onward(begun, token=token, link=link)


def redirect_to(url: str) -> Response:
    """Redirect a browser with a GET; `url` is one of ours or of a registered website."""
    response = make_response(redirect(url, 303))
    return headers.no_store(response)


def _identity(provider: Provider, profile: Profile, holder_id: int | None, *, at: datetime) -> Identity:
    key, proof = provider.key, (provider.key, profile.issuer, profile.subject)
    session = database()
    if holder_id is None:
        name = profile.name or provider.label
        return identities.identity_of_login(session, *proof, name=name, link=profile.link, at=at)
    holder = login_sessions.by_id(session, holder_id)
    return identities.link(session, holder, *proof, name=profile.name or key, at=at)


def _person_token(identity: Identity, *, at: datetime) -> str:
    if earlier := reader.person_of_cookie():
        login_sessions.end_one(database(), earlier.commenter_id, earlier.id)
    return login_sessions.open_for(
        database(),
        commenter_id=identity.commenter_id,
        identity_id=identity.id,
        purpose=login_sessions.PERSON,
        site_id=None,
        browser=reader.browser(),
        at=at,
    )


def _admin_link(identity: Identity, *, at: datetime) -> str:
    if not accounts.sites_of(database(), identity.commenter):
        raise NoRoleError(
            gettext("You are %(name)s (%(provider)s, %(subject)s), but you do not moderate any site here.")
            % {"name": identity.name, "provider": identity.provider, "subject": identity.subject}
        )
    return accounts.issue_link(database(), identity.commenter, at=at, identity=identity)


def _onward(begun: PendingLogin, *, token: str, link: str) -> Response:
    """Return to where the login began; every URL is built here, none comes from the request."""
    match begun.start.purpose:
        case Purpose.TAB:
            return redirect_to(ThreadRequest.read(EMBED, begun.request).address().url)
        case Purpose.THREAD:
            return reader.set_person_cookie(
                redirect_to(ThreadRequest.read(STANDALONE, begun.request).link()), token
            )
        case Purpose.PERSON:
            return reader.set_person_cookie(redirect_to(persons_page(begun.start)), token)
        case Purpose.RECEIPT:
            return reader.set_person_cookie(redirect_to(receipt_page(begun.start)), token)
        case Purpose.LINK:
            return redirect_to(url_for("account.settings"))
        case Purpose.ADMIN | Purpose.INVITE:
            return redirect_to(url_for("sign_in.ask", token=link))
        case _:
            return redirect_to(url_for("login.done", lang=page_language.asked(begun.request) or None))
