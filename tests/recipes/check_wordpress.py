"""The plugin of docs/recipes/wordpress.md in a real PHP, with stand-ins for WordPress and a real service."""

from __future__ import annotations

import json
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from commentsvc.domain.accounts import single_sign_on
from commentsvc.models import Site
from tests.recipes import programs
from tests.support.browser import Blog, Service
from tests.support.frame_pages import frame, write

RUN = Path(__file__).with_name("wordpress.php")
ARTICLE = "/2026/11/an-article/"
TITLE = 'A <em>title</em> with "quotes" & more'
USER = {"ID": 5, "display_name": "Erna Editor", "user_url": "https://erna.example/"}


def run(service: Service, blog: Blog, **changes: Any) -> dict[str, Any]:
    """Return what WordPress gets of the plugin."""
    situation = {
        "url": service.url,
        "secret": "",
        "home": blog.url(),
        "article": blog.url(ARTICLE),
        "title": TITLE,
        "post": {"post_status": "publish"},
        "user": None,
        "down": False,
    }
    command = [programs.php(), "-n", "-d", "display_errors=stderr", "-d", "error_reporting=-1", str(RUN)]
    done = subprocess.run(
        command, input=json.dumps(situation | changes), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_the_thread_stands_where_the_theme_has_its_comments(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First", "Second", path=ARTICLE)
    result = run(service, blog)
    assert result["classic"] == result["block"]
    assert (result["form"], result["paragraph"]) == ("", None)
    assert 'page-title="A title with &quot;quotes&quot; &amp; more"' in result["classic"]
    assert " sso=" not in result["classic"]
    # The theme writes "2 Comments"; one request for the number, one for the comments as HTML.
    assert (result["number"], result["requests"]) == (2, 2)
    assert result["scripts"] == [f"{service.url}/embed.js"]
    assert result["refused"] == "403"
    assert result["rest"] == 403
    assert result["pings"] is False
    assert "/feeds/thread.atom?url=http" in unescape(result["head"])
    assert result["classic"].count("First") >= 1
    script = f'<script async src="{result["scripts"][0]}"></script>'
    blog.pages["/?p=7"] = blog.pages["/"] = (
        f"<!doctype html><title>An article</title>{result['classic']}{script}"
    )
    page.goto(blog.url("/?p=7#respond"))
    expect(frame(page).get_by_text("Second", exact=True)).to_be_visible()
    expect(page.locator(".commentsvc")).to_be_hidden()


def test_what_is_not_public_has_no_thread(service: Service, blog: Blog) -> None:
    for post in ({"post_status": "private"}, {"post_password": "secret"}, {"comment_status": "closed"}):
        result = run(service, blog, post=post)
        assert (result["classic"], result["block"], result["scripts"]) == ("", "", []), post
    assert run(service, blog, post={"post_type": "product"})["classic"] == "the theme's own"
    # Where a conversation was closed later, it stays to be read.
    write(service, blog, "First", path="/old/")
    closed = run(service, blog, post={"comment_status": "closed"}, article=blog.url("/old/"))
    assert "<comment-thread" in closed["classic"]


def test_an_outage_leaves_the_last_number_and_is_asked_once(service: Service, blog: Blog) -> None:
    write(service, blog, "First", path=ARTICLE)
    before = run(service, blog)
    stored = {key: {**value, "until": 0} for key, value in before["transients"].items()}
    assert len(stored) == 2
    during = run(service, blog, down=True, transients=stored)
    assert (during["number"], during["requests"]) == (1, 2)
    assert during["classic"] == before["classic"]
    after = run(service, blog, down=True, transients=during["transients"])
    assert (after["number"], after["requests"]) == (1, 0)
    unknown = run(service, blog, down=True)
    assert unknown["number"] == 3  # WordPress's own
    assert "<comment-thread" in unknown["classic"]


def test_who_is_logged_in_comments_under_that_name(page: Page, service: Service, blog: Blog) -> None:
    with service.writing() as session:
        secret = single_sign_on.new_secret(session, session.get_one(Site, blog.site_id))
        session.commit()
    result = run(service, blog, user=USER, secret=secret)
    assert secret not in json.dumps(result)
    assert " sso=" not in run(service, blog, user=None, secret=secret)["classic"]
    script = f'<script async src="{result["scripts"][0]}"></script>'
    blog.pages[ARTICLE] = f"<!doctype html><title>An article</title>{result['classic']}{script}"
    page.goto(blog.url(ARTICLE))
    frame(page).locator("textarea").first.click()
    expect(frame(page).get_by_text("You are commenting as Erna Editor.")).to_be_visible()
