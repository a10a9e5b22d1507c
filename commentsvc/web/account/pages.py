"""A person's own pages: their comments, logins and sessions, and deleting the account."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, g, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.accounts import answer_feeds, identities, login_sessions, profiles, single_sign_on
from commentsvc.domain.comments import own_comments
from commentsvc.domain.maintenance import erasure, personal_export, retention_words
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.domain.reading import avatars
from commentsvc.domain.subscriptions import subscriptions
from commentsvc.errors import ForbiddenError, InvalidFieldsError
from commentsvc.integrations.oauth import catalogue
from commentsvc.languages import LANGUAGES
from commentsvc.messages import gettext
from commentsvc.models import LoginSession
from commentsvc.web import context, headers, origin_check, page_language
from commentsvc.web.auth import person_marks, reader
from commentsvc.web.auth.cookies import ACCOUNT, pop_notice, set_notice
from commentsvc.web.context import database, now, providers, writing
from commentsvc.web.forms import DeletionForm, NameForm, require_valid
from commentsvc.web.request_values import query_number

blueprint = Blueprint("account", __name__, url_prefix=ACCOUNT)


def guard() -> ResponseReturnValue | None:
    """The guard: requires our own pages for changes, and a signed-in person."""
    if request.method not in {"GET", "HEAD"}:
        origin_check.require_own_page()
    holder = reader.of_own_pages()
    if holder is None:
        if request.endpoint != "account.home":
            return redirect(url_for("account.home"), 303)
        html = render_template(
            "account/signed_out.html",
            providers=list(providers().values()),
            gone="gone" in request.args,
            whose=context.shown_name(),
        )
        return headers.no_store(make_response(html))
    g.holder, g.person = holder, holder.commenter
    page_language.use_for_person(holder.commenter)
    if request.method == "POST" and request.endpoint != "account.leave":
        person_marks.require(person_marks.sent_mark(), holder.commenter)
    return None


@blueprint.get("")
def home() -> ResponseReturnValue:
    """Their comments on all sites."""
    page = profiles.own_comments(database(), _holder().commenter_id, after=query_number("after"))
    editable = own_comments.editable(database(), [entry.id for entry in page.entries], at=now())
    return _show("comments", page=page, editable=editable, continued="after" in request.args)


@blueprint.get("/settings")
def settings() -> ResponseReturnValue:
    """Name and picture, linked accounts, sessions, data."""
    return _settings(NameForm(data={"name": _holder().commenter.name}))


@blueprint.post("/name")
def rename() -> ResponseReturnValue:
    """Change the name, unless it comes from a website's single sign-on."""
    form = NameForm()
    try:
        with writing() as session:
            if _is_vouched():
                raise ForbiddenError(gettext("Your name comes from the website where you are logged in."))
            profiles.rename(session, _holder().commenter_id, form.name.data or "")
    except InvalidFieldsError as error:
        return make_response(_settings(form, error.fields), 422)
    return _done(gettext("Your name is changed, also on your earlier comments."))


@blueprint.post("/picture")
def picture() -> ResponseReturnValue:
    """Show the picture, or initials instead."""
    shown = request.form.get("show") == "yes"
    with writing() as session:
        profiles.show_picture(session, _holder().commenter_id, shown)
    return _done(
        gettext("Your picture is shown.")
        if shown
        else gettext("Your initials are shown instead of your picture.")
    )


@blueprint.post("/language")
def language() -> ResponseReturnValue:
    """Choose the language of the person's own pages and of the admin view, or leave it to the browser."""
    try:
        with writing() as session:
            profiles.choose_language(session, _holder().commenter_id, request.form.get("language", ""))
    except InvalidFieldsError as error:
        name = NameForm(data={"name": _holder().commenter.name})
        return make_response(_settings(name, error.fields), 422)
    page_language.use_for_person(_holder().commenter)
    return _done(gettext("Your language is saved."))


@blueprint.post("/identities/<int:row_id>/unlink")
def unlink(row_id: int) -> ResponseReturnValue:
    """Remove one of several ways to log in."""
    with writing() as session:
        identities.unlink(session, _holder(), row_id, at=now())
    return _done(gettext("The account is unlinked, and your other sessions are ended."))


@blueprint.post("/sessions/<int:row_id>/end")
def end(row_id: int) -> ResponseReturnValue:
    """End one of the person's sessions."""
    with writing() as session:
        login_sessions.end_one(session, _holder().commenter_id, row_id)
    return _done(gettext("The session is ended."))


