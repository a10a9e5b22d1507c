"""The recipes of the generators: each builds a tiny site, which is opened in a browser with a real service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.models import Policy
from tests.recipes import programs, tiny_sites
from tests.support import processes
from tests.support.browser import Blog, Service
from tests.support.frame_pages import frame, write

GENERATORS = ("hugo", "eleventy", "astro", "jekyll", "mkdocs", "sphinx", "pelican", "next", "docusaurus")
STAYS = {"astro", "mkdocs", "next", "docusaurus"}
"""Those whose links change the page without loading it anew."""
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
"""
MOST_SHIFT = 0.02


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Website:
    """The built files of a site, served at the blog's origin."""

    folder: Path
    blog: Blog


@pytest.fixture
def website(tmp_path: Path, service: Service) -> Iterator[Website]:
    folder = tmp_path / "built"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder)))
    with service.writing() as session:
        site = sites.add(
            session,
            "Blog",
            [f"http://localhost:{server.server_port}"],
            owner_id=accounts.operator(session).id,
        )
        site.policy = Policy.OPEN
        session.commit()
        blog = Blog(server.server_port, site.id)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield Website(folder, blog)
    server.shutdown()
    thread.join()
    server.server_close()


def build(name: str, website: Website, service_url: str) -> str:
    """Build the tiny site, which must succeed; return what the first article's page contains."""
    source = programs.workplace(name)
    tiny_sites.fill_in(name, source, service=service_url, blog=website.blog.origin)
    code, output = programs.build(name, source, website.folder)
    assert code == 0, output
    page = website.folder / "one" / "index.html"
    return (page if page.exists() else website.folder / "one.html").read_text()


@pytest.mark.parametrize("name", GENERATORS)
def test_a_site_has_its_threads(name: str, page: Page, service: Service, website: Website) -> None:
    blog = website.blog
    write(service, blog, "First of one", "Second of one", path="/one/")
    *_, last = write(
        service, blog, *(f"Number {number} of two" for number in range(12)), "Last of two", path="/two/"
    )
    built = build(name, website, service.url)
    assert "First of one" in built
    assert "Last of two" not in built
    page.add_init_script(SHIFTS)
    page.goto(blog.url("/one/"))
    page.evaluate("window.stayed = true")
    expect(frame(page).get_by_text("First of one", exact=True)).to_be_visible()
    expect(page.locator(".commentsvc")).to_be_hidden()
    expect(page.locator("iframe")).to_have_css("opacity", "1")
    assert sum(page.evaluate("shifts")) <= MOST_SHIFT
    page.get_by_role("link", name="The other").click()
    expect(frame(page).get_by_text("Last of two", exact=True)).to_be_visible()
    expect(page.locator("iframe")).to_have_count(1)
    assert page.evaluate("window.stayed === true") == (name in STAYS)
    page.evaluate(f"location.hash = '#comment-{last}'")
    expect(frame(page).locator(f"#comment-{last}")).to_be_in_viewport()
    page.goto(blog.url("/count/" if name == "docusaurus" else "/"))
    expect(page.get_by_role("link", name="2 comments").first).to_be_visible()


@pytest.mark.parametrize("name", GENERATORS)
def test_a_build_succeeds_while_the_service_is_down(name: str, website: Website) -> None:
    built = build(name, website, f"http://127.0.0.1:{processes.free_port()}")
    assert 'id="comments"' in built or "id=comments" in built
