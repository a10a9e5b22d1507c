"""Logging in from the frame in a real browser, at a provider somebody else wrote, on three different sites."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Response
from playwright.sync_api import APIResponse, Browser, BrowserContext, FrameLocator, Page, Route, expect

from commentsvc.db.session import db
from commentsvc.models import Comment
from tests.support import chromium as chromium_finder
from tests.support import oidc_provider
from tests.support.browser import SWITCHES, Blog, Service

ARTICLE = '<!doctype html><title>An article</title><h1>An article</h1><div id="comments"></div>'
COOP = "Cross-Origin-Opener-Policy"


@pytest.fixture
def provider_coop() -> str:
    return ""


@pytest.fixture
def service_variables(provider_coop: str) -> Iterator[Callable[[str], dict[str, str]]]:
    """A service with one login provider, which runs as long as the test."""
    with ExitStack() as running:
        yield lambda url: running.enter_context(oidc_provider.offered(url, coop=provider_coop))


def profile_with(chromium: Browser, folder: Path, preferences: dict[str, object]) -> BrowserContext:
    """Start a browser whose owner has changed its settings."""
    (folder / "Default").mkdir(parents=True)
    (folder / "Default" / "Preferences").write_text(json.dumps({"profile": preferences}))
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    path = chromium_finder.find()
    assert path is not None
    context = chromium.browser_type.launch_persistent_context(
        folder, executable_path=path, args=[*SWITCHES, *root], locale="en-GB"
    )
    context.set_default_timeout(10_000)
    return without_fonts(context)


def without_fonts(context: BrowserContext) -> BrowserContext:
    """Answer for the fonts that the provider's pages ask the internet for."""
    context.route(
        "https://fonts.googleapis.com/**", lambda route: route.fulfill(body="", content_type="text/css")
    )
    return context


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    return without_fonts(context)


