"""Every hostile string of the corpus, stored and then shown in a real Chromium: nothing may run, load or leave."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Frame, Page, expect

from commentsvc.domain import fields
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions
from commentsvc.domain.threads import threads
from commentsvc.errors import InvalidFieldsError
from commentsvc.integrations.rate_limits import Limiter
from commentsvc.models import Comment, Status
from commentsvc.text import markup
from commentsvc.web.context import services_of
from tests.support.attacks import ATTACKS, Attack
from tests.support.browser import Blog, Service
from tests.support.comment_builders import post_comment
from tests.support.frame_pages import article, inside, stored, write

TOGETHER = 100
"""Comments in one thread: half of them come with the page, half with "Show more comments"."""

COUNTER = "#reply .left"
"""What the form's script adds last, an element of a kind that no comment has."""

WATCH = """
window.proofs = [];
for (const name of ["alert", "confirm", "prompt", "print", "open"]) window[name] = () => { proofs.push(name); };
Object.defineProperty(window, "pwned", {
  get: () => () => { proofs.push("pwned()"); },
  set: () => { proofs.push("pwned"); },
});
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  proofs.push(`${violatedDirective} ${blockedURI}`);
}, true);
"""
INSPECT = """(known) => {
  const faults = [...proofs];
  const tags = new Set(known.tags), attributes = new Map(Object.entries(known.attributes));
  for (const element of document.querySelectorAll("*")) {
    const written = element.closest(".comment .text, #preview") && !element.matches(".text");
    const tag = element.localName;
    const names = [...element.attributes].map((attribute) => attribute.name);
    const allowed = written ? attributes.get(tag) ?? [] : known.page;
    if (!(written ? tags.has(tag) : known.elements.includes(tag))) faults.push(`<${tag}>`);
    for (const name of names) {
      if (!allowed.includes(name) || name.startsWith("on")) faults.push(`<${tag} ${name}>`);
      if (written && name === "class" && !/^(hl-[a-z0-9]{1,4}|language-[a-z0-9+#-]{1,30})$/.test(element.className))
        faults.push(`class ${element.className}`);
    }
    if (element.matches("a, area") && !["http:", "https:", "mailto:"].includes(element.protocol))
      faults.push(`href ${element.getAttribute("href")}`);
    if (written && tag === "a" && (element.rel !== known.rel || element.target !== "_blank"))
      faults.push(`a link without manners: ${element.outerHTML}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  if (new Set(ids).size !== ids.length) faults.push(`an id twice: ${ids}`);
  return faults;
}"""
SHAPE = """() => {
  const all = [...document.querySelectorAll("*")];
  const names = all.flatMap((element) => [...element.attributes].map((attribute) => attribute.name));
  return { elements: [...new Set(all.map((element) => element.localName))], page: [...new Set(names)] };
}"""
CLICK = """() => {
  navigation.addEventListener("navigate", (event) => event.cancelable && event.preventDefault());
  const links = [...document.querySelectorAll(".text a, a.name")].filter((link) => link.protocol !== "mailto:");
  for (const link of links) {
    link.target = "_self";
    for (const type of ["pointerenter", "mouseover", "focus", "mousedown", "auxclick"])
      link.dispatchEvent(new MouseEvent(type, { bubbles: true }));
    link.click();
  }
  return links.length;
}"""


@cache
def attack_drafts() -> tuple[tuple[Attack, comment_text.CommentText], ...]:
    """The corpus as comments, of those strings that are any."""
    results = []
    for attack in ATTACKS:
        try:
            results.append((attack, comment_text.from_source(attack.text, longest=100_000)))
        except InvalidFieldsError:
            continue
    assert len(results) > len(ATTACKS) * 0.9
    return tuple(results)


def accepted(check: Callable[[str], str], value: str, otherwise: str | None) -> str | None:
    """Return what the validator makes of a string, or `otherwise` where it refuses it."""
    try:
        return check(value)
    except InvalidFieldsError:
        return otherwise


