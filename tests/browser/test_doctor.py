"""`?commentsvc-doctor` on a page: a panel that says what is right and what is wrong, and what to do about it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, frame, write

ASKED = "/?commentsvc-doctor"


def panel(page: Page) -> Locator:
    """Return the panel, once it has its result."""
    shown = page.locator("section[aria-label^='Why this page']")
    expect(shown.get_by_role("listitem").first).to_be_visible()
    return shown


def faults(shown: Locator) -> list[str]:
    """Return the titles of what is wrong."""
    return shown.locator("li:has([aria-label=Wrong]) b").all_text_contents()


def test_a_page_where_all_is_well_is_told_so(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "One")
    canonical = f'<link rel="canonical" href="{blog.url()}">'
    blog.pages["/"] = article(service, head=canonical)
    page.goto(blog.url(ASKED))
    shown = panel(page)
    assert faults(shown) == []
    expect(shown.get_by_role("status")).to_have_text("Nothing is wrong with this page.")
    expect(shown).to_contain_text("This address is registered")
    expect(shown).to_contain_text(f"The thread is that of {blog.url()}")
    expect(frame(page).locator("#comments .comment")).to_have_count(
        1
    )  # the parameter tells no articles apart
    shown.get_by_role("button", name="Close").click()
    expect(shown).to_have_count(0)
    with page.expect_response(lambda answer: "/embed?" in answer.url):
        page.goto(blog.url())
    expect(page.locator("section")).to_have_count(0)
    loaded = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert [name for name in loaded if "doctor" in name] == []


def test_an_address_that_is_not_registered_is_compared_with_those_that_are(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    blog.pages["/"] = article(service)
    origin = f"http://www.blog.test:{blog.port}"
    page.goto(f"{origin}{ASKED}")
    shown = panel(page)
    assert faults(shown) == ["This address is not registered"]
    expect(shown).to_contain_text(f"Registered is http://blog.test:{blog.port}: this page has www.")
    link = shown.get_by_role("link", name="Add it in the admin view")
    expect(link).to_have_attribute("href", f"{service.url}/admin/origins?origin={origin}")
    complaints.clear()  # the frame's own 404


def test_what_the_page_itself_does_wrong_is_named_with_the_lines_to_add(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    again = f'<script src="{service.url}/embed.js?again" async></script><p id="comments">'
    head = f'<link rel="canonical" href="{blog.url()}">'
    blog.pages["/deep/article"] = article(service, head=head, after=again)
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {service.url}; connect-src 'self'"
    blog.headers["Content-Security-Policy"] = policy
    page.goto(blog.url(f"/deep/article{ASKED[1:]}"))
    shown = panel(page)
    assert set(faults(shown)) == {
        "The script is there more than once",
        "Several elements have the id comments",
        "The canonical link leads to the front page",
        "The page's Content Security Policy refuses us",
        "The frame is refused by the page",
    }
    expect(shown).to_contain_text(f"frame-src {service.url};")
    expect(shown).to_contain_text(f"connect-src {service.url};")
    complaints.clear()  # what the policy refused
