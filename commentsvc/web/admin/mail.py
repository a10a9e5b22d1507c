"""A moderator's own mail about a site, samples of all mails, and for owners the answer why no mail came."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain import fields
from commentsvc.domain.subscriptions import mail_history, mail_samples, moderator_mail, subscription_requests
from commentsvc.domain.subscriptions.mail_history import MailHistory
from commentsvc.domain.subscriptions.moderator_mail import ModeratorMail
from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext, ngettext
from commentsvc.web import headers
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.admin.people_forms import AddressForm, ModeratorMailForm
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, hash_key, limiter, now, settings, writing
from commentsvc.web.forms import require_valid

blueprint = Blueprint("moderator_mail", __name__, url_prefix=cookies.ADMIN)

SAMPLES = "3/hour"
"""Sets of samples per person."""
MAIL = "/sites/<site:site_id>/mail"


@blueprint.route(MAIL, methods=["GET", "POST"])
def page(site_id: int) -> ResponseReturnValue:
    """Show what mail the moderator gets, or change it."""
    admin = AdminContext.for_site(site_id)
    if request.method == "GET":
        return _page(admin, _form(admin))
    form = ModeratorMailForm()
    try:
        require_valid(form)
        wanted = ModeratorMail(form.wanted.data)
        address = "" if wanted is ModeratorMail.NOTHING else fields.email(form.address.data or "")
        with writing() as session:
            moderator_mail.choose(
                session,
                hash_key(),
                site_id=site_id,
                commenter_id=AdminContext.for_site(site_id).person.id,
                wanted=wanted,
                address=address,
                at=now(),
            )
    except InvalidFieldsError as error:
        return _page(AdminContext.for_site(site_id), form, errors=error.fields)
    cookies.set_notice(gettext("Saved."))
    return redirect(url_for("moderator_mail.page", site_id=site_id), 303)


@blueprint.post(f"{MAIL}/samples")
def send_samples(site_id: int) -> ResponseReturnValue:
    """Send one sample of each mail to the moderator's confirmed address."""
    admin = AdminContext.for_site(site_id)
    limiter("mail samples").hit(str(admin.person.id))
    with writing() as session:
        subscription = moderator_mail.of_moderator(session, site_id, AdminContext.for_site(site_id).person.id)
        is_confirmed = subscription is not None and subscription.is_active
        number = mail_samples.enqueue(session, subscription, at=now()) if subscription and is_confirmed else 0
    sent = ngettext("%(number)s sample is on its way.", "%(number)s samples are on their way.", number)
    cookies.set_notice(sent % {"number": number} if number else gettext("Confirm your address first."))
    return redirect(url_for("moderator_mail.page", site_id=site_id), 303)


@blueprint.post(f"{MAIL}/history")
def explain(site_id: int) -> ResponseReturnValue:
    """Tell an owner why no mail came to an address; it is a POST so that the address is in no log."""
    admin = AdminContext.for_site(site_id, owner=True)
    form = AddressForm()
    try:
        require_valid(form)
        address = fields.email(form.email.data or "")
    except InvalidFieldsError as error:
        return _page(admin, _form(admin), errors=error.fields, question=form)
    history = mail_history.of_address(database(), hash_key(), site_id, address, at=now())
    return _page(admin, _form(admin), question=form, history=history)


def _form(admin: AdminContext) -> ModeratorMailForm:
    """Return the form as it is stored."""
    subscription = moderator_mail.of_moderator(database(), admin.site.id, admin.person.id)
    known = (
        subscription.address
        if subscription
        else subscription_requests.proven_address(database(), admin.person.id)
    )
    wanted = moderator_mail.wanted_by(subscription).value
    return ModeratorMailForm(formdata=None, data={"wanted": wanted, "address": known or ""})


def _page(
    admin: AdminContext,
    form: ModeratorMailForm,
    *,
    errors: dict[str, str] | None = None,
    question: AddressForm | None = None,
    history: MailHistory | None = None,
) -> Response:
    html = render_template(
        "admin/mail.html",
        admin=admin,
        form=form,
        errors=errors or {},
        subscription=moderator_mail.of_moderator(database(), admin.site.id, admin.person.id),
        question=question or AddressForm(formdata=None),
        history=history,
        sends_mail=bool(settings().smtp_url),
        notice=cookies.pop_notice(),
    )
    return headers.no_store(make_response(html, 422 if errors else 200))
