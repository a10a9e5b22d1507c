"""The documented lines work however a page comes about: loaders, frameworks, other kinds of script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from commentsvc.web.static_files import FOLDER
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, frame, inside, write

PLACE = '<div id="comments"></div>'
ELEMENT = "<comment-thread></comment-thread>"
NAMED = '<comment-thread url="/one"></comment-thread>'
COUNTED = '<span data-comment-count="/two">?</span>'

both_places = pytest.mark.parametrize("place", [PLACE, ELEMENT], ids=["div", "element"])


def snippet(service: Service, place: str = PLACE) -> str:
    """Return the lines that the documents, `site add` and the demonstration print."""
    return f'{place}<script async src="{service.url}/embed.js"></script>'


def shows(page: Page, text: str) -> None:
    """Wait until the page has one frame, with this comment in it."""
    expect(page.locator("iframe")).to_have_count(1)
    expect(frame(page).locator(".comment .text")).to_have_text([text])


# --- Loaders.

_FETCH = """
const asked = await (await fetch(to)).text();
const next = new DOMParser().parseFromString(asked, "text/html");
"""
_RUN_SCRIPTS = """
for (const script of place.querySelectorAll("script")) {
  const again = document.createElement("script");
  for (const { name, value } of script.attributes) again.setAttribute(name, value);
  again.textContent = script.textContent;
  script.replaceWith(again);
}
"""
LOADERS = {
    # Address first, then head and body anew; the scripts of the body run again; a snapshot serves the way back.
    "Turbo": f"""{_FETCH}
        const snapshot = document.body.cloneNode(true);
        history.pushState({{}}, "", to);
        document.title = next.title;
        const place = document.adoptNode(next.body);
        {_RUN_SCRIPTS}
        document.body.replaceWith(place);
        addEventListener("popstate", () => document.body.replaceWith(snapshot), {{ once: true }});
    """,
    "pjax": f"""{_FETCH}
        history.pushState({{}}, "", to);
        document.title = next.title;
        document.querySelector("main").innerHTML = next.querySelector("main").innerHTML;
    """,
    "htmx": f"""{_FETCH}
        const place = document.querySelector("main");
        place.innerHTML = next.querySelector("main").innerHTML;
        {_RUN_SCRIPTS}
        document.title = next.title;
        history.pushState({{ htmx: true }}, "", to);
    """,
    "MkDocs Material": f"""
        history.pushState({{}}, "", to);
        {_FETCH}
        document.title = next.title;
        const place = document.adoptNode(next.querySelector("main"));
        document.querySelector("main").replaceWith(place);
        {_RUN_SCRIPTS}
    """,
    "Astro": f"""{_FETCH}
        const place = document.adoptNode(next.body);
        document.body.replaceWith(place);
        await new Promise((resolve) => setTimeout(resolve, 30));
        history.pushState({{}}, "", to);
        document.title = next.title;
        {_RUN_SCRIPTS}
    """,
}


@both_places
@pytest.mark.parametrize("loader", LOADERS)
def test_every_page_that_a_loader_brings_has_its_thread_and_its_counts(
    page: Page, service: Service, blog: Blog, loader: str, place: str
) -> None:
    for path, texts in (("/one", ["About one"]), ("/two", ["About two"]), ("/three", ["A", "B", "C"])):
        write(service, blog, *texts, path=path)
    for name in ("one", "two"):
        blog.pages[f"/{name}"] = (
            f"<!doctype html><html lang='en'><head><title>{name}</title></head><body><main><h1>{name}</h1>"
            f"<span data-comment-count='/three'>?</span>{snippet(service, place)}</main></body></html>"
        )
    page.goto(blog.url("/one"))
    page.evaluate(f"() => {{ window.go = async (to) => {{ {LOADERS[loader]} }} }}")
    shows(page, "About one")
    expect(page.locator("[data-comment-count]")).to_have_text("3")
    page.evaluate("go('/two')")
    shows(page, "About two")
    expect(page.locator("[data-comment-count]")).to_have_text("3")
    if loader == "Turbo":
        page.go_back()
        shows(page, "About one")


def test_a_page_that_begins_without_a_thread_gets_one_later(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service, thread="<main></main>")
    page.goto(blog.url())
    page.evaluate(f"document.querySelector('main').innerHTML = '{PLACE}'")
    shows(page, "First!")


def test_articles_that_are_added_while_one_scrolls_have_threads_and_counts(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "About one", path="/one")
    write(service, blog, "About two", "More about two", path="/two")
    blog.pages["/"] = article(service, thread='<div id="comments" data-url="/one"></div>')
    counts: list[str] = []
    page.on("request", lambda request: counts.append(request.url) if "/counts" in request.url else None)
    page.goto(blog.url())
    expect(frame(page).locator(".comment .text")).to_have_text(["About one"])
    page.evaluate(
        """document.body.insertAdjacentHTML("beforeend",
            '<article><span data-comment-count="/one">?</span><span data-comment-count="/two">?</span>'
            + '<div id="comments" data-url="/two"></div></article>')"""
    )
    expect(page.locator("[data-comment-count]")).to_have_text(["1", "2"])
    page.locator("article").scroll_into_view_if_needed()
    expect(frame(page, 1).locator(".comment .text")).to_have_text(["About two", "More about two"])
    expect(frame(page, 0).locator(".comment .text")).to_have_text(["About one"])
    assert len(counts) == 1


def test_a_count_that_a_framework_gives_another_article_is_asked_for_again(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "One", path="/one")
    write(service, blog, "One", "Two", path="/two")
    blog.pages["/"] = article(service, thread="", before='<span data-comment-count="/one">?</span>')
    page.goto(blog.url())
    expect(page.locator("span")).to_have_text("1")
    page.evaluate("document.querySelector('span').dataset.commentCount = '/two'")
    expect(page.locator("span")).to_have_text("2")


def test_refreshing_asks_for_the_counts_again(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service, thread="", before='<span data-comment-count="/one">?</span>')
    page.goto(blog.url())
    expect(page.locator("span")).to_have_text("0")
    with page.expect_request("**/counts?*"):
        page.evaluate("commentsvc.refresh()")


def test_refreshing_before_anything_is_loaded_is_harmless(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First!")
    early = "<script>window.commentsvc?.refresh()</script>"
    blog.pages["/"] = article(service, head=early)
    page.goto(blog.url())
    shows(page, "First!")
    page.evaluate("window.commentsvc?.refresh()")
    shows(page, "First!")


def test_an_element_can_be_told_to_look_again(page: Page, service: Service, blog: Blog) -> None:
    """Where the browser has no Navigation API, and the page changes nothing that is seen."""
    page.add_init_script("delete window.navigation; delete Window.prototype.navigation;")
    write(service, blog, "About one", path="/one")
    write(service, blog, "About two", path="/two")
    blog.pages["/one"] = article(service, thread=ELEMENT)
    page.goto(blog.url("/one"))
    shows(page, "About one")
    inside(page)
    page.evaluate("history.pushState(null, '', '/two'); document.querySelector('comment-thread').refresh()")
    shows(page, "About two")


def test_a_place_that_a_framework_gives_another_article_follows(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "About one", path="/one")
    write(service, blog, "About two", path="/two")
    blog.pages["/"] = article(service, thread='<div id="comments" data-url="/one"></div>')
    page.goto(blog.url())
    shows(page, "About one")
    page.evaluate("document.querySelector('#comments').dataset.url = '/two'")
    shows(page, "About two")


def test_the_script_given_twice_is_harmless(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service, after=f'<script src="{service.url}/embed.js"></script>')
    page.goto(blog.url())
    shows(page, "First!")


# --- Frameworks that compare the page with what they rendered.

# What hydration does: it compares the elements, their attributes and texts with what it would render, and where
# they differ throws all of it away and renders anew.
HYDRATE = """() => {
  const root = document.querySelector("#root");
  if (root.outerHTML === window.rendered) return "kept";
  root.outerHTML = window.rendered;
  return "thrown away";
}"""
FALLBACK = '<noscript><a href="https://comments.example/thread">Comments</a></noscript><p>Built in</p>'


@pytest.mark.parametrize(
    "place",
    [f'<div id="comments">{FALLBACK}</div>', f"<comment-thread>{FALLBACK}</comment-thread>"],
    ids=["div", "element"],
)
def test_the_pages_own_markup_is_never_touched(page: Page, service: Service, blog: Blog, place: str) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(
        service,
        thread=f'<div id="root">{place}</div>',
        after="<script>window.rendered = document.querySelector('#root').outerHTML</script>",
    )
    page.goto(blog.url())
    shows(page, "First!")
    inside(page)
    assert page.evaluate(HYDRATE) == "kept"
    expect(page.get_by_text("Built in")).to_be_hidden()
    shows(page, "First!")


@both_places
def test_a_place_that_a_framework_renders_anew_has_its_thread_again(
    page: Page, service: Service, blog: Blog, place: str
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service, thread=f'<div id="root">{place}</div>')
    page.goto(blog.url())
    shows(page, "First!")
    page.evaluate(f"document.querySelector('#root').innerHTML = '{place}'")
    shows(page, "First!")
    page.evaluate("document.querySelector('#root').replaceChildren()")
    expect(page.locator("iframe")).to_have_count(0)
    page.evaluate(f"document.querySelector('#root').innerHTML = '{place}'")
    shows(page, "First!")


def test_what_the_page_wrote_into_the_place_is_shown_where_no_thread_can_be(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    blog.pages["/"] = article(service, thread='<div id="comments"><p>Built in</p></div>')
    page.clock.install()
    page.route(f"{service.url}/embed?*", lambda route: route.abort())
    page.goto(blog.url())
    page.locator("iframe").wait_for()
    expect(page.get_by_text("Built in")).to_be_hidden()
    page.clock.fast_forward(25_000)
    expect(page.get_by_text("The comments cannot be shown right now.")).to_be_visible()
    expect(page.get_by_text("Built in")).to_be_visible()
    complaints.clear()


@both_places
def test_rules_for_the_element_give_the_thread_its_look(
    page: Page, service: Service, blog: Blog, place: str
) -> None:
    rules = "comment-thread { --comments-accent: #b3431e; color: #303030 } comment-thread a { color: red }"
    part = "::part(frame) { border-bottom: 3px solid blue }"
    blog.pages["/"] = article(service, thread=place, head=f"<style>{rules} {part}</style>")
    page.goto(blog.url())
    root = inside(page).locator("html")
    expect(root).to_have_css("--accent", "#b3431e")
    expect(root).to_have_css("--text", "rgb(48, 48, 48)")
    expect(page.locator("iframe")).to_have_css("border-bottom-width", "3px")


def test_a_hidden_element_stays_hidden(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service, thread="<comment-thread hidden></comment-thread>")
    page.goto(blog.url(), wait_until="networkidle")
    expect(page.locator("comment-thread")).to_be_hidden()
    expect(page.locator("iframe")).to_have_count(0)


# --- Other ways to load the script.


def loaded(service: Service, way: str, text: str) -> str:
    """Return an article that brings the script in another way than by a script tag with its address."""
    url = f"{service.url}/embed.js"
    ways = {
        "import": f'<script type="module">await import("{url}")</script>',
        "module": f'<script type="module" src="{url}"></script>',
        "module with a name of its own": '<script type="module" src="/assets/embed.4f2a.js?v=3"></script>',
        "inlined": f"<script>{text}</script>",
        "inlined module": f'<script type="module">{text}</script>',
        "inserted": f"""<script>fetch("{url}").then((answer) => answer.text()).then((text) => {{
            const script = document.createElement("script");
            script.textContent = text;
            document.head.append(script);
        }})</script>""",
        "evaluated": f'<script>fetch("{url}").then((answer) => answer.text()).then(eval)</script>',
        "added by a script": f"""<script>document.head.append(Object.assign(document.createElement("script"),
            {{ src: "{url}?cache=no" }}))</script>""",
        "under another name": '<script defer src="/assets/embed.4f2a.js?v=3"></script>',
    }
    return f"<!doctype html><title>An article</title>{PLACE}{COUNTED}{ways[way]}"


WAYS = [
    "import",
    "module",
    "module with a name of its own",
    "inlined",
    "inlined module",
    "inserted",
    "evaluated",
    "added by a script",
    "under another name",
]


@pytest.mark.parametrize("way", WAYS)
def test_the_script_knows_its_service_however_it_is_loaded(
    page: Page, service: Service, blog: Blog, way: str
) -> None:
    write(service, blog, "First!")
    write(service, blog, "About two", path="/two")
    text = service.app.test_client().get("/embed.js", base_url=service.url).text
    blog.pages["/"] = loaded(service, way, text)
    page.route("**/assets/*", lambda route: route.fulfill(content_type="text/javascript", body=text))
    page.goto(blog.url())
    shows(page, "First!")
    expect(page.locator("[data-comment-count]")).to_have_text("1")


@pytest.mark.parametrize("way", ["inlined", "inlined module"])
def test_a_copy_that_knows_no_service_says_so_in_one_sentence(
    page: Page, service: Service, blog: Blog, complaints: list[str], way: str
) -> None:
    blog.pages["/"] = loaded(service, way, (FOLDER / "embed.js").read_text())
    page.goto(blog.url(), wait_until="networkidle")
    (complaint,) = complaints
    assert "does not know its service" in complaint
    assert "data-service" in complaint
    complaints.clear()


def test_a_copy_can_be_told_its_service(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First!")
    text = (FOLDER / "embed.js").read_text()
    blog.pages["/"] = f'<!doctype html>{PLACE}<script data-service="{service.url}">{text}</script>'
    page.goto(blog.url())
    shows(page, "First!")
