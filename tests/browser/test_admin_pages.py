"""Every page of the admin view, found by itself from the URL map: for everybody, in light and dark, narrow and wide."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from tests.support.accessibility import serious_violations
from tests.support.admin_pages import pages, seeded
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.browser import Service
from tests.support.browser_client import link_for


@pytest.fixture
def it(service: Service) -> Iterator[AdminQueue]:
    """The queue of the running service."""
    with queue_in(service.app, service.url) as queue:
        yield queue


@pytest.mark.parametrize("width", [360, 1200])
def test_nobody_is_kept_out_of_any_page(page: Page, service: Service, it: AdminQueue, width: int) -> None:
    known = seeded(it)
    begin_write(it.session)
    owner = accounts.operator(it.session)
    it.session.commit()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{service.url}/admin/sign-in/{link_for(it.session, owner)}")
    page.get_by_role("button", name="Sign in").click()
    visited = pages(it, known)
    assert len(visited) > 25
    wrong = []
    for path in visited:
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        answer = page.goto(service.url + path)
        assert answer is not None
        if answer.status != 200:
            wrong.append((path, "status", answer.status))
            continue
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append((path, "is too wide", page.evaluate("document.documentElement.scrollWidth")))
        wrong += [(path, "light", one) for one in serious_violations(page)]
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        page.evaluate("Promise.allSettled(document.getAnimations().map(one => one.finished))")
        wrong += [(path, "dark", one) for one in serious_violations(page, only=("color-contrast",))]
    assert wrong == [], "\n".join(map(str, wrong))
