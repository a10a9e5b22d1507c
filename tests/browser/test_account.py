"""A person's page and a site's own sign-in in a real browser, across two sites, third-party cookies blocked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import single_sign_on
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text
from commentsvc.domain.threads import threads
from commentsvc.models import LoginSession, Site, now
from tests.browser.test_login import profile_with
from tests.support.accessibility import violations
from tests.support.browser import Blog, Service
from tests.support.comment_builders import post_comment
from tests.support.member_client import give_pass, person

ARTICLE = '<!doctype html><html lang="en"><title>An article</title><h1>An article</h1>'


@pytest.fixture
def blocked(chromium: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    """A profile that blocks third-party cookies."""
    context = profile_with(chromium, tmp_path / "profile", {"cookie_controls_mode": 1})
    yield context
    context.close()


@pytest.fixture
def secret(service: Service, blog: Blog) -> str:
    with service.writing() as session:
        made = single_sign_on.new_secret(session, session.get_one(Site, blog.site_id))
        session.commit()
    return made


def token(service: Service, secret: str, *, sub: str = "42", name: str = "Grace", ago: int = 0) -> str:
    at = int(time.time()) - ago
    claims = {"sub": sub, "name": name, "aud": service.url, "iat": at, "exp": at + 300}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


def article(service: Service, blog: Blog, thread: str) -> str:
    """Put an article on the blog; return its address."""
    blog.pages["/article"] = f'{ARTICLE}{thread}<script async src="{service.url}/embed.js"></script>'
    return blog.url("/article")


def signed_in(sso: str) -> str:
    return f'<comment-thread sso="{sso}"></comment-thread>'


def box(page: Page) -> FrameLocator:
    frame = page.frame_locator("comment-thread iframe")
    frame.locator("#text").click()
    return frame


def expect_grace(frame: FrameLocator, name: str = "Grace") -> None:
    expect(frame.get_by_text(f"You are commenting as {name}.")).to_be_visible()
    expect(frame.locator("[data-panel=member] bdi", has_text=name).filter(visible=True)).to_have_count(1)


class TestASitesOwnUser:
    def test_comments_under_their_name(
        self, blocked: BrowserContext, service: Service, blog: Blog, secret: str
    ) -> None:
        page = blocked.new_page()
        page.goto(article(service, blog, signed_in(token(service, secret))))
        frame = box(page)
        expect_grace(frame)
        expect(frame.get_by_role("button", name="Log Out")).to_be_hidden()
        expect(frame.get_by_label("Email (required)")).to_be_hidden()
        frame.locator("#text").fill("From the site itself.")
        frame.get_by_role("button", name="Post Comment").click()
        expect(frame.locator(".comment .name", has_text="Grace")).to_be_visible()

    def test_is_another_when_the_page_says_so(
        self, blocked: BrowserContext, service: Service, blog: Blog, secret: str
    ) -> None:
        page = blocked.new_page()
        page.goto(article(service, blog, signed_in(token(service, secret))))
        frame = box(page)
        expect_grace(frame)
        frame.locator("#text").fill("Half a thought")
        other = token(service, secret, sub="43", name="Hedy")
        page.eval_on_selector("comment-thread", "(thread, token) => thread.setAttribute('sso', token)", other)
        expect_grace(frame, "Hedy")
        expect(frame.locator("#text")).to_have_value("Half a thought")

    def test_is_nobody_once_they_logged_out(
        self, blocked: BrowserContext, service: Service, blog: Blog, secret: str
    ) -> None:
        page = blocked.new_page()
        page.goto(article(service, blog, signed_in(token(service, secret))))
        expect_grace(box(page))
        visits = "() => localStorage.getItem('commentsvc visits')"
        assert page.frames[1].evaluate(visits)
        page.eval_on_selector("comment-thread", "(thread) => thread.removeAttribute('sso')")
        expect(box(page).get_by_label("Email (required)")).to_be_visible()
        assert page.frames[1].evaluate(visits) is None

    def test_is_nobody_on_the_next_page_without_a_token(
        self, blocked: BrowserContext, service: Service, blog: Blog, secret: str
    ) -> None:
        page = blocked.new_page()
        page.goto(article(service, blog, signed_in(token(service, secret))))
        expect_grace(box(page))
        page.goto(article(service, blog, "<comment-thread></comment-thread>"))
        expect(box(page).get_by_label("Email (required)")).to_be_visible()
        with service.writing() as session:
            assert session.query(LoginSession).count() == 0

    def test_can_be_asked_for_anew_when_the_token_is_old(
        self, blocked: BrowserContext, service: Service, blog: Blog, secret: str
    ) -> None:
        fresh = token(service, secret)
        script = f"""<script>addEventListener("commentsstale", (event) => {{
            document.title = "stale";
            event.target.setAttribute("sso", "{fresh}");
        }})</script>"""
        page = blocked.new_page()
        page.goto(article(service, blog, script + signed_in(token(service, secret, ago=900))))
        expect_grace(box(page))
        assert page.title() == "stale"

    def test_is_told_when_it_cannot_be_renewed(
        self, blocked: BrowserContext, service: Service, blog: Blog, secret: str
    ) -> None:
        page = blocked.new_page()
        page.goto(article(service, blog, signed_in(token(service, secret, ago=900))))
        frame = box(page)
        expect(frame.get_by_text("must be renewed. Please reload the page.")).to_be_visible()
        expect(frame.get_by_label("Email (required)")).to_be_visible()

    def test_goes_to_their_page_from_the_frame(
        self, blocked: BrowserContext, service: Service, blog: Blog, secret: str
    ) -> None:
        page = blocked.new_page()
        page.goto(article(service, blog, signed_in(token(service, secret))))
        frame = box(page)
        expect_grace(frame)
        with blocked.expect_page() as opened:
            frame.get_by_role("button", name="Your comments").click()
        theirs = opened.value
        expect(theirs.get_by_role("heading", name="Your comments")).to_be_visible()
        assert theirs.url == f"{service.url}/account"
        theirs.get_by_role("link", name="Settings").click()
        expect(theirs.get_by_text("Change it there.")).to_be_visible()


class TestTheirPage:
    @pytest.fixture
    def ada(self, service: Service, blog: Blog, page: Page) -> Page:
        """The page of somebody who wrote a comment, as they come from a frame."""
        with service.writing() as session:
            session.rollback()
            ada = person(session)
            begin_write(session)
            address = threads.locate(session, url=blog.url("/article"))
            draft = comment_text.from_source("A *thought* of mine", longest=1000)
            author = Author(commenter_id=ada.commenter_id)
            post_comment(session, address, draft, author, at=now())
            session.commit()
            given = give_pass(session, ada, session.get_one(Site, blog.site_id))
        page.goto(f"{service.url}/account")
        page.evaluate(
            """(token) => {
                const make = (name, facts) => Object.assign(document.createElement(name), facts);
                const form = make("form", { method: "post", action: "/account/enter" });
                form.append(make("input", { name: "pass", value: token }));
                document.body.append(form);
                form.submit();
            }""",
            given,
        )
        expect(page.get_by_text("Log out")).to_be_visible()
        return page

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [360, 1200])
    def test_is_fit_for_everybody(self, ada: Page, service: Service, width: int, scheme: str) -> None:
        ada.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        ada.set_viewport_size({"width": width, "height": 800})
        for path in ("/account", "/account/settings", "/account/delete"):
            ada.goto(service.url + path)
            assert violations(ada) == [], path
            assert ada.evaluate("document.documentElement.scrollWidth") == width, path

    def test_deletes_them_by_keyboard_alone(self, ada: Page, service: Service, blog: Blog) -> None:
        ada.goto(f"{service.url}/account/settings")
        ada.get_by_role("link", name="Delete me").press("Enter")
        ada.get_by_role("radio", name="Remove my texts").press("Space")
        ada.get_by_role("checkbox").press("Space")
        ada.get_by_role("button", name="Delete me").press("Enter")
        expect(ada.get_by_role("heading", name="Your account is deleted")).to_be_visible()
        ada.goto(f"{service.url}/thread?url={blog.url('/article')}")
        expect(ada.get_by_text("No comments yet")).to_be_visible()

    def test_gives_the_data_as_a_file(self, ada: Page, service: Service) -> None:
        ada.goto(f"{service.url}/account/settings")
        with ada.expect_download() as download:
            ada.get_by_role("link", name="Download my data").click()
        assert download.value.suggested_filename.startswith("my-comments-")
        assert "A *thought* of mine" in Path(download.value.path()).read_text()
