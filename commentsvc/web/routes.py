"""The whole HTTP surface: a row for each blueprint, and one with a reason for each route that differs from its row.

A view is reachable only through a row here; `tests/web/test_routes.py` compares the table with the service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue

from commentsvc.config import Settings
from commentsvc.web import (
    feeds,
    health,
    latest,
    mail_decisions,
    metrics,
    own_edits,
    privacy,
    setup_check,
    start_page,
    static_files,
    subscriptions,
    webmention,
)
from commentsvc.web.account import pages as account
from commentsvc.web.admin import (
    action_log,
    api_tokens,
    bans,
    bulk_actions,
    danger,
    editing,
    elsewhere,
    embed_code,
    emptying,
    endpoints,
    exports,
    guest_erasure,
    import_upload,
    imports,
    invitation,
    mail,
    new_origin,
    own_language,
    people,
    queue,
    rules,
    sign_in,
    site_moves,
    site_settings,
    site_sso,
    statistics,
    surge,
    team,
    thread_moves,
    threads,
    wording,
)
from commentsvc.web.admin import context as admin_context
from commentsvc.web.api import guard as api_guard
from commentsvc.web.api import surface as api
from commentsvc.web.auth import handoff, login, provider_notices, sso
from commentsvc.web.thread import (
    address_claims,
    avatars,
    claiming,
    comment_stream,
    counts,
    fragments,
    own_comments,
    page_check,
    pages,
    posting,
    preview,
    proving,
    receipt_links,
    receipts,
    reporting,
    voting,
)

Guard = Callable[[], ResponseReturnValue | None]
Rate = str | Callable[[Settings], str]


class Csrf(StrEnum):
    """What proves that a change is intended, in addition to the exact `Origin` that every changing route requires.

    A program with a token has no `Origin`, and needs none.
    """

    NO_CHANGES = "every route only reads"
    BEARER = "a bearer token in a header, which no page can send by itself; cookies are not read"
    SESSION = "the token of the person's session, which Flask-WTF checks before the view runs"
    SIGNED_FORM = (
        "a token that the view checks: of the form (guests have no session), a receipt, the reader, the login"
    )


@dataclass(frozen=True)
class Row:
    """What applies to every route of a blueprint."""

    blueprint: Blueprint
    guard: Guard | None
    """Runs before each view; None allows everybody."""
    csrf: Csrf
    limits: Mapping[str, Rate] = field(default_factory=dict)
    """By the name that the views use."""


EVERYBODY = None
MODERATORS, ACCOUNT_HOLDERS = admin_context.guard, account.guard
UPLOADERS = admin_context.guard_without_body
SCRAPERS = metrics.guard
READ, FORM, SESSION, BEARER = Csrf.NO_CHANGES, Csrf.SIGNED_FORM, Csrf.SESSION, Csrf.BEARER

POST_LIMITS: Mapping[str, Callable[[Settings], str]] = {
    "network": lambda settings: settings.post_limit,
    "person": lambda settings: settings.person_limit,
    "thread": lambda settings: settings.thread_limit,
}
PROOF_LIMITS = {"address mails": proving.MAILS, "address tries": address_claims.TRIES}
RECEIPT_LIMITS = {"receipt guesses": receipt_links.GUESSES, "receipt changes": receipt_links.CHANGES}
API_LIMITS = {"api calls": api_guard.CALLS, "api refusals": api_guard.REFUSALS}
LOGIN_LIMITS = {"logins": login.LIMIT, "cancelled logins": login.LIMIT, "login questions": login.ASKING_LIMIT}

ROWS = (
    Row(static_files.blueprint, EVERYBODY, READ),
    Row(start_page.blueprint, EVERYBODY, READ),
    Row(health.blueprint, EVERYBODY, READ),
    Row(metrics.blueprint, SCRAPERS, READ),
    Row(setup_check.blueprint, EVERYBODY, FORM, {"setup checks": setup_check.LIMIT}),
    # A thread, in a frame (/embed) and standalone (/thread).
    Row(pages.blueprint, EVERYBODY, READ),
    Row(counts.blueprint, EVERYBODY, READ),
    Row(webmention.blueprint, EVERYBODY, FORM, {"webmentions": webmention.LIMIT}),
    Row(fragments.blueprint, EVERYBODY, READ),
    Row(comment_stream.blueprint, EVERYBODY, READ, {"comment streams": comment_stream.LIMIT}),
    Row(latest.blueprint, EVERYBODY, READ),
    Row(feeds.blueprint, EVERYBODY, READ, {"feed guesses": feeds.GUESSES}),
    Row(page_check.blueprint, EVERYBODY, READ),
    Row(avatars.blueprint, EVERYBODY, READ),
    Row(posting.blueprint, EVERYBODY, FORM, POST_LIMITS),
    Row(preview.blueprint, EVERYBODY, FORM, {"previews": preview.PREVIEWS}),
    Row(proving.blueprint, EVERYBODY, FORM, PROOF_LIMITS),
    Row(reporting.blueprint, EVERYBODY, FORM, {"reports": reporting.LIMIT}),
    Row(voting.blueprint, EVERYBODY, FORM, {"votes": voting.LIMIT}),
    Row(own_comments.blueprint, EVERYBODY, FORM, {"removals": own_edits.REMOVALS}),
    Row(receipts.blueprint, EVERYBODY, FORM, RECEIPT_LIMITS),
    Row(claiming.blueprint, EVERYBODY, FORM),
    # Mail that readers asked for.
    Row(subscriptions.blueprint, EVERYBODY, FORM, {"subscription pages": subscriptions.LIMIT}),
    Row(mail_decisions.blueprint, EVERYBODY, FORM, {"decisions by mail": mail_decisions.LIMIT}),
    Row(privacy.blueprint, EVERYBODY, READ),
    # Login, and a person's own pages.
    Row(login.blueprint, EVERYBODY, FORM, LOGIN_LIMITS),
    Row(sso.blueprint, EVERYBODY, FORM),
    Row(provider_notices.blueprint, EVERYBODY, FORM, {"provider notices": provider_notices.LIMIT}),
    Row(handoff.blueprint, EVERYBODY, FORM),
    Row(account.blueprint, ACCOUNT_HOLDERS, SESSION),
    # The admin view: signing in, then what moderators and owners do. Each view checks the role it needs itself.
    Row(sign_in.blueprint, EVERYBODY, SESSION),
    Row(invitation.blueprint, EVERYBODY, READ),
    Row(queue.blueprint, MODERATORS, SESSION),
    Row(own_language.blueprint, MODERATORS, SESSION),
    Row(editing.blueprint, MODERATORS, SESSION),
    Row(bulk_actions.blueprint, MODERATORS, SESSION),
    Row(emptying.blueprint, MODERATORS, SESSION),
    Row(action_log.blueprint, MODERATORS, SESSION),
    Row(statistics.blueprint, MODERATORS, READ),
    Row(people.blueprint, MODERATORS, SESSION),
    Row(guest_erasure.blueprint, MODERATORS, SESSION),
    Row(bans.blueprint, MODERATORS, SESSION),
    Row(team.blueprint, MODERATORS, SESSION),
    Row(mail.blueprint, MODERATORS, SESSION, {"mail samples": mail.SAMPLES}),
    Row(embed_code.blueprint, MODERATORS, READ),
    Row(api_tokens.blueprint, MODERATORS, SESSION),
    Row(exports.blueprint, MODERATORS, READ),
    Row(imports.blueprint, MODERATORS, SESSION),
    Row(import_upload.blueprint, UPLOADERS, FORM),
    Row(danger.blueprint, MODERATORS, SESSION),
    Row(site_settings.blueprint, MODERATORS, SESSION),
    Row(wording.blueprint, MODERATORS, SESSION),
    Row(new_origin.blueprint, MODERATORS, SESSION),
    Row(site_sso.blueprint, MODERATORS, SESSION),
    Row(endpoints.blueprint, MODERATORS, SESSION),
    Row(rules.blueprint, MODERATORS, SESSION),
    Row(surge.blueprint, MODERATORS, SESSION),
    Row(threads.blueprint, MODERATORS, SESSION),
    Row(thread_moves.blueprint, MODERATORS, SESSION),
    Row(elsewhere.blueprint, MODERATORS, SESSION),
    Row(site_moves.blueprint, MODERATORS, SESSION),
    # Programs: what everybody may read, and what a token allows.
    Row(api.public, EVERYBODY, READ, {"api reading": api_guard.READING}),
    Row(api.by_token, api.token_guard, BEARER, API_LIMITS),
)

DIFFERENT = {
    "subscriptions.stop": "Mail programs send their own button here, without our Origin; the token proves whose it is.",
    "subscriptions.stop_site": "As above, for all mail of a site.",
    "login.posted": "A provider sends its answer here, without our Origin; the OAuth state proves whose it is.",
    "provider_notices.facebook": "Meta sends its notices here, without our Origin; they are signed.",
    "provider_notices.apple": "Apple sends its notices here, without our Origin; they are signed.",
    "account.home": "Shows signed-out people how to log in, instead of redirecting them here.",
    "account.leave": "Ends the current session, even if another person opened the page.",
    "handoff.redeem": "Opens a session by a token that works once; there is no earlier session with a CSRF token.",
    "webmention.receive": "Other websites send it, without our Origin; whatever they say is verified at its source.",
    "setup_check.answer": "No page sends it but `commentsvc doctor`, which signs it with the secret key.",
    "preview.preview": "Stores nothing, so our Origin is enough.",
}


def init_app(app: Flask) -> None:
    """Register every blueprint, with its guard before its views."""
    for row in ROWS:
        app.register_blueprint(row.blueprint)
        if row.guard:
            app.before_request_funcs.setdefault(row.blueprint.name, []).insert(0, row.guard)


def without_session_token() -> Iterator[Blueprint]:
    """Return the blueprints whose changes are not protected by Flask-WTF's token."""
    return (row.blueprint for row in ROWS if row.csrf in {Csrf.SIGNED_FORM, Csrf.BEARER})


def limits(settings: Settings) -> dict[str, str]:
    """Return all limits by name."""
    return {
        name: rate if isinstance(rate, str) else rate(settings)
        for row in ROWS
        for name, rate in row.limits.items()
    }
