"""Surge protection: when it rises, what it does, and how it falls, on both engines."""

from __future__ import annotations

import re
import threading
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, insert, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text, known_authors
from commentsvc.domain.comments.comments import FormSignals
from commentsvc.domain.fields import Guest
from commentsvc.domain.surge import baseline, detection, episodes
from commentsvc.domain.surge.episodes import CALM, SurgeStep
from commentsvc.domain.threads import threads
from commentsvc.models import Action, Comment, Pressure, Role, Site, Status, Thread
from tests.conftest import BLOG
from tests.support.comment_builders import NOON, post_comment

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


class Crowd:
    """Many people who write on one site."""

    def __init__(self, session: Session, site: Site) -> None:
        self.session, self.site, self.at, self.many = session, site, NOON, 0

    def post(
        self,
        text: str = "Hello",
        *,
        path: str = "/article",
        at: datetime | None = None,
        by: Author | None = None,
        form: FormSignals | None = None,
    ) -> Comment:
        self.many += 1
        address = threads.address_on(self.site, BLOG + path)
        draft = comment_text.from_source(f"{text} {self.many}", longest=10_000)
        author = by or Author(guest=Guest(f"Guest {self.many}", f"{self.many}@mail.example"))
        return post_comment(
            self.session,
            address,
            draft,
            author,
            at=at or self.at,
            title=f"Of {path}",
            form=form or FormSignals(),
        )

    def burst(self, many: int, *, every: timedelta = 10 * SECOND, path: str = "/article") -> Comment:
        """Let so many comments arrive, one after the other; return the last one."""
        for _ in range(many):
            last = self.post(path=path)
            self.at += every
        return last

    def store(self, many: int, at: datetime, status: Status = Status.APPROVED) -> None:
        """Let there be so many comments, a second apart, that came without being looked at."""
        address = threads.address_on(self.site, BLOG + "/archive")
        thread = threads.find_or_create(self.session, address, title=None, at=at)
        row = {"site_id": self.site.id, "thread_id": thread.id, "status": status, "shown": True}
        text = {"source": "x", "html": "x", "renderer": 1, "digest": "x"}
        rows = [{**row, **text, "created_at": at + number * SECOND} for number in range(many)]
        self.session.execute(insert(Comment), rows)

    def felt(self, path: str = "/article", at: datetime | None = None) -> SurgeStep:
        """What a reader of an article meets at a time."""
        thread = threads.find(self.session, threads.address_on(self.site, BLOG + path))
        rows = episodes.open_rows(self.session, self.site.id)
        here = [row for row in rows if row.thread_id in {None, thread.id if thread else None}]
        return max((episodes.effective_step(row, at or self.at) for row in here), default=SurgeStep.NONE)

    @property
    def log(self) -> list[str]:
        query = select(Action.kind, Action.summary).where(Action.kind.startswith("pressure."))
        return [f"{kind}: {said}" for kind, said in self.session.execute(query.order_by(Action.id))]

    @property
    def spells(self) -> list[Pressure]:
        return list(self.session.scalars(select(Pressure).order_by(Pressure.id)))


@pytest.fixture
def crowd(session: Session, site: Site) -> Crowd:
    return Crowd(session, site)


def reasons(comment: Comment) -> list[str]:
    return [row["reason"] for one in comment.decisions for row in one.reasons if row["check"] == "pressure"]


