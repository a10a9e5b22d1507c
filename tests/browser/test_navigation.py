"""Pages that change in place: whatever the order in which a router works, a comment lands under its article."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Frame, Page, Request, expect
from sqlalchemy import select

from commentsvc.models import Comment, Thread
from tests.support.browser import Blog, Service
from tests.support.frame_pages import fill_in, frame, inside, post, stored, write

WITHOUT_NAVIGATION_API = "delete window.navigation; delete Window.prototype.navigation;"
SILENT = (
    "addEventListener('message', (event) => {"
    " if (event.data?.commentsvc === 'where') event.stopImmediatePropagation(); }, true);"
)


ROUTERS = {
    # A router that keeps the element: only the address changes.
    "keeps the element": """
        history.pushState(null, "", to);
        document.title = title;
        document.querySelector("h1").textContent = title;
    """,
    # As Astro's ClientRouter does: the new body is there before the address is.
    "swaps the body first": """
        const body = document.createElement("body");
        body.innerHTML = `<h1>${title}</h1>${place}`;
        document.body.replaceWith(body);
        await new Promise((resolve) => setTimeout(resolve, 30));
        history.pushState(null, "", to);
        document.title = title;
    """,
    # As React's helmet does: the head is written a frame after the article is shown.
    "writes the canonical link last": """
        history.pushState(null, "", to);
        document.querySelector("main").innerHTML = `<h1>${title}</h1>${place}`;
        await new Promise(requestAnimationFrame);
        await new Promise((resolve) => setTimeout(resolve, 150));
        document.title = title;
        document.querySelector("link[rel=canonical]").href = to;
    """,
    # The same with a link that is taken out and written anew.
    "writes another canonical link": """
        history.pushState(null, "", to);
        document.querySelector("main").innerHTML = `<h1>${title}</h1>${place}`;
        document.querySelector("link[rel=canonical]").remove();
        await new Promise((resolve) => setTimeout(resolve, 150));
        document.head.insertAdjacentHTML("beforeend", `<link rel="canonical" href="${to}">`);
    """,
    "replaces the head": """
        history.pushState(null, "", to);
        document.querySelector("main").innerHTML = `<h1>${title}</h1>${place}`;
        await new Promise((resolve) => setTimeout(resolve, 150));
        const head = document.createElement("head");
        head.innerHTML = `<title>${title}</title><link rel="canonical" href="${to}">`;
        document.head.replaceWith(head);
    """,
    "changes nothing but the canonical link": """
        document.querySelector("link[rel=canonical]").setAttribute("href", to);
    """,
}
WITH_CANONICAL = {name for name, script in ROUTERS.items() if "canonical" in script}


def app(service: Service, router: str, place: str) -> str:
    """Return an app of two articles, /one and /two, that shows the other one by `go("/two")`."""
    head = '<link rel="canonical" href="/one">' if router in WITH_CANONICAL else ""
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>One</title>{head}
<script async src="{service.url}/embed.js"></script></head><body><main><h1>One</h1>{place}</main>
<script>
const place = {json.dumps(place)};
async function go(to) {{
  const title = to === "/two" ? "Two" : "One";
  {ROUTERS[router]}
}}
</script></body></html>"""


def threads(service: Service) -> dict[str, str]:
    """Return the path of the thread that each comment stands in, by the comment's text."""
    with service.writing() as session:
        rows = session.execute(select(Comment.source, Thread.url).join(Thread)).all()
    return {text: "/" + url.split("/", 3)[3] for text, url in rows}


def shows(page: Page, text: str) -> Frame:
    """Wait until the page's thread shows this comment alone."""
    expect(page.locator("comment-thread iframe")).to_have_count(1)
    expect(frame(page).locator(".comment .text")).to_have_text([text])
    return inside(page)


both_places = pytest.mark.parametrize(
    "place", ['<div id="comments"></div>', "<comment-thread></comment-thread>"], ids=["div", "element"]
)


