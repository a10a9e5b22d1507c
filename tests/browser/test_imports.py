"""An owner imports a file in a real browser, on a phone in the dark: choose, read the report, import."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.transfer import import_runner
from commentsvc.web.context import services_of
from tests.support.accessibility import serious_violations
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.browser import Service
from tests.support.browser_client import link_for
from tests.support.exports import FOLDER


@pytest.fixture
def it(service: Service) -> Iterator[AdminQueue]:
    with queue_in(service.app, service.url) as queue:
        yield queue


def _work(service: Service) -> None:
    """Do what the background work does."""
    with service.app.app_context(), Session(db.engine) as session:
        import_runner.run_due(session, services_of(service.app).settings.data_dir)


def test_an_owner_imports_a_file(page: Page, service: Service, it: AdminQueue) -> None:
    begin_write(it.session)
    owner = accounts.operator(it.session)
    it.session.commit()
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.goto(f"{service.url}/admin/sign-in/{link_for(it.session, owner)}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Import").click()
    _is_for_everybody(page)
    page.get_by_label("File", exact=True).set_input_files(FOLDER / "disqus.xml")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="Reading the file…")).to_be_visible()
    _fits(page)
    _work(service)
    expect(page.get_by_role("heading", name="Nothing is imported yet")).to_be_visible()  # it reloads itself
    expect(page.get_by_label("Report")).to_contain_text("Some comments as they will look:")
    _is_for_everybody(page)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", name="Importing…")).to_be_visible()
    _work(service)
    expect(page.get_by_role("heading", name="Imported")).to_be_visible()
    expect(page.get_by_label("Report")).to_contain_text("7 new")
    _is_for_everybody(page)
    page.get_by_role("main").get_by_role("link", name="Activity").click()
    expect(page.get_by_text("Imported 7 comments from Disqus.", exact=True).first).to_be_visible()


def _fits(page: Page) -> None:
    """The page is no wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def _is_for_everybody(page: Page) -> None:
    """The page fits, and axe finds nothing; while it reloads itself, axe asks for what needs a script."""
    _fits(page)
    assert serious_violations(page) == []
