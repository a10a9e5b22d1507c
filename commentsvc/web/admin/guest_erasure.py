"""Erases a guest from a site, at their request; for its owner."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.admin import bulk_decisions, people
from commentsvc.domain.admin.author_ref import AuthorKind, AuthorRef
from commentsvc.domain.maintenance import erasure
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.admin.people_forms import ErasureForm
from commentsvc.web.auth import cookies
from commentsvc.web.context import database
from commentsvc.web.forms import require_valid

blueprint = Blueprint("guest_erasure", __name__, url_prefix=cookies.ADMIN)


@blueprint.route("/sites/<site:site_id>/people/erase", methods=["GET", "POST"])
def erase(site_id: int) -> ResponseReturnValue:
    """What erasing means, and the button that does it."""
    admin = AdminContext.for_site(site_id, owner=True)
    person = people.find(database(), site_id, _guest())
    form, errors = ErasureForm(), {}
    if request.method == "POST":
        try:
            require_valid(form)
        except InvalidFieldsError as error:
            errors = error.fields
        else:
            number = erasure.erase_guest(database(), person.who, site_id=site_id)
            cookies.set_notice(bulk_decisions.sentence(gettext("Erased"), number))
            return redirect(url_for("people.recent", site_id=site_id), 303)
    html = render_template("admin/erase.html", admin=admin, person=person, form=form, errors=errors)
    return make_response(html, 422 if errors else 200)


def _guest() -> AuthorRef:
    """Read whom the address is about; a member's account is not a site's to erase."""
    who = AuthorRef.parse(request.args.get("who", ""))
    if who.kind is not AuthorKind.EMAIL:
        raise NotFoundError
    return who
