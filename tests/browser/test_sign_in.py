"""Into the person's page and the admin view by a real provider, in a real browser with its strict cookies."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from sqlalchemy import text

from commentsvc.domain.accounts import invitations
from commentsvc.models import Role, Site, now
from tests.browser.test_login import context, provider_coop, service_variables
from tests.support.browser import Blog, Service

__all__ = ["context", "provider_coop", "service_variables"]


def log_in(page: Page, person: str, button: str = "Log in with Example ID") -> None:
    """Press the button, and log in at the provider."""
    page.get_by_role("button", name=button).click()
    page.wait_for_url("**/interaction/**")
    page.locator("[name=login]").fill(person)
    page.locator("[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.get_by_role("button", name="Continue").click()


def test_a_person_logs_in_to_their_page(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/account")
    log_in(page, "ada")
    page.wait_for_url(f"{service.url}/account")
    expect(page.get_by_text("ada Example")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_text("This session")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in with Example ID")).to_be_visible()


def test_a_stale_login_is_renewed_and_comes_back(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/account")
    log_in(page, "ada")
    page.wait_for_url(f"{service.url}/account")
    with service.writing() as session:
        session.execute(text("UPDATE login_session SET created_at = '2026-01-01 00:00:00'"))
        session.commit()
    page.goto(f"{service.url}/account/delete")
    page.get_by_role("button", name="Log in with Example ID").click()
    page.wait_for_url(f"{service.url}/account/delete")  # the provider remembers them
    page.get_by_role("radio", name="Remove my texts").check()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete me").click()
    expect(page.get_by_role("heading", name="Your account is deleted")).to_be_visible()


def test_an_invited_moderator_comes_in(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    with service.writing() as session:
        site = session.get_one(Site, blog.site_id)
        invitation = invitations.invite(session, site, Role.MODERATOR, at=now())
        session.commit()
    blog.pages["/mail"] = f'<a href="{service.url}/admin/invite/{invitation}">The invitation</a>'
    page.goto(blog.url("/mail"))
    page.get_by_role("link", name="The invitation").click()
    expect(page.get_by_text("Moderate the comments on Blog as its moderator")).to_be_visible()
    log_in(page, "grace")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{service.url}/admin")
    page.get_by_role("button", name="Sign out").click()
    log_in_again = page.get_by_role("button", name="Log in with Example ID")
    log_in_again.click()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    complaints.clear()  # the page for who is not signed in is a 401
