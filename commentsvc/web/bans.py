"""A site's bans: the list, a ban of what is typed or of a comment's author, and lifting one."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as Redirect

from commentsvc.db import begin_write
from commentsvc.domain.desk import banning, people
from commentsvc.errors import ForbiddenError, InvalidFieldsError, NotFoundError
from commentsvc.models import Ban, BanKind, Comment
from commentsvc.web import faults, sessions
from commentsvc.web.context import database, now
from commentsvc.web.desk import LARGEST_ROW, LARGEST_SITE, Desk, guard, number
from commentsvc.web.people_forms import AuthorBanForm, BanForm, checked

blueprint = Blueprint("bans", __name__, url_prefix=sessions.ADMIN)
blueprint.before_request(guard)

NOWHERE = "There is no such page, or it is not yours to see."
_WORDS = {
    BanKind.PERSON: "{} (account)",
    BanKind.EMAIL: "The e-mail address {}",
    BanKind.AUTHOR: "The browser this comment was written in",
    BanKind.NETWORK: "The network it came from",
    BanKind.DOMAIN: "Links to {}",
}
_TICKED = {BanKind.PERSON, BanKind.EMAIL, BanKind.AUTHOR}


@blueprint.route(f"/sites/<int(max={LARGEST_SITE}):site_id>/bans", methods=["GET", "POST"])
def of_site(site_id: int) -> ResponseReturnValue:
    """All bans, and a form for one more."""
    desk = Desk.at(site_id)
    form, errors = BanForm(), {}
    if request.method == "POST":
        try:
            return _add_typed(form, site_id)
        except InvalidFieldsError as error:
            database().rollback()
            errors = error.fields
    found, next_after = banning.listed(database(), site_id, after=number("after", LARGEST_ROW))
    html = render_template(
        "admin/bans.html",
        desk=desk,
        form=form,
        errors=errors,
        bans=found,
        next_after=next_after,
        named=banning.named,
        now=now(),
        notice=sessions.take_notice(),
    )
    return make_response(html, 422 if errors else 200)


@blueprint.route(f"/comments/<int(max={LARGEST_ROW}):comment_id>/ban", methods=["GET", "POST"])
def author(comment_id: int) -> ResponseReturnValue:
    """Ban who wrote a comment, by what it tells of them."""
    desk, comment = _find(comment_id)
    offered = banning.targets(comment)
    form = AuthorBanForm()
    form.targets.choices = [(one.key, _WORDS[one.kind].format(_shown(one))) for one in offered]
    if request.method == "GET":
        form.targets.data = [one.key for one in offered if one.kind in _TICKED]
    errors, status = {}, 200
    if request.method == "POST":
        try:
            return _ban_author(form, comment_id)
        except InvalidFieldsError as error:
            errors, status = error.fields, faults.status_of(error)
        except ForbiddenError as error:
            errors, status = {"targets": str(error)}, faults.status_of(error)
        database().rollback()
        desk, comment = _find(comment_id)
    html = render_template(
        "admin/ban.html", desk=desk, form=form, errors=errors, comment=comment, who=people.who_wrote(comment)
    )
    return make_response(html, status)


@blueprint.post(f"/bans/<int(max={LARGEST_ROW}):ban_id>/lift")
def lift(ban_id: int) -> ResponseReturnValue:
    """Take a ban off; once it is gone, there is nothing more to do."""
    session = database()
    begin_write(session)
    ban = session.get(Ban, ban_id)
    if ban is None:
        raise NotFoundError(NOWHERE)
    desk = Desk.at(ban.site_id)
    name = banning.named(ban)
    banning.lift(session, ban, moderator_id=desk.person.id, at=now())
    session.commit()
    sessions.leave_notice(f"The ban of {name} is lifted.")
    return _back(desk.site.id, request.args.get("who"))


def _add_typed(form: BanForm, site_id: int) -> Redirect:
    checked(form)
    session = database()
    begin_write(session)
    desk = Desk.at(site_id)
    target = banning.typed(BanKind(form.kind.data), form.value.data or "")
    (ban,) = banning.add(
        session,
        site_id,
        [target],
        reason=form.reason.data or "",
        until=form.ending(at=now()),
        moderator_id=desk.person.id,
        at=now(),
    )
    session.commit()
    sessions.leave_notice(f"Banned {banning.named(ban)}{banning.ending(ban)}.")
    return _back(site_id, None)


def _ban_author(form: AuthorBanForm, comment_id: int) -> Redirect:
    checked(form)
    session = database()
    begin_write(session)
    desk, comment = _find(comment_id)
    chosen = [one for one in banning.targets(comment) if one.key in (form.targets.data or [])]
    found = banning.add(
        session,
        desk.site.id,
        chosen,
        reason=form.reason.data or "",
        until=form.ending(at=now()),
        moderator_id=desk.person.id,
        at=now(),
    )
    session.commit()
    if found:
        sessions.leave_notice(f"Banned {banning.named(found[0])}{banning.ending(found[0])}.")
    return _back(desk.site.id, people.who_wrote(comment))


def _find(comment_id: int) -> tuple[Desk, Comment]:
    comment = database().get(Comment, comment_id)
    if comment is None:
        raise NotFoundError(NOWHERE)
    return Desk.at(comment.site_id), comment


def _shown(target: banning.Target) -> str:
    return target.value if target.kind is BanKind.EMAIL else target.label


def _back(site_id: int, who: str | None) -> Redirect:
    """Return to the person, where it is about one, or to the list."""
    if who:
        return redirect(url_for("people.one", site_id=site_id, who=who), 303)
    return redirect(url_for("bans.of_site", site_id=site_id), 303)