@pytest.fixture
def blocked(chromium: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    """A profile that blocks third-party cookies."""
    context = profile_with(chromium, tmp_path / "profile", {"cookie_controls_mode": 1})
    yield context
    context.close()


@pytest.fixture
def refused(chromium: Browser, tmp_path: Path, service: Service, blog: Blog) -> Iterator[BrowserContext]:
    """A profile that lets the service keep nothing at all inside the blog's pages, not even partitioned."""
    rule = {f"{service.url},{blog.origin}": {"setting": 2}}
    preferences: dict[str, object] = {
        "cookie_controls_mode": 1,
        "content_settings": {"exceptions": {"cookies": rule}},
    }
    context = profile_with(chromium, tmp_path / "profile", preferences)
    yield context
    context.close()


def article(blog: Blog, service: Service) -> str:
    """Put an article with a comment box on the blog; return its address."""
    blog.pages["/article"] = ARTICLE + f'<script async src="{service.url}/embed.js"></script>'
    return blog.url("/article")


def box(page: Page) -> FrameLocator:
    return page.frame_locator("comment-thread iframe")


def providers_window(page: Page) -> Page:
    """Wait for the window that shows the provider's page, whichever of those that opened it is."""
    for _ in range(100):
        for window in page.context.pages:
            if "/interaction/" in window.url:
                return window
        page.wait_for_timeout(50)
    raise AssertionError("no window came to the provider")


def log_in(page: Page, person: str = "ada") -> None:
    """Click the provider's mark, log in at the provider in its window, and wait for the frame to notice."""
    frame = box(page)
    frame.locator("#text").click()
    frame.get_by_role("button", name="Log in with Example ID").click()
    expect(frame.get_by_text("Connecting to Example ID")).to_be_visible()
    window = providers_window(page)
    window.locator("[name=login]").fill(person)
    window.locator("[name=password]").fill("any")
    window.locator("button[type=submit]").click()
    window.get_by_role("button", name="Continue").click()
    expect(frame.get_by_text(f"{person} Example:")).to_be_visible()


@pytest.mark.parametrize("times", [1, 2])
def test_a_login_pressed_before_its_script_is_there_begins_all_the_same(
    page: Page, service: Service, blog: Blog, times: int
) -> None:
    waiting: list[Route] = []
    page.context.route("**/frame/login.js", lambda route: waiting.append(route))
    with page.expect_request("**/frame/login.js"):
        page.goto(article(blog, service))
    frame = box(page)
    frame.locator("#text").click()
    for _ in range(times):
        frame.get_by_role("button", name="Log in with Example ID").click()
    expect(frame.locator("#text")).to_be_visible()
    for route in waiting:
        route.continue_()
    expect(frame.get_by_text("Connecting to Example ID")).to_be_visible()
    assert providers_window(page)


def stored(service: Service) -> int:
    """How many comments are stored."""
    return db.session.query(Comment).count()


def comment(page: Page, text: str) -> None:
    frame = box(page)
    frame.locator("#text").fill(text)
    frame.get_by_role("button", name="Post Comment").click()
    expect(frame.locator(".comment .text", has_text=text)).to_be_visible()


def journey(page: Page, url: str) -> None:
    """Log in, comment, reload, change, log out."""
    page.goto(url)
    frame = box(page)
    log_in(page)
    expect(frame.get_by_text("You are commenting using your Example ID account.")).to_be_visible()
    expect(frame.locator(".member img")).to_have_js_property("naturalWidth", 96)
    comment(page, "With my own account.")
    expect(frame.locator(".comment .name", has_text="ada Example")).to_be_visible()
    page.reload()
    frame.locator("#text").click()
    expect(frame.get_by_text("ada Example:")).to_be_visible()
    frame.get_by_role("button", name="Change").click()
    expect(frame.get_by_label("Email (required)")).to_be_visible()
    frame.get_by_role("button", name="Log in with Example ID").click()
    expect(frame.get_by_text("ada Example:")).to_be_visible()
    frame.get_by_role("button", name="Log Out").click()
    expect(frame.get_by_label("Email (required)")).to_be_visible()
    page.reload()
    frame.locator("#text").click()
    expect(frame.get_by_label("Email (required)")).to_be_visible()
    expect(frame.get_by_text("ada Example:")).to_be_hidden()


class TestTheWholeWay:
    def test_in_default_settings(self, page: Page, blog: Blog, service: Service) -> None:
        journey(page, article(blog, service))

    def test_with_third_party_cookies_blocked(
        self, blocked: BrowserContext, blog: Blog, service: Service
    ) -> None:
        journey(blocked.new_page(), article(blog, service))

    def test_when_the_page_around_isolates_itself(
        self, blocked: BrowserContext, blog: Blog, service: Service
    ) -> None:
        blog.headers[COOP] = "same-origin"
        journey(blocked.new_page(), article(blog, service))

    @pytest.mark.parametrize("provider_coop", ["same-origin"])
    def test_when_the_provider_isolates_itself(
        self, blocked: BrowserContext, blog: Blog, service: Service
    ) -> None:
        journey(blocked.new_page(), article(blog, service))

    def test_blocked_really_means_blocked(
        self, blocked: BrowserContext, blog: Blog, service: Service
    ) -> None:
        """A cookie that is not partitioned must be dropped, or the tests above show nothing."""

        def with_control(response: Response) -> Response:
            response.headers.add("Set-Cookie", "control=1; Path=/; Secure; SameSite=None")
            response.headers.add("Set-Cookie", "kept=1; Path=/; Secure; SameSite=None; Partitioned")
            return response

        service.app.after_request(with_control)
        page = blocked.new_page()
        page.goto(article(blog, service))
        expect(box(page).locator("#text")).to_be_visible()
        assert {cookie["name"] for cookie in blocked.cookies()} == {"kept"}


class TestLoggingOut:
    def test_is_not_undone_by_an_answer_from_before(self, page: Page, blog: Blog, service: Service) -> None:
        page.goto(article(blog, service))
        log_in(page)
        frame = box(page)
        late: list[tuple[Route, APIResponse]] = []
        page.route("**/embed/own?**", lambda route: late.append((route, route.fetch())), times=1)
        with page.expect_request("**/embed/own?**") as asked:
            frame.locator("html").evaluate("() => dispatchEvent(new Event('focus'))")
        frame.get_by_role("button", name="Log Out").click()
        expect(frame.locator("#status")).to_have_text("You are logged out.")
        route, answer = late[0]
        assert answer.json()["member"]
        route.fulfill(response=answer)
        asked.value.response()
        page.wait_for_timeout(200)  # for the script to read it
        expect(frame.get_by_label("Email (required)")).to_be_visible()
        expect(frame.get_by_text("ada Example:")).to_be_hidden()

    def test_is_not_claimed_if_the_service_did_not_hear_of_it(
        self, page: Page, blog: Blog, service: Service, complaints: list[str]
    ) -> None:
        page.goto(article(blog, service))
        log_in(page)
        frame = box(page)
        page.route("**/login/leave", lambda route: route.abort())
        frame.get_by_role("button", name="Log Out").click()
        expect(frame.locator("[data-panel=member] .error")).to_contain_text("cannot be reached")
        expect(frame.get_by_text("ada Example:")).to_be_visible()
        complaints.clear()  # the browser tells of the request
        page.unroute("**/login/leave")
        frame.get_by_role("button", name="Log Out").click()
        expect(frame.get_by_label("Email (required)")).to_be_visible()


class TestWithNothingKept:
    def test_the_login_is_held_in_memory(self, refused: BrowserContext, blog: Blog, service: Service) -> None:
        page = refused.new_page()
        page.goto(article(blog, service))
        log_in(page)
        comment(page, "Nothing was kept in this browser.")
        expect(box(page).locator(".comment .name", has_text="ada Example")).to_be_visible()
        assert refused.cookies(service.url) == [] or all(
            cookie["name"] != "__Host-reader" for cookie in refused.cookies(service.url)
        )

    def test_a_tab_keeps_it_where_only_cookies_are_refused(
        self, page: Page, blog: Blog, service: Service
    ) -> None:
        def without_cookie(route: Route) -> None:
            answer = route.fetch()
            headers = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
            route.fulfill(response=answer, headers=headers)

        page.route(f"{service.url}/login/redeem", without_cookie)
        page.goto(article(blog, service))
        log_in(page)
        page.reload()
        frame = box(page)
        frame.locator("#text").click()
        expect(frame.get_by_text("ada Example:")).to_be_visible()
        comment(page, "With a token of the tab's own.")
        frame.locator("#text").click()
        frame.get_by_role("button", name="Log Out").click()
        page.reload()
        frame.locator("#text").click()
        expect(frame.get_by_label("Email (required)")).to_be_visible()


class TestWhenItDoesNotWork:
    def test_cancel_goes_back_and_keeps_the_text(self, page: Page, blog: Blog, service: Service) -> None:
        page.goto(article(blog, service))
        frame = box(page)
        frame.locator("#text").fill("Half a thought")
        frame.get_by_role("button", name="Log in with Example ID").click()
        frame.get_by_role("button", name="Cancel").click()
        expect(frame.get_by_label("Email (required)")).to_be_visible()
        expect(frame.locator("#text")).to_have_value("Half a thought")

    def test_a_refusal_is_told_in_the_panel(
        self, page: Page, blog: Blog, service: Service, complaints: list[str]
    ) -> None:
        page.goto(article(blog, service))
        frame = box(page)
        frame.locator("#text").fill("Half a thought")
        frame.get_by_role("button", name="Log in with Example ID").click()
        providers_window(page).get_by_role("link", name="Cancel").click()
        expect(frame.get_by_text("You did not allow the login with Example ID.")).to_be_visible()
        expect(frame.locator("#text")).to_have_value("Half a thought")
        complaints.clear()  # the window's page is an error, as it should be


class TestCancelling:
    def test_closes_the_window_and_withdraws_the_login(
        self, page: Page, blog: Blog, service: Service
    ) -> None:
        page.goto(article(blog, service))
        frame = box(page)
        frame.locator("#text").fill("Half a thought")
        frame.get_by_role("button", name="Log in with Example ID").click()
        expect(frame.locator("[data-panel=connecting]")).to_be_focused()
        window = providers_window(page)
        with window.expect_event("close"), page.expect_response("**/login/cancel"):
            frame.get_by_role("button", name="Cancel").click()
        expect(frame.locator("[data-panel=guest]")).to_be_focused()
        expect(frame.locator("#status")).to_have_text("The login is cancelled.")

    def test_a_window_that_stays_open_says_so_in_the_end(
        self, page: Page, blog: Blog, service: Service, complaints: list[str]
    ) -> None:
        blog.headers[COOP] = "same-origin"
        page.goto(article(blog, service))
        frame = box(page)
        frame.locator("#text").click()
        frame.get_by_role("button", name="Log in with Example ID").click()
        window = providers_window(page)
        with page.expect_response("**/login/cancel"):
            frame.get_by_role("button", name="Cancel").click()
        window.locator("[name=login]").fill("ada")
        window.locator("[name=password]").fill("any")
        window.locator("button[type=submit]").click()
        window.get_by_role("button", name="Continue").click()
        expect(window.get_by_role("heading", name="This login was cancelled")).to_be_visible()
        expect(window.get_by_text("You can close this window")).to_be_visible()
        expect(frame.get_by_text("ada Example:")).to_be_hidden()
        complaints.clear()  # the window's page is an error, as it should be


class TestAWindowThatDoesNotCome:
    def test_is_told_of_soon_and_one_that_is_only_slow_still_works(
        self, page: Page, blog: Blog, service: Service
    ) -> None:
        """The window's own request is held back for as long as the frame has patience, by the frame's clock."""
        held: list[Route] = []
        page.context.route("**/login/start", lambda route: held.append(route))
        page.goto(article(blog, service))
        frame = box(page)
        frame.locator("#text").fill("Half a thought")
        frame.get_by_role("button", name="Log in with Example ID").click()
        expect(frame.get_by_text("Connecting to Example ID")).to_be_visible()
        frame.locator("html").evaluate("() => { const now = Date.now; Date.now = () => now() + 30_000; }")
        fault = frame.locator("#login-error")
        expect(fault).to_have_text("The login window did not open, or the login could not begin.")
        expect(frame.get_by_role("button", name="log in in this tab")).to_be_visible()
        icons, below = frame.locator(".icons").bounding_box(), fault.bounding_box()
        assert icons is not None
        assert below is not None
        assert 0 <= below["y"] - (icons["y"] + icons["height"]) < 40
        held[0].continue_()
        window = providers_window(page)
        window.locator("[name=login]").fill("ada")
        window.locator("[name=password]").fill("any")
        window.locator("button[type=submit]").click()
        window.get_by_role("button", name="Continue").click()
        expect(frame.get_by_text("ada Example:")).to_be_visible()
        expect(frame.locator("#text")).to_have_value("Half a thought")


class TestChange:
    def test_says_who_is_still_logged_in_and_leads_back(
        self, page: Page, blog: Blog, service: Service
    ) -> None:
        page.goto(article(blog, service))
        log_in(page)
        frame = box(page)
        expect(frame.locator("[data-panel=member]")).to_be_focused()
        expect(frame.locator("#status")).to_have_text("You are logged in as ada Example.")
        frame.get_by_role("button", name="Change").click()
        expect(frame.locator("[data-panel=guest]")).to_be_focused()
        expect(frame.get_by_text("You are still logged in as ada Example.")).to_be_visible()
        frame.get_by_role("button", name="Comment with this account").click()
        expect(frame.get_by_text("You are commenting using your Example ID account.")).to_be_visible()
        frame.get_by_role("button", name="Log Out").click()
        expect(frame.get_by_text("You are still logged in as")).to_be_hidden()


class TestTheirOwnPage:
    @pytest.mark.parametrize("coop", ["", "same-origin"])
    def test_opens_in_the_click_also_where_the_page_around_isolates_itself(
        self, blocked: BrowserContext, blog: Blog, service: Service, coop: str
    ) -> None:
        if coop:
            blog.headers[COOP] = coop
        page = blocked.new_page()
        page.goto(article(blog, service))
        log_in(page)
        with blocked.expect_page() as opened:
            box(page).get_by_role("button", name="Your comments").click()
        expect(opened.value.get_by_role("heading", name="Your comments")).to_be_visible()
        assert opened.value.url == f"{service.url}/account"

    def test_opens_before_the_service_has_answered(self, page: Page, blog: Blog, service: Service) -> None:
        """A browser that allows no window after the click has nothing to refuse; the window waits for its pass."""
        page.goto(article(blog, service))
        log_in(page)
        held: list[Route] = []
        page.route("**/embed/pass", lambda route: held.append(route))
        with page.context.expect_page() as opened:
            box(page).get_by_role("button", name="Your comments").click()
        expect(opened.value.get_by_role("heading", name="One moment")).to_be_visible()
        held[0].continue_()
        expect(opened.value.get_by_role("heading", name="Your comments")).to_be_visible()


class TestInTheSameTab:
    def test_a_refusal_leads_back_to_the_article(
        self, page: Page, blog: Blog, service: Service, complaints: list[str]
    ) -> None:
        url = article(blog, service)
        page.goto(url)
        frame = box(page)
        frame.locator("#text").fill("Kept all the way")
        with page.context.expect_page():
            frame.get_by_role("button", name="Log in with Example ID").click()
        frame.get_by_role("button", name="Log in in this tab").click()
        page.wait_for_url("**/interaction/**")
        page.get_by_role("link", name="Cancel").click()
        expect(page.get_by_text("You did not allow the login with Example ID.")).to_be_visible()
        expect(page.get_by_text("You can close this window")).to_be_hidden()
        page.get_by_role("link", name="Back to the article").click()
        page.wait_for_url(url)
        expect(frame.locator("#login-error")).to_have_text("You did not allow the login with Example ID.")
        expect(frame.locator("#text")).to_have_value("Kept all the way")
        complaints.clear()  # the page is an error, as it should be

    def test_the_login_comes_back_to_the_article(self, page: Page, blog: Blog, service: Service) -> None:
        url = article(blog, service)
        page.goto(url)
        frame = box(page)
        frame.locator("#text").fill("Kept all the way")
        with page.context.expect_page() as opened:
            frame.get_by_role("button", name="Log in with Example ID").click()
        opened.value.close()
        frame.get_by_role("button", name="Log in in this tab").click()
        page.wait_for_url("**/interaction/**")
        page.locator("[name=login]").fill("ada")
        page.locator("[name=password]").fill("any")
        page.locator("button[type=submit]").click()
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url(url)
        expect(frame.get_by_text("ada Example:")).to_be_visible()
        expect(frame.locator("#text")).to_have_value("Kept all the way")


class TestWithoutScript:
    @pytest.fixture
    def plain(self, chromium: Browser) -> Iterator[Page]:
        context = chromium.new_context(java_script_enabled=False, locale="en-GB")
        context.set_default_timeout(10_000)
        yield without_fonts(context).new_page()
        context.close()

    def test_login_on_the_threads_own_page(self, plain: Page, blog: Blog, service: Service) -> None:
        plain.goto(f"{service.url}/thread?url={blog.url('/article')}")
        plain.get_by_role("button", name="Log in with Example ID").click()
        plain.wait_for_url("**/interaction/**")
        plain.locator("[name=login]").fill("ada")
        plain.locator("[name=password]").fill("any")
        plain.locator("button[type=submit]").click()
        plain.get_by_role("button", name="Continue").click()
        plain.wait_for_url(f"{service.url}/thread?*")
        expect(plain.get_by_text("ada Example:")).to_be_visible()
        plain.locator("#text").fill("No script at all")
        plain.get_by_role("button", name="Post Comment").click()
        expect(plain.locator(".comment .text", has_text="No script at all")).to_be_visible()
        plain.get_by_role("button", name="Log Out").click()
        expect(plain.get_by_label("Email (required)")).to_be_visible()


class TestHostPages:
    def test_cannot_read_the_session(
        self, page: Page, blog: Blog, service: Service, complaints: list[str]
    ) -> None:
        page.goto(article(blog, service))
        log_in(page)
        seen = page.evaluate(
            """async (service) => {
                const own = await fetch(`${service}/embed/own?url=${encodeURIComponent(location.href)}`,
                    {credentials: "include"}).then((answer) => answer.text(), (error) => "refused");
                const place = document.getElementById("comments");
                const thread = place.shadowRoot.querySelector("comment-thread");
                const frame = thread.shadowRoot.querySelector("iframe");
                const inside = frame.contentDocument?.body?.innerText ?? "refused";
                return [own, inside, document.cookie];
            }""",
            service.url,
        )
        assert seen == ["refused", "refused", ""]
        complaints.clear()  # about the request that was refused

    def test_cannot_post_with_it(
        self, page: Page, blog: Blog, service: Service, complaints: list[str]
    ) -> None:
        page.goto(article(blog, service))
        log_in(page)
        sent = page.evaluate(
            """async (service) => {
                const body = new URLSearchParams({url: location.href, text: "not by me", identity: "member"});
                const answer = await fetch(`${service}/embed/comments`,
                    {method: "POST", mode: "no-cors", credentials: "include", body});
                return answer.type;
            }""",
            service.url,
        )
        assert sent == "opaque"
        with service.app.app_context():
            assert stored(service) == 0
        complaints.clear()  # about the answer 403
