"""The demonstration, started as the README says."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Page, expect

from commentsvc.cli import demo_runner
from commentsvc.cli.commands import main
from commentsvc.demo import blog
from tests.conftest import SECRET
from tests.support import processes
from tests.support.processes import Process


@dataclass(frozen=True)
class Demo:
    """The demonstration's two ports, and its process."""

    process: Process
    port: int
    blog_port: int

    @property
    def folder(self) -> Path:
        """Where it says its data lies."""
        match = re.search(r"Data +(\S+)", self.process.said())
        assert match
        return Path(match[1])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`commentsvc demo` on a machine on which a real service is configured, too."""
    folder = tmp_path_factory.mktemp("demo")
    port, blog_port, login_port = (processes.free_port() for _ in range(3))
    real = {"COMMENTSVC_SECRET_KEY": SECRET, "COMMENTSVC_DATABASE_URL": f"sqlite:///{folder}/real.sqlite"}
    arguments = ["-m", "commentsvc", "demo", "--port", str(port), "--blog-port", str(blog_port)]
    arguments += ["--login-port", str(login_port)]
    with processes.running(folder / "output", real, *arguments) as process:
        process.until_said("Ctrl+C")
        yield Demo(process, port, blog_port)
    assert not (folder / "real.sqlite").exists()


def get(port: int, path: str, host: str | None = None) -> tuple[int, http.client.HTTPMessage, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def test_it_says_where_everything_is(demo: Demo) -> None:
    output = demo.process.said()
    assert f"http://localhost:{demo.blog_port}/comment-section/" in output
    assert f"http://127.0.0.1:{demo.port}/admin/sign-in/" in output
    assert (demo.folder / "comments.sqlite").exists()


@pytest.mark.parametrize("path", [*blog.PAGES, *blog.FILES])
def test_every_page_of_the_blog_is_there(demo: Demo, path: str) -> None:
    status, headers, body = get(demo.blog_port, path, f"localhost:{demo.blog_port}")
    assert status == 200
    assert body
    if path in blog.PAGES:
        assert f'src="http://127.0.0.1:{demo.port}/embed.js"' in body
        assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_the_blog_has_no_other_pages_and_one_name(demo: Demo) -> None:
    name = f"localhost:{demo.blog_port}"
    assert get(demo.blog_port, "/../blog.py", name)[0] == 404
    assert get(demo.blog_port, "/base.html", name)[0] == 404
    status, headers, _ = get(demo.blog_port, "/by-hand/")
    assert (status, headers["Location"]) == (302, f"http://{name}/by-hand/")


def test_its_readers_have_written(demo: Demo) -> None:
    origin = f"http://localhost:{demo.blog_port}"
    paths = (blog.COMMENT_SECTION, blog.BY_HAND, blog.FIRST_FROST)
    _, _, body = get(demo.port, "/counts?" + "&".join(f"url={origin}{path}" for path in paths))
    assert re.findall(r":(\d+)[,}]", body.replace(" ", "")) == ["120", "14", "0"]


def test_the_thread_has_what_a_thread_can_have(demo: Demo) -> None:
    origin = f"http://localhost:{demo.blog_port}"
    _, _, page = get(demo.port, f"/thread?url={origin}{blog.COMMENT_SECTION}")
    assert "Anselm" in page
    assert "never ask why line 40 exists" in page
    assert "<blockquote>" in page
    assert "<pre" in page
    for unseen in ("Nostalgia", "handbags.example", "First time writing here"):
        assert unseen not in page


def test_the_admin_link_leads_in(demo: Demo) -> None:
    match = re.search(r"(/admin/sign-in/\S+)", demo.process.said())
    assert match
    assert get(demo.port, match[1])[0] == 200


def test_the_admin_view_has_something_of_everything(demo: Demo, page: Page) -> None:
    match = re.search(r"(/admin/sign-in/\S+)", demo.process.said())
    assert match
    page.goto(f"http://127.0.0.1:{demo.port}{match[1]}")
    page.get_by_role("button", name="Sign in").click()
    sections = page.get_by_role("navigation", name="Sections")
    sections.get_by_role("link", name="Reported 1").click()
    expect(page.locator(".reports")).to_contain_text("Reported by 2 readers")
    sections.get_by_role("link", name="Held 4").click()
    expect(page.locator(".item").first).to_contain_text("The name looks like that of Ida")
    sections.get_by_role("link", name="Articles").click()
    page.get_by_role("link", name="Find split threads").click()
    expect(page.get_by_role("link", name="Merge into the first")).to_have_count(1)
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Rules").click()
    expect(page.get_by_role("region", name="The site's own filter")).to_contain_text("Active")
    page.get_by_role("link", name="Team").click()
    expect(page.get_by_role("main")).to_contain_text("Sven")


def test_an_article_shows_its_comments(demo: Demo, page: Page) -> None:
    page.goto(f"http://localhost:{demo.blog_port}/comment-section/#comments")
    thread = page.frame_locator("comment-thread iframe")
    thread.get_by_text("The bridge inspector here").wait_for()
    page.get_by_role("button", name="Dark").press("Enter")  # a click would be lost while the page scrolls
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_page_that_changes_in_place_shows_another_thread(demo: Demo, page: Page) -> None:
    page.goto(f"http://localhost:{demo.blog_port}/one-page-app/")
    thread = page.frame_locator("comment-thread iframe")
    thread.get_by_text("The bridge inspector here").wait_for()
    page.get_by_role("button", name="A question for Friday").click()
    thread.get_by_text("She answers within the week").first.wait_for()
    page.get_by_role("button", name="Remove the thread").click()
    page.locator("comment-thread").wait_for(state="detached")
    page.get_by_role("button", name="Add it again").click()
    thread.get_by_text("She answers within the week").first.wait_for()


def test_looks_are_tried_and_their_contrast_computed(demo: Demo, page: Page) -> None:
    page.goto(f"http://localhost:{demo.blog_port}/looks/")
    conversation = page.frame_locator("comment-thread iframe").locator(".conversation").first
    expect(conversation).to_have_css("border-top-width", "0px")
    page.get_by_label("Look").select_option("cards")
    page.get_by_label("Text").fill("#767676")
    page.get_by_role("textbox", name="Card").fill("white")
    expect(conversation).to_have_css("border-top-width", "1px")
    expect(conversation).to_have_css("color", "rgb(118, 118, 118)")
    # The grey that is known for being just dark enough on white.
    expect(page.locator("#contrast tr").nth(3)).to_have_text("Text on a card4.54 : 1enough")
    page.get_by_label("Text").fill("#777")
    expect(page.locator("#contrast tr").nth(3)).to_have_text("Text on a card4.47 : 1too little")
    expect(page.locator("#code")).to_contain_text('<comment-thread look="cards"></comment-thread>')
    expect(page.locator("#code")).to_contain_text("--comments-card: white;")


def test_the_front_page_counts(demo: Demo, page: Page) -> None:
    page.goto(f"http://localhost:{demo.blog_port}/")
    page.get_by_role("link", name="Comments: 120").wait_for()
    page.get_by_role("link", name="Comments: 14", exact=True).wait_for()


def test_two_threads_on_one_page_stay_apart(demo: Demo, page: Page) -> None:
    page.goto(f"http://localhost:{demo.blog_port}/two-threads/")
    for name in ("tea", "coffee"):
        frame = page.frame_locator(f'comment-thread[data-thread-id="{name}"] iframe')
        frame.locator("#reply").wait_for()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda how: how.name)
def test_it_stops_clean(how: signal.Signals, tmp_path: Path) -> None:
    port, blog_port, login_port = (processes.free_port() for _ in range(3))
    arguments = ["-m", "commentsvc", "demo", "--port", str(port), "--blog-port", str(blog_port)]
    arguments += ["--login-port", str(login_port)]
    with processes.running(tmp_path / "output", {}, *arguments) as process:
        process.until_said("Ctrl+C")
        folder = Demo(process, port, blog_port).folder
        process.send(how)
        assert process.child.wait(processes.PATIENCE) == 0
    assert process.said().endswith("Stopped; the demonstration's data is deleted.\n")
    assert not folder.exists()
    assert processes.status(port, "/healthz") == processes.status(blog_port, "/") == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_stops_where_sigint_was_ignored_and_takes_other_ports(host: str, tmp_path: Path) -> None:
    """A script's background job has SIGINT ignored; another program has one of the ports."""
    port, login_port = processes.free_port(), processes.free_port()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as other:
        other.bind((host, 0))
        other.listen()
        taken = other.getsockname()[1]
        options = f"--port {port} --blog-port {taken} --login-port {login_port}"
        command = f"trap '' INT; exec {sys.executable} -m commentsvc demo {options}"
        runner = "import os, sys; os.execvp('sh', ['sh', '-c', sys.argv[1]])"
        with processes.running(tmp_path / "output", {}, "-c", runner, command) as process:
            output = process.until_said("Ctrl+C")
            assert f"Port {taken} is taken, so this uses " in output
            match = re.search(r"http://localhost:(\d+)/comment-section/", output)
            assert match
            blog_port = int(match[1])
            assert blog_port not in {taken, port, login_port}
            assert get(blog_port, "/first-frost/", f"localhost:{blog_port}")[0] == 200
            assert get(port, f"/thread?url=http://localhost:{blog_port}/first-frost/")[0] == 200
            process.child.send_signal(signal.SIGINT)
            assert process.child.wait(processes.PATIENCE) == 0
    assert process.said().endswith("Stopped; the demonstration's data is deleted.\n")


def test_no_free_port_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_runner, "_is_free", lambda bind: False)
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 1
    assert "No port from 8600 on is free." in result.stderr
