"""What was kept for its time is deleted, a little at a time, and nothing that hangs on it breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from commentsvc.cli.commands import main
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import bulk_decisions, edits, undoing
from commentsvc.domain.authors import Author
from commentsvc.domain.bans import bans
from commentsvc.domain.comments import comment_text, known_authors
from commentsvc.domain.maintenance import retention
from commentsvc.domain.maintenance.expired_comments import EMPTY
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.domain.moderation import decisions, reports
from commentsvc.domain.moderation.reports import Reporter
from commentsvc.domain.notifications import outbox
from commentsvc.domain.reading import thread_pages
from commentsvc.domain.spam import training
from commentsvc.models import (
    Announcement,
    Ban,
    BanKind,
    Comment,
    Decision,
    DeletedImport,
    LoginSession,
    Note,
    Order,
    Policy,
    Report,
    Revision,
    Site,
    Status,
    Ticket,
    now,
)
from tests.conftest import environment
from tests.support import wxr
from tests.support.admin_queue import AdminQueue, open_queue
from tests.support.comment_builders import ANNA, BEN, NOON, Pen, article
from tests.support.guest_client import GuestClient, add_site

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
queue_of_site = open_queue
DAY = timedelta(days=1)
NOTHING = RetentionPeriods(networks=0, emails=0, spam=0, trash=0)
WITH_NETWORK = Author(guest=ANNA, network_hash="n" * 64, author_key_hash="k" * 64)


@pytest.fixture
def pen(session: Session, site: Site) -> Pen:
    """Writes under an article."""
    return article(session, site)


def sweep(session: Session, limits: RetentionPeriods, at: datetime) -> None:
    session.commit()
    while retention.delete_expired(session, limits, at=at):
        pass
    begin_write(session)
    session.expire_all()


def decide(session: Session, comment: Comment, status: Status, at: datetime, **how: object) -> None:
    """Decide on a comment at a time."""
    decisions.decide(session, comment, status, **how)  # type: ignore[arg-type]
    session.flush()
    latest = select(func.max(Decision.id)).where(Decision.comment_id == comment.id).scalar_subquery()
    session.execute(update(Decision).where(Decision.id == latest).values(created_at=at))


def there(session: Session) -> list[str]:
    """The texts of all comments."""
    return list(session.scalars(select(Comment.source).order_by(Comment.id)))


@ENGINES
@pytest.mark.parametrize(("status", "name"), [(Status.SPAM, "spam"), (Status.TRASH, "trash")])
class TestSpamAndTrash:
    def test_it_goes_when_its_time_is_over_and_all_that_hangs_on_it(
        self, session: Session, pen: Pen, status: Status, name: str
    ) -> None:
        gone, stays, last = pen.write("Pills"), pen.write("Hello"), pen.write("Last")
        reports.report(session, gone.id, Reporter("r" * 64, "n" * 64), reason="spam", at=NOON)
        draft = comment_text.from_source("Cheap pills", longest=99)
        moderator = accounts.operator(session).id
        edits.edit(session, gone, draft, guest=ANNA, moderator_id=moderator, at=NOON)
        decide(session, gone, status, NOON)
        kept = replace(NOTHING, **{name: 30})
        sweep(session, kept, NOON + 30 * DAY)
        assert there(session) == ["Cheap pills", "Hello", "Last"]
        version = pen.thread.version
        sweep(session, kept, NOON + 31 * DAY)
        assert there(session) == ["Hello", "Last"]
        tables = (Report, Revision)
        assert [session.scalar(select(func.count()).select_from(table)) for table in tables] == [0, 0]
        assert set(session.scalars(select(Decision.comment_id))) == {stays.id, last.id}
        assert (pen.thread.approved_count, pen.thread.version) == (2, version)
        before = there(session)
        sweep(session, kept, NOON + 400 * DAY)
        assert there(session) == before

    def test_the_time_begins_when_it_was_put_there(
        self, session: Session, pen: Pen, status: Status, name: str
    ) -> None:
        comment = pen.write("Pills")
        pen.write("Last")
        decide(session, comment, status, NOON + 100 * DAY)
        kept = replace(NOTHING, **{name: 30})
        sweep(session, kept, NOON + 129 * DAY)
        assert "Pills" in there(session)
        sweep(session, kept, NOON + 131 * DAY)
        assert "Pills" not in there(session)

    def test_nothing_else_goes(self, session: Session, pen: Pen, status: Status, name: str) -> None:
        for other in Status:
            decide(session, pen.write(other.value), other, NOON)
        pen.write("Last")
        sweep(session, replace(NOTHING, **{name: 30}), NOON + 400 * DAY)
        assert there(session) == [one.value for one in Status if one is not status] + ["Last"]

    def test_for_ever_is_for_ever(self, session: Session, pen: Pen, status: Status, name: str) -> None:
        decide(session, pen.write("Pills"), status, NOON)
        pen.write("Last")
        sweep(session, NOTHING, NOON + 40_000 * DAY)
        assert there(session) == ["Pills", "Last"]

    def test_what_others_answered_becomes_an_empty_place(
        self, session: Session, pen: Pen, status: Status, name: str
    ) -> None:
        root = pen.write("Pills", by=WITH_NETWORK)
        reply = pen.write("No thanks", to=root, by=BEN)
        below = pen.write("Indeed", to=reply)
        pen.write("Last")
        decide(session, root, status, NOON, moderator_id=accounts.operator(session).id)
        kept = replace(NOTHING, **{name: 30})
        sweep(session, kept, NOON + 31 * DAY)
        assert there(session) == [EMPTY, "No thanks", "Indeed", "Last"]
        root = session.get_one(Comment, root.id)
        assert (root.guest_name, root.guest_email, root.network_hash, root.author_key_hash) == (None,) * 4
        assert (root.status, root.shown, root.reply_count, root.learned) == (status, True, 2, None)
        page = thread_pages.page(session, pen.address, order=Order.OLDEST)
        assert [len(one.views) for one in page.conversations] == [3, 1]
        for comment in (below, reply):
            decide(session, comment, status, NOON + 31 * DAY)
        sweep(session, kept, NOON + 62 * DAY)
        assert there(session) == ["Last"]

    def test_a_number_is_never_given_to_another_comment(
        self, session: Session, pen: Pen, status: Status, name: str
    ) -> None:
        pen.write("Hello")
        last = pen.write("Pills")
        number = last.id
        decide(session, last, status, NOON)
        kept = replace(NOTHING, **{name: 30})
        sweep(session, kept, NOON + 31 * DAY)
        assert there(session) == ["Hello", EMPTY]
        session.expunge_all()
        assert article(session, session.scalars(select(Site)).one()).write("New").id > number
        sweep(session, kept, NOON + 31 * DAY)
        assert there(session) == ["Hello", "New"]

    def test_a_second_import_brings_it_not_back(
        self, session: Session, site: Site, status: Status, name: str
    ) -> None:
        item = wxr.item(
            wxr.comment("Pills", number=41, approved="spam" if status is Status.SPAM else "trash"),
            wxr.comment("Hello", number=42),
        )
        wxr.load(session, site, item)
        begin_write(session)
        sweep(session, replace(NOTHING, **{name: 30}), wxr.TODAY + 31 * DAY)
        assert there(session) == ["Hello"]
        assert session.scalars(select(DeletedImport.transfer_key)).all() == ["wordpress:blog.example:41"]
        report = wxr.load(session, site, item)
        assert (report.count(), there(session)) == (0, ["Hello"])

    def test_very_many_go_in_small_batches(
        self, session: Session, pen: Pen, status: Status, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(retention, "BATCH", 3)
        monkeypatch.setattr(retention, "BATCHES", 2)
        for _ in range(8):
            decide(session, pen.write(), status, NOON)
        pen.write("Last")
        session.commit()
        kept, at = replace(NOTHING, **{name: 30}), NOON + 31 * DAY
        assert retention.delete_expired(session, kept, at=at, stopped=lambda: True)
        assert len(there(session)) == 9
        assert retention.delete_expired(session, kept, at=at)
        assert len(there(session)) == 3
        assert not retention.delete_expired(session, kept, at=at)
        assert there(session) == ["Last"]
        begin_write(session)


@ENGINES
def test_the_filter_knows_afterwards_what_it_knew(session: Session, site: Site, pen: Pen) -> None:
    moderator = accounts.operator(session).id
    gone, place = pen.write("Buy pills"), pen.write("Buy watches")
    pen.write("No", to=place)
    for comment in (gone, place):
        decide(session, comment, Status.SPAM, NOON, moderator_id=moderator)
    words = "SELECT word, spam, ham FROM filter_word ORDER BY word"
    before = session.execute(text(words)).all()
    assert training.learned_counts(session, site.id).spam == 2
    sweep(session, replace(NOTHING, spam=30), NOON + 31 * DAY)
    assert session.execute(text(words)).all() == before
    place = session.get_one(Comment, place.id)
    decisions.decide(session, place, Status.APPROVED, moderator_id=moderator)
    decisions.decide(session, place, Status.TRASH, moderator_id=moderator)
    session.flush()
    assert session.execute(text(words)).all() == before


@ENGINES
class TestDetails:
    def test_networks_are_forgotten_and_bans_and_known_browsers_hold(
        self, session: Session, site: Site, pen: Pen
    ) -> None:
        old = pen.write(by=WITH_NETWORK)
        reports.report(session, old.id, Reporter("g" * 64, "n" * 64), reason="spam", at=NOON)
        reports.report(session, old.id, Reporter("m" * 64, "n" * 64, member=True), reason="spam", at=NOON)
        pen.at = NOON + 80 * DAY
        fresh = pen.write(by=WITH_NETWORK)
        session.add(Ban(site_id=site.id, kind=BanKind.NETWORK, value="n" * 64, label="Anna", reason="x"))
        sweep(session, replace(NOTHING, networks=90), NOON + 91 * DAY)
        results = [session.get_one(Comment, one.id).network_hash for one in (old, fresh)]
        assert results == [None, "n" * 64]
        rows = session.scalars(select(Report).order_by(Report.id)).all()
        assert [one.network_hash for one in rows] == [None, None]
        assert [one.reporter_hash for one in rows] == [f"expired:{rows[0].id}", "m" * 64]
        assert len(reports.counted_reports(session, old.id)) == 2
        assert bans.find_matching(session, site.id, Author(network_hash="n" * 64), at=NOON + 91 * DAY)
        by_key = Author(author_key_hash="k" * 64)
        assert known_authors.was_known(session, site.id, by_key, before=NOON + 91 * DAY)

    def test_addresses_of_guests_are_forgotten_where_the_owner_says_so(
        self, session: Session, site: Site, pen: Pen
    ) -> None:
        moderator = accounts.operator(session).id
        old = pen.write("Buy pills", by=ANNA)
        decide(session, old, Status.SPAM, NOON, moderator_id=moderator)
        other = pen.write(by=BEN)
        for about in ("email:anna@mail.example", "email:ben@mail.example", "commenter:1"):
            session.add(
                Note(site_id=site.id, about=about, text="Hm.", moderator_id=moderator, created_at=NOON)
            )
        other.created_at = NOON + 300 * DAY
        sweep(session, NOTHING, NOON + 9999 * DAY)
        assert session.get_one(Comment, old.id).guest_email == ANNA.email
        sweep(session, replace(NOTHING, emails=365), NOON + 366 * DAY)
        assert session.get_one(Comment, old.id).guest_email is None
        assert session.get_one(Comment, old.id).guest_name == "Anna"
        assert session.get_one(Comment, other.id).guest_email == BEN.email
        assert set(session.scalars(select(Note.about))) == {"email:ben@mail.example", "commenter:1"}
        # What was learned of the comment can still be taken back to the last word.
        training.learn(session, session.get_one(Comment, old.id), None)
        assert session.execute(text("SELECT word FROM filter_word")).all() == []

    def test_logins_that_are_over_are_deleted(self, session: Session, site: Site) -> None:
        person = accounts.operator(session)
        accounts.issue_link(session, person, at=NOON)
        spent = accounts.issue_link(session, person, at=NOON)
        accounts.redeem_link(session, spent, at=NOON)
        accounts.issue_link(session, person, at=NOON + 13 * DAY)
        sweep(session, NOTHING, NOON + 13 * DAY)
        tables = (Ticket, LoginSession)
        assert [session.scalar(select(func.count()).select_from(table)) for table in tables] == [1, 1]
        sweep(session, NOTHING, NOON + 16 * DAY)
        assert [session.scalar(select(func.count()).select_from(table)) for table in tables] == [0, 0]


def test_undoing_what_is_deleted_says_so(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    number = it.write("Pills")
    it.write("Last")
    begin_write(it.session)
    owner = accounts.operator(it.session).id
    outcome = bulk_decisions.decide(
        it.session, it.site_id, {number: None}, Status.SPAM, moderator_id=owner, at=now()
    )
    for table in (Comment, Decision):
        it.session.execute(update(table).values(created_at=now() - 31 * DAY))
    it.session.commit()
    retention.delete_expired(it.session, replace(NOTHING, spam=30), at=now())
    path = f"/admin/sites/{it.site_id}/activity"
    assert it.owner.post(f"{path}/{outcome.action_id}/undo").status_code == 303
    assert "it has been deleted since" in it.owner.page(path)
    assert [line.comment_id for line in undoing.log(it.session, it.site_id)[0]] == [None, None]


@ENGINES
def test_announcements_go_some_time_after_everybody_was_told(session: Session, site: Site) -> None:
    for done_at in (None, NOON):
        session.add(Announcement(site_id=site.id, articles=[], created_at=NOON, done_at=done_at))
    sweep(session, NOTHING, NOON + outbox.KEPT - DAY)
    assert session.scalar(select(func.count()).select_from(Announcement)) == 2
    sweep(session, NOTHING, NOON + outbox.KEPT)
    assert session.scalars(select(Announcement.done_at)).all() == [None]


class TestRunning:
    def test_the_settings_say_for_how_long(self, settings: Settings) -> None:
        assert RetentionPeriods.read(settings) == RetentionPeriods(networks=90, emails=0, spam=30, trash=30)

    @pytest.mark.parametrize(
        ("days", "left"), [({}, 1), ({"COMMENTSVC_KEEP_SPAM_DAYS": "0"}, 2)], ids=["by itself", "for ever"]
    )
    def test_the_command_deletes(
        self, app: Flask, settings: Settings, days: dict[str, str], left: int
    ) -> None:
        add_site(app, policy=Policy.OPEN)
        reader = GuestClient(app)
        number = reader.posted("Pills")
        reader.posted("Hello")
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            decisions.decide(session, session.get_one(Comment, number), Status.SPAM)
            session.flush()
            old = now() - 31 * DAY
            session.execute(update(Comment).values(created_at=old))
            session.execute(update(Decision).values(created_at=old))
            session.commit()
        run = CliRunner().invoke(main, ["work", "--once"], env=environment(settings.data_dir, **days))
        assert run.exit_code == 0, run.output
        with app.app_context(), Session(db.engine) as session:
            assert session.scalar(select(func.count()).select_from(Comment)) == left