def fill(service: Service, blog: Blog) -> list[str]:
    """Store the corpus, each string in every field that takes it; return the paths of the threads."""
    paths = []
    with service.writing() as session:
        for number, first in enumerate(range(0, len(attack_drafts()), TOGETHER)):
            some = attack_drafts()[first : first + TOGETHER]
            path = f"/article-{number}"
            address = threads.locate(session, url=blog.url(path))
            for at, (attack, draft) in enumerate(some):
                guest = Guest(
                    name=accepted(fields.name, attack.text, "Ada"),
                    email=accepted(fields.email, attack.text, f"{at}@good.example"),
                    website=accepted(fields.website, attack.text, None),
                )
                comment = post_comment(
                    session,
                    address,
                    draft,
                    Author(guest=guest),
                    at=datetime(2026, 1, 1, 12, at // 60, at % 60, tzinfo=UTC),
                    title=some[7][0].text,
                )
                if comment.status is not Status.APPROVED:  # as one whose name claims to be a moderator's
                    decisions.decide(session, comment, Status.APPROVED)
            paths.append(path)
            blog.pages[path] = article(service)
        session.commit()
    return paths


@dataclass
class Guard:
    """A browser that notes whatever a hostile string achieves."""

    context: BrowserContext
    homes: tuple[str, ...]
    seen: list[str] = field(default_factory=list)
    known: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(20_000)
        self.context.add_init_script(WATCH)
        self.context.on("request", self._request)
        self.context.on("dialog", lambda dialog: self.seen.append(f"dialog {dialog.message}"))
        self.context.on("weberror", lambda error: self.seen.append(str(error.error)))
        self.context.on("console", self._console)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(self.homes):
            self.seen.append(f"request {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.location.get("url", "").endswith("/favicon.ico"):
            self.seen.append(message.text)

    def learn(self, frame: Frame) -> None:
        """Take a harmless page's elements and attributes for the only ones there are."""
        shape = frame.evaluate(SHAPE)
        self.known = {
            **shape,
            "tags": sorted(markup.TAGS),
            "attributes": dict(markup.ATTRIBUTES),
            "rel": markup.REL,
        }

    def inspect(self, frame: Frame, *, links: bool = True) -> None:
        """Fail for anything found in a frame, or noted so far."""
        assert frame.evaluate(INSPECT, self.known) == []
        if links:
            frame.evaluate(CLICK)
            assert frame.evaluate("proofs") == []
        assert frame.page.evaluate("window.proofs ?? []") == []
        assert self.seen == []


@pytest.fixture
def guarded(
    chromium: Browser, service: Service, blog: Blog, request: pytest.FixtureRequest
) -> Iterator[Guard]:
    """A browser of a test's own; the test's parameter says whether it heeds Content-Security-Policy."""
    context = chromium.new_context(locale="en-GB", bypass_csp=not getattr(request, "param", True))
    guard = Guard(context, (service.url, blog.origin))
    yield guard
    context.close()


def harmless(service: Service, blog: Blog) -> None:
    """Store what shows every element and attribute that the page itself has."""
    every = ["A very long comment. " * 300, *(f"Comment {number}" for number in range(50))]
    ids = write(service, blog, *every, path="/harmless")
    replies = write(service, blog, *"1234567", path="/harmless", parent=ids[0])
    write(service, blog, "deeper", path="/harmless", parent=replies[0])
    with service.writing() as session:
        address = threads.locate(session, url=blog.url("/harmless"))
        guest = Guest(name="Ada", email="ada@good.example", website="https://good.example")
        draft = comment_text.from_source("Signed", longest=100)
        early = datetime(2026, 1, 1, tzinfo=UTC)
        post_comment(session, address, draft, Author(guest=guest), at=early)
        session.commit()
    blog.pages["/harmless"] = article(service)


def load_more(frame: Frame, count: int) -> None:
    if count > 50:
        frame.get_by_role("link", name="Show more comments").click()
    expect(frame.locator("#comments .comment")).to_have_count(count)


@pytest.mark.parametrize("guarded", [True, False], ids=["with policy", "policy bypassed"], indirect=True)
def test_no_stored_text_or_detail_does_anything_in_the_frame(
    guarded: Guard, service: Service, blog: Blog
) -> None:
    harmless(service, blog)
    paths = fill(service, blog)
    total = len(attack_drafts())
    page = guarded.context.new_page()
    page.goto(blog.url("/harmless"))
    inside(page).get_by_label("Your comment").focus()
    expect(inside(page).get_by_role("button", name="Post Comment")).to_be_visible()
    inside(page).wait_for_selector(COUNTER, state="attached")
    guarded.learn(inside(page))
    for number, path in enumerate(paths):
        page.goto(blog.url(path))
        thread = inside(page)
        load_more(thread, min(TOGETHER, total - number * TOGETHER))
        guarded.inspect(thread)


@pytest.mark.parametrize("guarded", [False], ids=["policy bypassed"], indirect=True)
def test_no_stored_text_detail_or_title_does_anything_on_the_threads_page(
    guarded: Guard, service: Service, blog: Blog
) -> None:
    """Newest first: what came with "Show more comments" in the frame comes with the page here."""
    harmless(service, blog)
    paths = fill(service, blog)
    total = len(attack_drafts())
    page = guarded.context.new_page()
    page.goto(f"{service.url}/thread?url={quote(blog.url('/harmless'))}")
    expect(page.locator("time").first).to_have_text(re.compile(r"^\d+ \w+ ago$"))
    page.get_by_label("Your comment").focus()
    expect(page.get_by_role("button", name="Post Comment")).to_be_visible()
    page.wait_for_selector(COUNTER, state="attached")
    guarded.learn(page.main_frame)
    for number, path in enumerate(paths):
        page.goto(f"{service.url}/thread?url={quote(blog.url(path))}&order=newest")
        load_more(page.main_frame, min(TOGETHER, total - number * TOGETHER))
        guarded.inspect(page.main_frame)


def test_a_bypassed_policy_is_none(chromium: Browser, service: Service, blog: Blog) -> None:
    """Else the tests that bypass it would prove less than they say."""
    write(service, blog, "One")
    blog.pages["/"] = article(service)
    run = """() => {
        document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = 1" }));
        return window.ran === 1;
    }"""
    for bypass in (True, False):
        context = chromium.new_context(bypass_csp=bypass)
        page = context.new_page()
        page.goto(blog.url())
        assert inside(page).evaluate(run) is bypass
        context.close()


@pytest.mark.parametrize("guarded", [False], ids=["policy bypassed"], indirect=True)
def test_the_guard_sees_what_a_hole_would_let_through(guarded: Guard, service: Service, blog: Blog) -> None:
    holes = {
        "<img src=x onerror=alert(1)>": "alert",
        "<img src=x onerror=window.pwned=1>": "pwned",
        "<svg onload=parent.pwned()></svg>": "<svg>",
        "<img src=https://evil.test/x>": "<img>",
        "<p style=color:red>x</p>": "<p style>",
        "<p id=text>x</p>": "an id twice",
        '<a href="javascript:prompt(1)">x</a>': "prompt",
    }
    ids = write(service, blog, *(f"Hole {number}" for number in range(len(holes))))
    with service.writing() as session:
        for comment_id, hole in zip(ids, holes, strict=True):
            session.get_one(Comment, comment_id).html = hole
        session.commit()
    page = guarded.context.new_page()
    blog.pages["/"] = article(service)
    blog.pages["/harmless"] = article(service)
    page.goto(blog.url("/harmless"))
    guarded.learn(inside(page))
    page.goto(blog.url())
    thread = inside(page)
    thread.evaluate(CLICK)
    thread.wait_for_function("() => proofs.includes('alert') && proofs.includes('pwned')")
    result = " ".join(thread.evaluate(INSPECT, guarded.known))
    assert [sign for sign in holes.values() if sign not in result] == []
    assert any("evil.test" in what for what in guarded.seen)


@pytest.mark.parametrize("guarded", [False], ids=["policy bypassed"], indirect=True)
def test_no_preview_does_anything(guarded: Guard, service: Service, blog: Blog) -> None:
    services_of(service.app).limiters["previews"] = Limiter("1000/minute")
    blog.pages["/"] = article(service)
    page = guarded.context.new_page()
    page.goto(blog.url())
    thread = inside(page)
    thread.get_by_label("Your comment").fill("Harmless")
    thread.get_by_role("tab", name="Preview").click()
    expect(thread.locator("#preview")).to_have_text("Harmless")
    guarded.learn(thread)
    texts = [attack.text for attack, _ in attack_drafts() if len(attack.text) <= 1_500]
    shown = thread.evaluate(
        f"""async ([texts, known]) => {{
            const inspect = {INSPECT};
            const text = document.getElementById("text"), preview = document.getElementById("preview");
            const tab = document.getElementById("preview-tab");
            const faults = [];
            let shown = 0;
            for (const one of texts) {{
                text.value = one;
                const changed = new Promise((done) => {{
                    new MutationObserver(done).observe(preview, {{ childList: true }});
                }});
                tab.click();
                await changed;
                shown += 1;
                const found = inspect(known);
                if (found.length) faults.push([one, found]);
            }}
            return {{ shown, faults }};
        }}""",
        [texts, guarded.known],
    )
    assert shown == {"shown": len(texts), "faults": []}
    assert guarded.seen == []
    assert stored(service) == []


def test_no_title_changes_the_page_it_stands_on(page: Page, service: Service, blog: Blog) -> None:
    """Chromium's own parser must find the same elements, whatever the title."""
    titles = ["Harmless", *sorted({title for attack in ATTACKS if (title := fields.title(attack.text))})]
    with service.writing() as session:
        for number, title in enumerate(titles):
            address = threads.locate(session, url=blog.url(f"/{number}"))
            threads.find_or_create(session, address, title=title, at=datetime.now(UTC))
        session.commit()
    client = service.app.test_client()
    urls = [blog.url(f"/{number}") for number in range(len(titles))]
    pages = [client.get("/thread", query_string={"url": url}).text for url in urls]
    result = page.evaluate(
        """(pages) => {
            const parse = (html) => new DOMParser().parseFromString(html, "text/html");
            const outline = (element) => [element.localName, ...element.getAttributeNames()].join(" ");
            const shape = (html) => [...parse(html).querySelectorAll("*")].map(outline).join("\\n");
            const harmless = shape(pages[0]);
            return pages.filter((html) => shape(html) !== harmless);
        }""",
        pages,
    )
    assert result == []
