"""A site's commenters, and a person's page: their comments, every decision on them, bans and notes."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from commentsvc.domain.admin import ban_list, notes, people, people_list, people_search, queue
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.admin.people_list import PeopleOrder, PeoplePage
from commentsvc.domain.admin.queue_filters import Filters
from commentsvc.errors import BadAddressError, InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import Note
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.admin.people_forms import NoteForm
from commentsvc.web.auth import cookies, reader
from commentsvc.web.context import database, now, writing
from commentsvc.web.request_values import query_number

blueprint = Blueprint("people", __name__, url_prefix=cookies.ADMIN)

PEOPLE = "/sites/<site:site_id>/people"
NOTE = "/sites/<site:site_id>/notes/<int:note_id>"
LAST_PAGE = people_list.LATEST
"""More pages than there can be; a larger number is no page."""


@blueprint.get(PEOPLE)
def recent(site_id: int) -> ResponseReturnValue:
    """The commenters in the chosen order, or those with a given name or address."""
    admin = AdminContext.for_site(site_id)
    wanted = request.args.get("q", "").strip()[: people_search.LONGEST]
    order, number = _order(), query_number("page") or 0
    listed = _found(site_id, wanted, order) if wanted else _page(site_id, order, number)
    return render_template(
        "admin/people.html",
        admin=admin,
        people=listed,
        wanted=wanted,
        order=order,
        number=number,
        most=people_search.MOST,
        latest=people_list.LATEST,
        notice=cookies.pop_notice(),
    )


def _order() -> PeopleOrder:
    wanted = request.args.get("sort", PeopleOrder.SEEN.value)
    if wanted not in set(PeopleOrder):
        raise BadAddressError(gettext("People cannot be sorted by that."))
    return PeopleOrder(wanted)


def _page(site_id: int, order: PeopleOrder, number: int) -> PeoplePage:
    if number > LAST_PAGE:
        raise NotFoundError
    return people_list.page(database(), site_id, order, number=number, at=now())


def _found(site_id: int, wanted: str, order: PeopleOrder) -> PeoplePage:
    who = [one.who for one in people_search.find(database(), site_id, wanted)]
    return PeoplePage(people_list.of_people(database(), site_id, who, order, at=now()), None)


@blueprint.route(f"{PEOPLE}/one", methods=["GET", "POST"])
def detail(site_id: int) -> ResponseReturnValue:
    """A person's page; its form adds a note."""
    admin = AdminContext.for_site(site_id)
    who = _who()
    form, errors = NoteForm(), {}
    if request.method == "POST":
        try:
            _note(site_id, who, form)
        except InvalidFieldsError as error:
            errors = error.fields
        else:
            cookies.set_notice(gettext("The note is added."))
            return redirect(url_for("people.detail", site_id=site_id, who=who, _anchor="notes"), 303)
    return _show(admin, who, form, errors)


@blueprint.route(NOTE, methods=["GET", "POST"])
def edit_note(site_id: int, note_id: int) -> ResponseReturnValue:
    """Change or delete one's own note."""
    admin = AdminContext.for_site(site_id)
    note = notes.own_note(database(), site_id, note_id, admin.person.id)
    who = _subject(note)
    form, errors = NoteForm(data={"text": note.text}), {}
    if request.method == "POST":
        try:
            with writing() as session:
                admin = AdminContext.for_site(site_id)
                note = notes.own_note(session, site_id, note_id, admin.person.id)
                sentence = _changed(session, note, form)
        except InvalidFieldsError as error:
            errors = error.fields
        else:
            cookies.set_notice(sentence)
            return redirect(url_for("people.detail", site_id=site_id, who=who, _anchor="notes"), 303)
    html = render_template(
        "admin/note.html",
        admin=AdminContext.for_site(site_id),
        note_id=note_id,
        who=who,
        form=form,
        errors=errors,
    )
    return make_response(html, 422 if errors else 200)


def _changed(session: Session, note: Note, form: NoteForm) -> str:
    """Do what the pressed button says; return a message."""
    if request.form.get("do") == "delete":
        notes.delete(session, note, at=now())
        return gettext("The note is deleted.")
    notes.edit(session, note, form.text.data or "", at=now())
    return gettext("Saved.")


def _show(admin: AdminContext, who: AuthorRef, form: NoteForm, errors: dict[str, str]) -> ResponseReturnValue:
    session, site_id = database(), admin.site.id
    person = people.find(session, site_id, who)
    html = render_template(
        "admin/person.html",
        admin=admin,
        person=person,
        logins=[reader.label_of(key) for key in person.providers],
        counts=queue.counts(session, site_id, who),
        bans=ban_list.bans_in_force(session, site_id, person.targets, at=now()),
        now=now(),
        named=ban_list.describe,
        notes=notes.notes_about(session, site_id, who),
        written=people.comment_history(session, site_id, who, after=query_number("after")),
        after=query_number("after"),
        form=form,
        errors=errors,
        notice=cookies.pop_notice(),
    )
    return make_response(html, 422 if errors else 200)


def _note(site_id: int, who: AuthorRef, form: NoteForm) -> None:
    with writing() as session:
        admin = AdminContext.for_site(site_id)
        person = people.find(session, site_id, who)
        notes.add(
            session, site_id, who, person.name, form.text.data or "", moderator_id=admin.person.id, at=now()
        )


def _linked() -> AuthorRef | None:
    return Filters.read({"author": request.args.get("who", "")}).author


def _subject(note: Note) -> AuthorRef:
    """Return whom a note is about, spelled as in the link: the note stores it in lower case."""
    linked = _linked()
    return linked if linked and notes.is_about(note, linked) else AuthorRef.parse(note.about)


def _who() -> AuthorRef:
    """Return whom the URL is about; raises NotFoundError and BadAddressError."""
    who = _linked()
    if who is None or not who.is_person:
        raise NotFoundError
    return who
