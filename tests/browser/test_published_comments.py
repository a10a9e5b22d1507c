"""Comments that the host page has without the service: built into it, or published beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.typing import ResponseReturnValue
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import db
from commentsvc.web import static_files
from tests.conftest import dispose, environment
from tests.support import processes
from tests.support.browser import Blog, Service
from tests.support.frame_pages import LONG_READ, article, frame, inside, write

SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
"""
NOTE = "This is a saved copy. The comments cannot be answered right now."


def fragment(service: Service, blog: Blog) -> str:
    answer = service.app.test_client().get(
        "/fragment", query_string={"url": blog.url()}, base_url=service.url
    )
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("tag", ['<comment-thread id="place">', '<div id="comments">'])
def test_comments_in_the_page_stay_until_the_frame_takes_their_place(
    page: Page, service: Service, blog: Blog, tag: str
) -> None:
    first, *_, last = write(service, blog, *(f"Comment {number}, which is built in" for number in range(12)))
    place = f"{tag}{fragment(service, blog)}</{tag.split()[0].strip('<>')}>"
    page.add_init_script(SHIFTS)
    blog.pages["/"] = article(service, thread=place, before=LONG_READ, after="<footer>The end</footer>")
    show, may_answer = service.app.view_functions["thread.frame"], threading.Event()

    def answer_when_allowed() -> ResponseReturnValue:
        assert may_answer.wait(60)
        return service.app.ensure_sync(show)()

    service.app.view_functions["thread.frame"] = answer_when_allowed
    page.goto(f"{blog.url()}#comment-c{last}", wait_until="commit")
    page.wait_for_function("document.querySelector('div#comments, comment-thread')?.shadowRoot")
    built = page.locator(f"#comment-c{last}")
    # Readers, and links, reach them although the frame has not come.
    expect(built).to_be_in_viewport()
    may_answer.set()
    expect(built).to_be_hidden()
    expect(frame(page).locator(f"#comment-{last}")).to_be_in_viewport()
    expect(page.locator("iframe")).to_have_css("opacity", "1")
    assert inside(page).locator(f"#comment-{first}").count() == 1
    assert sum(page.evaluate("shifts")) <= 0.02


@contextmanager
def answering(app: Flask, port: int) -> Iterator[None]:
    """The service on a port on which nothing listens before and after."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_saved_copy_stands_in_while_the_service_is_down(
    page: Page, service: Service, blog: Blog, tmp_path: Path, complaints: list[str]
) -> None:
    (first,) = write(service, blog, "First, with a [link](https://good.example/)")
    port = processes.free_port()
    url = f"http://127.0.0.1:{port}"
    with service.app.app_context():
        database = db.engine.url.render_as_string(hide_password=False)
    variables = environment(tmp_path / "again", COMMENTSVC_DATABASE_URL=database, COMMENTSVC_BASE_URL=url)
    hostile = (
        "<script>top.pwned = 1; parent.document.title = 'pwned'</script><img src=x onerror='top.pwned = 1'>"
    )
    blog.pages["/comments/saved.html"] = fragment(service, blog) + hostile
    place = '<comment-thread data-fallback="/comments/saved.html"></comment-thread>'
    script = static_files.FOLDER.joinpath("embed.js").read_text()
    blog.pages["/"] = (
        f'<!doctype html><title>Mine</title>{place}<script data-service="{url}">{script}</script>'
    )
    page.clock.install()
    page.goto(blog.url())
    page.locator("iframe").wait_for()
    page.wait_for_load_state()
    page.clock.fast_forward(25_000)
    expect(page.get_by_text(NOTE)).to_be_visible()
    copy = page.locator("iframe")
    expect(copy).to_have_attribute("sandbox", "allow-popups allow-popups-to-escape-sandbox")
    expect(page.frame_locator("iframe").get_by_text("First, with a link")).to_be_visible()
    expect(page.locator(".commentsvc")).to_have_count(0)
    height, width = page.evaluate("[innerHeight, innerWidth]")
    for media in ("print", "screen"):
        page.emulate_media(media=media)  # type: ignore[arg-type]
        box = copy.bounding_box()
        assert box
        assert abs(box["height"] - 0.7 * height) < 2
        assert box["width"] > 0.9 * width
    assert page.evaluate("[window.pwned, document.title]") == [None, "Mine"]
    assert page.evaluate("document.querySelector('comment-thread').innerHTML") == ""

    app = create_app(Settings.from_env(variables))
    with answering(app, port):
        page.clock.fast_forward(130_000)
        expect(page.get_by_text(NOTE)).to_be_hidden()
        expect(frame(page).locator(f"#comment-{first}")).to_be_visible()
        expect(copy).to_have_count(1)
        page.goto("about:blank")
    dispose(app)
    complaints.clear()


def test_a_saved_copy_comes_only_from_the_page_itself_or_by_https(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    refused = ["http://127.0.0.1:9/x.html", "data:text/html,Copied", "javascript:alert(1)", "/missing.html"]
    places = "".join(f'<comment-thread data-fallback="{url}"></comment-thread>' for url in refused)
    blog.pages["/"] = article(service, thread=places)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.clock.install()
    page.route(f"{service.url}/embed?*", lambda route: route.abort())
    page.goto(blog.url())
    expect(page.locator("iframe")).to_have_count(len(refused))
    page.wait_for_load_state()
    with page.expect_response("**/missing.html"):
        page.clock.fast_forward(25_000)
    expect(page.get_by_text("The comments cannot be shown right now.")).to_have_count(len(refused))
    expect(page.locator("iframe")).to_have_count(0)
    assert [url for url in requested if ":9/" in url or url.startswith("data:")] == []
    complaints.clear()
