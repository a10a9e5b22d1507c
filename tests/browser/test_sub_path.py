"""The service below a path, as a process of its own behind a real nginx, in a real browser.

Each test runs with both examples of docs/serving.md: the proxy passes the path on, or removes it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.demo import provider
from commentsvc.demo.stand_ins import STAND_INS, Client
from commentsvc.domain.accounts import accounts
from commentsvc.models import Policy, now
from commentsvc.serving.server import Bind
from tests.conftest import dispose, environment, missing
from tests.support import nginx, processes, service_processes
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, change, fill_in, frame, in_view, post, stored, write

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLES = {"passed on": "proxy_pass http://127.0.0.1:8600;", "removed": "proxy_pass http://127.0.0.1:8600/;"}
CLIENT = ("demo", "a-secret-between-the-two-of-them")


@pytest.fixture(params=EXAMPLES)
def service(request: pytest.FixtureRequest, tmp_path: Path, migrated_sqlite: Path) -> Iterator[Service]:
    """`commentsvc serve` below `/comments` of an nginx, with the demonstration's stand-in for Google."""
    program = nginx.find()
    if program is None:
        missing("nginx", "`python -m tests.support.nginx` brings one where it can")
    port, login_bind = processes.free_port(), Bind("127.0.0.1", processes.free_port())
    stand_in = next(one for one in STAND_INS if one.key == "google")
    url = f"http://127.0.0.1:{port}/comments"
    client = Client(*CLIENT, redirect_uri=f"{url}/login/callback/{stand_in.key}")
    data_dir = tmp_path / "service"
    data_dir.mkdir()
    shutil.copy(migrated_sqlite, data_dir / "comments.sqlite")
    variables = {
        "COMMENTSVC_BASE_URL": url,
        "COMMENTSVC_TRUSTED_PROXIES": "127.0.0.1",
        **stand_in.variables(f"{provider.origin_at(login_bind)}/{stand_in.key}", client),
    }
    settings = Settings.from_env(environment(data_dir, **variables))
    app = create_app(settings)
    with (
        provider.running(login_bind, {stand_in.key: client}),
        service_processes.service(settings, data_dir, environ=variables) as running,
    ):
        backend = {"127.0.0.1:8600": f"127.0.0.1:{running.port}"}
        location = nginx.example(
            DOCS / "serving.md", f"/comments/ {{\n    {EXAMPLES[request.param]}", backend
        )
        servers = f"server {{ listen 127.0.0.1:{port}; {location} }}"
        with nginx.serving(str(program), tmp_path / "nginx", servers, port):
            yield Service(app, url)
    dispose(app)


def test_a_guest_reads_posts_and_replies(page: Page, service: Service, blog: Blog) -> None:
    (one,) = write(service, blog, "The first comment")
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = frame(page)
    expect(thread.get_by_text("The first comment")).to_be_visible()
    thread.locator("#text").click()
    fill_in(thread, "A **second** comment")
    thread.get_by_role("tab", name="Preview").click()
    expect(thread.locator("#preview strong")).to_have_text("second")
    post(thread)
    expect(thread.locator(".comment strong", has_text="second")).to_be_visible()
    thread.locator(f"#comment-{one} .reply-link").click()
    fill_in(thread, "A reply")
    post(thread)
    expect(thread.locator(".reply", has_text="A reply")).to_be_visible()
    assert [comment.parent_id for comment in stored(service)] == [None, None, one]
    page.reload()
    expect(thread.locator(".comment")).to_have_count(3)


def test_a_guest_without_script_posts_and_stays_below_the_path(
    page: Page, service: Service, blog: Blog
) -> None:
    (one,) = write(service, blog, "An earlier comment")
    assert page.context.browser
    plain = page.context.browser.new_context(java_script_enabled=False).new_page()
    plain.goto(f"{service.url}/thread?url={quote(blog.url())}")
    plain.get_by_label("Your comment").fill("By a plain form")
    plain.get_by_role("button", name="Post Comment").click()
    expect(plain.get_by_label("Your comment")).to_have_value("By a plain form")  # with what is missing
    fill_in(plain.main_frame, "By a plain form")
    post(plain.main_frame)
    plain.wait_for_url(f"{service.url}/thread/posted/**")
    expect(plain.locator(".comment", has_text="By a plain form")).to_be_visible()
    plain.locator(f"#comment-{one} .menu summary").click()
    plain.get_by_role("link", name="Report").click()
    plain.get_by_role("radio").first.check()
    plain.get_by_role("button", name="Report").click()
    expect(plain.get_by_role("heading", name="Reported")).to_be_visible()
    plain.context.close()


