"""A site's bans: the list, banning a typed value or a comment's author, and lifting a ban."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as Redirect

from commentsvc.domain.admin import ban_list
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.errors import ForbiddenError, InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Ban, BanKind, Comment
from commentsvc.web import error_pages
from commentsvc.web.admin.context import AdminContext, for_comment
from commentsvc.web.admin.people_forms import AuthorBanForm, BanForm
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, writing
from commentsvc.web.forms import require_valid
from commentsvc.web.request_values import query_number

blueprint = Blueprint("bans", __name__, url_prefix=cookies.ADMIN)

_WORDS = {
    BanKind.PERSON: gettext_noop("%(name)s (account)"),
    BanKind.EMAIL: gettext_noop("The e-mail address %(name)s"),
    BanKind.AUTHOR: gettext_noop("The browser this comment was written in"),
    BanKind.NETWORK: gettext_noop("The network it came from"),
    BanKind.DOMAIN: gettext_noop("Links to %(name)s"),
}
_TICKED = {BanKind.PERSON, BanKind.EMAIL, BanKind.AUTHOR}


@blueprint.route("/sites/<site:site_id>/bans", methods=["GET", "POST"])
def listing(site_id: int) -> ResponseReturnValue:
    """All bans, and a form to add one."""
    admin = AdminContext.for_site(site_id)
    form, errors = BanForm(), {}
    if request.method == "POST":
        try:
            return _add_typed(form, site_id)
        except InvalidFieldsError as error:
            errors = error.fields
    shown_bans, next_after = ban_list.list_bans(database(), site_id, after=query_number("after"))
    html = render_template(
        "admin/bans.html",
        admin=admin,
        form=form,
        errors=errors,
        bans=shown_bans,
        next_after=next_after,
        named=ban_list.describe,
        now=now(),
        notice=cookies.pop_notice(),
    )
    return make_response(html, 422 if errors else 200)


@blueprint.route("/comments/<int:comment_id>/ban", methods=["GET", "POST"])
def author(comment_id: int) -> ResponseReturnValue:
    """Ban a comment's author."""
    admin, comment = for_comment(comment_id)
    offered = ban_list.possible_bans(comment)
    form = AuthorBanForm()
    form.targets.choices = [(target.key, _words(target)) for target in offered]
    if request.method == "GET":
        form.targets.data = [target.key for target in offered if target.kind in _TICKED]
    errors, status = {}, 200
    if request.method == "POST":
        try:
            return _ban_author(form, comment_id)
        except InvalidFieldsError as error:
            errors, status = error.fields, error_pages.status_of(error)
        except ForbiddenError as error:
            errors, status = {"targets": str(error)}, error_pages.status_of(error)
        admin, comment = for_comment(comment_id)
    html = render_template(
        "admin/ban.html",
        admin=admin,
        form=form,
        errors=errors,
        comment=comment,
        who=_author(comment),
    )
    return make_response(html, status)


@blueprint.post("/bans/<int:ban_id>/lift")
def lift(ban_id: int) -> ResponseReturnValue:
    """Lift a ban."""
    with writing() as session:
        ban = session.get(Ban, ban_id)
        if ban is None:
            raise NotFoundError
        admin = AdminContext.for_site(ban.site_id)
        name = ban_list.describe(ban)
        ban_list.lift(session, ban, moderator_id=admin.person.id, at=now())
    cookies.set_notice(gettext("The ban of %(name)s is lifted.") % {"name": name})
    return _back(admin.site.id, request.args.get("who"))


def _add_typed(form: BanForm, site_id: int) -> Redirect:
    require_valid(form)
    with writing() as session:
        admin = AdminContext.for_site(site_id)
        target = ban_list.parse_typed(BanKind(form.kind.data), form.value.data or "")
        (ban,) = ban_list.add(
            session,
            site_id,
            [target],
            reason=form.reason.data or "",
            until=form.ending(at=now()),
            moderator_id=admin.person.id,
            at=now(),
        )
    cookies.set_notice(ban_list.sentence(ban))
    return _back(site_id, None)


def _ban_author(form: AuthorBanForm, comment_id: int) -> Redirect:
    require_valid(form)
    with writing() as session:
        admin, comment = for_comment(comment_id)
        chosen = [
            target for target in ban_list.possible_bans(comment) if target.key in (form.targets.data or [])
        ]
        added = ban_list.add(
            session,
            admin.site.id,
            chosen,
            reason=form.reason.data or "",
            until=form.ending(at=now()),
            moderator_id=admin.person.id,
            at=now(),
        )
    if added:
        cookies.set_notice(ban_list.sentence(added[0]))
    return _back(admin.site.id, _author(comment))


def _author(comment: Comment) -> AuthorRef | None:
    """Return a reference for the author's page; None for a guest without an e-mail address."""
    return AuthorRef.read(comment.commenter_id, comment.guest_email, None)


def _shown(target: ban_list.BanTarget) -> str:
    return target.value if target.kind is BanKind.EMAIL else target.label


def _back(site_id: int, who: AuthorRef | str | None) -> Redirect:
    """Return to the person's page if the ban is about one, else to the list."""
    if who:
        return redirect(url_for("people.detail", site_id=site_id, who=who), 303)
    return redirect(url_for("bans.listing", site_id=site_id), 303)


def _words(target: ban_list.BanTarget) -> str:
    """Return how the form names a target."""
    if ban_list.is_elsewhere(target):
        return gettext("All that %(name)s writes elsewhere") % {"name": _shown(target)}
    return gettext(_WORDS[target.kind]) % {"name": _shown(target)}
