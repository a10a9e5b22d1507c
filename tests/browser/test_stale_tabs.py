"""Several tabs of one browser, and somebody else who logs in in one of them: what the others show and post."""

from __future__ import annotations

import pytest
from playwright.sync_api import FrameLocator, Page, Request, expect

from commentsvc.db.session import db
from commentsvc.models import Comment, Commenter, Site
from tests.browser.test_account import article, box, expect_grace, secret, signed_in, token
from tests.support.browser import Blog, Service
from tests.support.member_client import give_pass, person

__all__ = ["secret"]
TEXT = "A long thought"


def come_to_front(frame: FrameLocator | Page) -> None:
    """As a tab that is chosen again; the browser of the tests holds every tab for the one in front."""
    frame.locator("body").evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")


def wait_until_asked(page: Page, frame: FrameLocator | Page) -> None:
    """Wait until a thread that got the focus has asked who is there, which it does within a second."""
    with page.expect_request("**/own?**"):
        come_to_front(frame)


def press(frame: FrameLocator | Page) -> None:
    """Send the form as it stands, before the tab can learn anything by coming to the front."""
    frame.locator("#reply").evaluate("(form) => form.requestSubmit()")


def authors(service: Service) -> list[str]:
    with service.app.app_context():
        query = db.session.query(Commenter.name).join(Comment, Comment.commenter_id == Commenter.id)
        return [name for (name,) in query.order_by(Comment.id)]


class TestInTheFrame:
    @pytest.fixture
    def graces(self, page: Page, service: Service, blog: Blog, secret: str) -> FrameLocator:
        """A tab in which Grace has written half a comment."""
        page.goto(article(service, blog, signed_in(token(service, secret))))
        frame = box(page)
        expect_grace(frame)
        frame.locator("#text").fill(TEXT)
        wait_until_asked(page, frame)
        return frame

    def other_tab(self, page: Page, service: Service, blog: Blog, secret: str, name: str = "Hedy") -> Page:
        tab = page.context.new_page()
        sso = token(service, secret, sub=name, name=name)
        tab.goto(article(service, blog, signed_in(sso)))
        expect_grace(box(tab), name)
        return tab

    def test_nothing_is_posted_as_somebody_else(
        self,
        graces: FrameLocator,
        page: Page,
        service: Service,
        blog: Blog,
        secret: str,
        complaints: list[str],
    ) -> None:
        self.other_tab(page, service, blog, secret)
        press(graces)
        expect(graces.get_by_text("You are now logged in as Hedy. Your text is kept")).to_be_visible()
        expect_grace(graces, "Hedy")
        expect(graces.locator("#text")).to_have_value(TEXT)
        assert authors(service) == []
        press(graces)
        expect(graces.locator(".comment .name", has_text="Hedy")).to_be_visible()
        assert authors(service) == ["Hedy"]
        assert all("409" in one for one in complaints)
        complaints.clear()

    def test_a_tab_that_comes_to_the_front_learns_who_is_there(
        self, graces: FrameLocator, page: Page, service: Service, blog: Blog, secret: str
    ) -> None:
        self.other_tab(page, service, blog, secret)
        come_to_front(graces)
        expect_grace(graces, "Hedy")
        expect(graces.locator("#status")).to_have_text("You are now logged in as Hedy.")
        expect(graces.locator("#text")).to_have_value(TEXT)

    def test_and_that_nobody_is(
        self, graces: FrameLocator, page: Page, service: Service, blog: Blog, secret: str
    ) -> None:
        tab = self.other_tab(page, service, blog, secret)
        tab.eval_on_selector("comment-thread", "(thread) => thread.removeAttribute('sso')")
        expect(box(tab).get_by_label("Email (required)")).to_be_visible()
        come_to_front(graces)
        expect(graces.get_by_label("Email (required)")).to_be_visible()
        expect(graces.locator("#status")).to_have_text("You are no longer logged in.")
        expect(graces.locator("#text")).to_have_value(TEXT)

    def test_a_guests_tab_stays_one_and_logs_nobody_out(
        self, page: Page, service: Service, blog: Blog, secret: str
    ) -> None:
        page.goto(article(service, blog, "<comment-thread></comment-thread>"))
        frame = box(page)
        frame.locator("#text").fill(TEXT)
        tab = self.other_tab(page, service, blog, secret)
        with page.expect_response(lambda answer: "/embed/own" in answer.url):
            come_to_front(frame)
        expect(frame.get_by_label("Email (required)")).to_be_visible()
        tab.reload()
        expect_grace(box(tab), "Hedy")

    def test_whoever_only_reads_asks_nothing(self, page: Page, service: Service, blog: Blog) -> None:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(article(service, blog, "<comment-thread></comment-thread>"))
        frame = page.frame_locator("comment-thread iframe")
        expect(frame.locator("#reply")).to_be_visible()
        page.wait_for_load_state("networkidle")
        before = len(asked)
        for event in ("visibilitychange", "focus", "pageshow"):
            frame.locator("body").evaluate("(_, name) => dispatchEvent(new Event(name))", event)
            come_to_front(frame)
        page.wait_for_load_state("networkidle")
        frame.locator("body").evaluate("() => new Promise(requestAnimationFrame)")
        assert asked[before:] == []
        assert not [url for url in asked if "/own" in url]

    def test_a_tab_that_comes_and_goes_asks_at_most_once_a_second(
        self, graces: FrameLocator, page: Page, service: Service
    ) -> None:
        asked: list[Request] = []
        page.on("request", lambda request: "/embed/own" in request.url and asked.append(request))
        with page.expect_response(lambda answer: "/embed/own" in answer.url):
            graces.locator("body").evaluate(
                """() => {
                    for (let i = 0; i < 50; i++) {
                        dispatchEvent(new Event("focus"));
                        document.dispatchEvent(new Event("visibilitychange"));
                    }
                }"""
            )
        assert len(asked) <= 2  # one may have been on its way


