"""A site's webhooks, chats and build hooks, for its owners. Secrets are shown once, and never again."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as Redirect

from commentsvc.domain.endpoints import endpoint_fields, endpoints, sending
from commentsvc.domain.endpoints.endpoint_fields import EndpointDraft
from commentsvc.errors import BadAddressError, InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import BUILDS, CHATS, Endpoint, EndpointKind, OffReason
from commentsvc.web import headers
from commentsvc.web.admin.context import AdminContext, person
from commentsvc.web.admin_forms import EndpointForm
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, settings, writing

blueprint = Blueprint("endpoints", __name__, url_prefix=cookies.ADMIN)

PAGE = "/sites/<site:site_id>/endpoints"
ENDPOINT = f"{PAGE}/<int:endpoint_id>"
_DONE = {
    "test": gettext_noop("A test is on its way: look at the log in a few seconds."),
    "on": gettext_noop("Switched on."),
    "off": gettext_noop("Switched off."),
}


@dataclass(frozen=True, slots=True)
class EndpointPage:
    """What the page of an endpoint shows, besides the endpoint."""

    form: EndpointForm
    kind: EndpointKind
    chosen: set[str]
    endpoint: Endpoint | None = None
    errors: dict[str, str] | None = None
    secret: str = ""
    """A new signing secret."""


@blueprint.get(PAGE)
def listing(site_id: int) -> ResponseReturnValue:
    """List what the site tells whom, and what can be added."""
    admin = AdminContext.for_site(site_id, owner=True)
    html = render_template(
        "admin/endpoints.html",
        admin=admin,
        endpoints=endpoints.of_site(database(), site_id),
        kinds=list(EndpointKind),
        notice=cookies.pop_notice(),
    )
    return headers.no_store(make_response(html))


@blueprint.route(f"{PAGE}/new/<kind>", methods=["GET", "POST"])
def add(site_id: int, kind: str) -> ResponseReturnValue:
    """Show the form of a kind; add what it says, and show a webhook's signing secret."""
    AdminContext.for_site(site_id, owner=True)
    if kind not in set(EndpointKind):
        raise NotFoundError
    wanted, form = EndpointKind(kind), EndpointForm()
    if request.method == "GET":
        chosen = {event.value for event in endpoint_fields.offered(wanted)}
        return _page(site_id, EndpointPage(form, wanted, chosen))
    draft = _draft(form)
    try:
        with writing() as session:
            AdminContext.for_site(site_id, owner=True)
            endpoint, secret = endpoints.add(
                session,
                settings().secret_key,
                settings().private_endpoints,
                site_id=site_id,
                kind=wanted,
                draft=draft,
                person_id=person().id,
                at=now(),
            )
            endpoint_id = endpoint.id
    except InvalidFieldsError as error:
        return _page(site_id, EndpointPage(form, wanted, set(draft.events), errors=error.fields))
    if secret:
        return _shown(site_id, endpoint_id, secret=secret)
    cookies.set_notice(gettext("Added. Send a test to see whether it works."))
    return redirect(url_for("endpoints.edit", site_id=site_id, endpoint_id=endpoint_id), 303)


@blueprint.route(ENDPOINT, methods=["GET", "POST"])
def edit(site_id: int, endpoint_id: int) -> ResponseReturnValue:
    """Show an endpoint with its log, or save what its form says."""
    if request.method == "GET":
        return _shown(site_id, endpoint_id)
    form = EndpointForm()
    draft = _draft(form)
    try:
        with writing() as session:
            endpoint = _mine(site_id, endpoint_id)
            secret = endpoints.change(
                session,
                settings().secret_key,
                settings().private_endpoints,
                endpoint,
                draft,
                person_id=person().id,
                at=now(),
            )
    except InvalidFieldsError as error:
        database().rollback()
        endpoint = _mine(site_id, endpoint_id)
        page = EndpointPage(form, endpoint.kind, set(draft.events), endpoint, errors=error.fields)
        return _page(site_id, page)
    if secret:
        return _shown(site_id, endpoint_id, secret=secret)
    return _back(site_id, endpoint_id, gettext("Saved."))


