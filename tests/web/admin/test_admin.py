"""The moderator's view: what it shows, what its buttons do, and for whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import queue
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text
from commentsvc.domain.comments.comments import FormSignals
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions as moderation_decisions
from commentsvc.domain.sites import sites
from commentsvc.domain.threads.threads import address_on
from commentsvc.errors import InvalidFieldsError
from commentsvc.integrations.oauth import catalogue
from commentsvc.models import (
    Comment,
    Commenter,
    Decision,
    FieldRule,
    Kind,
    Likes,
    Membership,
    Order,
    Policy,
    Role,
    Site,
    Status,
    TextFormat,
    Thread,
    now,
)
from commentsvc.text import markup
from commentsvc.web.context import services_of
from tests.conftest import BASE_URL, BLOG
from tests.support.attacks import ATTACKS, Attack
from tests.support.browser_client import BrowserClient
from tests.support.comment_builders import post_comment
from tests.support.outside_session import outside_session

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
ADA = Guest("Ada", "ada@example.org", "https://ada.example")
OTHER = "https://other.example"


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app) as session:
        yield session


@pytest.fixture
def owner(session: Session) -> Commenter:
    begin_write(session)
    owner = accounts.operator(session)
    session.commit()
    return owner


@pytest.fixture
def site(session: Session, owner: Commenter) -> Site:
    """A site that holds every comment."""
    begin_write(session)
    site = sites.add(session, "Blog", [BLOG], owner_id=owner.id)
    site.policy = Policy.HOLD_ALL
    session.commit()
    return site


@pytest.fixture
def elsewhere(session: Session) -> Site:
    """Somebody else's site."""
    begin_write(session)
    stranger = Commenter(name="Stranger")
    session.add(stranger)
    session.flush()
    site = sites.add(session, "Elsewhere", [OTHER], owner_id=stranger.id)
    site.policy = Policy.HOLD_ALL
    session.commit()
    return site


@pytest.fixture
def visitor(app: Flask) -> BrowserClient:
    return BrowserClient(app)


@pytest.fixture
def moderator(session: Session, site: Site, owner: Commenter, visitor: BrowserClient) -> BrowserClient:
    """The site's owner, signed in."""
    return visitor.sign_in(session, owner)


def write(
    session: Session,
    site: Site,
    text: str = "Hello",
    *,
    guest: Guest = ADA,
    status: Status | None = None,
    parent: Comment | None = None,
) -> Comment:
    """A guest's comment, with a status where one is given."""
    begin_write(session)
    origin = BLOG if site.name == "Blog" else OTHER
    comment = post_comment(
        session,
        address_on(session.get_one(Site, site.id), f"{origin}/swifts"),
        comment_text.from_source(text, longest=10**7),
        Author(guest=guest),
        at=now(),
        parent_id=parent.id if parent else None,
        title="Counting swifts",
    )
    if status is not None:
        moderation_decisions.decide(session, comment, status)
    session.commit()
    return comment


def fresh(session: Session, comment: Comment) -> Comment:
    """The comment as it is stored now."""
    session.rollback()
    session.expire_all()
    return session.get_one(Comment, comment.id)


def log_of(session: Session, comment: Comment) -> list[Status]:
    """Every status the log has for a comment, in order."""
    session.rollback()
    return list(
        session.scalars(
            select(Decision.status).where(Decision.comment_id == comment.id).order_by(Decision.id)
        )
    )


def decide(visitor: BrowserClient, comment: Comment, verdict: str, query: str = "") -> Any:
    return visitor.post(f"/admin/comments/{comment.id}/decision{query}", {"verdict": verdict})


