"""A site's statistics: the figures, in both engines, and the page that draws them, for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import event, select

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import statistics
from commentsvc.domain.admin.statistics import SiteStatistics
from commentsvc.domain.maintenance import backups
from commentsvc.domain.moderation import decisions
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.models import Comment, Decision, Status, now
from commentsvc.web.admin.statistics import ceiling, in_words
from commentsvc.web.context import services_of
from tests.support.accessibility import violations
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.browser import Service
from tests.support.browser_client import BrowserClient, link_for

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
AT = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def it(app: Flask) -> Iterator[AdminQueue]:
    with queue_in(app) as queue:
        yield queue


def decided(it: AdminQueue, comment_id: int, status: Status, *, after: timedelta) -> None:
    """Let the owner decide so long after the comment came."""
    begin_write(it.session)
    comment = it.session.get_one(Comment, comment_id)
    owner = accounts.operator(it.session)
    decisions.decide(it.session, comment, status, moderator_id=owner.id)
    it.session.flush()
    last = select(Decision).where(Decision.comment_id == comment_id).order_by(Decision.id.desc()).limit(1)
    it.session.scalars(last).one().created_at = comment.created_at + after
    it.session.commit()


def stopped(it: AdminQueue, text: str, *checks: str, at: datetime = AT) -> int:
    """Store spam that these checks stopped."""
    number = it.write(text, at=at)
    begin_write(it.session)
    verdicts = [Verdict(check, Status.SPAM, "So it is.") for check in checks]
    decisions.decide(it.session, it.session.get_one(Comment, number), Status.SPAM, verdicts=verdicts)
    it.session.commit()
    return number


def glance(it: AdminQueue) -> SiteStatistics:
    it.session.rollback()
    return statistics.site_statistics(it.session, it.site_id, at=AT)


def shares(found: list[statistics.Share]) -> dict[str, int]:
    return {share.label: share.count for share in found if share.count}


@ENGINES
class TestFigures:
    def test_days_are_those_of_utc_and_thirty(self, it: AdminQueue) -> None:
        midnight = datetime(2026, 6, 15, tzinfo=UTC)
        first = datetime(2026, 5, 17, tzinfo=UTC)
        for number, at in enumerate(
            (midnight, midnight - timedelta(seconds=1), first, first - timedelta(seconds=1))
        ):
            it.write(f"Number {number}", at=at, status=Status.APPROVED if number else None)
        result = glance(it)
        assert len(result.days) == 30
        counted = {day.date.isoformat(): day.counts for day in result.days if day.total}
        none = dict.fromkeys(Status, 0)
        assert counted == {
            "2026-05-17": none | {Status.APPROVED: 1},
            "2026-06-14": none | {Status.APPROVED: 1},
            "2026-06-15": none | {Status.HELD: 1},
        }
        assert result.total == 3

    def test_an_answer_is_the_first_word_of_a_moderator(self, it: AdminQueue) -> None:
        for number, minutes in enumerate((5, 30, 90, 5000)):
            one = it.write(f"Number {number}", at=AT - timedelta(days=4))
            decided(it, one, Status.APPROVED, after=timedelta(minutes=minutes))
            decided(it, one, Status.TRASH, after=timedelta(minutes=minutes + 1))
        it.write("Waits still", at=AT)
        result = glance(it)
        assert result.usual_wait == timedelta(minutes=60)
        assert shares(result.waits) == {
            "Up to 10 minutes": 1,
            "10 to 60 minutes": 1,
            "1 to 6 hours": 1,
            "Over 3 days": 1,
        }

    def test_the_busiest_articles_come_first(self, it: AdminQueue) -> None:
        for path, many in (("/a", 1), ("/b", 3), ("/c", 2)):
            for number in range(many):
                it.write(f"{path} {number}", path=path, title=f"Article {path}", at=AT)
        it.write("Not counted", path="/a", at=AT, status=Status.SPAM)
        assert [(share.label, share.count) for share in glance(it).articles] == [
            ("Article /b", 3),
            ("Article /c", 2),
            ("Article /a", 1),
        ]

    def test_spam_counts_for_each_rule_that_stopped_it(self, it: AdminQueue) -> None:
        stopped(it, "One", "honeypot", "links")
        stopped(it, "Two", "honeypot")
        rules = shares(glance(it).rules)
        assert rules["The hidden field"] == 2
        assert rules["Too many links"] == 1

    def test_every_check_has_a_label(self, it: AdminQueue) -> None:
        for check in CheckName:
            stopped(it, f"Stopped by {check}", check)
        rules = shares(glance(it).rules)
        assert set(rules) == {check.label for check in CheckName}
        assert rules["Too many comments at once"] == 1, "what the surge valve held"

    def test_a_check_that_is_no_more_has_its_name(self, it: AdminQueue) -> None:
        stopped(it, "One", "most_links")
        assert shares(glance(it).rules)["Most links"] == 1

    def test_spam_that_no_rule_stopped_was_found_by_moderators(self, it: AdminQueue) -> None:
        one = it.write("Slipped through", at=AT)
        begin_write(it.session)
        for row in it.session.scalars(select(Decision).where(Decision.comment_id == one)):
            row.reasons = [{"check": "policy", "status": "approved", "reason": "It may appear."}]
        it.session.commit()
        decided(it, one, Status.SPAM, after=timedelta(minutes=1))
        assert shares(glance(it).rules) == {statistics.NO_RULE: 1}

    def test_an_empty_site_and_its_neighbours_have_nothing_in_common(self, it: AdminQueue) -> None:
        it.write("Here", at=AT)
        result = statistics.site_statistics(it.session, it.site_id + 1, at=AT)
        assert (result.total, result.usual_wait, result.articles, result.rules) == (0, None, [], [])


def test_every_figure_is_read_along_an_index(it: AdminQueue, app: Flask) -> None:
    it.write("One", at=AT)
    results: list[tuple[str, object]] = []
    with app.app_context():
        engine = db.engine

    def note(_c: object, _k: object, statement: str, parameters: object, *_: object) -> None:
        results.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    glance(it)
    event.remove(engine, "before_cursor_execute", note)
    asked = [one for one in results if one[0].startswith("SELECT")]
    assert len(asked) == 6
    for statement, parameters in asked:
        with engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()  # type: ignore[arg-type]
        scans = [row[3] for row in plan if re.match(r"SCAN (comment|decision|thread)\b", row[3])]
        assert scans == [], statement


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(seconds=20), "under a minute"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(hours=3, minutes=20), "3 h 20 min"),
        (timedelta(hours=30), "30 h"),
        (timedelta(days=5), "5 days"),
    ],
)
def test_a_wait_is_said_as_one_would(wait: timedelta, words: str) -> None:
    assert in_words(wait) == words


@pytest.mark.parametrize(
    ("largest", "top"), [(0, 2), (3, 4), (7, 10), (10, 10), (11, 20), (61, 100), (401, 600)]
)
def test_the_scale_ends_at_a_round_number(largest: int, top: int) -> None:
    assert ceiling(largest) == top


class TestPage:
    def path(self, it: AdminQueue) -> str:
        return f"/admin/sites/{it.site_id}/statistics"

    def test_moderators_see_it_and_others_do_not(self, app: Flask, it: AdminQueue) -> None:
        assert it.moderator("Mo").get(self.path(it)).status_code == 200
        stranger = BrowserClient(app).sign_in(it.session, it.person("Nobody"))
        assert stranger.get(self.path(it)).status_code == 404
        assert BrowserClient(app).get(self.path(it)).status_code == 401

    def test_without_comments_it_says_so(self, it: AdminQueue) -> None:
        assert "No comments in these days" in it.owner.page(self.path(it))

    def test_each_picture_has_its_words_and_its_figures(self, it: AdminQueue) -> None:
        stopped(it, "Spam", "links", at=now())
        decided(it, it.write("Fine"), Status.APPROVED, after=timedelta(minutes=5))
        page = it.owner.page(self.path(it))
        pictures = re.findall(r"<svg [^>]*role=\"img\".*?</svg>", page, re.DOTALL)
        assert len(pictures) == page.count("<figure") == page.count("<table") == 4
        for picture in pictures:
            assert re.search(
                r"<title id=\"[a-z-]+\">[^<]+</title>\s*<desc id=\"[a-z-]+\">[^<]+</desc>", picture
            )
        assert " style=" not in page

    def test_owners_see_when_the_last_backup_was_proved(
        self, app: Flask, it: AdminQueue, tmp_path: Path
    ) -> None:
        assert "proved backup" not in it.owner.page(self.path(it)), "off"
        services = services_of(app)
        services.settings = replace(services.settings, backup_dir=str(tmp_path / "backups"))
        assert "No proved backup was found" in it.owner.page(self.path(it))
        (tmp_path / "backups").mkdir()
        made = now() - timedelta(days=3)
        (tmp_path / "backups" / backups.name_of("sqlite", made)).touch()
        page = it.owner.page(self.path(it))
        assert f"{made:%-d %B %Y at %H:%M} (UTC). It is too old" in page
        assert "proved backup" not in it.moderator("Mo").page(self.path(it))

    def test_a_title_cannot_break_out(self, it: AdminQueue) -> None:
        it.write("Hello", title="</title><script>alert(1)</script>")
        assert "<script>alert" not in it.owner.page(self.path(it))


def fill(it: AdminQueue) -> None:
    """A month of a lively site."""
    titles = (
        "Counting swifts",
        "The first frost, and what the garden made of it",
        "A letter",
        "Bread",
        "On ladders",
    )
    checks = ("honeypot", "links", "filter", "disallowed", "too_fast")
    at = now() - timedelta(minutes=30)
    for day in range(30):
        for number in range((day * 7) % 5 + (3 if day % 7 < 2 else 1)):
            title = titles[(day * 3 + number * number) % 5]
            came = at - timedelta(days=day, minutes=number)
            one = it.write(f"Number {day} {number}", at=came, path=f"/{len(title)}", title=title)
            if day > 1:
                decided(it, one, Status.APPROVED, after=timedelta(minutes=4 * (day * 13 + 1) % 900))
        if day % 3:
            stopped(it, f"Spam {day}", *checks[: day % 5 + 1], at=at - timedelta(days=day))


@pytest.fixture
def served(service: Service) -> Iterator[AdminQueue]:
    with queue_in(service.app, service.url) as queue:
        yield queue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_for_everybody_at_every_width(
    page: Page, service: Service, served: AdminQueue, scheme: str
) -> None:
    fill(served)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    begin_write(served.session)
    owner = accounts.operator(served.session)
    served.session.commit()
    page.goto(f"{service.url}/admin/sign-in/{link_for(served.session, owner)}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Statistics").click()
    expect(page.get_by_role("img", name="Comments per day")).to_be_visible()
    for width in (360, 768, 1200):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("(width) => document.documentElement.scrollWidth <= width", arg=width)
    assert violations(page) == []
    page.get_by_text("Show as a table: Comments per day").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text(now().strftime("%-d %b"))
    assert violations(page) == []
