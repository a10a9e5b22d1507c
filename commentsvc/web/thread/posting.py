"""Writing in a thread: what a comment form sends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain import fields
from commentsvc.domain.accounts import accounts
from commentsvc.domain.bans import bans
from commentsvc.domain.comments import comment_text, comments, proof_of_work
from commentsvc.domain.comments.comments import Author, Signs
from commentsvc.domain.comments.insert_comment import Posted
from commentsvc.domain.reading import thread_pages
from commentsvc.domain.spam import akismet_check
from commentsvc.domain.spam.signals import Evidence
from commentsvc.domain.surge import alerts, detection
from commentsvc.domain.thread_admin.thread_controls import SLOWEST
from commentsvc.domain.threads import lookup
from commentsvc.domain.threads.threads import Address
from commentsvc.errors import (
    AlreadyPostedError,
    CommentsvcError,
    ForbiddenError,
    InvalidFieldsError,
    LoggedOutError,
    NotFoundError,
    OtherArticleError,
    OtherPersonError,
    StaleFormError,
    TooManyError,
    WorkNeededError,
)
from commentsvc.models import Comment, LoginSession, Status
from commentsvc.web import access, error_pages, headers
from commentsvc.web.auth import reader
from commentsvc.web.context import database, now, post_limits, settings
from commentsvc.web.forms import CommentForm
from commentsvc.web.thread import present_page
from commentsvc.web.thread.rendering import Draft, piece, show, who
from commentsvc.web.thread_request import FRAME, PAGE, Asked

blueprint = Blueprint("posting", __name__)

KEY_LONGEST = 64


@blueprint.post(f"{FRAME}/comments", defaults={"door": FRAME})
@blueprint.post(f"{PAGE}/comments", defaults={"door": PAGE})
def post(door: str) -> ResponseReturnValue:
    """Take a comment. Scripts get JSON; a browser without script gets a page, its text kept on any fault."""
    access.require_own_page()
    given = request.form.to_dict()  # never a JSON body or files, which a bare form would read too
    form, asked = CommentForm(given), Asked.read(door, given)
    address = asked.place()
    try:
        posted = _store(form, address, door)
    except CommentsvcError as error:
        return _refused(error, form, asked)
    number, held = posted.id, posted.status is not Status.APPROVED
    if error_pages.wants_json():
        html = piece(asked, posted.view)
        return headers.keep_nothing(jsonify(id=number, held=held, html=html, count=posted.count))
    extra = {"receipt": access.receipt(number)} if held else {"comment": number}
    return redirect(f"{asked.link(**extra)}#comment-{number}", 303)


def _store(form: CommentForm, address: Address, door: str) -> Posted:
    shown = access.shown_form(form.value("token"), address)
    holder = _holder(form, address, door, shown)
    seconds = access.seconds_on_form(shown)
    present_page.require_same_article(address, form.given)
    text, author = _checked(form, address, holder)
    given, key = form.value("work"), _key(form)
    post_limits().count_attempt(network=access.network(), person=_person(author))
    _require_room_in_thread(address, key)
    draft = comment_text.of(text)  # slow, so that it comes after the limits
    signs = Signs(
        honeypot_filled=bool(form.value("subject")),
        seconds_on_form=seconds,
        worked=proof_of_work.is_done(settings().secret_key, address, given, key=key),
        can_work=error_pages.wants_json() and given != proof_of_work.NONE,
    )
    session = database()
    found = comments.look_into(
        session,
        address.site,
        draft,
        author,
        at=now(),
        address=access.client_ip(),
        network_hash_in=access.network_hash,
    )
    found = _with_opinion(found, form, address, draft, author)
    if author.role is None:
        thread = lookup.thread_at(session, address)
        found = replace(found, pressure=detection.look(session, address.site, thread, at=now()))
    session.expunge_all()  # the site stays as it was read: under the lock nobody waits for it to be read again
    begin_write(session)
    at = now()
    try:
        posted = comments.put(
            session,
            address,
            draft,
            _known_by_network(author, at),  # a ban reads the month of the hash from the comment's time
            at=at,
            parent_id=_parent_id(form),
            title=form.value("page_title") or form.value("title"),
            signs=signs,
            found=found,
            idempotency_key=key,
        )
    except AlreadyPostedError as error:
        session.rollback()  # others need not wait for the answer
        return _earlier(session, error.comment_id)
    if found.pressure is None and author.role is None:  # something about it was written down
        alerts.tell(session, address.site, settings().alerted, base_url=settings().base_url, at=now())
    session.commit()
    post_limits().thread.count(_thread_name(address))
    return posted


def _require_room_in_thread(address: Address, key: str | None) -> None:
    """Raise TooManyError where the thread has as many new comments as it may, and this is not one of them.

    Only what is stored counts, or those whose comments are refused would keep everybody else out.
    """
    try:
        post_limits().thread.require_room(_thread_name(address))
    except TooManyError:
        if key is None or not comments.is_stored(database(), address, key):
            raise


def _thread_name(address: Address) -> str:
    return f"{address.site.id} {address.match}"


def _earlier(session: Session, comment_id: int) -> Posted:
    """Return what the same form brought when it came before."""
    comment = session.get_one(Comment, comment_id)
    view = thread_pages.one(session, comment_id, own=True)
    return Posted(comment_id, comment.thread_id, comment.status, comment.thread.approved_count, view)


def _with_opinion(
    found: Evidence, form: CommentForm, address: Address, draft: comment_text.Draft, author: Author
) -> Evidence:
    """Add what Akismet says, where the owner has it asked; no transaction stays open meanwhile."""
    key = address.site.akismet_key
    if not key or author.role is not None:
        return found
    name, website = found.words.get("name"), found.words.get("website")
    origin = address.site.origins[0].origin
    database().close()
    opinions = akismet_check.of_akismet(
        key,
        origin,
        address.url,
        text=draft.source,
        client=access.client_ip(),
        browser=request.user_agent.string,
        at=now(),
        name=name,
        email=author.guest.email,
        website=website,
        is_reply=bool(form.value("parent")),
    )
    return replace(found, opinions=opinions)


def _checked(form: CommentForm, address: Address, holder: LoginSession | None) -> tuple[str, Author]:
    """Check everything typed; raises InvalidFieldsError with the faults of all fields at once."""
    faults_found: dict[str, str] = {}
    text = ""
    guest = fields.Guest()
    try:
        text = fields.text(form.value("text"), longest=settings().max_comment_length)
    except InvalidFieldsError as error:
        faults_found |= error.fields
    try:
        if holder is None:
            guest = fields.guest(
                address.site,
                name_=form.value("name"),
                email_=form.value("email"),
                website_=form.value("website"),
            )
    except InvalidFieldsError as error:
        faults_found |= error.fields
    if faults_found:
        raise InvalidFieldsError(faults_found)
    author = Author(
        guest=guest,
        commenter_id=holder.commenter_id if holder else None,
        role=accounts.role_on(database(), holder.commenter_id, address.site.id) if holder else None,
        author_key_hash=access.author_key_hash(form.value("author_key")),
    )
    return text, _known_by_network(author, now())


def _known_by_network(author: Author, at: datetime) -> Author:
    """Add the hash of the network in the month of `at`, and of the month in which slow mode may have begun."""
    return replace(
        author,
        network_hash=access.network_hash(bans.month_of(at)),
        earlier_network_hash=access.network_hash(bans.month_of(at - timedelta(seconds=SLOWEST))),
    )


def _holder(
    form: CommentForm, address: Address, door: str, shown: access.ShownForm | None
) -> LoginSession | None:
    """Return the session to post with, None for a guest.

    A form that a member filled in is taken from that member alone, in this session or another of theirs. Raises
    LoggedOutError, OtherPersonError, ForbiddenError.
    """
    if not _is_members(form):
        if not address.site.guests:
            raise InvalidFieldsError({"form": "Please log in to comment on this site."})
        return None
    holder = _logged_in(address, door)
    if holder is None:
        raise LoggedOutError
    if shown is None or shown.mark != reader.mark(holder):
        name = holder.commenter.name
        raise OtherPersonError(name, f"Your text is kept: press the button once more to post it as {name}.")
    try:
        reader.require_token()
    except ForbiddenError:
        raise ForbiddenError(
            "This form had been open for too long. Your text is kept: press the button once more."
        ) from None
    return holder


def _is_members(form: CommentForm) -> bool:
    """Whether the form was filled in by somebody with an account; a guest's stays a guest's, whoever logs in."""
    return form.value("identity") == "member"


def _logged_in(address: Address, door: str) -> LoginSession | None:
    return reader.current(address.site.id if door == FRAME else None)


def _person(author: Author) -> str | None:
    if author.commenter_id is not None:
        return f"account {author.commenter_id}"
    return author.author_key_hash


def _key(form: CommentForm) -> str | None:
    key = form.value("key")
    return key if key.isascii() and key.isprintable() and 0 < len(key) <= KEY_LONGEST else None


def _parent_id(form: CommentForm) -> int | None:
    text = form.value("parent")
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise NotFoundError("The comment you are answering is no longer there.")
    return int(text)


def _refused(error: CommentsvcError, form: CommentForm, asked: Asked) -> Response:
    """Say what is wrong beside the field it concerns; what was typed stays."""
    database().rollback()
    address = asked.address()
    found = error.fields if isinstance(error, InvalidFieldsError) else {"form": str(error)}
    status = error_pages.status_of(error)
    holder = _logged_in(address, asked.door) if _is_members(form) else None
    if error_pages.wants_json():
        body: dict[str, Any] = {"errors": found, "message": str(error)}
        if isinstance(error, LoggedOutError):
            body["errors"]["loggedOut"] = True
        if isinstance(error, StaleFormError):
            body["token"] = access.form_token(address, mark=reader.mark(holder), again=error.genuine)
        if isinstance(error, OtherArticleError):
            shown = access.shown_form(form.value("token"), address)
            body["choice"] = present_page.choice(address, form.given, shown)
        if _is_members(form) and isinstance(error, LoggedOutError | OtherPersonError | ForbiddenError):
            body["own"] = who(address, holder)
        if isinstance(error, WorkNeededError):
            body["work"] = proof_of_work.ask(settings().secret_key, address)
        response = jsonify(body)
        response.status_code = status
    else:
        order = asked.order or address.site.order
        page = thread_pages.page(database(), address, order=order)
        again = isinstance(error, StaleFormError) and error.genuine
        draft = Draft(values=form.values(), errors=found, parent=_answered(form, address), again=again)
        response = show(asked, address, page, at=now(), draft=draft, holder=holder, status=status)
    if isinstance(error, TooManyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return headers.keep_nothing(response)


def _answered(form: CommentForm, address: Address) -> thread_pages.CommentView | None:
    try:
        return thread_pages.answered(database(), address, _parent_id(form))
    except NotFoundError:
        return None
