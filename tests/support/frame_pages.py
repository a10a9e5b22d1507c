"""What the browser tests share: articles that carry a thread, comments in it, and the frame as readers meet it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Frame, FrameLocator, Page, expect
from sqlalchemy import select

from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text
from commentsvc.domain.fields import Guest
from commentsvc.domain.sites import sites
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Site, Status, Thread
from tests.support.browser import Blog, Service
from tests.support.comment_builders import post_comment

THREAD = '<div id="comments"></div>'
LONG_READ = "<p>A paragraph of the article, long enough to fill a line or two of it.</p>" * 120


def article(
    service: Service,
    *,
    thread: str = THREAD,
    head: str = "",
    before: str = "",
    after: str = "",
    style: str = "",
) -> str:
    """Return a page of a blog that shows its thread the documented way."""
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>An article</title>
<meta name="viewport" content="width=device-width, initial-scale=1">{head}
<style>body {{ margin: 0 auto; padding: 16px; max-width: 42rem; {style} }}</style></head>
<body><h1>An article</h1>{before}{thread}{after}
<script src="{service.url}/embed.js" async></script></body></html>"""


def write(
    service: Service,
    blog: Blog,
    *texts: str,
    path: str = "/",
    page_id: str = "",
    parent: int | None = None,
    name: str = "Ada",
    ago: timedelta = timedelta(hours=3),
) -> list[int]:
    """Store approved comments, a second apart, and return their ids."""
    author = Author(guest=Guest(name=name, email="ada@good.example"))
    with service.writing() as session:
        address = threads.locate(session, url=blog.url(path), page_id=page_id)
        begun = datetime.now(UTC) - ago
        results = [
            post_comment(
                session,
                address,
                comment_text.from_source(text, longest=100_000),
                author,
                at=begun + timedelta(seconds=at),
                parent_id=parent,
            ).id
            for at, text in enumerate(texts)
        ]
        session.commit()
    return results


def change(service: Service, blog: Blog, **settings: Any) -> None:
    """Change settings of the blog's site."""
    with service.writing() as session:
        site = session.get_one(Site, blog.site_id)
        for name, value in settings.items():
            setattr(site, name, value)
        session.commit()


def register(service: Service, blog: Blog, *origins: str) -> None:
    """Let pages of these origins, and no others, embed the site's threads."""
    with service.writing() as session:
        sites.set_origins(session, session.get_one(Site, blog.site_id), origins)
        session.commit()


def stored(service: Service) -> list[Comment]:
    """Return all comments, oldest first."""
    with service.writing() as session:
        result = list(session.scalars(select(Comment).order_by(Comment.id)))
        session.expunge_all()
        return result


def thread_titles(service: Service) -> list[str | None]:
    """Return the titles of all threads."""
    with service.writing() as session:
        return list(session.scalars(select(Thread.title).order_by(Thread.id)))


def held(service: Service) -> list[str]:
    """Return the texts of the comments that wait."""
    return [comment.source for comment in stored(service) if comment.status is Status.HELD]


def frame(page: Page, nth: int = 0) -> FrameLocator:
    """Return the page's comment frame, to look for things in."""
    return page.locator("comment-thread > iframe").nth(nth).content_frame


def inside(page: Page, nth: int = 0) -> Frame:
    """Return the page's comment frame once its script runs."""
    page.locator("comment-thread > iframe").nth(nth).wait_for()
    frame(page, nth).locator("html.auto-height").wait_for(state="attached")  # as patiently as for any page
    result = page.locator("comment-thread > iframe").nth(nth).element_handle().content_frame()
    assert result is not None
    return result


def fits(frame: Frame) -> None:
    """Wait until the frame is as high as its content and nothing in it scrolls."""
    frame.wait_for_function(
        """() => {
            const { scrollHeight, clientHeight, scrollWidth, clientWidth } = document.documentElement;
            return innerHeight === Math.ceil(document.body.getBoundingClientRect().height)
                && scrollHeight === clientHeight && scrollWidth <= clientWidth;
        }"""
    )


def in_view(page: Page, comment_id: int, nth: int = 0) -> None:
    """Wait until a comment in the frame lies in the part of the host page that the reader sees."""
    result = frame(page, nth).locator(f"#comment-{comment_id}")
    expect(result).to_be_visible()
    expect(result).to_be_in_viewport()
    page.wait_for_function(
        """([frame, top]) => {
            const at = frame.getBoundingClientRect().top;
            return at + top >= 0 && at + top < innerHeight;
        }""",
        arg=[
            page.locator("comment-thread > iframe").nth(nth).element_handle(),
            result.evaluate("(element) => element.getBoundingClientRect().top"),
        ],
    )


def fill_in(
    frame: FrameLocator | Frame, text: str, *, name: str = "Grace", email: str = "g@good.example"
) -> None:
    """Type a comment and the required details."""
    frame.get_by_label("Your comment").fill(text)
    frame.get_by_role("textbox", name="Email").fill(email)
    frame.get_by_role("textbox", name="Name").fill(name)


def loaded_form(frame: Frame) -> None:
    """Wait until the form's script runs."""
    frame.wait_for_function("() => document.querySelector('#reply [name=author_key]').value")


def loaded_module(frame: Frame, name: str) -> None:
    """Return once a module that the frame asks for has run, with all that it imports itself."""
    # Not by `wait_for_function`, which takes a promise for true; a module runs once, whoever imports it.
    frame.evaluate(
        """async (name) => {
            const { src } = document.querySelector("script[src$='/main.js']");
            await import(src.replace("main.js", name));
        }""",
        name,
    )


def post(frame: FrameLocator | Frame) -> None:
    """Press the button."""
    frame.get_by_role("button", name="Post Comment").click()
