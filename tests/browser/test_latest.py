"""The list of the latest comments beside an article, in a real browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.accessibility import serious_violations
from tests.support.browser import Blog, Service
from tests.support.frame_pages import write

FRAME = "latest-comments > iframe"


def test_it_fits_takes_the_look_of_the_page_and_leads_to_comments(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "First", "Second", path="/article")
    blog.pages["/article"] = "<!doctype html><title>An article</title>"
    blog.pages["/"] = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Home</title>
<style nonce="page">body {{ color: rgb(250, 240, 230); background: #222; --comments-accent: rgb(120, 200, 255) }}
aside {{ width: 240px }}</style><main><h1>Home</h1></main>
<aside><latest-comments number="1"><a href="{service.url}/latest">All</a></latest-comments></aside>
<script src="{service.url}/latest.js" async></script>"""
    policy = f"default-src 'none'; script-src {service.url}; frame-src {service.url}; style-src 'nonce-page'"
    blog.headers["Content-Security-Policy"] = f"{policy}; require-trusted-types-for 'script'"
    page.goto(blog.url())
    expect(page.locator(FRAME).content_frame.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("link", name="All")).to_be_hidden()
    frame = page.locator(FRAME).element_handle().content_frame()
    assert frame is not None
    fits = "() => innerHeight >= document.body.offsetHeight && innerHeight < document.body.offsetHeight + 2"
    frame.wait_for_function(fits)
    colours = "() => [document.body, document.links[0]].map((element) => getComputedStyle(element).color)"
    assert frame.evaluate(colours) == ["rgb(250, 240, 230)", "rgb(120, 200, 255)"]
    assert frame.evaluate("() => document.documentElement.dataset.theme") == "dark"
    page.evaluate("() => document.querySelector('latest-comments').setAttribute('number', '2')")
    expect(page.locator(FRAME).content_frame.get_by_role("listitem")).to_have_count(2)
    page.evaluate(f"() => document.querySelector('{FRAME.split()[0]}').setAttribute('theme', 'light')")
    expect(page.locator(FRAME).content_frame.locator("html[data-theme=light]")).to_be_attached()
    page.locator(FRAME).content_frame.get_by_role("link").first.click()
    page.wait_for_url(f"{blog.url('/article')}#comment-*")
    page.goto(f"{service.url}/latest?origin={blog.origin}")
    expect(page.get_by_role("listitem")).to_have_count(2)
    assert serious_violations(page.main_frame) == []
