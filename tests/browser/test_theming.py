"""docs/theming.md: its style sheets, read out of the page and used by a host page, do what it says."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.support import documents
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, fits, frame, inside, write

PAGE = documents.ROOT / "docs" / "theming.md"


def sheet(heading: str) -> str:
    """Return the style sheet under a heading of the page."""
    (block,) = [one for one in documents.blocks(PAGE) if one.heading == heading and one.language == "css"]
    return f"<style>{block.text}</style>"


def test_the_properties_set_what_the_page_says(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "See https://good.example/")
    blog.pages["/"] = article(service, head=sheet("Colours, font and corners"))
    page.goto(blog.url())
    thread = inside(page)
    expect(thread.locator(".comment .text a")).to_have_css("color", "rgb(179, 67, 30)")
    expect(thread.locator("body")).to_have_css("color", "rgb(34, 34, 34)")
    expect(thread.locator("body")).to_have_css("font-family", "Georgia, serif")
    expect(thread.get_by_label("Your comment")).to_have_css("border-end-end-radius", "4px")
    expect(thread.locator("body")).to_have_css("font-size", "15px")


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        ("rgb(1 2 3)", "rgb(1, 2, 3)"),
        ("hsl(120 100% 25%)", "rgb(0, 128, 0)"),
        ("oklch(0.5 0.1 30)", "oklch(0.5 0.1 30)"),
        ("color-mix(in srgb, red, blue)", "color(srgb 0.5 0 0.5)"),
        ("light-dark(#123456, white)", "rgb(18, 52, 86)"),
        ("var(--brand)", "rgb(179, 67, 30)"),
    ],
)
def test_an_accent_may_be_any_colour_of_css(
    page: Page, service: Service, blog: Blog, value: str, colour: str
) -> None:
    write(service, blog, "See https://good.example/")
    blog.pages["/"] = article(service, style=f"--brand: #b3431e; --comments-accent: {value}")
    page.goto(blog.url())
    expect(inside(page).locator(".comment .text a")).to_have_css("color", colour)


def test_a_length_may_be_calculated(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service, style="--comments-radius: calc(2px + 1px)")
    page.goto(blog.url())
    expect(inside(page).get_by_label("Your comment")).to_have_css("border-end-end-radius", "3px")


def test_a_dark_page_may_have_another_accent(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "See https://good.example/")
    blog.pages["/"] = article(service, head=sheet("Light and dark"))
    page.goto(blog.url())
    link = inside(page).locator(".comment .text a")
    expect(inside(page).locator("html")).to_have_attribute("data-theme", "light")
    page.evaluate("document.body.classList.add('dark')")
    expect(inside(page).locator("html")).to_have_attribute("data-theme", "dark")
    expect(link).to_have_css("color", "rgb(255, 176, 143)")


def test_the_thread_names_the_pages_font_and_loads_none(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    write(service, blog, "First")
    face = '<style>@font-face { font-family: "Varela Round"; src: url(/varela.woff2) }</style>'
    blog.pages["/"] = article(service, head=face + sheet("Fonts"), style="font-size: 24px")
    fonts: list[Request] = []
    page.on("request", lambda request: fonts.append(request) if request.resource_type == "font" else None)
    page.goto(blog.url())
    thread = inside(page)
    expect(thread.locator("body")).to_have_css("font-family", '"Varela Round", Verdana, sans-serif')
    expect(thread.locator("body")).to_have_css("font-size", "22px")  # the page's 24 are more than the most
    expect(thread.locator("body")).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    assert thread.evaluate("document.fonts.size") == 0
    assert [request.frame for request in fonts] == [page.main_frame]
    complaints.clear()  # there is no such file


@pytest.mark.parametrize(
    "place",
    ['<div id="comments" data-load="click"></div>', '<comment-thread load="click"></comment-thread>'],
    ids=["div", "element"],
)
def test_both_parts_have_the_style_of_the_page(page: Page, service: Service, blog: Blog, place: str) -> None:
    blog.pages["/"] = article(service, thread=place, head=sheet("The frame and the button"))
    page.goto(blog.url())
    button = page.get_by_role("button", name="Show comments")
    expect(button.locator("..")).to_have_css("text-align", "center")
    button.click()
    frame(page).get_by_label("Your comment").wait_for()
    expect(page.locator("iframe")).to_have_css("border-top", "1px solid rgb(192, 192, 192)")


def test_a_look_is_there_before_anything_is_seen_and_changes_with_its_attribute(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    (first,) = write(service, blog, "First")
    write(service, blog, "A reply", parent=first)
    write(service, blog, "To the reply", parent=first + 1)
    sheets: list[Route] = []
    page.route("**/looks.css", lambda route: sheets.append(route))
    blog.pages["/"] = article(service, head=sheet("A second look"))
    page.goto(blog.url())
    conversation = inside(page).locator(".conversation")
    expect(conversation).to_have_css("border-top-width", "0px")
    assert sheets == []  # nobody asked for a look

    blog.pages["/"] = article(
        service, head=sheet("A second look"), thread='<div id="comments" data-look="cards"></div>'
    )
    with page.expect_request("**/looks.css"):
        page.goto(blog.url(), wait_until="commit")
    (embedded,) = page.frames[1:]
    assert "look" not in embedded.url.partition("#")[0]  # as for any other look, so one page is cached
    assert embedded.locator("body").is_hidden()
    (asked,) = sheets
    asked.continue_()
    conversation = inside(page).locator(".conversation")
    expect(conversation).to_have_css("border-top-width", "1px")
    expect(conversation).to_have_css("background-color", "rgb(255, 250, 240)")
    fits(inside(page))

    host, avatar, deep = (
        page.locator("#comments"),
        conversation.locator(".avatar").first,
        conversation.locator(".indent-2"),
    )
    indented = deep.evaluate("(reply) => parseFloat(getComputedStyle(reply).paddingInlineStart)")
    for words, border, has_avatars in (
        ("no-avatars", "0px", False),
        ("cards no-initials", "1px", False),
        ("", "0px", True),
    ):
        host.evaluate("(host, words) => { host.dataset.look = words; }", words)
        expect(conversation).to_have_css("border-top-width", border)
        expect(avatar).to_be_visible(visible=has_avatars)
    host.evaluate("(host) => { host.dataset.look = 'no-indents'; }")
    expect(deep).not_to_have_css("padding-inline-start", f"{indented}px")
    assert len(sheets) == 1

    # Where the sheet does not come, the plain look stays.
    page.route("**/looks.css", lambda route: route.abort())
    page.goto(blog.url())
    expect(inside(page).locator(".conversation")).to_be_visible()
    complaints.clear()