class TestRise:
    def test_a_quiet_blog_that_was_linked_is_left_alone(self, crowd: Crowd) -> None:
        last = crowd.burst(8, every=37 * SECOND)
        assert (last.status, crowd.spells) == (Status.APPROVED, [])
        crowd.at += DAY
        crowd.burst(19, every=15 * SECOND)
        assert crowd.spells == []

    def test_a_burst_of_one_minute_counts_double(self, crowd: Crowd) -> None:
        crowd.burst(9, every=5 * SECOND)
        assert crowd.felt() is SurgeStep.NONE
        crowd.burst(1)
        assert crowd.felt() is SurgeStep.LINKS
        assert crowd.spells[0].reason == "10 came within one minute, where 10 are unusual."

    def test_first_links_wait_then_what_no_script_sent_then_all(self, crowd: Crowd) -> None:
        crowd.burst(20)
        assert crowd.felt() is SurgeStep.LINKS
        assert crowd.post("Plain").status is Status.APPROVED
        linked = crowd.post("See https://shop.example/ now")
        assert linked.status is Status.HELD
        assert reasons(linked) == [
            "Comments under this article come much faster than usual, so those with a link or a website are held."
        ]
        with_website = Author(guest=Guest("Wim", "w@mail.example", "https://wim.example/"))
        assert crowd.post(by=with_website).status is Status.HELD
        crowd.burst(18, every=3 * SECOND)
        assert crowd.felt() is SurgeStep.SCRIPT
        assert crowd.post("By script", form=FormSignals(by_script=True)).status is Status.APPROVED
        scriptless = crowd.post("By itself")
        assert scriptless.status is Status.HELD
        assert "sent without the page's script" in reasons(scriptless)[0]
        crowd.burst(40, every=SECOND)
        assert crowd.felt() is SurgeStep.ALL
        assert crowd.post("By script too", form=FormSignals(by_script=True)).status is Status.HELD
        assert [line.partition(":")[0] for line in crowd.log] == ["pressure.rise"] * 3

    def test_an_article_counts_for_the_site_but_while_it_is_under_pressure_itself(self, crowd: Crowd) -> None:
        crowd.burst(20, path="/archive")
        calm = crowd.spells[0].hot_at + CALM  # nobody has written that down
        crowd.store(16, calm - 20 * SECOND)
        crowd.post(path="/other", at=calm - SECOND)
        assert crowd.felt("/other", at=calm) is SurgeStep.NONE
        crowd.post(path="/other", at=calm)
        assert crowd.felt("/other", at=calm) is SurgeStep.LINKS

    def test_a_flood_on_one_article_leaves_the_others_alone(self, crowd: Crowd) -> None:
        crowd.burst(60, every=2 * SECOND)
        assert crowd.felt() is not SurgeStep.NONE
        assert crowd.felt("/other") is SurgeStep.NONE
        assert crowd.post("See https://shop.example/ now", path="/other").status is Status.APPROVED

    def test_a_flood_over_many_articles_concerns_the_site(self, crowd: Crowd) -> None:
        for number in range(30):
            crowd.post(path=f"/{number % 6}")
            crowd.at += 9 * SECOND
        assert [(one.thread_id, one.step) for one in crowd.spells] == [(None, 1)]
        assert crowd.felt("/never-seen") is SurgeStep.LINKS
        linked = crowd.post("See https://shop.example/ now", path="/another")
        assert "on this site" in reasons(linked)[0]

    def test_a_site_where_much_is_usual_bears_more(self, crowd: Crowd) -> None:
        for hour in range(6):
            crowd.store(160, NOON - DAY * (hour + 1))
        assert baseline.usual_rate(crowd.session, crowd.site.id, at=NOON) == 160
        crowd.burst(39, every=7 * SECOND)
        assert crowd.felt() is SurgeStep.NONE
        crowd.burst(1)
        assert crowd.felt() is SurgeStep.LINKS

    def test_no_flood_makes_itself_usual(self, crowd: Crowd) -> None:
        crowd.store(200, NOON - DAY)  # one wild hour that was let through, and many that were not
        for day in range(2, 8):
            crowd.store(100, NOON - DAY * day, Status.SPAM)
        assert baseline.usual_rate(crowd.session, crowd.site.id, at=NOON) == 0

    def test_what_is_usual_is_reckoned_once_a_day(self, crowd: Crowd) -> None:
        assert baseline.stored_baseline(crowd.session, crowd.site.id, at=NOON) is None
        assert baseline.usual_rate(crowd.session, crowd.site.id, at=NOON) == 0
        assert baseline.stored_baseline(crowd.session, crowd.site.id, at=NOON + DAY / 2) == 0
        assert baseline.stored_baseline(crowd.session, crowd.site.id, at=NOON + DAY) is None