@both_places
@pytest.mark.parametrize("browser", ["new", "without the Navigation API"])
@pytest.mark.parametrize("router", ROUTERS)
def test_a_comment_lands_under_the_article_that_is_shown(
    page: Page, service: Service, blog: Blog, router: str, place: str, browser: str
) -> None:
    if browser != "new":
        page.add_init_script(WITHOUT_NAVIGATION_API)
    write(service, blog, "About one", path="/one")
    write(service, blog, "About two", path="/two")
    blog.pages["/one"] = app(service, router, place)
    page.goto(blog.url("/one"))
    shows(page, "About one")
    page.evaluate("go('/two')")
    thread = shows(page, "About two")
    fill_in(thread, "Written on two")
    post(thread)
    expect(thread.get_by_text("Your comment is posted.")).to_be_attached()
    assert threads(service)["Written on two"] == "/two"


def test_the_way_back_shows_the_article_that_one_comes_back_to(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "About one", path="/one")
    write(service, blog, "About two", path="/two")
    blog.pages["/one"] = app(service, "writes the canonical link last", "<comment-thread></comment-thread>")
    page.goto(blog.url("/one"))
    page.evaluate(
        """addEventListener("popstate", () => {
            document.querySelector("main").innerHTML = place;
            setTimeout(() => { document.querySelector("link[rel=canonical]").href = location.pathname }, 150);
        })"""
    )
    shows(page, "About one")
    page.evaluate("go('/two')")
    shows(page, "About two")
    page.go_back()
    thread = shows(page, "About one")
    fill_in(thread, "Written on one")
    post(thread)
    expect(thread.get_by_text("Your comment is posted.")).to_be_attached()
    assert threads(service)["Written on one"] == "/one"


