"""The core journeys in further engines, Firefox and WebKitGTK, by https and over three different sites.

They stand for the engines. Safari's own rules about cookies are none of WebKitGTK's.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.support import engines, oidc_provider
from tests.support.browser import Blog, Service
from tests.support.certificates import Authority
from tests.support.frame_pages import LONG_READ, article, stored, write
from tests.support.view import FRAME, View
from tests.support.webdriver import Engine, Firefox, firefox, webkit

CONTROL_ENTER = "\ue009\ue007\ue000"
COOP = "Cross-Origin-Opener-Policy"
FITS = """
const { scrollHeight, clientHeight, scrollWidth, clientWidth } = document.documentElement;
return innerHeight === Math.ceil(document.body.getBoundingClientRect().height)
    && scrollHeight === clientHeight && scrollWidth <= clientWidth;
"""
ALIVE = "return performance.getEntriesByType('resource').some(({ name }) => /[/]login[.-]/.test(name))"
IN_VIEW = f"""
const [id, top] = arguments;
const frame = (() => {{ {FRAME} }})();
const at = frame.getBoundingClientRect().top + top;
return at >= 0 && at < innerHeight;
"""
SEEN = f"""
const frame = (() => {{ {FRAME} }})();
const {{ left, top, width }} = frame.getBoundingClientRect();
const zoom = width / frame.clientWidth;
return document.elementFromPoint(left + 60, top + (arguments[0] + 9) * zoom)?.id === "comments";
"""


@pytest.fixture(scope="module", params=list(engines.PACKAGES))
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One browser for all tests of an engine."""
    name = request.param
    browser = engines.find(name)
    if browser is None:
        why = "it is not installed; as root on Debian `python -m tests.support.engines` brings it"
        if engines.on_debian():
            missing(name, why)
        pytest.skip(f"{name} is missing: {why}")
    start = firefox if name == "Firefox" else webkit
    with start(tmp_path_factory.mktemp("engine"), browser) as result:
        yield result


@pytest.fixture
def certificates(tmp_path: Path) -> Callable[[str], ssl.SSLContext]:
    """Everything is spoken by https: WebKit keeps no `Secure` cookie without."""
    authority = Authority()
    return lambda host: authority.server(host, tmp_path)


@pytest.fixture
def service_variables(request: pytest.FixtureRequest) -> Iterator[Callable[[str], dict[str, str]]]:
    """A login provider, for the tests that log in."""
    with ExitStack() as running:

        def variables(url: str) -> dict[str, str]:
            return running.enter_context(oidc_provider.offered(url)) if request.cls else {}

        yield variables


@pytest.fixture
def preferences() -> dict[str, object]:
    """What Firefox's owner has changed in its settings."""
    return {}


@pytest.fixture
def page(
    engine: Engine,
    service: Service,
    blog: Blog,
    preferences: dict[str, object],
) -> Iterator[View]:
    """A window in which nothing is kept from before."""
    with engine.fresh(**preferences) as driver:
        yield View(driver, driver.ask("GetWindowHandle"))


def fill_in(thread: View, text: str) -> None:
    thread.click("#text")
    thread.type("#text", text)
    thread.type("#email", "g@good.example")
    thread.type("#name", "Grace")


def log_in(thread: View, *, at_once: bool = False) -> None:
    """Log in at the provider in its window; `at_once`: without waiting for the script that opens the window."""
    thread.click("#text")
    if not at_once:
        thread.until(ALIVE)
    connect(thread)
    at_provider(thread.another("/interaction/"))
    thread.shows("ada Example:")


def connect(thread: View) -> None:
    """Press the provider's icon."""
    connecting = "Connecting to Example ID"
    thread.press(".provider", lambda: thread.sees(connecting), connecting)


def in_this_tab(page: View) -> None:
    """Do without the window."""
    page.thread.click("#text")
    connect(page.thread)
    page.thread.press(
        "[data-tab]",
        lambda: page.run("return location.href.includes('/interaction/')"),
        "a login in this tab",
    )
    at_provider(page)


def at_provider(window: View) -> None:
    """Give a name and a password, and agree."""
    window.type("[name=login]", "ada")
    window.type("[name=password]", "any")
    window.click("button[type=submit]", "Sign-in")
    window.click("button[type=submit]", "Continue")


# --- Embedding.


def test_an_article_shows_its_thread_as_high_as_it_is(page: View, service: Service, blog: Blog) -> None:
    write(service, blog, *(f"Some words of a comment, the {number}th." * 9 for number in range(30)))
    blog.pages["/"] = article(service)
    page.go(blog.url())
    page.thread.shows("30 Comments", "h2")
    page.thread.until(FITS)
    page.thread.click("#text")
    page.thread.shows("Post Comment", "button")
    page.thread.until(FITS)


def test_a_guest_writes_and_answers(page: View, service: Service, blog: Blog) -> None:
    (first,) = write(service, blog, "First!")
    blog.pages["/"] = article(service)
    thread = page.go(blog.url()).thread
    thread.click("#text")
    low = thread.run("return document.getElementById('text').clientHeight")
    fill_in(thread, "line\n" * 12 + "the last")
    thread.until("return document.getElementById('text').clientHeight > arguments[0] + 150", low)
    thread.until(FITS)
    thread.click("button", "Post Comment")
    thread.shows("the last", ".comment .text")
    thread.until(FITS)
    # WebKitWebDriver also clicks beside what it has to scroll to in a frame.
    link = f"#comment-{first} .reply-link"
    top = thread.run("return document.querySelector(arguments[0]).getBoundingClientRect().top", link)
    page.run("scrollTo(0, arguments[0] - innerHeight / 2)", top)
    thread.click(link)
    thread.shows("Leave a Reply to Ada", "h2")
    thread.type("#text", "An answer")
    thread.type(
        "#text", CONTROL_ENTER
    )  # WebKitWebDriver clicks beside a button that has just moved in a frame
    thread.shows("An answer", ".reply .text")
    comments = {comment.source.strip(): comment.parent_id for comment in stored(service)}
    assert comments["An answer"] == first


