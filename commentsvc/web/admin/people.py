"""Who writes on a site, and a person's page: all they wrote, every decision on it, bans and notes."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import single_sign_on
from commentsvc.domain.admin import ban_list, notes, people, people_search, queue
from commentsvc.domain.admin.queue_filters import Filters
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.integrations.oauth import catalogue
from commentsvc.models import Note
from commentsvc.web.admin.context import LARGEST_ROW, LARGEST_SITE, Desk, guard, number
from commentsvc.web.admin.people_forms import NoteForm
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, providers

blueprint = Blueprint("people", __name__, url_prefix=cookies.ADMIN)
blueprint.before_request(guard)

PEOPLE = f"/sites/<int(max={LARGEST_SITE}):site_id>/people"
NOTE = f"/sites/<int(max={LARGEST_SITE}):site_id>/notes/<int(max={LARGEST_ROW}):note_id>"


@blueprint.get(PEOPLE)
def lately(site_id: int) -> ResponseReturnValue:
    """Who wrote the latest comments, or who has a certain name or address."""
    desk = Desk.at(site_id)
    wanted = request.args.get("q", "").strip()[: people_search.LONGEST]
    found = people_search.find(database(), site_id, wanted) if wanted else people.lately(database(), site_id)
    return render_template(
        "admin/people.html",
        desk=desk,
        writers=found,
        wanted=wanted,
        most=people_search.MOST,
        notice=cookies.take_notice(),
    )


@blueprint.route(f"{PEOPLE}/one", methods=["GET", "POST"])
def one(site_id: int) -> ResponseReturnValue:
    """A person's page; a form on it adds a note."""
    desk = Desk.at(site_id)
    who = _who()
    form, errors = NoteForm(), {}
    if request.method == "POST":
        try:
            _note(site_id, who, form)
        except InvalidFieldsError as error:
            database().rollback()
            errors = error.fields
        else:
            cookies.leave_notice("Noted.")
            return redirect(url_for("people.one", site_id=site_id, who=who, _anchor="notes"), 303)
    return _show(desk, who, form, errors)


@blueprint.route(NOTE, methods=["GET", "POST"])
def note(site_id: int, note_id: int) -> ResponseReturnValue:
    """Change one's own note, or take it away."""
    desk = Desk.at(site_id)
    found = notes.own(database(), site_id, note_id, desk.person.id)
    who = request.args.get("who", "")
    who = who if notes.is_about(found, who) else found.about
    form, errors = NoteForm(data={"text": found.text}), {}
    if request.method == "POST":
        session = database()
        begin_write(session)
        found = notes.own(session, site_id, note_id, Desk.at(site_id).person.id)
        try:
            said = _changed(session, found, form)
        except InvalidFieldsError as error:
            session.rollback()
            errors = error.fields
        else:
            session.commit()
            cookies.leave_notice(said)
            return redirect(url_for("people.one", site_id=site_id, who=who, _anchor="notes"), 303)
    html = render_template(
        "admin/note.html", desk=Desk.at(site_id), note_id=note_id, who=who, form=form, errors=errors
    )
    return make_response(html, 422 if errors else 200)


def _changed(session: Session, note: Note, form: NoteForm) -> str:
    """Do what the pressed button says; return what happened, in a sentence."""
    if request.form.get("do") == "delete":
        notes.delete(session, note, at=now())
        return "The note is deleted."
    notes.edit(session, note, form.text.data or "", at=now())
    return "Saved."


def _show(desk: Desk, who: str, form: NoteForm, errors: dict[str, str]) -> ResponseReturnValue:
    session, site_id = database(), desk.site.id
    person = people.find(session, site_id, who)
    html = render_template(
        "admin/person.html",
        desk=desk,
        person=person,
        logins=[_label_of(key) for key in person.providers],
        counts=queue.counts(session, site_id, who),
        bans=ban_list.holding(session, site_id, person.targets, at=now()),
        now=now(),
        named=ban_list.named,
        notes=notes.of(session, site_id, who),
        written=people.written(session, site_id, who, after=number("after", LARGEST_ROW)),
        after=number("after", LARGEST_ROW),
        form=form,
        errors=errors,
        notice=cookies.take_notice(),
    )
    return make_response(html, 422 if errors else 200)


def _note(site_id: int, who: str, form: NoteForm) -> None:
    session = database()
    begin_write(session)
    desk = Desk.at(site_id)
    person = people.find(session, site_id, who)
    notes.add(session, site_id, who, person.name, form.text.data or "", moderator_id=desk.person.id, at=now())
    session.commit()


def _who() -> str:
    """Read whom the address is about; raises NotFoundError and BadAddressError."""
    who = Filters.read({"author": request.args.get("who", "")}).author
    if who is None or who.startswith("name:"):
        raise NotFoundError("There is no such page, or it is not yours to see.")
    return who


def _label_of(key: str) -> str:
    if key == single_sign_on.PROVIDER:
        return "the site's own sign-in"
    configured = providers().get(key)
    return configured.label if configured else catalogue.label_of(key)