class TestWhoIsExempt:
    def test_people_of_the_site_are_not_held_and_not_counted(self, crowd: Crowd) -> None:
        owner = Author(commenter_id=1, role=Role.OWNER)
        for _ in range(30):
            crowd.post(by=owner)
        assert crowd.spells == []
        crowd.burst(100, every=SECOND)
        assert crowd.felt() is SurgeStep.ALL
        assert crowd.post("See https://docs.example/", by=owner).status is Status.APPROVED

    def test_who_was_known_before_it_began_is_let_through_until_all_wait(self, crowd: Crowd) -> None:
        old = Author(guest=Guest("Olga", "o@mail.example", "https://o.example/"), author_key_hash="o" * 64)
        fresh = Author(guest=Guest("Fritz", "f@mail.example"), author_key_hash="f" * 64)
        crowd.post(by=old, at=NOON - 2 * DAY)
        crowd.post(by=fresh, at=NOON - 6 * MINUTE)  # approved, but as late as a flood could have arranged it
        crowd.burst(45, every=4 * SECOND)
        assert crowd.felt() is SurgeStep.SCRIPT
        assert crowd.post("See https://a.example/", by=old).status is Status.APPROVED
        assert crowd.post(by=fresh).status is Status.HELD
        crowd.burst(60, every=SECOND)
        assert crowd.felt() is SurgeStep.ALL
        assert crowd.post(by=old).status is Status.HELD

    def test_a_site_with_the_valve_off_knows_no_pressure(self, crowd: Crowd) -> None:
        crowd.site.valve = False
        last = crowd.burst(100, every=SECOND)
        assert (last.status, crowd.spells, crowd.felt()) == (Status.APPROVED, [], SurgeStep.NONE)


class TestFall:
    def test_it_falls_step_by_step_with_no_further_post(self, crowd: Crowd) -> None:
        crowd.burst(90, every=SECOND)
        hot = crowd.spells[0].hot_at
        seen = [crowd.felt(at=hot + CALM * steps + MINUTE) for steps in range(4)]
        assert seen == [SurgeStep.ALL, SurgeStep.SCRIPT, SurgeStep.LINKS, SurgeStep.NONE]

    def test_the_next_post_writes_down_when_it_ended(self, crowd: Crowd) -> None:
        crowd.burst(25)
        hot = crowd.spells[0].hot_at
        crowd.at = hot + CALM * 5
        assert crowd.post("See https://a.example/").status is Status.APPROVED
        assert crowd.spells[0].ended_at == hot + CALM
        assert [line.partition(" ")[0] for line in crowd.log] == ["pressure.rise:", "pressure.end:"]

    def test_a_sweep_writes_down_every_fall_as_of_when_it_came(self, crowd: Crowd) -> None:
        crowd.burst(90, every=SECOND)
        hot = crowd.spells[0].hot_at
        crowd.session.commit()
        assert episodes.close_ended(crowd.session, at=hot + CALM - SECOND) == 0
        assert episodes.close_ended(crowd.session, at=hot + CALM * 2 + SECOND) == 1
        assert crowd.spells[0].step == SurgeStep.LINKS
        assert episodes.close_ended(crowd.session, at=hot + CALM * 9) == 1
        assert crowd.spells[0].ended_at == hot + CALM * 3
        assert [line.partition(":")[0] for line in crowd.log[-3:]] == [
            "pressure.fall",
            "pressure.fall",
            "pressure.end",
        ]
        times = crowd.session.scalars(select(Action.created_at).order_by(Action.id.desc()).limit(3)).all()
        assert times[::-1] == [hot + CALM, hot + CALM * 2, hot + CALM * 3]

    def test_it_stays_while_half_of_what_raised_it_goes_on(self, crowd: Crowd) -> None:
        crowd.burst(20)
        began = crowd.at
        crowd.burst(80, every=25 * SECOND)  # twelve in five minutes
        assert crowd.at - began > CALM * 3
        assert [one.ended_at for one in crowd.spells] == [None]
        assert crowd.felt() is SurgeStep.LINKS
        assert len(crowd.log) == 1

    def test_after_its_end_it_can_begin_anew(self, crowd: Crowd) -> None:
        crowd.burst(25)
        crowd.at += CALM * 3
        crowd.burst(25)
        assert [one.ended_at is None for one in crowd.spells] == [False, True]


