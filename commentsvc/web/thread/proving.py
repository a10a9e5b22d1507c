"""Proving an e-mail address: asks for a code by mail, and checks the code typed into the comment form."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from commentsvc.domain import fields
from commentsvc.domain.proofs import address_codes, address_proofs
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import CommentsvcError, InvalidFieldsError, NotFoundError, StaleFormError
from commentsvc.integrations import signing
from commentsvc.messages import gettext, gettext_noop
from commentsvc.web import access, error_pages, headers, origin_check
from commentsvc.web.context import database, limiter, now, settings, writing
from commentsvc.web.forms import CommentForm
from commentsvc.web.thread import address_claims
from commentsvc.web.thread.rendering import render_form
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest

blueprint = Blueprint("proving", __name__)

MAILS = "5/hour;15/day"
"""Codes asked for per network, whatever the address."""
ASKED = gettext_noop(
    "We have mailed a six-digit code to this address. Enter it here within 10 minutes. Did none come? An address gets "
    "at most one an hour and three a day."
)
"""The same for every address, so that nobody learns which ones are known here."""
PROVED = gettext_noop("This address is proved: what is posted with it from here is known to be yours.")
FOR_LATER = gettext_noop("To be known next time too, have your details saved in this browser.")


@blueprint.post(f"{EMBED}/prove", defaults={"mode": EMBED})
@blueprint.post(f"{STANDALONE}/prove", defaults={"mode": STANDALONE})
def prove(mode: str) -> ResponseReturnValue:
    """Mail a code, or check the one typed. Scripts get JSON; a browser without script gets its form back."""
    origin_check.require_own_page()
    given = request.form.to_dict()
    if access.author_key_hash(given.get("author_key")) is None:
        given["author_key"] = signing.new_token()  # without script no browser has one; the form carries it on
    form, thread_request = CommentForm(given), ThreadRequest.read(mode, given)
    address = thread_request.address()
    try:
        is_proved = _is_proved(form, address)
    except CommentsvcError as error:
        return _refused(error, form, thread_request)
    message = gettext(PROVED if is_proved else ASKED)
    if error_pages.wants_json():
        shown = f"{message} {gettext(FOR_LATER)}" if is_proved else message
        return headers.no_store(jsonify(message=shown, proved=is_proved))
    left = {name: value for name, value in given.items() if name != "code"}
    shown_again = CommentForm(left if is_proved else {**left, "code": ""})
    return headers.no_store(_page(shown_again, thread_request, proof_message=message))


def _is_proved(form: CommentForm, address: ThreadAddress) -> bool:
    """Check a typed code, or mail one; return whether the address is proved now."""
    site = address.site
    if not address_claims.are_offered(site):
        raise NotFoundError
    access.seconds_on_form(access.shown_form(form.value("token"), address))
    email = fields.email(form.value("email"))
    browser = access.author_key_hash(form.value("author_key")) or ""
    claim = address_claims.claim(site.id, email, browser)
    if form.value("code").strip():
        address_claims.redeem(claim, form.value("code"))
        return True
    if address_proofs.is_proved(database(), claim):
        return True
    limiter("address mails").hit(access.network())
    if not form.value("subject"):  # people do not see this field
        with writing() as session:
            address_codes.send(session, site, email, claim, secret=settings().secret_key, at=now())
    return False


def _refused(error: CommentsvcError, form: CommentForm, thread_request: ThreadRequest) -> Response:
    """Show the errors beside their fields; what was typed stays."""
    errors = error.fields if isinstance(error, InvalidFieldsError) else {"form": str(error)}
    status = error_pages.status_of(error)
    is_expired = isinstance(error, StaleFormError) and error.genuine
    if not error_pages.wants_json():
        page = _page(form, thread_request, errors=errors, again=is_expired, status=status)
        error_pages.set_retry_after(page, error)
        return headers.no_store(page)
    body: dict[str, object] = {"errors": errors, "message": str(error)}
    if isinstance(error, StaleFormError):
        body["token"] = access.form_token(thread_request.address(), again=is_expired)
    response = jsonify(body)
    response.status_code = status
    error_pages.set_retry_after(response, error)
    return headers.no_store(response)


def _page(
    form: CommentForm,
    thread_request: ThreadRequest,
    *,
    errors: dict[str, str] | None = None,
    again: bool = False,
    proof_message: str = "",
    status: int = 200,
) -> Response:
    return render_form(
        thread_request,
        thread_request.address(),
        form,
        at=now(),
        errors=errors or {},
        holder=None,
        again=again,
        proof_message=proof_message,
        status=status,
    )