class TestTheQueue:
    @ENGINES
    def test_lists_one_status_newest_first(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        first, second = write(session, site, "One"), write(session, site, "Two")
        write(session, site, "Three", status=Status.SPAM)
        held = moderator.page("/admin")
        assert re.findall(r'id="comment-(\d+)"', held) == [str(second.id), str(first.id)]
        assert "Three" in moderator.page("/admin?status=spam")

    @ENGINES
    def test_counts_every_list(self, session: Session, site: Site, moderator: BrowserClient) -> None:
        for number, status in enumerate([Status.HELD, Status.HELD, Status.APPROVED, Status.SPAM]):
            write(session, site, f"Number {number}", status=status)
        page = re.sub(r"<[^>]+>|\s+", " ", moderator.page("/admin"))
        for line in ("Held 2", "Approved 1", "Spam 1", "Trash 0"):
            assert line in " ".join(page.split())

    def test_a_filter_names_a_provider_as_its_button_does(
        self, app: Flask, site: Site, moderator: BrowserClient
    ) -> None:
        rows = {row.key: row for row in catalogue.ROWS}
        services_of(app).providers["gitlab"] = replace(rows["gitlab"], label="Our Git")
        for key, label in (("github", "GitHub"), ("gitlab", "Our Git"), ("sso", "Website login")):
            page = moderator.page(f"/admin?provider={key}")
            assert f'<span dir="auto">Logged in with {label}</span>' in page
        assert '<option value="gitlab">Our Git</option>' in moderator.page("/admin")

    def test_marks_an_address_that_was_proved(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        comment = write(session, site)
        assert "Proved:" not in moderator.page("/admin")
        begin_write(session)
        session.get_one(Comment, comment.id).proved = True
        session.commit()
        assert re.search(r"Proved:</span></span> <bdi>ada@example.org", moderator.page("/admin"))
        begin_write(session)
        session.get_one(Comment, comment.id).guest_email = None
        session.commit()
        assert "Proved:" not in moderator.page("/admin")

    @ENGINES
    def test_stops_counting(
        self, session: Session, site: Site, moderator: BrowserClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queue, "COUNTED", 3)
        for number in range(4):
            write(session, site, f"Number {number}")
        assert queue.counts(session, site.id)[Status.HELD] == 3
        assert ">2+<" in moderator.page("/admin")

    @ENGINES
    def test_pages_meet_without_a_gap(self, session: Session, site: Site, moderator: BrowserClient) -> None:
        ids = [write(session, site, f"Number {number}").id for number in range(queue.PAGE * 2 + 1)]
        seen: list[int] = []
        path: str | None = "/admin?status=held"
        while path:
            page = moderator.page(path)
            seen += map(int, re.findall(r'id="comment-(\d+)"', page))
            onward = re.search(r'rel="next" href="([^"]+)"', page)
            path = onward[1].replace("&amp;", "&") if onward else None
        assert seen == ids[::-1]

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, app: Flask, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        def statements() -> int:
            found: list[str] = []

            def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
                found.append(statement)

            with app.app_context():
                engine = db.engine
            event.listen(engine, "before_cursor_execute", note)
            moderator.page("/admin")
            event.remove(engine, "before_cursor_execute", note)
            return len(found)

        begin_write(session)
        site.valve = False  # or so many at once would be something to tell about
        session.commit()
        parent = write(session, site, "One", status=Status.APPROVED)
        write(session, site, "Two")
        few = statements()
        for number in range(queue.PAGE):
            write(session, site, f"Number {number}", parent=parent)
        assert statements() == few

    def test_says_who_wrote_where_and_why_it_waits(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        write(session, site, "Some *words*")
        page = moderator.page("/admin")
        for part in (
            "Ada",
            "ada@example.org",
            '<a href="https://ada.example" rel="nofollow noreferrer">https://ada.example</a>',
            f'href="{BLOG}/swifts"',
            "Counting swifts",
            "<em>words</em>",
            "This site reviews every comment before it appears.",
            '<time datetime="',
        ):
            assert part in page

    def test_gives_only_the_reasons_that_decided(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        begin_write(session)
        session.get_one(Site, site.id).policy = Policy.OPEN
        session.commit()
        begin_write(session)
        post_comment(
            session,
            address_on(session.get_one(Site, site.id), f"{BLOG}/a"),
            comment_text.from_source("Quick", longest=100),
            Author(guest=ADA),
            at=now(),
            form=FormSignals(seconds_on_form=0.5),
        )
        session.commit()
        page = moderator.page("/admin")
        assert "Sent 0.5 seconds after the form was opened." in page
        assert "policy publishes" not in page

    @pytest.mark.parametrize(
        "query", ["status=nonsense", "after=x", "after=-1", "site=1e3", "after=" + "9" * 40]
    )
    def test_refuses_an_address_that_means_nothing(self, moderator: BrowserClient, query: str) -> None:
        assert moderator.get(f"/admin?{query}").status_code == 400

    def test_offers_the_other_sites(
        self, session: Session, owner: Commenter, moderator: BrowserClient
    ) -> None:
        begin_write(session)
        other = sites.add(session, "Another", [OTHER], owner_id=owner.id)
        session.commit()
        write(session, other, "On the other one")
        page = moderator.page("/admin")
        assert "On the other one" in page  # the first by name
        assert 'aria-current="true"><bdi>Another' in page
        assert "On the other one" not in moderator.page("/admin?site=1")

    def test_tells_somebody_without_a_site_how_to_get_one(
        self, session: Session, owner: Commenter, visitor: BrowserClient
    ) -> None:
        visitor.sign_in(session, owner)
        assert "commentsvc site add" in visitor.page("/admin")

    @ENGINES
    def test_loads_whatever_was_ever_stored(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        """Imports can be larger than what people may type."""
        worst = write(session, site, "The beginning")
        begin_write(session)
        stored = session.get_one(Comment, worst.id)
        stored.source, stored.html = "<b>" + "\u200d" * 900_000, "<p>" * 300_000 + "end"
        session.commit()
        page = moderator.page("/admin")
        assert len(page) < 30_000
        assert "900,003 characters" in page
        assert "<p>end" in moderator.page(f"/admin/comments/{worst.id}")

    def test_folds_a_long_comment(self, session: Session, site: Site, moderator: BrowserClient) -> None:
        write(session, site, "line\n" * 40)
        assert "Show all" in moderator.page("/admin")

    def test_tells_mentions_from_comments(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        mention = write(session, site, "A blog wrote about this")
        begin_write(session)
        session.get_one(Comment, mention.id).kind = Kind.PINGBACK
        session.commit()
        page = moderator.page("/admin")
        assert "Pingback" in page
        assert "/reply" not in page
        assert moderator.get(f"/admin/comments/{mention.id}/reply").status_code == 404

    def test_a_comments_own_page_has_its_history(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        comment = write(session, site)
        decide(moderator, comment, "spam")
        page = moderator.page(f"/admin/comments/{comment.id}")
        assert "This site reviews every comment before it appears." in page
        assert "Marked as spam</b> by <bdi>Site owner" in page


class TestDecisions:
    @ENGINES
    @pytest.mark.parametrize(
        ("before", "verdict", "after", "approved"),
        [
            (Status.HELD, "approved", Status.APPROVED, 1),
            (Status.HELD, "spam", Status.SPAM, 0),
            (Status.HELD, "trash", Status.TRASH, 0),
            (Status.APPROVED, "spam", Status.SPAM, 0),
            (Status.APPROVED, "trash", Status.TRASH, 0),
            (Status.APPROVED, "held", Status.HELD, 0),
            (Status.SPAM, "approved", Status.APPROVED, 1),
            (Status.SPAM, "restore", Status.HELD, 0),
            (Status.TRASH, "restore", Status.HELD, 0),
        ],
    )
    def test_change_status_counter_and_log(
        self,
        session: Session,
        site: Site,
        owner: Commenter,
        moderator: BrowserClient,
        before: Status,
        verdict: str,
        after: Status,
        approved: int,
    ) -> None:
        comment = write(session, site, status=before)
        logged = log_of(session, comment)
        version = fresh(session, comment).thread.version
        assert decide(moderator, comment, verdict).status_code == 303
        stored = fresh(session, comment)
        assert (stored.status, stored.shown) == (after, after is Status.APPROVED)
        assert stored.thread.approved_count == approved
        assert (stored.thread.version > version) == (Status.APPROVED in {before, after})
        assert log_of(session, comment) == [*logged, after]
        assert stored.decisions[-1].moderator_id == owner.id

    def test_restoring_gives_back_what_it_was(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        comment = write(session, site, status=Status.APPROVED)
        decide(moderator, comment, "spam")
        decide(moderator, comment, "trash")
        decide(moderator, comment, "restore")
        assert fresh(session, comment).status is Status.APPROVED

    def test_leads_back_to_the_same_place_and_the_next_comment(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        below, comment = write(session, site, "Below"), write(session, site, "Above")
        page = moderator.page(f"/admin?status=held&site={site.id}&after=999")
        action = re.search(rf'action="(/admin/comments/{comment.id}/decision[^"]*)"', page)
        assert action is not None
        answer = moderator.post(action[1].replace("&amp;", "&"), {"verdict": "approved"})
        assert answer.location == f"/admin?status=held&site={site.id}&after=999#comment-{below.id}"

    def test_can_be_undone_from_the_next_page(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        comment = write(session, site)
        decide(moderator, comment, "approved")
        page = moderator.page("/admin")
        assert "<p>Approved.</p>" in page
        undo = re.search(
            r'action="([^"]+)"[^<]*(?:<input[^>]+>)+<button name="verdict" value="(\w+)">Undo', page
        )
        assert undo is not None
        moderator.post(undo[1].replace("&amp;", "&"), {"verdict": undo[2]})
        assert fresh(session, comment).status is Status.HELD
        assert 'id="undo"' in moderator.page("/admin")  # of the undoing
        assert 'id="undo"' not in moderator.page("/admin")

    def test_the_same_verdict_twice_counts_once(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        comment = write(session, site)
        decide(moderator, comment, "approved")
        decide(moderator, comment, "approved")
        assert fresh(session, comment).thread.approved_count == 1
        assert 'id="undo"' not in moderator.page("/admin")

    @pytest.mark.parametrize("verdict", ["", "deleted", "APPROVED", "<b>"])
    def test_refuse_a_word_that_is_no_verdict(
        self, session: Session, site: Site, moderator: BrowserClient, verdict: str
    ) -> None:
        comment = write(session, site)
        assert decide(moderator, comment, verdict).status_code == 400
        assert fresh(session, comment).status is Status.HELD


class TestEditing:
    def form(self, **changed: str) -> dict[str, str]:
        return {
            "text": "Hello",
            "name": "Ada",
            "email": "ada@example.org",
            "website": "https://ada.example",
        } | changed

    def test_changes_text_and_details(self, session: Session, site: Site, moderator: BrowserClient) -> None:
        comment = write(session, site, status=Status.APPROVED)
        version = fresh(session, comment).thread.version
        sent = self.form(text="**Other** words", name="  Ada   L. ", email="", website="ada.example/me")
        answer = moderator.post(f"/admin/comments/{comment.id}/edit?status=approved", sent)
        assert answer.location == f"/admin?status=approved&site={site.id}#comment-{comment.id}"
        stored = fresh(session, comment)
        assert stored.html == "<p><strong>Other</strong> words</p>\n"
        assert (stored.guest_name, stored.guest_email, stored.guest_website) == (
            "Ada L.",
            None,
            "https://ada.example/me",
        )
        assert stored.edited_at is not None
        assert stored.status is Status.APPROVED
        assert stored.thread.version > version

    @pytest.mark.parametrize(
        ("field", "typed", "fault"),
        [
            ("text", " \n ", "Please enter a comment"),
            ("text", "x" * 20_000, "the limit is 10,000"),
            ("name", "n" * 81, "Please use at most 80 characters"),
            ("email", "nobody", "Invalid email address"),
            ("website", "javascript:alert(1)", "Invalid website address"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong_and_keeps_what_was_typed(
        self, session: Session, site: Site, moderator: BrowserClient, field: str, typed: str, fault: str
    ) -> None:
        comment = write(session, site)
        sent = self.form(text="Kept words", name="Kept name") | {field: typed}
        answer = moderator.post(f"/admin/comments/{comment.id}/edit", sent)
        assert answer.status_code == 422
        assert re.search(rf'id="{field}-error">[^<]*{fault}', answer.text)
        assert re.search(rf'aria-describedby="{field}-error[^"]*"', answer.text)
        for name, value in {"text": "Kept words", "name": "Kept name"}.items():
            assert field == name or value in answer.text
        stored = fresh(session, comment)
        assert (stored.source, stored.guest_name) == ("Hello", "Ada")

    def test_names_every_fault_at_once(self, session: Session, site: Site, moderator: BrowserClient) -> None:
        comment = write(session, site)
        sent = self.form(text="", email="nobody", website="ftp://x")
        answer = moderator.post(f"/admin/comments/{comment.id}/edit", sent)
        assert re.findall(r'id="(\w+)-error"', answer.text) == ["text", "email", "website"]

    def test_keeps_imported_html_html(self, session: Session, site: Site, moderator: BrowserClient) -> None:
        comment = write(session, site)
        begin_write(session)
        stored = session.get_one(Comment, comment.id)
        stored.format, stored.source = TextFormat.HTML, "<b>old</b>" * 2000
        session.commit()
        sent = self.form(text="<b>new</b><script>alert(1)</script>" + "x" * 15_000)
        assert moderator.post(f"/admin/comments/{comment.id}/edit", sent).status_code == 303
        stored = fresh(session, comment)
        assert stored.format is TextFormat.HTML
        assert "<strong>new</strong>" in stored.html
        assert "<script" not in stored.html

    def test_saving_what_was_there_changes_nothing(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        comment = write(session, site, "Two\nlines")
        moderator.post(f"/admin/comments/{comment.id}/edit", self.form(text="Two\r\nlines"))
        assert fresh(session, comment).edited_at is None
        assert "Nothing was changed." in moderator.page("/admin")

    def test_leaves_a_members_details_alone(
        self, session: Session, site: Site, owner: Commenter, moderator: BrowserClient
    ) -> None:
        comment = write(session, site)
        begin_write(session)
        stored = session.get_one(Comment, comment.id)
        stored.commenter_id, stored.guest_name = owner.id, None
        stored.guest_email = stored.guest_website = None
        session.commit()
        assert 'name="email"' not in moderator.page(f"/admin/comments/{comment.id}/edit")
        moderator.post(f"/admin/comments/{comment.id}/edit", self.form(text="Other"))
        stored = fresh(session, comment)
        assert (stored.source, stored.guest_name, stored.guest_email) == ("Other", None, None)

    def test_holds_what_the_sanitisers_disagree_on(
        self, session: Session, site: Site, moderator: BrowserClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        comment = write(session, site, status=Status.APPROVED)
        monkeypatch.setattr(
            markup, "render_markdown", lambda source: markup.Rendered(f"<p>{len(source)}</p>", agreed=False)
        )
        moderator.post(f"/admin/comments/{comment.id}/edit", self.form(text="Odd"))
        assert fresh(session, comment).status is Status.HELD
        assert "Saved, and held" in moderator.page("/admin")


class TestReplying:
    @ENGINES
    def test_appears_under_the_comment_with_the_owners_badge(
        self, session: Session, site: Site, owner: Commenter, moderator: BrowserClient
    ) -> None:
        comment = write(session, site, status=Status.APPROVED)
        answer = moderator.post(
            f"/admin/comments/{comment.id}/reply?status=approved", {"text": "Thank *you*"}
        )
        assert answer.location == f"/admin?status=approved&site={site.id}#comment-{comment.id}"
        session.rollback()
        reply = session.scalars(select(Comment).where(Comment.parent_id == comment.id)).one()
        assert (reply.role, reply.commenter_id, reply.status) == (Role.OWNER, owner.id, Status.APPROVED)
        assert fresh(session, comment).thread.approved_count == 2
        page = moderator.page("/admin?status=approved")
        assert '<span class="badge">Owner</span>' in page
        assert f'href="/comment/{reply.id}"' in page

    def test_approves_a_comment_that_waits_and_says_so_first(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        comment = write(session, site)
        page = moderator.page(f"/admin/comments/{comment.id}/reply")
        assert "Your reply approves it" in page
        assert '<input type="hidden" name="approve" value="y">' in page
        moderator.post(f"/admin/comments/{comment.id}/reply", {"text": "Thanks", "approve": "y"})
        stored = fresh(session, comment)
        assert (stored.status, stored.reply_count, stored.thread.approved_count) == (Status.APPROVED, 1, 2)
        assert log_of(session, comment) == [Status.HELD, Status.APPROVED]

    def test_approves_nothing_where_the_page_had_not_said_so(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        comment = write(session, site)
        answer = moderator.post(f"/admin/comments/{comment.id}/reply", {"text": "Thanks"})
        assert answer.status_code == 404
        assert fresh(session, comment).status is Status.HELD

    @pytest.mark.parametrize("status", [Status.SPAM, Status.TRASH])
    def test_is_not_for_what_was_put_away(
        self, session: Session, site: Site, moderator: BrowserClient, status: Status
    ) -> None:
        comment = write(session, site, status=status)
        path = f"/admin/comments/{comment.id}/reply"
        assert moderator.get(path).status_code == 404
        assert moderator.post(path, {"text": "Thanks", "approve": "y"}).status_code == 404
        assert fresh(session, comment).status is status

    def test_closed_is_closed_for_owners_too(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        comment = write(session, site)
        begin_write(session)
        session.get_one(Site, site.id).close_after_days = 1
        session.get_one(Thread, comment.thread_id).created_at = now() - timedelta(days=2)
        session.commit()
        path = f"/admin/comments/{comment.id}/reply"
        assert "Comments closed after one day." in moderator.page(path)
        answer = moderator.post(path, {"text": "My words", "approve": "y"})
        assert answer.status_code == 403
        assert "Comments closed after one day." in answer.text
        assert "My words" in answer.text
        assert fresh(session, comment).status is Status.HELD

    def test_an_empty_one_is_refused_beside_the_field(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        comment = write(session, site)
        answer = moderator.post(f"/admin/comments/{comment.id}/reply", {"text": "  ", "approve": "y"})
        assert answer.status_code == 422
        assert 'id="text-error">Please enter a comment' in answer.text
        assert fresh(session, comment).status is Status.HELD

    def test_sent_twice_is_stored_once(self, session: Session, site: Site, moderator: BrowserClient) -> None:
        comment = write(session, site, status=Status.APPROVED)
        path = f"/admin/comments/{comment.id}/reply"
        assert moderator.post(path, {"text": "Thanks"}).status_code == 303
        second = moderator.post(path, {"text": "Thanks"})
        assert second.status_code == 409
        assert "already said that" in second.text
        session.rollback()
        assert session.scalar(select(func.count()).where(Comment.parent_id == comment.id)) == 1


class TestSettings:
    def form(self, **changed: str) -> dict[str, str]:
        return {
            "name": "New name",
            "heading": "Speak",
            "origins": f"{BLOG}\r\nhttps://WWW.blog.example/some/page",
            "order": "newest",
            "name_field": "optional",
            "email_field": "off",
            "website_field": "required",
            "close_after_days": "30",
            "guests": "y",
        } | changed

    def stored(self, session: Session, site: Site) -> Site:
        session.rollback()
        session.expire_all()
        return session.get_one(Site, site.id)

    @ENGINES
    def test_are_saved(self, session: Session, site: Site, moderator: BrowserClient) -> None:
        version = self.stored(session, site).version
        answer = moderator.post(f"/admin/sites/{site.id}", self.form(likes="votes", order="best"))
        assert answer.status_code == 303, answer.text
        stored = self.stored(session, site)
        assert (stored.likes, stored.order) == (Likes.VOTES, Order.BEST)
        assert (stored.name, stored.heading) == ("New name", "Speak")
        assert stored.policy is Policy.HOLD_ALL  # which the rules decide
        assert [item.origin for item in stored.origins] == [BLOG, "https://www.blog.example"]
        assert (stored.name_field, stored.email_field) == (FieldRule.OPTIONAL, FieldRule.OFF)
        assert (stored.website_field, stored.close_after_days) == (FieldRule.REQUIRED, 30)
        assert stored.version > version  # pages kept from before are stale
        page = moderator.page(f"/admin/sites/{site.id}")
        assert "Saved." in page

    def test_decide_whether_guests_may_comment(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        path = f"/admin/sites/{site.id}"
        ticked = re.compile(r'<input[^>]* checked [^>]*name="guests"|name="guests"[^>]* checked')
        assert ticked.search(moderator.page(path))
        sent = self.form()
        del sent["guests"]  # as browsers send a box without a tick
        moderator.post(path, sent)
        assert not self.stored(session, site).guests
        assert not ticked.search(moderator.page(path))
        moderator.post(path, self.form())
        assert self.stored(session, site).guests

    def test_an_origin_can_be_taken_away_and_never_closing_be_chosen(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        moderator.post(f"/admin/sites/{site.id}", self.form())
        sent = self.form(origins="https://www.blog.example", close_after_days="")
        moderator.post(f"/admin/sites/{site.id}", sent)
        stored = self.stored(session, site)
        assert [item.origin for item in stored.origins] == ["https://www.blog.example"]
        assert stored.close_after_days is None

    @pytest.mark.parametrize(
        ("field", "typed", "fault"),
        [
            ("name", "", "Please enter a name"),
            ("name", "\u200b", "Please enter a name"),
            ("name", "n" * 81, "at most 80"),
            ("name", "Elsewhere", "There is already a site named"),
            ("heading", "\u2060", "Please enter a heading"),
            ("origins", "", "Please enter at least one origin"),
            ("origins", "blog", "is not the address of a web page"),
            ("origins", "javascript:alert(1)", "is not the address of a web page"),
            ("origins", OTHER, "already belongs to the site"),
            ("origins", f"{BLOG} {BASE_URL}/blog", "act as the reader and as you"),
            ("email_field", "", "Not a valid choice"),
            ("likes", "hearts", "Not a valid choice"),
            ("order", "best", "Best first needs likes"),
            ("close_after_days", "0", "Between 1 and 36500 days"),
            ("close_after_days", "soon", "Not a valid integer"),
        ],
    )
    def test_say_beside_the_field_what_is_wrong_and_change_nothing(
        self,
        session: Session,
        site: Site,
        elsewhere: Site,
        moderator: BrowserClient,
        field: str,
        typed: str,
        fault: str,
    ) -> None:
        answer = moderator.post(f"/admin/sites/{site.id}", self.form(**{field: typed}))
        assert answer.status_code == 422
        assert re.search(rf'id="{field}-error">[^<]*{fault}', answer.text)
        if field != "heading":
            assert 'value="Speak"' in answer.text
        stored = self.stored(session, site)
        assert (stored.name, stored.heading, stored.policy) == ("Blog", "Leave a Reply", Policy.HOLD_ALL)
        assert [item.origin for item in stored.origins] == [BLOG]

    def test_are_the_owners_alone(self, session: Session, site: Site, visitor: BrowserClient) -> None:
        begin_write(session)
        helper = Commenter(name="Moderator")
        session.add(helper)
        session.flush()
        session.add(Membership(commenter_id=helper.id, site_id=site.id, role=Role.MODERATOR))
        session.commit()
        visitor.sign_in(session, helper)
        assert "Settings" not in visitor.page("/admin")
        assert visitor.get(f"/admin/sites/{site.id}").status_code == 404
        assert visitor.post(f"/admin/sites/{site.id}", self.form()).status_code == 404
        comment = write(session, site)
        visitor.post(f"/admin/comments/{comment.id}/reply", {"text": "Thanks", "approve": "y"})
        assert '<span class="badge">Moderator</span>' in visitor.page("/admin?status=approved")


OPEN = {"invitation", "sign_in"}
"""Blueprints of the view that people reach without being signed in."""


def addresses(
    app: Flask, *, comment_id: int, site_id: int, action_id: int = 0, **more: int
) -> Iterator[tuple[str, str, str]]:
    """Every route of the admin view as (blueprint, method, path), the ids filled in; `more` of them than usual.

    A route with an argument of another name fails here, and so asks to be covered.
    """
    ids = {
        "comment_id": comment_id,
        "site_id": site_id,
        "action_id": action_id,
        "token": "x",
        "name": "json",
        "kind": "slack",
    }
    ids |= (
        dict.fromkeys(
            ("thread_id", "ban_id", "membership_id", "ticket_id", "note_id", "pressure_id", "token_id"), 0
        )
        | dict.fromkeys(("endpoint_id", "delivery_id", "link_id"), 0)
        | {"kind": "slack"}
        | more
    )
    with app.test_request_context(base_url=BASE_URL):
        adapter = app.url_map.bind("127.0.0.1")
        for rule in app.url_map.iter_rules():
            if not rule.rule.startswith("/admin"):
                continue
            path = adapter.build(rule.endpoint, {name: ids[name] for name in rule.arguments})
            for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
                yield rule.endpoint.partition(".")[0], method, path


def send(visitor: BrowserClient, method: str, path: str, **how: Any) -> int:
    if method == "GET":
        return visitor.get(path).status_code
    assert method == "POST", "changes are POSTs"
    return visitor.post(path, {"verdict": "approved", "text": "Mine", "approve": "y"}, **how).status_code


class TestWhoMayEnter:
    def test_strangers_reach_nothing(
        self, app: Flask, session: Session, site: Site, visitor: BrowserClient
    ) -> None:
        comment = write(session, site)
        tried = [
            (method, path, send(visitor, method, path))
            for door, method, path in addresses(app, comment_id=comment.id, site_id=site.id)
            if door not in OPEN
        ]
        assert len(tried) >= 8
        assert {status for _, _, status in tried} == {401}, tried
        assert fresh(session, comment).status is Status.HELD

    @ENGINES
    def test_another_sites_things_do_not_exist(
        self, app: Flask, session: Session, elsewhere: Site, moderator: BrowserClient
    ) -> None:
        theirs = write(session, elsewhere, "A secret")
        rows = log_of(session, theirs)
        for door, method, path in addresses(app, comment_id=theirs.id, site_id=elsewhere.id):
            if door not in OPEN and path not in {"/admin", "/admin/language", "/admin/threads"}:
                assert send(moderator, method, path) == 404, f"{method} {path}"
        for path in (f"/admin?site={elsewhere.id}", f"/admin?site={elsewhere.id}&status=approved"):
            assert moderator.get(path).status_code == 404
        assert "A secret" not in moderator.page(f"/admin?after={theirs.id + 1}")
        stored = fresh(session, theirs)
        assert (stored.status, stored.source) == (Status.HELD, "A secret")
        assert log_of(session, theirs) == rows
        assert session.get_one(Site, elsewhere.id).name == "Elsewhere"

    @ENGINES
    @pytest.mark.parametrize("number", [0, 987_654, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**30])
    def test_neither_does_what_is_nowhere(self, app: Flask, moderator: BrowserClient, number: int) -> None:
        for path in (f"/admin/comments/{number}", f"/admin/comments/{number}/edit", f"/admin/sites/{number}"):
            assert moderator.get(path).status_code == 404
        assert moderator.get(f"/admin?site={number}").status_code in {400, 404}

    @pytest.mark.parametrize("origin", [None, "null", "https://evil.example", BLOG, "http://127.0.0.1"])
    def test_other_websites_change_nothing(
        self, app: Flask, session: Session, site: Site, moderator: BrowserClient, origin: str | None
    ) -> None:
        comment = write(session, site)
        for _, method, path in addresses(app, comment_id=comment.id, site_id=site.id):
            if method != "GET":
                assert send(moderator, method, path, origin=origin) == 403, path
        assert fresh(session, comment).status is Status.HELD
        assert moderator.get("/admin").status_code == 200  # still signed in

    @pytest.mark.parametrize("token", [None, "forged", "another visitor's"])
    def test_nor_does_a_form_without_its_token(
        self, app: Flask, session: Session, site: Site, moderator: BrowserClient, token: str | None
    ) -> None:
        comment = write(session, site)
        token = BrowserClient(app).token() if token == "another visitor's" else token
        for _, method, path in addresses(app, comment_id=comment.id, site_id=site.id):
            if method != "GET":
                assert send(moderator, method, path, token=token) == 400, path
        assert fresh(session, comment).status is Status.HELD
        assert moderator.get("/admin").status_code == 200

    def test_looking_changes_nothing(
        self, app: Flask, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        comment = write(session, site)
        for door, method, path in addresses(app, comment_id=comment.id, site_id=site.id):
            if door not in OPEN and method == "GET":
                moderator.get(f"{path}?verdict=approved&text=x&approve=y")
        assert fresh(session, comment).status is Status.HELD
        assert log_of(session, comment) == [Status.HELD]

    def test_a_role_taken_away_counts_at_once(
        self, session: Session, site: Site, moderator: BrowserClient
    ) -> None:
        comment = write(session, site)
        begin_write(session)
        session.delete(session.scalars(select(Membership)).one())
        session.commit()
        assert decide(moderator, comment, "approved").status_code == 404
        assert "Blog" not in moderator.page("/admin")


class Elements(HTMLParser):
    """Collects what stands in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in {"href", "action", "src"}}


def elements(page: str) -> Elements:
    result = Elements()
    result.feed(page)
    result.close()
    return result


def sample() -> list[Attack]:
    """The first two of each family, and every seventh of all."""
    kept: dict[str, int] = {}
    chosen = []
    for number, attack in enumerate(ATTACKS):
        kept[attack.family] = kept.get(attack.family, 0) + 1
        if kept[attack.family] <= 2 or number % 7 == 0:
            chosen.append(attack)
    return chosen


def hostile(session: Session, site: Site) -> int:
    """Store hostile comments as if the validators had failed; return how many."""
    stored = 0
    for attack in sample():
        text = attack.text.encode(errors="replace").decode()
        try:
            comment = write(session, site, f"{stored} {text}")
        except InvalidFieldsError:
            continue
        begin_write(session)
        row = session.get_one(Comment, comment.id)
        row.guest_name, row.guest_email, row.guest_website = text[:80], text[:254], text[:500]
        session.get_one(Thread, row.thread_id).title = text[:300]
        session.commit()
        stored += 1
    return stored


def test_hostile_words_stay_words(session: Session, site: Site, moderator: BrowserClient) -> None:
    harmless = write(
        session, site, "Plain `code`\n\n```python\nx = 1\n```\n\n> *a* **b** ~~c~~\n\n1. d\n- e\n\nf\ng"
    )
    own = elements(moderator.page("/admin"))
    folded = elements(moderator.page(f"/admin/comments/{harmless.id}"))
    comment_tags = set(markup.TAGS)
    tags = own.tags | folded.tags | comment_tags | {"details", "summary"}
    attributes = own.attributes | folded.attributes | {"rel", "target", "start"}
    count = hostile(session, site)
    assert count > 100
    path: str | None = "/admin"
    seen = 0
    while path:
        page = moderator.page(path)
        result = elements(page)
        assert result.tags <= tags, result.tags - tags
        assert result.attributes <= attributes, result.attributes - attributes
        for link in result.links:
            assert re.match(r"(https?://|mailto:|/|#|data:image/svg)", link), link
        seen += len(re.findall(r'<article class="item"', page))
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        path = onward[1].replace("&amp;", "&") if onward else None
    assert seen == count + 1


@pytest.mark.parametrize("page", ["edit", "reply", ""])
def test_hostile_words_stay_words_in_forms(
    session: Session, site: Site, moderator: BrowserClient, page: str
) -> None:
    comment = write(session, site)
    path = f"/admin/comments/{comment.id}/{page}".rstrip("/")
    calm = elements(moderator.page(path))
    breakout = "</textarea></title>\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
    begin_write(session)
    row = session.get_one(Comment, comment.id)
    row.source = row.guest_name = row.guest_email = row.guest_website = breakout
    session.get_one(Site, site.id).name = breakout[:80]
    session.commit()
    result = elements(moderator.page(path))
    assert result.tags == calm.tags
    assert result.attributes == calm.attributes