def test_the_pages_history_stays_as_it_is(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/one"] = app(service, "keeps the element", "<comment-thread></comment-thread>")
    page.goto(blog.url("/one"))
    inside(page)
    for name in ("pushState", "replaceState"):
        assert page.evaluate(f"Object.hasOwn(history, '{name}')") is False
        assert "[native code]" in page.evaluate(f"History.prototype.{name}.toString()")


@pytest.mark.parametrize(
    "change",
    [
        "location.hash = 'a-heading'",
        "history.pushState(null, '', '/one?utm_source=mail')",
        "history.replaceState(null, '', '/one/')",
        "document.head.insertAdjacentHTML('beforeend', '<link rel=canonical href=/one>')",
        "document.title = 'Another title'",
    ],
)
def test_what_does_not_change_the_article_leaves_the_thread_and_what_is_typed(
    page: Page, service: Service, blog: Blog, change: str
) -> None:
    write(service, blog, "About one", path="/one")
    blog.pages["/one"] = app(service, "keeps the element", "<comment-thread></comment-thread>")
    frames: list[str] = []
    page.on("request", lambda request: frames.append(request.url) if "/embed?" in request.url else None)
    page.goto(blog.url("/one"))
    thread = shows(page, "About one")
    fill_in(thread, "Half a sentence")
    if "title" in change or "hash" in change:
        page.evaluate(change)
    else:
        with page.expect_response("**/embed/same?*"):
            page.evaluate(change)
    page.evaluate("commentsvc.refresh()")
    page.wait_for_timeout(300)  # nothing is to happen
    expect(thread.get_by_label("Your comment")).to_have_value("Half a sentence")
    assert len(frames) == 1
    post(thread)
    expect(thread.get_by_text("Your comment is posted.")).to_be_attached()
    assert threads(service)["Half a sentence"] == "/one"


def test_a_frame_that_does_not_say_whether_it_is_the_same_article_is_loaded_anew(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    write(service, blog, "About one", path="/one")
    write(service, blog, "About two", path="/two")
    page.route("**/embed/same?*", lambda route: route.abort())
    blog.pages["/one"] = app(service, "keeps the element", "<comment-thread></comment-thread>")
    page.goto(blog.url("/one"))
    shows(page, "About one")
    page.evaluate("go('/two')")
    shows(page, "About two")
    complaints.clear()


@pytest.mark.parametrize(
    ("named", "where"), [('url="/fixed"', {"path": "/fixed"}), ('thread-id="fixed"', {"page_id": "fixed"})]
)
def test_a_thread_that_names_its_article_stays(
    page: Page, service: Service, blog: Blog, named: str, where: dict[str, str]
) -> None:
    write(service, blog, "About it", **where)
    blog.pages["/one"] = app(service, "keeps the element", f"<comment-thread {named}></comment-thread>")
    page.goto(blog.url("/one"))
    thread = shows(page, "About it")
    page.evaluate("go('/two')")
    page.evaluate("document.head.insertAdjacentHTML('beforeend', '<link rel=canonical href=/two>')")
    fill_in(thread, "More about it")
    post(thread)
    expect(thread.get_by_text("Your comment is posted.")).to_be_attached()
    assert len({comment.thread_id for comment in stored(service)}) == 1


# --- Asked at the moment of posting.


SILENTLY = "history.pushState(null, '', '/two'); document.title = 'Two';"


@pytest.fixture
def moved(page: Page, service: Service, blog: Blog) -> Frame:
    """A thread of the article One with a comment typed; the page has gone on to Two, and nothing told embed.js."""
    page.add_init_script(
        WITHOUT_NAVIGATION_API
        + "MutationObserver = class extends MutationObserver { observe(node, how) {"
        + " if (node !== document) super.observe(node, how); } };"
    )
    write(service, blog, "About one", path="/one")
    write(service, blog, "About two", path="/two")
    blog.pages["/one"] = app(service, "keeps the element", "<comment-thread></comment-thread>")
    page.goto(blog.url("/one"))
    thread = shows(page, "About one")
    fill_in(thread, "Where does it belong?")
    page.evaluate(SILENTLY)
    post(thread)
    expect(thread.get_by_role("button", name="Post it under Two")).to_be_visible()
    return thread


@pytest.fixture
def refused(page: Page, complaints: list[str]) -> Iterator[None]:
    """Let the browser's console note the refusal; ends before `page` does."""
    yield
    complaints[:] = [one for one in complaints if "409" not in one]


@pytest.mark.usefixtures("refused")
class TestAPageThatHasMovedOnUnseen:
    def test_nothing_is_posted_and_the_text_is_kept(self, service: Service, moved: Frame) -> None:
        expect(moved.get_by_label("Your comment")).to_have_value("Where does it belong?")
        expect(moved.get_by_role("group", name="You wrote under One")).to_be_focused()
        assert "Where does it belong?" not in threads(service)

    def test_it_can_be_posted_under_the_other_article(
        self, page: Page, service: Service, moved: Frame
    ) -> None:
        moved.get_by_role("button", name="Post it under Two").click()
        expect(frame(page).locator(".comment .text")).to_have_text(["About two", "Where does it belong?"])
        assert threads(service)["Where does it belong?"] == "/two"
        expect(frame(page).get_by_label("Your comment")).to_have_value("")

    def test_it_can_stay(self, page: Page, service: Service, moved: Frame) -> None:
        moved.get_by_role("button", name="Stay with One").click()
        expect(moved.get_by_text("Your comment is posted.")).to_be_attached()
        assert threads(service)["Where does it belong?"] == "/one"

    def test_a_reply_becomes_a_comment_of_its_own_there(
        self, page: Page, service: Service, moved: Frame
    ) -> None:
        moved.locator(".reply-link").first.click()
        moved.get_by_label("Your comment").press("Control+Enter")
        moved.get_by_role("button", name="Post it under Two").click()
        expect(frame(page).locator(".comment .text")).to_have_text(["About two", "Where does it belong?"])
        assert [comment.parent_id for comment in stored(service)] == [None] * 3

    def test_a_page_that_came_back_is_asked_anew(self, page: Page, service: Service, moved: Frame) -> None:
        page.evaluate("history.pushState(null, '', '/one')")
        moved.get_by_label("Your comment").press("Control+Enter")
        expect(moved.get_by_text("Your comment is posted.")).to_be_attached()
        assert threads(service)["Where does it belong?"] == "/one"


@pytest.mark.usefixtures("refused")
def test_an_older_embed_script_that_does_not_answer_stops_no_comment(
    page: Page, service: Service, blog: Blog
) -> None:
    page.add_init_script(WITHOUT_NAVIGATION_API + SILENT)
    write(service, blog, "About one", path="/one")
    blog.pages["/one"] = app(service, "keeps the element", "<comment-thread></comment-thread>")
    page.goto(blog.url("/one"))
    thread = shows(page, "About one")
    fill_in(thread, "Posted all the same")
    post(thread)
    expect(thread.get_by_text("Your comment is posted.")).to_be_attached()


def test_a_foreign_frame_cannot_say_where_the_page_is(page: Page, service: Service, blog: Blog) -> None:
    """Only the page around answers; and only our own frame learns where the page is."""
    lie = "{ commentsvc: 'page', asked: true, derived: true, url: location.origin + '/two', title: 'Two' }"
    write(service, blog, "About one", path="/one")
    blog.pages["/liar"] = (
        "<!doctype html><script>addEventListener('message', () => { window.told = true })</script>"
    )
    blog.pages["/one"] = app(
        service,
        "keeps the element",
        '<iframe name="liar" src="/liar"></iframe><comment-thread></comment-thread>',
    )
    page.goto(blog.url("/one"))
    thread = shows(page, "About one")
    liar = page.frame("liar")
    assert liar is not None
    liar.evaluate(
        f"""setInterval(() => {{
            const thread = parent.document.querySelector("comment-thread").shadowRoot.querySelector("iframe");
            thread.contentWindow.postMessage({lie}, "*");
            parent.postMessage({{ commentsvc: "where" }}, "*");
        }}, 5)"""
    )
    fill_in(thread, "Under one")
    post(thread)
    expect(thread.get_by_text("Your comment is posted.")).to_be_attached()
    assert threads(service)["Under one"] == "/one"
    assert liar.evaluate("window.told") is None


def test_the_title_is_the_one_the_page_has_when_a_comment_is_posted(
    page: Page, service: Service, blog: Blog
) -> None:
    blog.pages["/one"] = app(service, "keeps the element", "<comment-thread></comment-thread>").replace(
        "<title>One</title>", "<title>Loading…</title>"
    )
    page.goto(blog.url("/one"))
    thread = inside(page)
    page.evaluate("document.title = 'The real title'")
    fill_in(thread, "First!")
    post(thread)
    expect(thread.get_by_text("Your comment is posted.")).to_be_attached()
    with service.writing() as session:
        assert session.scalars(select(Thread.title)).all() == ["The real title"]


def test_a_thread_far_below_is_asked_for_once_when_the_reader_comes_near(
    page: Page, service: Service, blog: Blog
) -> None:
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request) if "/embed?" in request.url else None)
    write(service, blog, "About two", path="/two")
    far = '<div style="height: 5000px"></div><comment-thread></comment-thread>'
    blog.pages["/one"] = app(service, "keeps the element", far)
    page.goto(blog.url("/one"), wait_until="networkidle")
    page.evaluate("go('/two')")
    page.locator("comment-thread").scroll_into_view_if_needed()
    shows(page, "About two")
    assert len(requests) == 1