class TestOnThePageOfAThread:
    def enter(self, page: Page, service: Service, blog: Blog, name: str) -> None:
        """Log in to one's own page, in another tab."""
        with service.writing() as session:
            session.rollback()
            site = session.get_one(Site, blog.site_id)
            given = give_pass(session, person(session, name=name, subject=name), site)
        tab = page.context.new_page()
        tab.goto(f"{service.url}/account")
        tab.evaluate(
            """(given) => {
                const form = document.createElement("form");
                Object.assign(form, { method: "post", action: "/account/enter" });
                form.innerHTML = '<input name="pass">';
                form.elements.pass.value = given;
                document.body.append(form);
                form.submit();
            }""",
            given,
        )
        expect(tab.get_by_role("button", name="Log out")).to_be_visible()
        tab.close()

    @pytest.fixture
    def service_variables(self) -> object:
        """A provider is set up, so that people can be logged in there."""
        return lambda url: {"COMMENTSVC_GITHUB_CLIENT_ID": "x", "COMMENTSVC_GITHUB_CLIENT_SECRET": "y"}

    @pytest.fixture
    def adas(self, page: Page, service: Service, blog: Blog) -> Page:
        """A tab in which Ada has written half a comment."""
        self.enter(page, service, blog, "Ada")
        page.goto(f"{service.url}/thread?url={blog.url('/article')}")
        page.locator("#text").click()
        expect(page.get_by_text("You are commenting using your GitHub account.")).to_be_visible()
        page.locator("#text").fill(TEXT)
        wait_until_asked(page, page)
        return page

    def test_nothing_is_posted_as_somebody_else(
        self, adas: Page, page: Page, service: Service, blog: Blog, complaints: list[str]
    ) -> None:
        self.enter(page, service, blog, "Bob")
        press(adas)
        expect(page.get_by_text("You are now logged in as Bob. Your text is kept")).to_be_visible()
        expect(page.locator(".member")).to_contain_text("Bob:")
        expect(page.locator("#text")).to_have_value(TEXT)
        assert authors(service) == []
        press(adas)
        expect(page.locator(".comment .name", has_text="Bob")).to_be_visible()
        assert authors(service) == ["Bob"]
        assert all("409" in one for one in complaints)
        complaints.clear()

    def test_a_tab_that_comes_to_the_front_learns_who_is_there(
        self, adas: Page, page: Page, service: Service, blog: Blog
    ) -> None:
        self.enter(page, service, blog, "Bob")
        come_to_front(adas)
        expect(page.locator(".member")).to_contain_text("Bob:")
        expect(page.locator("#text")).to_have_value(TEXT)

    def test_whoever_chose_to_be_a_guest_stays_one(
        self, adas: Page, page: Page, service: Service, blog: Blog
    ) -> None:
        page.get_by_role("link", name="Change").click()
        expect(page.get_by_label("Email (required)")).to_be_visible()
        page.locator("#text").click()
        with page.expect_response(lambda answer: "/thread/own" in answer.url):
            come_to_front(adas)
        expect(page.get_by_label("Email (required)")).to_be_visible()
