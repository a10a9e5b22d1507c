"""Looking after threads: the list, when one takes comments, how fast, and under which key it is found."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from guest import Reader, add_site
from sqlalchemy import select
from sqlalchemy.orm import Session
from writing import ANNA, BEN, NOON, Pen, article

from commentsvc.db import begin_write, db
from commentsvc.domain import thread_admin, threads
from commentsvc.domain.comments import Author
from commentsvc.errors import InvalidFieldsError, SlowModeError, ThreadClosedError
from commentsvc.models import Action, Commenter, Role, Site, Thread, now

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
        thread_admin.close(session, pen.thread, on=pen.at, moderator_id=None, at=pen.at)
        with pytest.raises(ThreadClosedError, match=r"^Comments were closed on 1 June 2026\.$"):
            pen.write()
        assert kinds(session) == ["thread.close"]

    def test_a_thread_closes_on_its_date(self, session: Session, pen: Pen) -> None:
        thread_admin.close(session, pen.thread, on=NOON + timedelta(days=3), moderator_id=None, at=pen.at)
        pen.write()
        pen.at += timedelta(days=3)
        with pytest.raises(ThreadClosedError, match=r"^Comments were closed on 4 June 2026\.$"):
            pen.write()

    def test_readers_are_told_two_weeks_before(self, session: Session, site: Site, pen: Pen) -> None:
        thread_admin.close(session, pen.thread, on=NOON + timedelta(days=30), moderator_id=None, at=pen.at)
        assert threads.announcement(site, pen.thread, at=NOON) is None
        told = threads.announcement(site, pen.thread, at=NOON + timedelta(days=16))
        assert told == "Comments close on 1 July 2026."
        assert threads.announcement(site, pen.thread, at=NOON + timedelta(days=31)) is None

    def test_a_closed_thread_opens_again(self, session: Session, pen: Pen) -> None:
        thread_admin.close(session, pen.thread, on=pen.at, moderator_id=None, at=pen.at)
        thread_admin.close(session, pen.thread, on=None, moderator_id=None, at=pen.at)
        assert pen.write().id
        assert kinds(session) == ["thread.close", "thread.reopen"]

    def test_a_date_of_its_own_keeps_an_old_thread_open(self, session: Session, site: Site, pen: Pen) -> None:
        site.close_after_days = 1
        thread_admin.close(session, pen.thread, on=NOON + timedelta(days=90), moderator_id=None, at=pen.at)
        pen.at += timedelta(days=60)
        assert pen.write().id

    def test_every_change_is_a_new_version(self, session: Session, pen: Pen) -> None:
        before = pen.thread.version
        thread_admin.close(session, pen.thread, on=pen.at, moderator_id=None, at=pen.at)
        thread_admin.slow(session, pen.thread, 60, moderator_id=None, at=pen.at)
        assert pen.thread.version == before + 2


ANNAS_BROWSER = Author(guest=ANNA, author_key_hash="a" * 64, network_hash="n" * 64)


@ENGINES
class TestSlowMode:
    @pytest.fixture(autouse=True)
    def _slow(self, session: Session, pen: Pen) -> None:
        """Two minutes; a pen writes once a minute."""
        thread_admin.slow(session, pen.thread, 120, moderator_id=None, at=pen.at)

    def test_one_person_waits(self, session: Session, pen: Pen) -> None:
        pen.write(by=ANNAS_BROWSER)
        with pytest.raises(SlowModeError) as caught:
            pen.write(by=ANNAS_BROWSER)
        assert str(caught.value) == (
            "Slow mode: one comment every 2 minutes; you can comment again in 60 seconds."
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
            thread_admin.slow(session, pen.thread, seconds, moderator_id=None, at=pen.at)


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
        reader = Reader(app)
        reader.posted()
        edit(app, closed_at=now() - timedelta(days=1))
        page = reader.get(door).text
        assert f"Comments were closed on {now() - timedelta(days=1):%-d %B %Y}." in page
        assert "<textarea" not in page
        assert ">Reply<" not in page

    def test_a_form_sent_too_late_comes_back_with_its_text(self, app: Flask, door: str) -> None:
        add_site(app)
        reader = Reader(app)
        reader.posted()
        edit(app, closed_at=now())
        answer = reader.post("Long thoughts", door=door, json=True)
        assert answer.status_code == 403
        assert "Comments were closed on" in answer.json["errors"]["form"]  # type: ignore[index]

    def test_slow_mode_keeps_what_was_typed(self, app: Flask, door: str) -> None:
        add_site(app)
        reader = Reader(app)
        reader.posted()
        edit(app, slow_seconds=60)
        assert "Slow mode: one comment every 60 seconds." in reader.get(door).text
        answer = reader.post("Long thoughts", door=door, json=False)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) <= 60
        assert "you can comment again in" in answer.text
        assert ">Long thoughts</textarea>" in answer.text