class TestHands:
    def test_a_moderator_lets_it_be_until_it_is_calm(self, crowd: Crowd) -> None:
        crowd.burst(25)
        episodes.ease(crowd.session, crowd.spells[0], moderator_id=None, at=crowd.at)  # type: ignore[arg-type]
        crowd.burst(60, every=2 * SECOND)
        assert crowd.felt() is SurgeStep.NONE
        assert crowd.post("See https://a.example/").status is Status.APPROVED
        assert [one.thread_id is None for one in crowd.spells] == [False]  # nor does it become the site's
        crowd.at += CALM * 4
        crowd.burst(25)
        assert crowd.felt() is SurgeStep.LINKS

    def test_a_moderator_holds_all_for_a_while(self, crowd: Crowd) -> None:
        crowd.burst(25)
        episodes.hold_all(crowd.session, crowd.spells[0], moderator_id=None, at=crowd.at)  # type: ignore[arg-type]
        assert crowd.post().status is Status.HELD
        assert crowd.felt(at=crowd.at + CALM + SECOND) is SurgeStep.SCRIPT


def test_a_title_of_any_length_fits_the_log(crowd: Crowd) -> None:
    crowd.burst(25, path="/" + "a" * 290)
    assert len(crowd.log) == 1
    assert len(crowd.log[0]) < 320


def test_writers_at_the_same_time_open_it_once(crowd: Crowd, app: Flask) -> None:
    crowd.site.valve = False
    for number in range(30):
        crowd.post(path=f"/{number % 6}")
        crowd.at += 5 * SECOND
    crowd.site.valve = True
    crowd.session.commit()
    failures: list[Exception] = []
    barrier = threading.Barrier(6)
    with app.app_context():
        engine = db.engine

    def write(number: int) -> None:
        with Session(engine, expire_on_commit=False) as session:
            try:
                barrier.wait()
                begin_write(session)
                it = Crowd(session, session.get_one(Site, crowd.site.id))
                it.at, it.many = crowd.at, 1000 * (number + 1)
                it.post(path=f"/{number}")
                session.commit()
            except Exception as error:
                failures.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert failures == []
    crowd.session.rollback()
    assert [one.thread_id for one in crowd.spells] == [None]
    assert crowd.log == [
        "pressure.rise: Comments with links are held on the whole site: "
        "31 came within 5 minutes, where 30 are unusual."
    ]


def test_a_moved_thread_takes_its_pressure_along(crowd: Crowd) -> None:
    crowd.burst(25)
    thread = crowd.session.scalars(select(Thread)).one()
    assert crowd.felt() is SurgeStep.LINKS
    assert [spell.thread_id for spell in crowd.spells] == [thread.id]
    assert not known_authors.was_known(crowd.session, crowd.site.id, Author(), before=crowd.at)


def test_judging_a_comment_reads_a_few_rows_along_indexes(crowd: Crowd, engine_name: str) -> None:
    crowd.store(400, NOON - DAY)
    crowd.burst(25)
    results: list[tuple[str, object]] = []

    def note(_c: object, _k: object, statement: str, parameters: object, *_: object) -> None:
        results.append((statement, parameters))

    connection = crowd.session.connection()
    thread = crowd.session.scalars(select(Thread).where(Thread.url == f"{BLOG}/article")).one()
    at = crowd.spells[0].hot_at
    event.listen(connection, "before_cursor_execute", note)
    assert detection.peek(crowd.session, crowd.site, thread, at=at) is not None
    event.remove(connection, "before_cursor_execute", note)
    assert len(results) <= 3
    for statement, parameters in results if engine_name == "sqlite" else ():  # which says its plans in words
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()  # type: ignore[arg-type]
        assert [row[3] for row in plan if re.match(r"SCAN (comment|pressure|usual)\b", row[3])] == []
        if "FROM comment" in statement:
            assert "created_at>? AND created_at<?" in str(plan), plan