# --- Hash routers.


@both_places
def test_a_hash_router_has_a_thread_for_each_of_its_routes(
    page: Page, service: Service, blog: Blog, place: str
) -> None:
    write(service, blog, "About the app", path="/app")
    (one,) = write(service, blog, "About one", path="/app#/one")
    write(service, blog, "About two", "More about two", path="/app#/two")
    place = place.replace("<div", "<div data-hash-routes").replace(
        "<comment-thread", "<comment-thread hash-routes", 1
    )
    counted = "".join(
        f'<span data-comment-count="{route}">?</span>' for route in ("#/one", "/app#/two/", "/app")
    )
    blog.pages["/app"] = (
        f"<!doctype html><title>App</title><link rel=canonical href=/app>{counted}{place}"
        f'<script async src="{service.url}/embed.js"></script>'
    )
    page.goto(blog.url("/app#/one"))
    shows(page, "About one")
    expect(page.locator("[data-comment-count]")).to_have_text(["1", "2", "1"])
    page.evaluate("location.hash = '#/two'")
    expect(frame(page).locator(".comment .text")).to_have_text(["About two", "More about two"])
    page.evaluate("location.hash = '#a-heading'")
    shows(page, "About the app")
    page.goto(f"{service.url}/comment/{one}")
    page.wait_for_url(f"**/app#/one#comment-c{one}")
    expect(shows(page, "About one").locator(".highlighted")).to_have_count(1)


def test_a_hash_is_no_article_where_nobody_said_so(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "About the app", path="/app")
    blog.pages["/app"] = app(service, "keeps the element", "<comment-thread></comment-thread>")
    page.goto(blog.url("/app#/one"))
    shows(page, "About the app")