def test_a_permalink_goes_to_its_comment(page: View, service: Service, blog: Blog) -> None:
    ids = write(service, blog, *(f"Comment {number}" for number in range(30)))
    blog.pages["/"] = article(service, before=LONG_READ)
    page.go(f"{blog.url()}#comment-{ids[4]}")
    place = f"return document.getElementById('comment-{ids[4]}')?.getBoundingClientRect().top"
    top = page.thread.until(place)
    page.until(IN_VIEW, ids[4], top)
    page.run(f"location.hash = 'comment-{ids[-1]}'")
    place = f"return document.getElementById('comment-{ids[-1]}')?.getBoundingClientRect().top"
    page.until(IN_VIEW, ids[-1], page.thread.until(place))


@pytest.mark.parametrize("style", ["height: 400px; overflow: auto", "zoom: 1.4"], ids=["box", "zoom"])
def test_a_permalink_goes_to_its_comment_in_a_box(
    engine: Engine, page: View, service: Service, blog: Blog, style: str
) -> None:
    if "zoom" in style and not isinstance(engine, Firefox):
        pytest.skip("WebKitGTK zooms a frame and not what is in it")
    ids = write(service, blog, *(f"Comment {number}" for number in range(30)))
    box = f'<div style="{style}">{LONG_READ}<div id="comments"></div>{LONG_READ}</div>'
    blog.pages["/"] = article(service, thread=box, after=LONG_READ)
    page.go(f"{blog.url()}#comment-{ids[20]}")
    place = f"return document.getElementById('comment-{ids[20]}')?.getBoundingClientRect().top"
    page.until(SEEN, page.thread.until(place))


def test_a_thread_follows_the_pages_dark_look(page: View, service: Service, blog: Blog) -> None:
    write(service, blog, "First!")
    dark = "<style>.dark { background: #111; color: #eee; transition: color 1s }</style>"
    thread = '<div id="around"><div id="comments" data-look="cards"></div></div>'
    blog.pages["/"] = article(service, head=dark, thread=thread)
    page.go(blog.url()).thread.shows("First!")
    card = "return getComputedStyle(document.querySelector('.conversation')).borderTopWidth"
    assert page.thread.run(card) == "1px"
    colour = "return getComputedStyle(document.querySelector('.comment .text')).color"
    light = page.thread.run(colour)
    page.run("document.getElementById('around').className = 'dark'")
    page.thread.until(f"return (() => {{ {colour} }})() === 'rgb(238, 238, 238)'")
    assert light != "rgb(238, 238, 238)"


# --- Logging in.


class TestLoggingIn:
    def test_in_a_window(self, page: View, service: Service, blog: Blog) -> None:
        blog.pages["/"] = article(service)
        thread = page.go(blog.url()).thread
        log_in(thread, at_once=True)
        thread.type("#text", "With my own account.")
        thread.click("button", "Post Comment")
        thread.shows("With my own account.", ".comment .text")
        thread.shows("ada Example", ".comment .name")
        page.go(blog.url())
        thread.click("#text")
        thread.shows("ada Example:")
        thread.click("[data-leave]")
        thread.shows("Email", "label")
        page.go(blog.url())
        thread.click("#text")
        thread.shows("Email", "label")
        thread.hides("[data-panel=member]")

    def test_on_a_page_that_isolates_itself(
        self, engine: Engine, page: View, service: Service, blog: Blog
    ) -> None:
        blog.headers[COOP] = "same-origin"
        blog.pages["/"] = article(service)
        thread = page.go(blog.url()).thread
        if isinstance(engine, Firefox):
            # One click opens one window there, and such a page loses that one at once.
            in_this_tab(page)
        else:
            log_in(thread)
        thread.shows("ada Example:")

    def test_your_comments_open_from_the_frame(self, page: View, service: Service, blog: Blog) -> None:
        blog.pages["/"] = article(service)
        thread = page.go(blog.url()).thread
        log_in(thread)
        thread.click("[data-account]")
        theirs = page.another("/account")
        theirs.shows("Your comments", "h1")
        assert theirs.run("return location.href") == f"{service.url}/account"

    def test_in_this_tab(self, page: View, service: Service, blog: Blog) -> None:
        blog.pages["/"] = article(service)
        thread = page.go(blog.url()).thread
        thread.click("#text")
        thread.type("#text", "Kept all the way")
        in_this_tab(page)
        page.until("return location.href === arguments[0]", blog.url())
        thread.shows("ada Example:")
        assert thread.run("return document.getElementById('text').value") == "Kept all the way"


@pytest.mark.parametrize("engine", ["Firefox"], indirect=True)
class TestFirefoxWithoutCookies:
    @pytest.fixture
    def preferences(self) -> dict[str, object]:
        """Everything of other sites is refused: cookies, even partitioned ones, and storage."""
        return {"network.cookie.cookieBehavior": 1}

    def test_the_login_is_held_in_memory(
        self, engine: Engine, page: View, service: Service, blog: Blog
    ) -> None:
        blog.pages["/"] = article(service)
        thread = page.go(blog.url()).thread
        log_in(thread)
        thread.type("#text", "Nothing was kept in this browser.")
        thread.click("button", "Post Comment")
        thread.shows("ada Example", ".comment .name")
