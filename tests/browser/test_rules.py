"""Rehearsing rules in a real browser: what would change, the worst misses to read, and then saved or not."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.moderation import decisions, reports
from commentsvc.domain.moderation.reports import Reporter
from commentsvc.domain.spam.spam_filter import ENOUGH
from commentsvc.models import Comment, Policy, Site, Status
from tests.browser.test_admin_queue import enter, toast
from tests.browser.test_admin_queue import it as queue_of_service
from tests.support.accessibility import serious_violations
from tests.support.admin_queue import AdminQueue
from tests.support.browser import Service

it = queue_of_service
MANY = ENOUGH + 5
"""Comments of each kind: a rehearsal asks the filter of a comment without what it learned from it."""


def judged(it: AdminQueue) -> None:
    """Let people approve and refuse enough for the filter to have a say; the site lets all through."""
    begin_write(it.session)
    it.session.get_one(Site, it.site_id).policy = Policy.OPEN
    me = accounts.operator(it.session).id
    it.session.commit()
    results = [(Status.SPAM, f"Cheap casino credits, number {number}") for number in range(MANY)]
    results += [
        (Status.APPROVED, f"Thanks for the recipe of bread, number {number}") for number in range(MANY)
    ]
    results.append((Status.APPROVED, "My grandfather's casino was cheap"))
    for status, text in results:
        number = it.write(text)
        begin_write(it.session)
        decisions.decide(it.session, it.session.get_one(Comment, number), status, moderator_id=me)
        it.session.commit()
    begin_write(it.session)
    for reporter in "abc":
        by = Reporter(reporter, reporter)
        reports.report(it.session, 2 * MANY, by, reason="abuse", at=it.session.get_one(Comment, 1).created_at)
    it.session.commit()


def rules_of(it: AdminQueue) -> tuple[str, float, int]:
    it.session.rollback()
    site = it.session.get_one(Site, it.site_id, populate_existing=True)
    return site.disallowed_words, site.filter_threshold, site.reports_to_hold


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_a_threshold_are_tried_read_and_saved(
    page: Page, service: Service, it: AdminQueue, scheme: str
) -> None:
    judged(it)
    before = rules_of(it)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    page.set_viewport_size({"width": 360, "height": 800})
    enter(page, service, it)
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Rules").click()

    words, threshold = (
        page.get_by_label("Words that make a comment spam"),
        page.get_by_label("considers spam with"),
    )
    words.fill("casino")
    page.get_by_role("button", name="Preview").click()
    tried = page.get_by_role("region", name="What these rules would change")
    many = f"Of the latest {2 * MANY + 1} comments, {MANY + 1} would be decided differently"
    expect(tried.get_by_role("status")).to_contain_text(many)
    expect(tried.get_by_role("heading", name="Good comments that would be stopped")).to_be_visible()
    expect(tried.locator(".misses li")).to_have_count(1)
    expect(tried.locator(".misses li")).to_contain_text("My grandfather's casino was cheap")
    expect(tried.locator(".misses li")).to_contain_text("Its text has “casino”, which this site disallows.")
    assert rules_of(it) == before
    assert serious_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    words.fill("")
    threshold.fill("60")
    page.get_by_label("Reports that hold a comment").fill("2")
    page.get_by_role("button", name="Preview").click()
    expect(tried).to_contain_text("Readers have reported 1 comment.")
    expect(tried.get_by_role("heading", name="Spam that would appear")).to_have_count(0)
    page.get_by_role("button", name="Save").click()
    toast(page, "The rules are saved.")
    assert rules_of(it) == ("", 0.6, 2)
    expect(threshold).to_have_value("60")


def test_what_was_tried_can_be_dropped(page: Page, service: Service, it: AdminQueue) -> None:
    judged(it)
    before = rules_of(it)
    enter(page, service, it)
    page.goto(f"{service.url}/admin/sites/{it.site_id}/rules")
    page.get_by_label("Words that make a comment spam").fill("bread")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("link", name="Keep the current rules").click()
    expect(page.get_by_label("Words that make a comment spam")).to_have_value("")
    assert rules_of(it) == before
