"""What cannot be undone, for a site's owner: erasing a guest, and removing the site with everything in it."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.admin import bulk_decisions, people
from commentsvc.domain.admin.author_ref import AuthorKind, AuthorRef
from commentsvc.domain.maintenance import site_removal
from commentsvc.errors import BadAddressError, NotFoundError
from commentsvc.messages import gettext
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.auth import cookies
from commentsvc.web.context import database
from commentsvc.web.request_values import form_number

blueprint = Blueprint("danger", __name__, url_prefix=cookies.ADMIN)

DANGER = "/sites/<site:site_id>/danger"
AT_ONCE = 1_000
"""Comments that one request deletes: a second or two."""


@blueprint.get(DANGER)
def page(site_id: int) -> ResponseReturnValue:
    """Show both forms; with the address of a guest, go on to the page that erases them."""
    admin = AdminContext.for_site(site_id, owner=True)
    email = request.args.get("email", "").strip()
    if not email:
        return _show(admin, {})
    try:
        guest = people.find(database(), site_id, AuthorRef.parse(f"{AuthorKind.EMAIL.prefix}{email}"))
    except (BadAddressError, NotFoundError):
        return _show(
            admin, {"email": gettext("No guest with this e-mail address has commented on this site")}
        )
    return redirect(url_for("guest_erasure.erase", site_id=site_id, who=guest.who), 303)


@blueprint.post(f"{DANGER}/remove")
def remove(site_id: int) -> ResponseReturnValue:
    """Remove the site if its name was typed; a large one in several requests, one after the other."""
    admin = AdminContext.for_site(site_id, owner=True)
    name = admin.site.name
    if request.form.get("name", "").strip() != name:
        return _show(
            admin, {"name": gettext("Please type the name exactly as it is: %(name)s") % {"name": name}}
        )
    removed: list[int] = []
    is_done = site_removal.remove(database(), site_id, progress=removed.append, most=AT_ONCE)
    number = (form_number("done") or 0) + sum(removed)
    if not is_done:
        admin = AdminContext.for_site(site_id, owner=True)
        return render_template(
            "admin/progress.html",
            admin=admin,
            onward=url_for("danger.remove", site_id=site_id),
            fields={"name": name, "done": number},
            verdict="remove",
            done=number,
        )
    cookies.set_notice(
        gettext("Removed “%(name)s” with %(comments)s.")
        % {"name": name, "comments": bulk_decisions.count_in_words(number)}
    )
    return redirect(url_for("queue.listing"), 303)


def _show(admin: AdminContext, errors: dict[str, str]) -> ResponseReturnValue:
    contents = site_removal.contents(database(), admin.site.id)
    html = render_template("admin/danger.html", admin=admin, contents=contents, errors=errors)
    return make_response(html, 422 if errors else 200)
