"""docs/getting-started.md: its steps, done as they are written, lead to a comment that its owner has approved."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import documents, installation, processes
from tests.support.documents import ROOT
from tests.support.frame_pages import fill_in, frame, post
from tests.support.installation import Installation

PAGE = ROOT / "docs" / "getting-started.md"
ALONE = "On your own machine"
CLONED = "https://git.example/commentsvc.git"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return installation.install(tmp_path_factory.mktemp("installed"))


@pytest.fixture
def addresses() -> dict[str, str]:
    """What stands for the ports of the page."""
    return {str(port): str(processes.free_port()) for port in (8600, 8000)}


def command(heading: str, beginning: str, changes: dict[str, str] | None = None) -> str:
    """Return the one command under a heading that begins so, with `changes`."""
    (line,) = [line for line in documents.commands(PAGE, heading) if line.startswith(beginning)]
    for old, new in (changes or {}).items():
        line = line.replace(old, new)
    return line


def run(place: Installation, folder: Path, line: str) -> str:
    """Run a line of the page in a shell of the environment; return what it printed."""
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, env=place.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, line + done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def running(installed: Installation, addresses: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The steps for one's own machine, up to a page with the embed code; returns the page's address."""
    run(installed, tmp_path, command(ALONE, "commentsvc init", addresses))
    (html,) = [block.text for block in documents.blocks(PAGE) if block.language == "html"]
    (tmp_path / "blog").mkdir()
    address = f"http://127.0.0.1:{addresses['8600']}"
    (tmp_path / "blog" / "index.html").write_text(
        f"<!doctype html><title>Mine</title>{html.replace('https://comments.example', address)}"
    )
    serve = documents.words_of(command("3. Start it", "commentsvc serve"))
    serve += ["--bind", f"127.0.0.1:{addresses['8600']}"]
    website = documents.words_of(command(ALONE, "python3 -m http.server", addresses))
    with (
        processes.running(
            tmp_path / "service.log",
            installed.environ,
            *serve[1:],
            program=str(installed.scripts / serve[0]),
            folder=tmp_path,
        ),
        processes.running(tmp_path / "blog.log", {}, *website[1:], folder=tmp_path),
    ):
        processes.until(lambda: processes.status(int(addresses["8600"]), "/healthz") == 200, "/healthz")
        processes.until(lambda: processes.status(int(addresses["8000"]), "/") == 200, "the website")
        yield f"http://localhost:{addresses['8000']}/"


def test_the_steps_lead_to_an_approved_comment(
    running: str, installed: Installation, page: Page, chromium: Browser, tmp_path: Path
) -> None:
    page.goto(running)
    thread = frame(page)
    fill_in(thread, "The first one.")
    post(thread)
    expect(thread.get_by_text("Your comment is awaiting moderation.").first).to_be_visible()

    line = command("6. Write a comment, and approve it", "commentsvc admin link")
    (link,) = re.findall(r"http://\S+", run(installed, tmp_path, line))
    page.goto(link)
    page.get_by_role("button").first.click()
    expect(page.get_by_text("The first one.")).to_be_visible()
    page.locator("article").get_by_role("button", name="Approve").click()
    expect(page.get_by_text("The first one.")).to_be_hidden()

    with chromium.new_context() as others:
        visitor = others.new_page()
        visitor.goto(running)
        expect(frame(visitor).get_by_text("The first one.")).to_be_visible()

    run(installed, tmp_path, command(ALONE, "commentsvc site edit"))
    assert "https://blog.example" in run(installed, tmp_path, "commentsvc site list")


def test_the_steps_for_a_public_name_set_it_up(installed: Installation, tmp_path: Path) -> None:
    for line in documents.commands(PAGE, "2. Set it up"):
        run(installed, tmp_path, line)
    assert "https://blog.example" in run(installed, tmp_path, "commentsvc site list")
    shown = run(installed, tmp_path, "commentsvc settings")
    assert re.search(r"TRUSTED_PROXIES\W+127\.0\.0\.1", shown), shown
    check = subprocess.run(
        ["sh", "-c", command("If something does not work", "commentsvc doctor")],
        cwd=tmp_path,
        env=installed.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 1  # nothing answers at the public name
    assert "https://comments.example" in check.stdout + check.stderr


def test_a_clone_has_what_the_next_lines_need(tmp_path: Path) -> None:
    clone, enter, venv, activate, install = documents.commands(PAGE, "1. Install it")[:5]
    run_here = subprocess.run(
        ["sh", "-c", f"{clone.replace(CLONED, f'file://{ROOT} commentsvc')} && {enter} && ls"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        },
    )
    assert run_here.returncode == 0, run_here.stderr
    assert {"pyproject.toml", "constraints.txt"} <= set(run_here.stdout.split())
    folder = venv.split()[-1]
    assert activate == f". {folder}/bin/activate"
    assert install == "pip install . -c constraints.txt"


def test_the_name_of_the_wheel_is_that_of_this_release(installed: Installation) -> None:
    assert documents.words_of(command("1. Install it", "pipx install"))[-1] == f"./{installed.wheel.name}"