@blueprint.post(f"{ENDPOINT}/secret")
def rotate(site_id: int, endpoint_id: int) -> ResponseReturnValue:
    """Give a webhook a new signing secret, and show it."""
    try:
        with writing() as session:
            endpoint = _mine(site_id, endpoint_id)
            secret_key = settings().secret_key
            secret = endpoints.rotate(session, secret_key, endpoint, person_id=person().id, at=now())
    except InvalidFieldsError as error:
        return _back(site_id, endpoint_id, error.fields["url"])
    return _shown(site_id, endpoint_id, secret=secret)


@blueprint.post(f"{ENDPOINT}/press")
def press(site_id: int, endpoint_id: int) -> ResponseReturnValue:
    """Send a test, or switch an endpoint on or off, as the pressed button says."""
    do = request.form.get("do", "")
    with writing() as session:
        endpoint = _mine(site_id, endpoint_id)
        if do not in _DONE:
            raise BadAddressError(gettext("There is no such button."))
        if do == "on":
            endpoints.switch_on(session, endpoint, person_id=person().id, at=now())
        elif do == "off":
            sending.switch_off(session, endpoint, OffReason.OWNER, at=now())
            endpoints.log_off(session, endpoint, person_id=person().id, at=now())
        elif endpoint.off_at is not None:
            raise BadAddressError(gettext("It is switched off."))
        else:
            endpoints.enqueue_test(session, endpoint, at=now())
    return _back(site_id, endpoint_id, gettext(_DONE[do]))


@blueprint.post(f"{ENDPOINT}/deliveries/<int:delivery_id>/again")
def send_again(site_id: int, endpoint_id: int, delivery_id: int) -> ResponseReturnValue:
    """Send one delivery of the log once more."""
    with writing() as session:
        endpoint = _mine(site_id, endpoint_id)
        if endpoint.off_at is not None:
            raise BadAddressError(gettext("It is switched off."))
        endpoints.send_again(session, endpoint, delivery_id, at=now())
    return _back(site_id, endpoint_id, gettext("It is sent again: look at the log in a few seconds."))


@blueprint.post(f"{ENDPOINT}/remove")
def remove(site_id: int, endpoint_id: int) -> ResponseReturnValue:
    """Delete an endpoint with its secrets and its log."""
    with writing() as session:
        endpoint = _mine(site_id, endpoint_id)
        name = endpoint.name
        endpoints.remove(session, endpoint, person_id=person().id, at=now())
    cookies.set_notice(gettext("%(name)s is removed.") % {"name": name})
    return redirect(url_for("endpoints.listing", site_id=site_id), 303)


def _mine(site_id: int, endpoint_id: int) -> Endpoint:
    AdminContext.for_site(site_id, owner=True)
    return endpoints.get(database(), site_id, endpoint_id)


def _draft(form: EndpointForm) -> EndpointDraft:
    return EndpointDraft(
        name=form.name.data or "",
        url=form.url.data or "",
        token=form.token.data or "",
        target=form.target.data or "",
        events=request.form.getlist("events"),
        has_links=bool(form.has_links.data),
    )


def _shown(site_id: int, endpoint_id: int, *, secret: str = "") -> Response:
    endpoint = _mine(site_id, endpoint_id)
    known = {"name": endpoint.name, "has_links": endpoint.has_links}
    known["target"] = endpoints.target_of(settings().secret_key, endpoint)
    form = EndpointForm(formdata=None, data=known)
    chosen = {event.value for event in endpoint.wants}
    return _page(site_id, EndpointPage(form, endpoint.kind, chosen, endpoint, secret=secret))


def _page(site_id: int, page: EndpointPage) -> Response:
    html = render_template(
        "admin/endpoint.html",
        admin=AdminContext.for_site(site_id, owner=True),
        page=page,
        form=page.form,
        errors=page.errors or {},
        endpoint=page.endpoint,
        kind=page.kind.value,
        is_chat=page.kind in CHATS,
        is_build=page.kind in BUILDS,
        has_url=page.kind in endpoint_fields.URLS,
        has_target=page.kind in endpoint_fields.TARGETS,
        has_token=page.kind in endpoint_fields.TOKENS,
        offered=endpoint_fields.offered(page.kind),
        log=endpoints.log_of(database(), page.endpoint) if page.endpoint else [],
        notice=cookies.pop_notice(),
    )
    return headers.no_store(make_response(html, 422 if page.errors else 200))


def _back(site_id: int, endpoint_id: int, text: str) -> Redirect:
    cookies.set_notice(text)
    return redirect(url_for("endpoints.edit", site_id=site_id, endpoint_id=endpoint_id), 303)
