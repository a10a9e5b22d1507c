"""The settings pages and the navigation in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.maintenance import site_removal
from commentsvc.web.admin import danger
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.browser import Service
from tests.support.browser_client import link_for


@pytest.fixture
def it(service: Service) -> Iterator[AdminQueue]:
    with queue_in(service.app, service.url) as queue:
        yield queue


@pytest.fixture
def admin(page: Page, service: Service, it: AdminQueue) -> Page:
    """The owner's page, signed in, on a phone."""
    begin_write(it.session)
    owner = accounts.operator(it.session)
    it.session.commit()
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{service.url}/admin/sign-in/{link_for(it.session, owner)}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Settings").click()
    return page


def test_save_and_the_current_page_stay_in_sight(admin: Page) -> None:
    expect(admin.get_by_role("button", name="Save")).to_be_in_viewport(ratio=1)
    origins = admin.get_by_label("Origins")
    origins.fill(f"{origins.input_value()}\nhttps://www.blog.example")
    admin.get_by_role("button", name="Save").click()
    expect(admin.locator(".toast")).to_be_in_viewport(ratio=1)
    save, toast = admin.locator(".save-bar").bounding_box(), admin.locator(".toast").bounding_box()
    assert save is not None
    assert toast is not None
    assert toast["y"] + toast["height"] <= save["y"], "the message covers Save"
    side = admin.get_by_role("navigation", name="Sections")
    side.get_by_role("link", name="Danger").click()
    expect(side.get_by_role("link", name="Danger")).to_be_in_viewport(ratio=1)


def test_the_embed_code_is_copied(admin: Page) -> None:
    admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    admin.get_by_role("link", name="Embed code").click()
    admin.locator("[data-copies=plain]").click()
    expect(admin.locator("[data-copies=plain]")).to_contain_text("Copied")
    copied = admin.evaluate("navigator.clipboard.readText()")
    assert copied == admin.locator("#plain").text_content()
    assert copied.startswith('<div id="comments" style="min-height: 90vh"></div>\n<script async src="http')


def test_a_large_site_is_removed_by_one_click(
    admin: Page, it: AdminQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_removal, "BATCH", 1)
    monkeypatch.setattr(danger, "AT_ONCE", 1)
    it.held(3)
    admin.get_by_role("link", name="Danger").click()
    admin.get_by_label("The name of the site").fill("Blog")
    admin.get_by_role("button", name="Remove this site").click()
    expect(admin.locator(".toast")).to_contain_text("Removed “Blog” with 3 comments.")
    expect(admin.get_by_role("heading", name="No sites yet")).to_be_visible()
    assert it.statuses() == []
