"""docs/recipes.md and docs/recipes/: each page shows the thread of its article, with its template filled in by hand."""

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
NAMES = ("plain", "hugo", "jekyll", "eleventy", "astro", "ghost", "mkdocs", "pelican")
"""Those whose thread is a block of HTML; `make recipes` tries the others, with their generators."""
BLOCKS = {
    name: next(
        one for one in documents.blocks(PAGE.parent / "recipes" / f"{name}.md") if "embed.js" in one.text
    )
    for name in NAMES
}
OF_INDEX = {block.heading: block for block in documents.blocks(PAGE) if "embed.js" in block.text}
APP, NUMBER = "A single-page app", "How many comments an article has"
ADDRESSES = (
    '"{{ .Permalink }}"',
    '"{{ url }}"',
    "{url}",
    '"{{ page.canonical_url }}"',
    '"{{url absolute="true"}}"',
    f'"https://blog.example{ARTICLE}"',
)
"""What a generator replaces by the article's address."""
OF_TEMPLATES = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|^---\n.*?^---\n| is:inline| set:html=\{comments\}", re.M | re.S
)


def filled_in(block: Block, service: Service, blog: Blog) -> str:
    """Return the HTML that a generator makes of a recipe."""
    html = block.text.replace("https://comments.example", service.url)
    for address in ADDRESSES:
        html = html.replace(address, f'"{blog.url(ARTICLE)}"')
    html = OF_TEMPLATES.sub("", html)
    assert not re.search(r"[{}]|<\?", html), html
    return f"<!doctype html><title>An article</title>{html}"


def test_each_recipe_says_whether_it_was_tried() -> None:
    for page in (PAGE.parent / "recipes").glob("*.md"):
        _, _, tried = page.read_text().partition("\n## Tried\n")
        assert re.search(r"\d{4}|[Nn]ot tried", tried), page.name
        assert f"(recipes/{page.name})" in PAGE.read_text(), page.name


@pytest.mark.parametrize("name", [*NAMES, APP])
def test_its_page_shows_the_thread(page: Page, service: Service, blog: Blog, name: str) -> None:
    write(service, blog, "Here", path=ARTICLE)
    path = ARTICLE if name == "plain" else PREVIEW
    blog.pages[path] = filled_in(BLOCKS.get(name) or OF_INDEX[name], service, blog)
    page.goto(blog.url(path))
    expect(frame(page).get_by_text("Here", exact=True)).to_be_visible()


def test_the_list_shows_the_number(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "One", "Two", path=ARTICLE)
    blog.pages["/"] = filled_in(OF_INDEX[NUMBER], service, blog)
    page.goto(blog.url())
    expect(page.get_by_role("link", name="2 comments")).to_be_visible()
