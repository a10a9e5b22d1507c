"""Looking after threads: the list, when one takes comments, how fast, and under which key it is found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.authors import Author
from commentsvc.domain.sites import sites
from commentsvc.domain.thread_admin import import_follow, renaming, thread_controls
from commentsvc.domain.threads import threads
from commentsvc.errors import InvalidFieldsError, SlowModeError, ThreadClosedError
from commentsvc.models import Action, Commenter, Membership, Policy, Role, Site, Thread, now
from tests.conftest import BLOG
from tests.support.browser_client import BrowserClient
from tests.support.comment_builders import ANNA, BEN, NOON, Pen, article
from tests.support.guest_client import GuestClient, add_site, contents
from tests.support.outside_session import outside_session

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture
def pen(session: Session, site: Site) -> Pen:
    """Writes in a thread that has a comment."""
    pen = article(session, site)
    pen.write(by=BEN)
    return pen


def kinds(session: Session) -> list[str]:
    return list(session.scalars(select(Action.kind).order_by(Action.id)))


@ENGINES
class TestClosing:
    def test_a_closed_thread_takes_no_comment_and_says_since_when(self, session: Session, pen: Pen) -> None:
        thread_controls.close(session, pen.thread, on=pen.at, moderator_id=None, at=pen.at)
        with pytest.raises(ThreadClosedError, match=r"^Comments were closed on 1 June 2026\.$"):
            pen.write()
        assert kinds(session) == ["thread.close"]

    def test_a_thread_closes_on_its_date(self, session: Session, pen: Pen) -> None:
        thread_controls.close(session, pen.thread, on=NOON + timedelta(days=3), moderator_id=None, at=pen.at)
        pen.write()
        pen.at += timedelta(days=3)
        with pytest.raises(ThreadClosedError, match=r"^Comments were closed on 4 June 2026\.$"):
            pen.write()

    def test_readers_are_told_two_weeks_before(self, session: Session, site: Site, pen: Pen) -> None:
        thread_controls.close(session, pen.thread, on=NOON + timedelta(days=30), moderator_id=None, at=pen.at)
        assert threads.announcement(site, pen.thread, at=NOON) is None
        told = threads.announcement(site, pen.thread, at=NOON + timedelta(days=16))
        assert told == "Comments close on 1 July 2026."
        assert threads.announcement(site, pen.thread, at=NOON + timedelta(days=31)) is None

    def test_a_closed_thread_opens_again(self, session: Session, pen: Pen) -> None:
        thread_controls.close(session, pen.thread, on=pen.at, moderator_id=None, at=pen.at)
        thread_controls.close(session, pen.thread, on=None, moderator_id=None, at=pen.at)
        assert pen.write().id
        assert kinds(session) == ["thread.close", "thread.reopen"]

    def test_a_date_of_its_own_keeps_an_old_thread_open(self, session: Session, site: Site, pen: Pen) -> None:
        site.close_after_days = 1
        thread_controls.close(session, pen.thread, on=NOON + timedelta(days=90), moderator_id=None, at=pen.at)
        pen.at += timedelta(days=60)
        assert pen.write().id

    def test_every_change_is_a_new_version(self, session: Session, pen: Pen) -> None:
        before = pen.thread.version
        thread_controls.close(session, pen.thread, on=pen.at, moderator_id=None, at=pen.at)
        thread_controls.slow(session, pen.thread, 60, moderator_id=None, at=pen.at)
        assert pen.thread.version == before + 2


ANNAS_BROWSER = Author(guest=ANNA, author_key_hash="a" * 64, network_hash="n" * 64)


@ENGINES
class TestSlowMode:
    @pytest.fixture(autouse=True)
    def _slow(self, session: Session, pen: Pen) -> None:
        """Two minutes; a pen writes once a minute."""
        thread_controls.slow(session, pen.thread, 120, moderator_id=None, at=pen.at)

    def test_one_person_waits(self, session: Session, pen: Pen) -> None:
        pen.write(by=ANNAS_BROWSER)
        with pytest.raises(SlowModeError) as caught:
            pen.write(by=ANNAS_BROWSER)
        assert str(caught.value) == (
            "Slow mode: one comment every 2 minutes. You can comment again in 60 seconds."
        )
        assert caught.value.retry_after == 60
        assert pen.write(by=ANNAS_BROWSER).id

    @pytest.mark.parametrize(
        "same",
        [
            Author(guest=BEN, author_key_hash="a" * 64, network_hash="x" * 64),
            Author(guest=BEN, author_key_hash="b" * 64, network_hash="n" * 64),
            Author(guest=BEN, network_hash="n" * 64),
        ],
        ids=["another network", "another key", "no key"],
    )
    def test_a_guest_is_known_by_key_or_network(self, pen: Pen, same: Author) -> None:
        pen.write(by=ANNAS_BROWSER)
        with pytest.raises(SlowModeError):
            pen.write(by=same)

    def test_others_do_not_wait(self, session: Session, pen: Pen) -> None:
        member = Commenter(name="Mel")
        session.add(member)
        session.flush()
        pen.write(by=ANNAS_BROWSER)
        assert pen.write(by=Author(guest=BEN, author_key_hash="b" * 64, network_hash="m" * 64)).id
        assert pen.write(by=Author(commenter_id=member.id, network_hash="n" * 64)).id
        with pytest.raises(SlowModeError):
            pen.write(by=Author(commenter_id=member.id, network_hash="o" * 64))

    def test_who_brings_no_key_is_not_everybody_without_one(self, pen: Pen) -> None:
        for number in range(3):
            assert pen.write(by=Author(guest=BEN, network_hash=str(number) * 64)).id
        pen.write(by=Author(guest=BEN))
        assert pen.write(by=Author(guest=BEN)).id

    def test_moderators_do_not_wait(self, session: Session, pen: Pen) -> None:
        mo = Commenter(name="Mo")
        session.add(mo)
        session.flush()
        for _ in range(2):
            assert pen.write(by=Author(commenter_id=mo.id, role=Role.MODERATOR)).id

    def test_it_holds_for_one_thread(self, session: Session, site: Site, pen: Pen) -> None:
        pen.write(by=ANNAS_BROWSER)
        other = article(session, site, "/other")
        other.at = pen.at
        assert other.write(by=ANNAS_BROWSER).id

    def test_readers_are_told(self, session: Session, site: Site, pen: Pen) -> None:
        told = threads.announcement(site, pen.thread, at=pen.at)
        assert told == "Slow mode: one comment every 2 minutes."

    @pytest.mark.parametrize("seconds", [0, -1, 86_401])
    def test_odd_times_are_refused(self, session: Session, pen: Pen, seconds: int) -> None:
        with pytest.raises(InvalidFieldsError):
            thread_controls.slow(session, pen.thread, seconds, moderator_id=None, at=pen.at)


def edit(app: Flask, **values: object) -> None:
    """Change the only thread there is."""
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        thread = session.scalars(select(Thread)).one()
        for name, value in values.items():
            setattr(thread, name, value)
        session.commit()


@pytest.mark.parametrize("door", ["/embed", "/thread"])
class TestWhatReadersSee:
    def test_a_closed_thread_says_why_in_the_place_of_the_form(self, app: Flask, door: str) -> None:
        add_site(app)
        reader = GuestClient(app)
        reader.posted()
        edit(app, closed_at=now() - timedelta(days=1))
        page = reader.get(door).text
        assert f"Comments were closed on {now() - timedelta(days=1):%-d %B %Y}." in page
        assert "<textarea" not in page
        assert ">Reply<" not in page

    def test_a_form_sent_too_late_comes_back_with_its_text(self, app: Flask, door: str) -> None:
        add_site(app)
        reader = GuestClient(app)
        reader.posted()
        edit(app, closed_at=now())
        answer = reader.post("Long thoughts", door=door, json=True)
        assert answer.status_code == 403
        assert "Comments were closed on" in answer.json["errors"]["form"]  # type: ignore[index]

    def test_slow_mode_keeps_what_was_typed(self, app: Flask, door: str) -> None:
        add_site(app)
        reader = GuestClient(app)
        reader.posted()
        edit(app, slow_seconds=60)
        assert "Slow mode: one comment every 60 seconds." in reader.get(door).text
        answer = reader.post("Long thoughts", door=door, json=False)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) <= 60
        assert "You can comment again in" in answer.text
        assert ">Long thoughts</textarea>" in answer.text


OTHER = "https://other.example"


@pytest.fixture
def outside(app: Flask) -> Iterator[Session]:
    """A session outside any application context."""
    with outside_session(app, expire_on_commit=False) as session:
        yield session


@dataclass
class Stage:
    """A blog with two threads of one article, somebody else's site with one, and the blog's moderator."""

    session: Session
    site: Site
    visitor: BrowserClient
    here: int
    there: int
    comment: int
    foreign: int
    foreign_comment: int
    foreign_site: int

    def thread(self, number: int) -> Thread | None:
        self.session.rollback()
        return self.session.get(Thread, number, populate_existing=True)


@pytest.fixture
def stage(app: Flask, outside: Session) -> Stage:
    begin_write(outside)
    owner = accounts.operator(outside)
    stranger, moderator = Commenter(name="Stranger"), Commenter(name="Mo")
    outside.add_all([stranger, moderator])
    outside.flush()
    blog = sites.add(outside, "Blog", [BLOG], owner_id=owner.id)
    other = sites.add(outside, "Other", [OTHER], owner_id=stranger.id)
    outside.add(Membership(commenter_id=moderator.id, site_id=blog.id, role=Role.MODERATOR))
    for site in (blog, other):
        site.policy = Policy.OPEN
    here, there = article(outside, blog, "/a"), article(outside, blog, "/a?p=1")
    foreign = Pen(outside, threads.address_on(other, f"{OTHER}/a"))
    comment = here.write(title="Swifts <b>&")
    there.write(title="More swifts", by=BEN)
    foreign_comment = foreign.write(title="Secret title")
    outside.commit()
    visitor = BrowserClient(app).sign_in(outside, moderator)
    outside.rollback()
    return Stage(
        outside,
        blog,
        visitor,
        comment.thread_id,
        there.thread.id,
        comment.id,
        foreign.thread.id,
        foreign_comment.id,
        other.id,
    )


class TestThePages:
    def test_the_list_has_titles_and_counts(self, stage: Stage) -> None:
        page = stage.visitor.page("/admin/threads")
        assert "Swifts &lt;b&gt;&amp;" in page
        assert "2 articles" in page
        assert "1 comment" in page
        assert "Secret title" not in page
        result = stage.visitor.page("/admin/threads?q=MORE")
        assert "More swifts" in result
        assert "Swifts &lt;b" not in result
        assert "No article matches" in stage.visitor.page("/admin/threads?q=%25")

    def test_a_thread_is_closed_and_opened(self, stage: Stage) -> None:
        path = f"/admin/threads/{stage.here}/closing"
        assert stage.visitor.post(path, {"closing": "now"}).status_code == 303
        assert "Comments were closed on" in stage.visitor.page(f"/admin/threads/{stage.here}")
        assert stage.visitor.post(path, {"closing": "date", "day": "2031-02-03"}).status_code == 303
        thread = stage.thread(stage.here)
        assert thread is not None
        assert thread.closed_at is not None
        assert thread.closed_at.isoformat() == "2031-02-03T00:00:00+00:00"
        for wrong in ({"closing": "date", "day": "soon"}, {"closing": "date"}, {"closing": "x"}, {}):
            assert stage.visitor.post(path, wrong).status_code == 422
        assert stage.visitor.post(path, {"closing": "open"}).status_code == 303
        assert stage.thread(stage.here).closed_at is None  # type: ignore[union-attr]

    def test_slow_mode_is_set(self, stage: Stage) -> None:
        path = f"/admin/threads/{stage.here}/pace"
        assert stage.visitor.post(path, {"seconds": "60"}).status_code == 303
        assert stage.thread(stage.here).slow_seconds == 60  # type: ignore[union-attr]
        for wrong in ("-1", "x", "86401", "9999999", "1.5"):
            assert stage.visitor.post(path, {"seconds": wrong}).status_code == 422
        assert stage.visitor.post(path, {"seconds": ""}).status_code == 303
        assert stage.thread(stage.here).slow_seconds is None  # type: ignore[union-attr]

    def test_a_comment_is_pinned(self, stage: Stage) -> None:
        path = f"/admin/threads/comments/{stage.comment}"
        assert "Pin" in stage.visitor.page(path)
        assert stage.visitor.post(f"{path}/mark", {"mark": "pin"}).status_code == 303
        assert "Unpin" in stage.visitor.page(path)
        assert stage.visitor.post(f"{path}/mark", {"mark": "x"}).status_code == 422

    def test_a_merge_is_shown_before_it_is_done_and_undone_after(self, stage: Stage) -> None:
        path = f"/admin/threads/{stage.there}/merge"
        preview = stage.visitor.page(f"{path}?into={BLOG}/a")
        for words in ("More swifts", "Swifts &lt;b&gt;&amp;", "which will have 2 comments"):
            assert words in preview
        answer = stage.visitor.post(path, {"into": str(stage.here)})
        assert answer.headers["Location"].endswith(f"/admin/threads/{stage.here}")
        assert stage.thread(stage.there) is None
        page = stage.visitor.page(f"/admin/threads/{stage.here}")
        assert "Merged: 1 comment moved here." in page
        undo = re.search(r'action="(/admin/threads/actions/\d+/undo)"', page)
        assert undo is not None
        assert stage.visitor.post(undo[1]).status_code == 303
        assert stage.thread(stage.there).approved_count == 1  # type: ignore[union-attr]
        assert stage.visitor.post(undo[1]).status_code == 404

    def test_threads_that_followed_an_import_go_back_if_an_owner_wants_that(
        self, app: Flask, stage: Stage
    ) -> None:
        begin_write(stage.session)
        action = import_follow.follow(
            stage.session, stage.site, [(stage.here, f"{BLOG}/new")], moderator_id=None, at=now()
        )
        number = action.id
        stage.session.commit()
        log, undo = f"/admin/sites/{stage.site.id}/activity", f"/admin/threads/remaps/{number}/undo"
        assert undo not in stage.visitor.page(log)
        assert stage.visitor.post(undo).status_code == 404
        owner = BrowserClient(app).sign_in(stage.session, accounts.operator(stage.session))
        stage.session.rollback()
        assert f'action="{undo}"' in owner.page(log)
        assert owner.post(undo).headers["Location"].endswith(log)
        assert "Undone: 1 thread is back." in owner.page(log)
        assert stage.thread(stage.here).url == f"{BLOG}/a"  # type: ignore[union-attr]
        assert owner.post(undo).status_code == 404

    @pytest.mark.parametrize("into", ["", "999", "nonsense", OTHER, f"{BLOG}/none", "9" * 30])
    def test_a_merge_into_nothing_is_refused(self, stage: Stage, into: str) -> None:
        assert stage.visitor.post(f"/admin/threads/{stage.here}/merge", {"into": into}).status_code == 422

    def test_a_taken_address_offers_the_merge(self, stage: Stage) -> None:
        path = f"/admin/threads/{stage.there}/address"
        answer = stage.visitor.post(path, {"url": f"{BLOG}/a/"})
        assert answer.status_code == 422
        assert f"/admin/threads/{stage.there}/merge?into={stage.here}" in answer.text
        assert stage.visitor.post(path, {"url": f"{BLOG}/b"}).status_code == 303
        assert f"{BLOG}/b" in stage.visitor.page(f"/admin/threads/{stage.there}")

    def test_split_threads_are_found(self, stage: Stage) -> None:
        page = stage.visitor.page(f"/admin/threads/sites/{stage.site.id}/split")
        assert "Nearly the same address" in page
        assert f"/admin/threads/{stage.there}/merge?into={stage.here}" in page


def reads(stage: Stage, thread: int, comment: int, site: int) -> list[str]:
    return [
        f"/admin/threads?site={site}",
        f"/admin/threads/{thread}",
        f"/admin/threads/{thread}/address",
        f"/admin/threads/{thread}/merge",
        f"/admin/threads/{thread}/merge?into={stage.here}",
        f"/admin/threads/comments/{comment}",
        f"/admin/threads/sites/{site}/split",
    ]


def changes(stage: Stage, thread: int, comment: int) -> list[tuple[str, dict[str, str]]]:
    return [
        (f"/admin/threads/{thread}/closing", {"closing": "now"}),
        (f"/admin/threads/{thread}/pace", {"seconds": "60"}),
        (f"/admin/threads/{thread}/address", {"url": f"{BLOG}/stolen"}),
        (f"/admin/threads/{thread}/merge", {"into": str(stage.there)}),
        (f"/admin/threads/comments/{comment}/mark", {"mark": "pin"}),
    ]


class TestForWhom:
    def test_another_sites_threads_do_not_exist(self, app: Flask, stage: Stage) -> None:
        before = contents(app)
        for path in reads(stage, stage.foreign, stage.foreign_comment, stage.foreign_site):
            answer = stage.visitor.get(path)
            assert answer.status_code == 404, path
            assert "Secret" not in answer.text
        for path, data in changes(stage, stage.foreign, stage.foreign_comment):
            assert stage.visitor.post(path, data).status_code == 404, path
        merge = f"/admin/threads/{stage.here}/merge"
        assert "Secret" not in stage.visitor.get(f"{merge}?into={stage.foreign}").text
        assert stage.visitor.post(merge, {"into": str(stage.foreign)}).status_code == 422
        assert contents(app) == before

    def test_another_sites_action_is_not_undone(self, app: Flask, stage: Stage) -> None:
        begin_write(stage.session)
        foreign = stage.session.get_one(Thread, stage.foreign)
        action = renaming.rename(stage.session, foreign, url=f"{OTHER}/b", moderator_id=None, at=now())
        assert action is not None
        number = action.id
        stage.session.commit()
        for wanted in (number, 999):
            assert stage.visitor.post(f"/admin/threads/actions/{wanted}/undo").status_code == 404
        assert stage.thread(stage.foreign).url == f"{OTHER}/b"  # type: ignore[union-attr]

    def test_what_is_missing_is_no_fault_of_ours(self, stage: Stage) -> None:
        for path in reads(stage, 999, 999, 999):
            assert stage.visitor.get(path).status_code == 404, path
        for path, data in changes(stage, 999, 999):
            assert stage.visitor.post(path, data).status_code == 404, path

    def test_reading_changes_nothing(self, app: Flask, stage: Stage) -> None:
        before = contents(app)
        for path in reads(stage, stage.there, stage.comment, stage.site.id):
            assert stage.visitor.get(path).status_code == 200, path
        for path, _ in changes(stage, stage.there, stage.comment):
            stage.visitor.get(path)
        assert contents(app) == before

    def test_strangers_and_other_pages_change_nothing(self, app: Flask, stage: Stage) -> None:
        nobody = BrowserClient(app)
        before = contents(app)
        for path, data in changes(stage, stage.here, stage.comment):
            assert nobody.post(path, data).status_code == 401, path
            assert stage.visitor.post(path, data, token=None).status_code == 400, path
            assert stage.visitor.post(path, data, origin=BLOG).status_code == 403, path
            assert stage.visitor.post(path, data, origin=None).status_code == 403, path
        assert contents(app) == before
