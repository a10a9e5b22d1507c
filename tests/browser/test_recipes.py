"""docs/recipes.md: each page there shows the thread of its article, with the template filled in by hand."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support import documents
from tests.support.browser import Blog, Service
from tests.support.documents import Block
from tests.support.frame_pages import frame, write

PAGE = documents.ROOT / "docs" / "recipes.md"
ARTICLE = "/article/"
PREVIEW = "/preview/"
MARKUP = [one for one in documents.blocks(PAGE) if "embed.js" in one.text]
ADDRESSES = (
    "{{ .Permalink }}",
    "{{ page.url | absolute_url }}",
    "https://blog.example{{ page.url }}",
    "{url}",
    '{{url absolute="true"}}',
    "<?php echo esc_url( get_permalink() ); ?>",
    f"https://blog.example{ARTICLE}",
)
"""What a generator replaces by the article's address."""
OF_TEMPLATES = re.compile(
    r"\{\{ (?:if|end).*?\}\}|\{%.*?%\}|\{\{[#/]post\}\}|^---\n.*?^---\n| is:inline", re.M | re.S
)


def filled_in(block: Block, service: Service, blog: Blog) -> str:
    """Return the HTML that a generator makes of a recipe."""
    html = block.text.replace("https://comments.example", service.url)
    for address in ADDRESSES:
        html = html.replace(address, blog.url(ARTICLE))
    html = OF_TEMPLATES.sub("", html)
    assert not re.search(r"[{}]|<\?", html), html
    return f"<!doctype html><title>An article</title>{html}"


def test_there_is_a_recipe_for_each() -> None:
    headings = [block.heading for block in MARKUP]
    generators = ["Plain HTML", "Hugo", "Jekyll", "Eleventy", "Astro", "Ghost", "WordPress"]
    assert headings == [*generators, "A single-page app", "How many comments an article has"]


@pytest.mark.parametrize("block", MARKUP[:-1], ids=lambda block: block.heading)
def test_its_page_shows_the_thread(page: Page, service: Service, blog: Blog, block: Block) -> None:
    write(service, blog, "Here", path=ARTICLE)
    path = ARTICLE if block.heading == "Plain HTML" else PREVIEW
    blog.pages[path] = filled_in(block, service, blog)
    page.goto(blog.url(path))
    expect(frame(page).get_by_text("Here", exact=True)).to_be_visible()


def test_the_list_shows_the_number(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "One", "Two", path=ARTICLE)
    blog.pages["/"] = filled_in(MARKUP[-1], service, blog)
    page.goto(blog.url())
    expect(page.get_by_role("link", name="2 comments")).to_be_visible()