def test_a_reader_logs_in_comments_sees_their_page_and_logs_out(
    page: Page, service: Service, blog: Blog
) -> None:
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = frame(page)
    thread.locator("#text").click()
    with page.expect_popup() as opened:
        thread.get_by_role("button", name="Log in with Google").click()
    opened.value.get_by_role("button", name="Marta Vind").click()
    expect(thread.get_by_text("You are commenting using your Google account.")).to_be_visible()
    thread.locator("#text").fill("With my own account")
    post(thread)
    expect(thread.locator(".comment .name", has_text="Marta Vind")).to_be_visible()
    thread.locator("#text").click()
    with page.context.expect_page() as theirs:
        thread.get_by_role("button", name="Your comments").click()
    theirs.value.wait_for_url(f"{service.url}/account")
    expect(theirs.value.get_by_text("With my own account")).to_be_visible()
    theirs.value.get_by_role("link", name="Settings").click()
    theirs.value.get_by_role("button", name="Log out").click()
    theirs.value.wait_for_url(f"{service.url}/account")
    page.bring_to_front()
    thread.get_by_role("button", name="Log Out").click()
    expect(thread.get_by_label("Email (required)")).to_be_visible()
    cookies = {cookie["path"] for cookie in page.context.cookies(f"{service.url}/embed")}
    assert cookies <= {"/"}


def test_a_moderator_signs_in_and_decides(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    change(service, blog, policy=Policy.HOLD_ALL)
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = frame(page)
    thread.locator("#text").click()
    fill_in(thread, "Please let me in")
    post(thread)
    expect(thread.get_by_text("Your comment is awaiting moderation.").first).to_be_visible()
    with service.writing() as session:
        link = accounts.issue_link(session, accounts.operator(session), at=now())
        session.commit()
    page.goto(f"{service.url}/admin/sign-in/{link}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{service.url}/admin")
    page.get_by_text("Please let me in").wait_for()
    page.get_by_role("button", name="Approve").first.click()
    expect(page.get_by_role("button", name="Undo").first).to_be_visible()
    assert page.url.startswith(f"{service.url}/admin")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{service.url}/admin")
    expect(page.get_by_role("button", name="Log in with Google")).to_be_visible()
    complaints.clear()  # the page for who is not signed in is a 401
    page.goto(blog.url())
    expect(frame(page).get_by_text("Please let me in")).to_be_visible()


def test_permalinks_and_counts_work(page: Page, service: Service, blog: Blog) -> None:
    numbers = write(service, blog, *[f"Comment {number}" for number in range(40)])
    blog.pages["/"] = article(service, before=f'<p><b data-comment-count="{blog.url()}"></b></p>')
    page.goto(f"{service.url}/comment/{numbers[0]}")
    page.wait_for_url(blog.url(f"/#comment-c{numbers[0]}"))
    in_view(page, numbers[0])
    expect(page.locator("b")).to_have_text("40")
    expect(frame(page).locator(f"#comment-{numbers[0]} .when")).to_have_attribute(
        "href", f"/comments/comment/{numbers[0]}"
    )


def test_a_copy_of_the_script_finds_the_service_below_the_path(
    page: Page, service: Service, blog: Blog
) -> None:
    source = Path(__file__).resolve().parents[2] / "commentsvc" / "static" / "embed.js"
    blog.pages["/copy.html"] = (
        f'<div id="comments"></div><script data-service="{service.url}/">{source.read_text()}</script>'
    )
    write(service, blog, "Found", path="/copy.html")
    page.goto(blog.url("/copy.html"))
    expect(frame(page).get_by_text("Found")).to_be_visible()
