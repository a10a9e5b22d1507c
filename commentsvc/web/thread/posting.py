"""Posting a comment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from commentsvc.domain import fields
from commentsvc.domain.accounts import accounts
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text, comments, receipts
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.comments.comments import FormSignals, NewComment
from commentsvc.domain.comments.insert_comment import PostedComment
from commentsvc.domain.reading import thread_pages
from commentsvc.domain.surge import alerts, detection
from commentsvc.domain.threads import embedding_pages, threads
from commentsvc.domain.threads.threads import ThreadAddress
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
)
from commentsvc.messages import gettext
from commentsvc.models import Comment, LoginSession
from commentsvc.web import access, akismet_opinion, error_pages, headers, origin_check
from commentsvc.web.auth import reader
from commentsvc.web.context import database, now, post_limits, settings, writing
from commentsvc.web.forms import CommentForm
from commentsvc.web.thread import address_claims, posted_answer, present_page, receipt_links, subscribing
from commentsvc.web.thread.posted_answer import StoredPost
from commentsvc.web.thread.rendering import form_identity, render_form
from commentsvc.web.thread.subscribing import MailWish
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest

blueprint = Blueprint("posting", __name__)

KEY_LONGEST = 64


@blueprint.post(f"{EMBED}/comments", defaults={"mode": EMBED})
@blueprint.post(f"{STANDALONE}/comments", defaults={"mode": STANDALONE})
def post(mode: str) -> ResponseReturnValue:
    """Post a comment. Scripts get JSON; a browser without script gets a page that keeps the text after an error."""
    origin_check.require_own_page()
    given = request.form.to_dict()  # never JSON or files, which FlaskForm would also read
    form, thread_request = CommentForm(given), ThreadRequest.read(mode, given)
    address = thread_request.address()
    try:
        stored = _store(form, address, mode)
    except CommentsvcError as error:
        return _refused(error, form, thread_request)
    asked = subscribing.was_asked(form, address.site)
    return posted_answer.answer(stored, thread_request, address.site, asked_for_mail=asked)


def _store(form: CommentForm, address: ThreadAddress, mode: str) -> StoredPost:
    embedding_pages.require_writable(address)  # before anything is counted or redeemed
    shown = access.shown_form(form.value("token"), address)
    holder = _holder(form, address, mode, shown)
    seconds = access.seconds_on_form(shown)
    present_page.require_same_article(address, form.given)
    began = now()
    text, author, wish = _checked(form, address, holder, at=began)
    address_claims.redeem_for(author, address.site.id, form.value("code"))
    post_limits().count_attempt(network=access.network(), person=author.person)
    _require_room_in_thread(address, _key(form))
    draft = comment_text.from_checked(text)  # slow, so after the limits
    token = None if holder else receipts.new_token()
    new = _new_comment(form, address, draft, seconds, token)
    session = database()
    signals = comments.examine(session, address.site, draft, author, at=now(), article_url=address.url)
    signals = akismet_opinion.with_opinion(
        signals, address, draft.source, author, is_reply=bool(form.value("parent"))
    )
    if author.role is None:
        thread = threads.find(session, address) if address.site.valve else None
        signals = replace(signals, pressure=detection.peek(session, address.site, thread, at=now()))
    session.expunge_all()  # keeps the site as it was read, so that it is not read again under the lock
    try:
        with writing():
            at = now()
            if at.month != began.month:  # bans take the month of the hash from the comment's time
                author = access.with_network(author, at=at)
            posted = comments.post(session, address, new, author, at=at, examined=signals)
            subscribing.store(session, wish, posted, author, address.site.id)
            if signals.pressure is None and author.role is None:  # the surge may have changed
                alerts.enqueue_alerts(
                    session, address.site, settings().alerted, base_url=settings().base_url, at=now()
                )
    except AlreadyPostedError as error:
        return _earlier(session, error.comment_id, author, token)
    post_limits().thread.count(_thread_name(address))
    return StoredPost(posted, token)


def _new_comment(
    form: CommentForm, address: ThreadAddress, draft: CommentText, seconds: float, token: str | None
) -> NewComment:
    return NewComment(
        draft,
        parent_id=_parent_id(form),
        title=form.value("page_title") or form.value("title"),
        form=FormSignals(
            honeypot_filled=bool(form.value("subject")),
            seconds_on_form=seconds,
            by_script=bool(form.value("script")),
        ),
        idempotency_key=_key(form),
        receipt_hash=receipt_links.hash_of(token) if token else None,
    )


def _require_room_in_thread(address: ThreadAddress, key: str | None) -> None:
    """Raise TooManyError if the thread has reached its limit of new comments, unless this one is already stored.

    Only stored comments count; otherwise refused comments would keep everybody else out.
    """
    try:
        post_limits().thread.require_room(_thread_name(address))
    except TooManyError:
        if key is None or not comments.is_stored(database(), address, key):
            raise


def _thread_name(address: ThreadAddress) -> str:
    return f"{address.site.id} {address.match}"


def _earlier(session: Session, comment_id: int, author: Author, token: str | None) -> StoredPost:
    """Return the comment that the same form has already posted.

    The response with its receipt was lost, and only the receipt's hash is stored: the browser that wrote the comment
    gets a new one, which ends the lost one; others get none.
    """
    comment = session.get_one(Comment, comment_id)
    if token:
        fresh_hash = receipt_links.hash_of(token)
        with writing():
            if not receipts.renew_for_browser(session, comment, author.author_key_hash, fresh_hash):
                token = None
    view = thread_pages.comment_view(session, comment_id, own=True)
    count = comment.thread.approved_count
    return StoredPost(PostedComment(comment_id, comment.thread_id, comment.status, count, view), token)


def _checked(
    form: CommentForm, address: ThreadAddress, holder: LoginSession | None, *, at: datetime
) -> tuple[str, Author, MailWish | None]:
    """Validate everything typed; raises InvalidFieldsError with all errors at once."""
    errors: dict[str, str] = {}
    text, wish = "", None
    guest = fields.Guest()
    try:
        text = fields.text(form.value("text"), longest=settings().max_comment_length)
    except InvalidFieldsError as error:
        errors |= error.fields
    try:
        if holder is None:
            guest = fields.guest(
                address.site,
                name_=form.value("name"),
                email_=form.value("email"),
                website_=form.value("website"),
            )
    except InvalidFieldsError as error:
        errors |= error.fields
    try:
        wish = subscribing.read(form, address.site, guest, holder)
    except InvalidFieldsError as error:
        errors |= error.fields
    if errors:
        raise InvalidFieldsError(errors)
    author = Author(
        guest=guest,
        commenter_id=holder.commenter_id if holder else None,
        role=accounts.role_on(database(), holder.commenter_id, address.site.id) if holder else None,
        author_key_hash=access.author_key_hash(form.value("author_key")),
        proof_hashes=address_claims.author_hashes(
            email=guest.email, name=holder.commenter.name if holder else guest.name
        ),
    )
    return text, access.with_network(author, at=at), wish


def _holder(
    form: CommentForm, address: ThreadAddress, mode: str, shown: access.ShownForm | None
) -> LoginSession | None:
    """Return the session to post with, None for a guest.

    A form that a member filled in is accepted from that member only, in this session or another of theirs. Raises
    LoggedOutError, OtherPersonError, ForbiddenError.
    """
    if not _is_members(form):
        if not address.site.guests:
            raise InvalidFieldsError({"form": gettext("Please log in to comment on this site.")})
        return None
    holder = reader.in_thread(mode, address.site)
    if holder is None:
        raise LoggedOutError
    what_now = gettext("Your text is kept: press the button again to post it as %(name)s.")
    reader.require_same_person(
        holder, shown.mark if shown else None, what_now % {"name": holder.commenter.name}
    )
    try:
        reader.require_token()
    except ForbiddenError:
        raise ForbiddenError(
            gettext("This form was open for too long. Your text is kept: press the button again.")
        ) from None
    return holder


def _is_members(form: CommentForm) -> bool:
    """Whether the form was filled in by somebody with an account; a guest's form stays a guest's, whoever logs in."""
    return form.value("identity") == "member"


def _key(form: CommentForm) -> str | None:
    key = form.value("key")
    return key if key.isascii() and key.isprintable() and 0 < len(key) <= KEY_LONGEST else None


def _parent_id(form: CommentForm) -> int | None:
    text = form.value("parent")
    if not text:
        return None
    number = fields.whole_number(text)
    if number is None:
        raise NotFoundError(gettext("The comment that you are replying to no longer exists."))
    return number


def _refused(error: CommentsvcError, form: CommentForm, thread_request: ThreadRequest) -> Response:
    """Show the errors beside their fields; what was typed stays."""
    database().rollback()
    address = thread_request.address()
    field_errors = error.fields if isinstance(error, InvalidFieldsError) else {"form": str(error)}
    status = error_pages.status_of(error)
    holder = reader.in_thread(thread_request.mode, address.site) if _is_members(form) else None
    if error_pages.wants_json():
        body: dict[str, Any] = {"errors": field_errors, "message": str(error)}
        if isinstance(error, LoggedOutError):
            body["errors"]["loggedOut"] = True
        if isinstance(error, StaleFormError):
            body["token"] = access.form_token(address, mark=reader.form_mark(holder), again=error.genuine)
        if isinstance(error, OtherArticleError):
            shown = access.shown_form(form.value("token"), address)
            body["choice"] = present_page.choice(address, form.given, shown)
        if _is_members(form) and isinstance(error, LoggedOutError | OtherPersonError | ForbiddenError):
            body["own"] = form_identity(address, holder)
        response = jsonify(body)
        response.status_code = status
    else:
        again = isinstance(error, StaleFormError) and error.genuine
        response = render_form(
            thread_request,
            address,
            form,
            at=now(),
            errors=field_errors,
            again=again,
            holder=holder,
            status=status,
        )
    error_pages.set_retry_after(response, error)
    return headers.no_store(response)
