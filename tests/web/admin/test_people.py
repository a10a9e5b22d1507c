"""A person's page in the admin view: what they wrote, what was decided, and notes about them."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain import fields
from commentsvc.domain.admin import people, people_search
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text, erased_comments
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions
from commentsvc.domain.threads.threads import address_on
from commentsvc.errors import NotFoundError
from commentsvc.models import Action, Comment, Commenter, Membership, Note, Role, Site, Status, now
from tests.conftest import BLOG
from tests.support.browser_client import BrowserClient
from tests.support.comment_builders import post_comment
from tests.web.admin.test_admin import ENGINES, elsewhere, moderator, owner, session, site, visitor, write

__all__ = ["elsewhere", "moderator", "owner", "session", "site", "visitor"]

ADA = "email:ada@example.org"


def path(site: Site, who: str = ADA) -> str:
    return f"/admin/sites/{site.id}/people/one?who={who}"


def member(session: Session, site: Site, name: str = "Mallory", text: str = "From an account") -> Commenter:
    """Somebody with an account, who has written one comment."""
    begin_write(session)
    commenter = Commenter(name=name)
    session.add(commenter)
    session.flush()
    post_comment(
        session,
        address_on(session.get_one(Site, site.id), f"{BLOG}/swifts"),
        comment_text.from_source(text, longest=1000),
        Author(commenter_id=commenter.id),
        at=now(),
    )
    session.commit()
    return commenter


def test_a_guest_is_one_person_however_they_type_their_address(
    session: Session, site: Site, moderator: BrowserClient
) -> None:
    for number, typed in enumerate(("Ada@Example.ORG", "ada@example.org", "ADA@EXAMPLE.org")):
        details = fields.guest(site, name_="Ada", email_=typed, website_="")
        write(session, site, f"The text number {number}", guest=details)
    for who in (ADA, "email:Ada@Example.ORG"):
        page = moderator.page(path(site, who))
        assert all(f"The text number {number}" in page for number in range(3))
    assert len(people_search.find(session, site.id, "Ada@example.Org")) == 1


@ENGINES
def test_all_that_a_guest_wrote_with_every_decision(
    session: Session, site: Site, moderator: BrowserClient, owner: Commenter
) -> None:
    comment = write(session, site, "The first")
    write(session, site, "The second", status=Status.SPAM)
    write(session, site, "By somebody else", guest=Guest("Ben", "ben@mail.example"))
    begin_write(session)
    for status in (Status.APPROVED, Status.TRASH):
        decisions.decide(session, session.get_one(Comment, comment.id), status, moderator_id=owner.id)
    session.commit()
    page = moderator.page(path(site))
    assert "The first" in page
    assert "The second" in page
    assert "By somebody else" not in page
    for words in (
        "<b>Held</b>",
        "<b>Approved</b> by",
        "<b>Moved to the trash</b> by",
        "<b>Marked as spam</b>",
    ):
        assert words in page
    assert "<b>1</b> spam" in page
    assert "<b>1</b> in the trash" in page


@ENGINES
def test_a_person_with_an_account(session: Session, site: Site, moderator: BrowserClient) -> None:
    mallory = member(session, site)
    page = moderator.page(path(site, f"commenter:{mallory.id}"))
    assert "Mallory" in page
    assert "From an account" in page


@ENGINES
def test_the_pages_hold_everything_once(
    session: Session, site: Site, moderator: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "PAGE", 3)
    wanted = [
        write(session, site, f"Number {number}", status=Status.SPAM if number % 3 else None).id
        for number in range(8)
    ]
    session.rollback()
    seen: list[int] = []
    after = None
    while True:
        page = people.comment_history(session, site.id, AuthorRef.parse(ADA), after=after)
        seen += [entry.id for entry, _ in page.entries]
        after = page.next_after
        if after is None:
            break
    assert seen == wanted[::-1]
    assert "Older comments" in moderator.page(path(site))


def test_a_long_page_asks_the_database_little(
    app: Flask, session: Session, site: Site, moderator: BrowserClient
) -> None:
    def asked() -> int:
        with app.app_context():
            engine = db.engine
        seen: list[str] = []

        def listen(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", listen)
        moderator.page(path(site))
        event.remove(engine, "before_cursor_execute", listen)
        return len(seen)

    begin_write(session)
    site.valve = False  # or so many at once would be something to tell about
    session.commit()
    write(session, site, "One")
    few = asked()
    for number in range(15):
        write(session, site, f"More {number}")
    assert asked() <= few


def test_who_wrote_lately(session: Session, site: Site, moderator: BrowserClient) -> None:
    write(session, site, "One")
    write(session, site, "Two")
    mallory = member(session, site)
    write(session, site, "No address", guest=Guest("Nobody"))
    session.rollback()
    assert [str(one.who) for one in people.recent_writers(session, site.id)] == [
        f"commenter:{mallory.id}",
        ADA,
    ]
    page = moderator.page(f"/admin/sites/{site.id}/people")
    assert f"who=commenter:{mallory.id}" in page
    assert "Nobody" not in page


def test_the_queue_leads_to_the_person(session: Session, site: Site, moderator: BrowserClient) -> None:
    write(session, site)
    assert f"/admin/sites/{site.id}/people/one?who=email:ada" in moderator.page("/admin")


@ENGINES
def test_notes_are_for_the_sites_moderators(
    session: Session, site: Site, moderator: BrowserClient, owner: Commenter
) -> None:
    write(session, site)
    assert moderator.post(path(site), {"text": "Knows her\n<b>swifts</b>"}).status_code == 303
    page = moderator.page(path(site))
    assert "&lt;b&gt;swifts&lt;/b&gt;" in page
    session.rollback()
    note = session.scalars(select(Note)).one()
    assert (note.about, note.moderator_id, note.site_id) == (ADA, owner.id, site.id)
    assert [one.kind for one in session.scalars(select(Action))] == ["note.add"]


@pytest.mark.parametrize(("typed", "fault"), [(" ", "Please enter a note"), ("x" * 2001, "at most 2,000")])
def test_a_note_that_is_none(
    session: Session, site: Site, moderator: BrowserClient, typed: str, fault: str
) -> None:
    write(session, site)
    answer = moderator.post(path(site), {"text": typed})
    assert answer.status_code == 422
    assert fault in answer.text
    session.rollback()
    assert session.scalars(select(Note)).all() == []


@ENGINES
def test_a_note_is_changed_and_deleted_by_whoever_wrote_it(
    session: Session, site: Site, moderator: BrowserClient, owner: Commenter, app: Flask
) -> None:
    write(session, site, guest=Guest("Ada", "ada@example.org"))
    moderator.post(path(site, "email:Ada@example.org"), {"text": "Knows her swifts"})
    page = moderator.page(path(site, "email:Ada@example.org"))
    link = re.search(r'href="([^"]+/notes/\d+[^"]*)"', page)
    assert link is not None
    where = html.unescape(link[1])
    assert "Knows her swifts" in moderator.page(where)
    answer = moderator.post(where, {"text": " "})
    assert answer.status_code == 422
    assert "Please enter a note" in answer.text
    answer = moderator.post(where, {"text": "Knows her <i>owls</i>"})
    assert answer.status_code == 303
    assert "Knows her &lt;i&gt;owls&lt;/i&gt;" in moderator.page(answer.location)
    begin_write(session)
    ben = Commenter(name="Ben")
    session.add(ben)
    session.flush()
    session.add(Membership(commenter_id=ben.id, site_id=site.id, role=Role.OWNER))
    session.commit()
    other = BrowserClient(app).sign_in(session, ben)
    assert "/notes/" not in other.page(path(site, "email:Ada@example.org"))
    assert other.get(where).status_code == 404
    assert other.post(where, {"text": "Mine", "do": "delete"}).status_code == 404
    assert moderator.post(where, {"do": "delete"}).status_code == 303
    session.rollback()
    assert session.scalars(select(Note)).all() == []
    assert [one.kind for one in session.scalars(select(Action))] == ["note.add", "note.edit", "note.delete"]
    assert moderator.get(where).status_code == 404


@ENGINES
class TestSearching:
    def found(self, session: Session, site: Site, typed: str) -> list[str]:
        session.rollback()
        return [str(one.who) for one in people_search.find(session, site.id, typed)]

    def test_by_name_and_address_whole_or_from_the_beginning(self, session: Session, site: Site) -> None:
        write(session, site, "One", guest=Guest("Zo\u00eb Adams", "zoe@mail.example"))
        write(session, site, "Zoe is right", guest=Guest("Ben", "ben@mail.example"))
        mallory = member(session, site)
        assert self.found(session, site, "zoe") == ["email:zoe@mail.example"]
        assert self.found(session, site, "ADAMS zo\u00eb") == ["email:zoe@mail.example"]
        assert self.found(session, site, "ben@mail.example") == ["email:ben@mail.example"]
        assert self.found(session, site, "mail.exam") == ["email:ben@mail.example", "email:zoe@mail.example"]
        assert self.found(session, site, "mallo") == [f"commenter:{mallory.id}"]
        for typed in ("right", "Zoe Ben", "", "%", '"', "\x00", "*", "zoe* OR ben", "x" * 5000):
            assert self.found(session, site, typed) == [], typed

    def test_each_is_found_once_whoever_wrote_last_first(self, session: Session, site: Site) -> None:
        for guest in (
            Guest("Ada", "ada@a.example"),
            Guest("Ada", "ada@b.example"),
            Guest("Ada", "ada@a.example"),
        ):
            write(session, site, f"Text of {now()}", guest=guest)
        assert self.found(session, site, "ada") == ["email:ada@a.example", "email:ada@b.example"]

    def test_only_on_this_site(
        self, session: Session, site: Site, elsewhere: Site, moderator: BrowserClient
    ) -> None:
        write(session, elsewhere, guest=Guest("Ada", "ada@secret.example"))
        member(session, elsewhere)
        assert self.found(session, site, "ada") == []
        assert self.found(session, site, "mallory") == []
        page = moderator.page(f"/admin/sites/{site.id}/people?q=ada")
        assert "Nobody with this name or address" in page
        assert "secret" not in page

    def test_from_a_box_on_the_page(self, session: Session, site: Site, moderator: BrowserClient) -> None:
        write(session, site)
        assert 'name="q"' in moderator.page(f"/admin/sites/{site.id}/people")
        page = moderator.page(f"/admin/sites/{site.id}/people?q=ada%22%3E")
        assert 'value="ada&#34;&gt;"' in page
        assert f"who={ADA}" in page


@ENGINES
def test_people_of_another_site_do_not_exist(
    session: Session, site: Site, elsewhere: Site, moderator: BrowserClient
) -> None:
    write(session, elsewhere, "A secret")
    for where in (site, elsewhere):
        assert moderator.get(path(where)).status_code == 404
        assert moderator.post(path(where), {"text": "Mine"}).status_code == 404
    with pytest.raises(NotFoundError):
        people.find(session, site.id, AuthorRef.parse(ADA))
    session.rollback()
    assert session.scalars(select(Note)).all() == []


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("", 404),
        ("name:Ada", 404),
        ("commenter:999999999999999999", 404),
        ("email:nobody@mail.example", 404),
        ("commenter:x", 400),
        ("commenter:-1", 400),
        ("x", 400),
        ("email:%00", 400),
    ],
)
def test_nobody_is_not_found(site: Site, moderator: BrowserClient, who: str, status: int) -> None:
    assert moderator.get(path(site, who)).status_code == status


def test_an_owner_erases_a_guest(
    session: Session, site: Site, elsewhere: Site, moderator: BrowserClient
) -> None:
    comment, other = write(session, site, "Quetzalcoatlus"), write(session, elsewhere, "Elsewhere")
    address = f"/admin/sites/{site.id}/people/erase?who={ADA}"
    assert "people/erase" in moderator.page(path(site))
    assert "cannot be undone" in moderator.page(address)
    assert moderator.post(address, {}).status_code == 422
    assert moderator.post(address, {"sure": "y"}).status_code == 303
    session.rollback()
    assert session.get_one(Comment, comment.id).source == erased_comments.REMOVED
    assert session.get_one(Comment, other.id).guest_email == "ada@example.org"
    assert moderator.get(path(site)).status_code == 404


@pytest.mark.parametrize("who", ["commenter:1", "name:Ada", "email:nobody@mail.example", ""])
def test_only_a_guest_of_the_site_is_erased(
    session: Session, site: Site, moderator: BrowserClient, who: str
) -> None:
    write(session, site)
    assert moderator.get(f"/admin/sites/{site.id}/people/erase?who={who}").status_code in {400, 404}


def test_who_is_no_owner_erases_nobody(session: Session, site: Site, moderator: BrowserClient) -> None:
    comment = write(session, site)
    begin_write(session)
    session.scalars(select(Membership)).one().role = Role.MODERATOR
    session.commit()
    assert "people/erase" not in moderator.page(path(site))
    assert moderator.post(f"/admin/sites/{site.id}/people/erase?who={ADA}", {"sure": "y"}).status_code == 404
    session.rollback()
    assert session.get_one(Comment, comment.id).guest_email == "ada@example.org"