@blueprint.post("/sessions/end-others")
def end_others() -> ResponseReturnValue:
    """End all sessions except this one."""
    with writing() as session:
        login_sessions.end_all(session, _holder().commenter_id, but=_holder().id)
    return _done(gettext("All other sessions are ended."))


@blueprint.post("/answer-feed")
def answer_feed() -> ResponseReturnValue:
    """Make a secret address of a feed with the answers to the person, or remove it. Only this page ever shows it."""
    token = ""
    with writing() as session:
        if request.form.get("action") == "remove":
            answer_feeds.remove(session, _holder().commenter_id)
        else:
            token = answer_feeds.renew(session, _holder().commenter_id, at=now())
    if not token:
        return _done(gettext("The feed is removed."))
    return _settings(NameForm(data={"name": _holder().commenter.name}), answer_token=token)


@blueprint.post("/leave")
def leave() -> ResponseReturnValue:
    """Log out of this page."""
    with writing() as session:
        login_sessions.end_one(session, _holder().commenter_id, _holder().id)
    reader.clear_cookie(None)
    return redirect(url_for("account.home"), 303)


@blueprint.get("/data.json")
def data() -> ResponseReturnValue:
    """All of the person's data, as a file."""
    answer = jsonify(personal_export.person(database(), _holder().commenter_id, at=now()))
    answer.headers["Content-Disposition"] = f'attachment; filename="my-comments-{now():%Y-%m-%d}.json"'
    return headers.no_store(answer)


@blueprint.route("/delete", methods=["GET", "POST"])
def delete() -> ResponseReturnValue:
    """Explain what deleting the account means, or delete it."""
    form = DeletionForm()
    if request.method == "GET":
        return _show("delete", form=form, errors={}, fresh=_is_fresh(), again=_again())
    if not _is_fresh():
        raise ForbiddenError(gettext("Please log in again before you delete your account."))
    try:
        require_valid(form)
    except InvalidFieldsError as error:
        page = _show("delete", form=form, errors=error.fields, fresh=True, again=_again())
        return make_response(page, 422)
    erasure.erase(database(), _holder().commenter_id, Texts(form.texts.data))
    reader.clear_cookie(None)
    return redirect(url_for("account.home", gone=1), 303)


def _holder() -> LoginSession:
    """Return the session that passed the guard."""
    return cast(LoginSession, g.holder)


def _is_fresh() -> bool:
    return login_sessions.is_fresh(_holder(), at=now())


def _is_vouched() -> bool:
    """Whether the person comes from a website's single sign-on."""
    identity = _holder().identity
    return identity is not None and identity.provider == single_sign_on.PROVIDER


def _again() -> list[catalogue.Provider]:
    """Return the providers with which this person can log in again."""
    mine = {identity.provider for identity in identities.identities_of(database(), _holder().commenter_id)}
    return [provider for key, provider in providers().items() if key in mine]


def _settings(form: NameForm, errors: dict[str, str] | None = None, *, answer_token: str = "") -> Response:
    person_id = _holder().commenter_id
    return _show(
        "settings",
        form=form,
        errors=errors or {},
        fresh=_is_fresh(),
        again=_again(),
        identities=identities.identities_of(database(), person_id),
        label_of=reader.label_of,
        browser_in_words=reader.browser_in_words,
        providers=list(providers().values()),
        languages=LANGUAGES.values(),
        has_picture=avatars.has_one(database(), person_id),
        sessions=login_sessions.sessions_of(database(), person_id, at=now()),
        sites=personal_export.sites_by_id(database()),
        subscription=subscriptions.of_member(database(), person_id),
        answer_feed=answer_feeds.of_person(database(), person_id),
        answer_token=answer_token,
        origin=context.settings().origin,
        retention_words=retention_words.sentences(RetentionPeriods.read(context.settings())),
    )


def _show(template: str, **facts: object) -> Response:
    html = render_template(
        f"account/{template}.html",
        holder=_holder(),
        person=_holder().commenter,
        portrait=avatars.path(database(), _holder().commenter),
        vouched=_is_vouched(),
        notice=pop_notice(),
        **facts,
    )
    return headers.no_store(make_response(html))


def _done(words: str) -> ResponseReturnValue:
    set_notice(words)
    return redirect(url_for("account.settings"), 303)
