"""A site's team, for its owners: members with their roles, and invitation links."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as Redirect

from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import team
from commentsvc.errors import BadAddressError
from commentsvc.messages import gettext
from commentsvc.models import Role
from commentsvc.web import headers
from commentsvc.web.admin.context import AdminContext, person
from commentsvc.web.admin.people_forms import InvitationForm
from commentsvc.web.auth import cookies, reader
from commentsvc.web.context import database, now, settings, writing
from commentsvc.web.forms import require_valid

blueprint = Blueprint("team", __name__, url_prefix=cookies.ADMIN)

MEMBER = "/team/<int:membership_id>"


@blueprint.route("/sites/<site:site_id>/team", methods=["GET", "POST"])
def listing(site_id: int) -> ResponseReturnValue:
    """All members; the form creates an invitation, whose link is shown once."""
    link = None
    form = InvitationForm()
    admin = AdminContext.for_site(site_id, owner=True)
    if request.method == "POST":
        require_valid(form)
        with writing() as session:
            admin = AdminContext.for_site(site_id, owner=True)
            role = Role(form.role.data)
            token = team.invite(session, admin.site, role, moderator_id=admin.person.id, at=now())
        link = settings().origin + url_for("invitation.page", token=token)
        admin = AdminContext.for_site(site_id, owner=True)
    html = render_template(
        "admin/team.html",
        admin=admin,
        form=form,
        link=link,
        members=team.members(database(), site_id),
        open=team.open_invitations(database(), site_id, at=now()),
        label_of=reader.label_of,
        notice=cookies.pop_notice(),
    )
    return headers.no_store(make_response(html))


@blueprint.post(f"{MEMBER}/role")
def change(membership_id: int) -> ResponseReturnValue:
    """Give a member the role that the pressed button names."""
    with writing() as session:
        admin = AdminContext.for_site(team.site_of(session, membership_id=membership_id), owner=True)
        wanted = request.form.get("role", "")
        if wanted not in set(Role):
            raise BadAddressError(gettext("There is no such role."))
        role = Role(wanted)
        name = team.change(session, membership_id, role, moderator_id=admin.person.id, at=now())
    return _back(admin.site.id, _changed(role) % {"name": name})


def _changed(role: Role) -> str:
    return (
        gettext("%(name)s is an owner now.")
        if role is Role.OWNER
        else gettext("%(name)s is a moderator now.")
    )


@blueprint.post(f"{MEMBER}/remove")
def remove(membership_id: int) -> ResponseReturnValue:
    """Remove a member's role."""
    with writing() as session:
        admin = AdminContext.for_site(team.site_of(session, membership_id=membership_id), owner=True)
        name = team.remove(session, membership_id, moderator_id=admin.person.id, at=now())
    return _back(
        admin.site.id,
        gettext("%(name)s no longer moderates %(site)s.") % {"name": name, "site": admin.site.name},
    )


@blueprint.post("/team/invitations/<int:ticket_id>/withdraw")
def withdraw(ticket_id: int) -> ResponseReturnValue:
    """Invalidate an invitation's link."""
    with writing() as session:
        admin = AdminContext.for_site(team.site_of(session, ticket_id=ticket_id), owner=True)
        team.withdraw(session, ticket_id, moderator_id=admin.person.id, at=now())
    return _back(admin.site.id, gettext("The invitation is withdrawn."))


def _back(site_id: int, text: str) -> Redirect:
    """Return to the team, or to the queue if the person is no longer an owner."""
    cookies.set_notice(text)
    if accounts.role_on(database(), person().id, site_id) is Role.OWNER:
        return redirect(url_for("team.listing", site_id=site_id), 303)
    return redirect(url_for("queue.listing"), 303)
