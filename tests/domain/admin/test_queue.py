"""What narrows the queue, and how it is walked: every filter alone, all together, and with a window that is small."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from sqlalchemy import Engine, event, text

from commentsvc.db.session import begin_write
from commentsvc.domain.admin import queue_query
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.domain.fields import Guest
from commentsvc.models import Comment, Decision, Identity, Kind, Report, Status, now
from commentsvc.web.admin import context
from tests.support.admin_queue import AdminQueue, open_queue

queue_of_site = open_queue
ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
BEN = Guest("Ben", "ben@mail.example")


def shown(it: AdminQueue, query: str) -> list[int]:
    """The comments of one page, in its order."""
    return [int(one) for one in re.findall(r'id="comment-(\d+)"', it.owner.page(f"/admin?{query}"))]


def walked(it: AdminQueue, query: str) -> list[int]:
    """The comments of all pages."""
    results: list[int] = []
    path: str | None = f"/admin?{query}"
    while path:
        page = it.owner.page(path)
        results += map(int, re.findall(r'id="comment-(\d+)"', page))
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        path = onward[1].replace("&amp;", "&") if onward else None
    return results


@ENGINES
class TestFilters:
    def test_by_author(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        member = it.person("Cleo")
        by_ada, by_ben = it.write("One"), it.write("Two", guest=BEN)
        nameless, by_cleo = it.write("Three", guest=Guest("Ada", None)), it.write("Four", by=member.id)
        assert shown(it, "author=email:ada@mail.example") == [by_ada]
        assert shown(it, "author=name:Ada") == [nameless, by_ada]
        assert shown(it, "author=name:Ben") == [by_ben]
        assert shown(it, f"author=commenter:{member.id}") == [by_cleo]
        assert shown(it, "author=name:%25") == []

    def test_by_article_and_network(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one, two = it.write("One", path="/a", network="x" * 64), it.write("Two", path="/b", network="y" * 64)
        three = it.write("Three", path="/b", network="x" * 64)
        begin_write(it.session)
        article = it.session.get_one(Comment, two).thread_id
        it.session.rollback()
        assert shown(it, f"article={article}") == [three, two]
        assert shown(it, f"network={one}") == [three, one]
        assert shown(it, f"network={one}&article={article}") == [three]
        assert "xxx" not in it.owner.page(f"/admin?network={one}")
        assert it.owner.get("/admin?article=4711").status_code == 404

    def test_by_provider(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        member = it.person("Cleo")
        begin_write(it.session)
        it.session.add(Identity(commenter_id=member.id, provider="github", issuer="", subject="1"))
        it.session.commit()
        guest, one = it.write("One"), it.write("Two", by=member.id)
        assert shown(it, "provider=github") == [one]
        assert shown(it, "provider=guest") == [guest]
        assert shown(it, "provider=gitlab") == []

    def test_by_date_in_the_order_of_time(
        self, queue_of_site: AdminQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        it = queue_of_site
        first = datetime(2026, 1, 1, tzinfo=UTC)
        days = [3, 1, 4, 2, 2, 9]  # an import does not write in the order of time
        ids = [
            it.write(f"Day {day}, {at}", at=first + timedelta(days=day - 1)) for at, day in enumerate(days)
        ]
        assert shown(it, "since=2026-01-02&until=2026-01-03") == [ids[0], ids[4], ids[3]]
        assert shown(it, "since=2026-01-09") == [ids[5]]
        assert shown(it, "until=2026-01-01") == [ids[1]]
        monkeypatch.setattr("commentsvc.domain.admin.queue.PAGE", 2)
        assert walked(it, "until=2026-01-04") == [ids[2], ids[0], ids[4], ids[3], ids[1]]

    def test_by_kind(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one, pingback, trackback = it.held(3)
        begin_write(it.session)
        it.session.get_one(Comment, pingback).kind = Kind.PINGBACK
        it.session.get_one(Comment, trackback).kind = Kind.TRACKBACK
        it.session.commit()
        assert shown(it, "kind=comment") == [one]
        assert shown(it, "kind=mention") == [trackback, pingback]
        assert shown(it, "kind=mention&status=all&q=number") == [trackback, pingback]

    def test_by_reason(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one, two = it.held(2)
        begin_write(it.session)
        decision = it.session.query(Decision).filter_by(comment_id=one).one()
        decision.reasons = [{"check": "most_links", "status": "held", "reason": "Many links."}]
        it.session.commit()
        assert shown(it, "reason=most_links") == [one]
        assert shown(it, "reason=policy") == [two]
        assert shown(it, "reason=most-links") == []
        assert '<option value="most_links">Most links' in it.owner.page("/admin")

    def test_of_many_reports_the_latest_and_since_when(self, queue_of_site: AdminQueue) -> None:
        it = queue_of_site
        one = it.write("Rude", status=Status.APPROVED)
        begin_write(it.session)
        it.session.get_one(Comment, one).reports = 59
        for number in range(60):
            at = now() - timedelta(days=1, minutes=60 - number)
            word = Report(comment_id=one, reporter_hash=str(number), reason="abuse", note=f"Note {number}.")
            word.created_at = at
            it.session.add(word)
        it.session.commit()
        page = it.owner.page("/admin?status=reported")
        assert re.findall(r"Abuse: <bdi>Note (\d+)", page) == ["59", "58", "57", "56", "55"]
        assert f'href="/admin/comments/{one}?status=reported' in page
        assert "and 54 more" in page
        assert "Reported by 59 readers</strong>, the first <time" in page
        whole = it.owner.page(f"/admin/comments/{one}")
        assert len(re.findall(r"Abuse: <bdi>Note \d+", whole)) == 50
        assert "and 9 more" in whole

    def test_reports_from_before_they_were_waved_through_are_not_shown_again(
        self, queue_of_site: AdminQueue
    ) -> None:
        it = queue_of_site
        one = it.write("Rude", status=Status.APPROVED)
        for number in range(2):
            begin_write(it.session)
            it.session.get_one(Comment, one).reports += 1
            word = Report(comment_id=one, reporter_hash=str(number), reason="abuse", note=f"Note {number}.")
            it.session.add(word)
            it.session.commit()
            if number == 0:
                it.owner.post(f"/admin/comments/{one}/decision", {"verdict": "keep"})
        page = it.owner.page("/admin?status=reported")
        assert re.findall(r"Abuse: <bdi>Note (\d)", page) == ["1"]
        log = it.owner.page(f"/admin/sites/{it.site_id}/activity")
        undo = re.search(r'action="([^"]+/undo)"', log)
        assert undo is not None
        it.owner.post(undo[1])
        page = it.owner.page("/admin?status=reported")
        assert re.findall(r"Abuse: <bdi>Note (\d)", page) == ["1", "0"]

    def test_reported_ones_with_what_readers_said_until_they_are_kept(
        self, queue_of_site: AdminQueue
    ) -> None:
        it = queue_of_site
        calm, rude, gone = (it.write(word, status=Status.APPROVED) for word in ("Calm", "Rude", "Gone"))
        begin_write(it.session)
        for one in (rude, gone):
            it.session.get_one(Comment, one).reports = 1
            note = "<b>He shouts</b>"
            it.session.add(Report(comment_id=one, reporter_hash="x", reason="offensive", note=note))
        it.session.get_one(Comment, gone).status = Status.SPAM
        it.session.commit()
        page = it.owner.page("/admin?status=reported")
        assert shown(it, "status=reported") == [rude]
        assert "Offensive: <bdi>&lt;b&gt;He shouts" in page
        it.owner.post(f"/admin/comments/{rude}/decision?status=reported", {"verdict": "keep"})
        assert shown(it, "status=reported") == []
        assert it.statuses(calm, rude) == [Status.APPROVED, Status.APPROVED]
        undo = re.search(r'id="undo" method="post" action="([^"]+)"', it.owner.page("/admin?status=reported"))
        assert undo is None  # the notice was shown once
        log = it.owner.page(f"/admin/sites/{it.site_id}/activity")
        action = re.search(rf'action="(/admin/sites/{it.site_id}/activity/\d+/undo)"', log)
        assert action is not None
        it.owner.post(action[1])
        assert shown(it, "status=reported") == [rude]

    def test_look_at_so_many_and_say_where_to_look_further(
        self, queue_of_site: AdminQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        it = queue_of_site
        monkeypatch.setattr(queue_query, "LOOK", 4)
        wanted = it.write("Rare", guest=BEN)
        it.held(9)
        page = it.owner.page("/admin?provider=guest&author=email:ben@mail.example")
        assert f'id="comment-{wanted}"' in page  # the author's own index leads there at once
        assert "Nothing among the newest comments" in it.owner.page("/admin?provider=github")
        assert "Search older comments" in it.owner.page("/admin?provider=github")
        assert walked(it, "provider=github") == []
        assert walked(it, "provider=guest")[-1] == wanted


@ENGINES
def test_all_has_what_readers_see_and_what_waits(
    queue_of_site: AdminQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = queue_of_site
    statuses = [Status.APPROVED, None, Status.SPAM, None, Status.APPROVED, Status.TRASH, Status.APPROVED]
    first = datetime(2026, 1, 1, tzinfo=UTC)
    ids = [
        it.write(f"Number {number}", status=status, at=first - timedelta(days=number))
        for number, status in enumerate(statuses)
    ]
    listed = [ids[number] for number in (6, 4, 3, 1, 0)]
    assert shown(it, "status=all") == listed
    monkeypatch.setattr("commentsvc.domain.admin.queue.PAGE", 2)
    article = it.session.get_one(Comment, ids[0]).thread_id
    it.session.rollback()
    for query in ("", "author=email:ada@mail.example", f"article={article}", "q=number"):
        assert walked(it, f"status=all&{query}") == listed, query
    assert walked(it, "status=all&since=2025-01-01") == listed[::-1]
    page = it.owner.page(f"/admin?status=all&after={ids[6]}")
    assert re.search(r">All\s*<span[^>]*>5<", page)
    assert re.findall(r'class="(item[^"]*)" id="comment-(\d+)"', page) == [
        ("item", str(ids[4])),
        ("item waits", str(ids[3])),
    ]
    assert page.count('class="badge held"') == 1


@ENGINES
def test_all_is_read_along_the_indexes_of_both_lists(queue_of_site: AdminQueue, engine_name: str) -> None:
    it = queue_of_site
    first = it.session.get_one(Comment, it.write("One"))
    begin_write(it.session)
    names = [one.name for one in Comment.__table__.columns if one.name not in {"id", "status"}]
    columns = ", ".join(names)
    for status, count in (("approved", 3000), ("held", 300)):
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        copy = (
            f"INSERT INTO comment (status, {columns}) {numbers} SELECT '{status}', {columns} FROM n, comment"
        )
        it.session.execute(text(f"{copy} WHERE id = {first.id}"))
    it.session.commit()
    it.session.execute(text("ANALYZE comment"))
    explain = "EXPLAIN QUERY PLAN" if engine_name == "sqlite" else "EXPLAIN"
    for query, index in {
        "": "ix_comment_queue",
        "article=1": "ix_comment_article",
        "author=email:ada@mail.example": "ix_comment_guest_email",
        "since=2020-01-01": "ix_comment_dates",
    }.items():
        statements: list[tuple[str, Any]] = []

        def note(
            _c: object, _k: object, statement: str, values: Any, *_: object, to: Any = statements
        ) -> None:
            to.append((statement, values))

        event.listen(Engine, "before_cursor_execute", note)
        try:
            queue_query.find(
                it.session, it.site_id, Tab.ALL, Filters.read(dict(parse_qsl(query))), after=9**9, limit=5
            )
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        statement, values = next(one for one in statements if "UNION ALL" in one[0])
        plan = "\n".join(
            str(row[-1 if engine_name == "postgresql" else 3])
            for row in it.session.connection().exec_driver_sql(f"{explain} {statement}", values)
        )
        if engine_name == "sqlite":
            assert plan.count(index) == 2, (query, plan)
        else:  # may find another index as good
            assert "Merge Append" in plan, (query, plan)
        assert not re.search(r"(Seq|Bitmap Heap) Scan on comment|SCAN comment\b", plan), (query, plan)


def test_every_list_is_walked_along_the_index_that_fits_best(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    article = it.session.get_one(Comment, it.write("One", network="x" * 64)).thread_id
    best = {
        "": "ix_comment_queue (site_id=? AND status=?)",
        f"article={article}": "ix_comment_article (thread_id=? AND status=?)",
        "author=commenter:1": "ix_comment_commenter (commenter_id=? AND site_id=? AND status=?)",
        "author=email:ada@mail.example": "ix_comment_guest_email (site_id=? AND guest_email=? AND status=?)",
        "author=name:Ada": "ix_comment_guest_name (site_id=? AND guest_name=? AND status=?)",
        "network=1": "ix_comment_network (site_id=? AND network_hash=? AND status=?)",
        "since=2026-01-01": "ix_comment_dates (site_id=? AND status=? AND created_at>?)",
    }
    for query, index in best.items():
        results: list[tuple[str, Any]] = []

        def note(_c: object, _k: object, statement: str, values: Any, *_: object, to: Any = results) -> None:
            to.append((statement, values))

        event.listen(Engine, "before_cursor_execute", note)
        try:
            filters = Filters.read(dict(parse_qsl(query)))
            queue_query.find(it.session, it.site_id, Tab.HELD, filters, after=None, limit=5)
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        statement, values = next(one for one in results if "LIMIT" in one[0] and "status = ?" in one[0])
        plan = it.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        assert any(index in row[3] for row in plan), (query, plan)


@pytest.mark.parametrize(
    "query",
    ["article=x", "network=-1", "author=somebody", "author=commenter:1e3", "since=yesterday", "until=9999-12-31",
     "provider=%00", "reason=a b", "status=every", "kind=pingback", "open=x"],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_refused(queue_of_site: AdminQueue, query: str) -> None:
    assert queue_of_site.owner.get(f"/admin?{query}").status_code == 400


def test_an_empty_form_filters_nothing(queue_of_site: AdminQueue) -> None:
    ids = queue_of_site.held(2)
    assert shown(queue_of_site, "q=&since=&until=&provider=&reason=&author=&article=") == ids[::-1]


def test_filters_stay_in_links_and_forms(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    it.held(1)
    page = it.owner.page("/admin?author=email:ada@mail.example&q=number")
    assert page.count("author=email:ada@mail.example") > 4
    action = re.search(r'class="actions" method="post" action="([^"]+)"', page)
    assert action is not None
    answer = it.owner.post(action[1].replace("&amp;", "&"), {"verdict": "approved"})
    assert "q=number" in (answer.location or "")


def test_the_surroundings_of_a_comment_open_in_the_list(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    parent = it.write("What do *you* think?", guest=BEN, status=Status.APPROVED)
    earlier = it.write("Something earlier", status=Status.SPAM)
    answer = it.write("I think so", parent=parent)
    page = it.owner.page(f"/admin?open={answer}")
    around = page.partition('class="context"')[2].partition("</aside>")[0]
    assert "What do *you* think?" in around
    assert "Something earlier" in around
    assert f"/admin/comments/{earlier}?" in around
    assert "1 spam" in around
    assert "1 approved comment" in around
    assert 'class="context"' not in it.owner.page("/admin")
    assert 'class="context"' in it.owner.page(f"/admin/comments/{answer}")


def test_every_list_is_a_tab() -> None:
    assert [tab.value for tab in context.TABS] == [
        "all",
        "held",
        "approved",
        "spam",
        "trash",
        "reported",
        "edits",
    ]
