"""A title is the article's own word: what a browser says counts until then, what a moderator says for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.cli.commands import main
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain.maintenance import article_titles
from commentsvc.domain.moderation import decisions
from commentsvc.domain.surge import alerts, episodes
from commentsvc.domain.thread_admin import merging, renaming, thread_controls
from commentsvc.integrations import article_page
from commentsvc.integrations.article_page import ArticlePage
from commentsvc.models import (
    Action,
    Delivery,
    Origin,
    Policy,
    Pressure,
    Site,
    Status,
    Thread,
    TitleSource,
)
from tests.conftest import BLOG, environment
from tests.support import wxr
from tests.support.admin_queue import AdminQueue, open_queue
from tests.support.comment_builders import NOON, Pen, article
from tests.support.guest_client import GuestClient, add_site

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
queue_of_site = open_queue
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


class Blog:
    """A real web server on this machine, and what lies there; a string is a page, a number a status, or a redirect."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.pages: dict[str, str | int] = {"/": "<title>The blog</title>"}
        self.moved: dict[str, str] = {}
        self.asked: list[str] = []

    def read(self, url: str, origins: frozenset[str]) -> ArticlePage | None:
        return article_page.read(url, within=origins, allow_private=True)


@pytest.fixture
def blog() -> Iterator[Blog]:
    with blog_server() as blog:
        yield blog


@contextmanager
def blog_server() -> Iterator[Blog]:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            blog.asked.append(self.path)
            found = blog.pages.get(self.path, 404)
            if self.path in blog.moved:
                self.send_response(302)
                self.send_header("Location", blog.moved[self.path])
                found = ""
            else:
                self.send_response(found if isinstance(found, int) else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((found if isinstance(found, str) else "<title>No</title>").encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    blog = Blog(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield blog
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def pen(session: Session, site: Site, blog: Blog) -> Pen:
    """Writes under an article of the blog, whose title is "Swifts"."""
    site.origins.append(Origin(origin=blog.origin))
    session.commit()
    begin_write(session)
    blog.pages["/a"] = "<title>Swifts</title>"
    pen = article(session, site)
    pen.address = type(pen.address)(site, f"{blog.origin.partition('://')[2]}/a", f"{blog.origin}/a")
    return pen


def refresh(pen: Pen, blog: Blog, at: datetime) -> int:
    pen.session.commit()
    asked = article_titles.refresh(pen.session, blog.read, at=at)
    begin_write(pen.session)
    return asked


def named(pen: Pen) -> tuple[str | None, TitleSource | None]:
    return pen.thread.title, pen.thread.title_source


@ENGINES
class TestReading:
    def test_the_articles_own_word_takes_the_place_of_a_browsers(
        self, session: Session, pen: Pen, blog: Blog
    ) -> None:
        pen.write(title="Buy pills")
        assert named(pen) == ("Buy pills", TitleSource.BROWSER)
        version = pen.thread.version
        assert refresh(pen, blog, NOON) == 1
        assert named(pen) == ("Swifts", TitleSource.ARTICLE)
        assert pen.thread.version > version

    def test_it_is_asked_only_once_a_comment_is_public(self, session: Session, pen: Pen, blog: Blog) -> None:
        pen.address.site.policy = Policy.HOLD_ALL
        comment = pen.write(title="Loading…")
        assert refresh(pen, blog, NOON) == 0
        assert blog.asked == []
        decisions.decide(session, comment, Status.APPROVED)
        assert refresh(pen, blog, NOON) == 1
        assert named(pen)[0] == "Swifts"

    def test_it_is_asked_again_a_day_later_while_comments_come(
        self, session: Session, pen: Pen, blog: Blog
    ) -> None:
        pen.write()
        assert refresh(pen, blog, NOON) == 1
        blog.pages["/a"] = "<title>Swifts and swallows</title>"
        pen.write()
        assert refresh(pen, blog, NOON + DAY - SECOND) == 0
        assert refresh(pen, blog, NOON + DAY) == 1
        assert named(pen)[0] == "Swifts and swallows"
        assert [refresh(pen, blog, NOON + days * DAY) for days in (2, 3, 400)] == [0, 0, 0]

    def test_the_same_title_again_changes_no_page(self, session: Session, pen: Pen, blog: Blog) -> None:
        pen.write(title="Swifts")
        version = pen.thread.version
        refresh(pen, blog, NOON)
        assert named(pen) == ("Swifts", TitleSource.ARTICLE)
        assert pen.thread.version == version

    @pytest.mark.parametrize(
        "page",
        [
            404,
            500,
            403,
            "",
            "<title> </title>",
            "<title>&#8203;</title>",
            "<title>Loading…</title>",
            "<title>Just a moment...</title>",
            "<title>Bitte warten …</title>",
            "<title>The blog</title>",
            "<meta property='og:title' content='The blog'>",
        ],
    )
    def test_what_says_nothing_of_the_article_leaves_the_title(
        self, session: Session, pen: Pen, blog: Blog, page: str | int
    ) -> None:
        blog.pages["/a"] = page
        pen.write(title="From the browser")
        assert refresh(pen, blog, NOON) == 1
        assert named(pen) == ("From the browser", TitleSource.BROWSER)
        assert [refresh(pen, blog, NOON + day * DAY) for day in (1, 2, 3, 4)] == [1, 1, 0, 0]

    def test_what_an_article_was_called_outlives_the_article(
        self, session: Session, pen: Pen, blog: Blog
    ) -> None:
        pen.write()
        refresh(pen, blog, NOON)
        blog.pages["/a"] = 410
        pen.write()
        assert refresh(pen, blog, NOON + DAY) == 1
        assert named(pen) == ("Swifts", TitleSource.ARTICLE)

    def test_a_detour_to_another_page_brings_no_title(self, session: Session, pen: Pen, blog: Blog) -> None:
        blog.moved["/a"] = "/log-in?next=/a"
        blog.pages["/log-in?next=/a"] = "<title>Log in</title>"
        pen.write(title="From the browser")
        refresh(pen, blog, NOON)
        assert "/log-in?next=/a" in blog.asked
        assert named(pen)[0] == "From the browser"

    def test_a_detour_to_another_address_of_the_article_does(
        self, session: Session, pen: Pen, blog: Blog
    ) -> None:
        blog.moved["/a"] = "/a/"
        blog.pages["/a/"] = "<title>Swifts</title>"
        pen.write()
        refresh(pen, blog, NOON)
        assert named(pen)[0] == "Swifts"

    def test_an_article_that_was_renamed_is_asked_at_its_new_address(
        self, session: Session, pen: Pen, blog: Blog
    ) -> None:
        pen.write()
        blog.pages["/b"] = "<title>Moved swifts</title>"
        renaming.rename(session, pen.thread, url=f"{blog.origin}/b", moderator_id=None, at=NOON)
        refresh(pen, blog, NOON)
        assert named(pen)[0] == "Moved swifts"

    def test_a_title_that_is_a_whole_text_is_cut_to_one_line(
        self, session: Session, pen: Pen, blog: Blog
    ) -> None:
        blog.pages["/a"] = f"<title>\n{'Swifts &amp; ' * 100}\u202e\x00</title>"
        pen.write()
        refresh(pen, blog, NOON)
        assert named(pen)[0] == ("Swifts & " * 34)[:300].rstrip()

    def test_two_at_work_ask_once(self, session: Session, pen: Pen, blog: Blog) -> None:
        pen.write()
        session.commit()

        def read(url: str, origins: frozenset[str]) -> ArticlePage | None:
            with Session(session.get_bind()) as other:
                assert article_titles.refresh(other, blog.read, at=NOON) == 0
            return blog.read(url, origins)

        assert article_titles.refresh(session, read, at=NOON) == 1
        assert blog.asked == ["/a", "/"]

    def test_a_thread_that_changed_meanwhile_is_left_alone(
        self, session: Session, pen: Pen, blog: Blog
    ) -> None:
        def meanwhile(change: Callable[[Session, Thread], object]) -> None:
            def read(url: str, origins: frozenset[str]) -> ArticlePage | None:
                if url.endswith("/a"):
                    with Session(session.get_bind()) as other:
                        begin_write(other)
                        change(other, other.scalars(select(Thread)).one())
                        other.commit()
                return blog.read(url, origins)

            session.commit()
            article_titles.refresh(session, read, at=NOON)
            begin_write(session)

        pen.write(title="From the browser")
        meanwhile(
            lambda other, thread: thread_controls.rename_title(
                other, thread, "By hand", moderator_id=None, at=NOON
            )
        )
        assert named(pen) == ("By hand", TitleSource.MODERATOR)


@ENGINES
class TestWhoseWord:
    def test_a_moderators_title_stands_for_ever(self, session: Session, pen: Pen, blog: Blog) -> None:
        pen.write(title="From the browser")
        version = pen.thread.version
        thread_controls.rename_title(session, pen.thread, " By\nhand ", moderator_id=None, at=NOON)
        assert named(pen) == ("By hand", TitleSource.MODERATOR)
        assert pen.thread.version > version
        pen.write(title="Another browser")
        assert refresh(pen, blog, NOON + DAY) == 0
        session.commit()
        wxr.load(session, pen.address.site, wxr.item(wxr.comment(), link=pen.address.url), blog=blog.origin)
        begin_write(session)
        assert named(pen) == ("By hand", TitleSource.MODERATOR)
        assert session.scalars(select(Action.kind)).all() == ["thread.title", "comments.import"]

    def test_without_it_the_article_is_asked_again(self, session: Session, pen: Pen, blog: Blog) -> None:
        pen.write()
        refresh(pen, blog, NOON)
        thread_controls.rename_title(session, pen.thread, "By hand", moderator_id=None, at=NOON)
        thread_controls.rename_title(session, pen.thread, "", moderator_id=None, at=NOON)
        assert named(pen) == (None, None)
        assert refresh(pen, blog, NOON) == 1
        assert named(pen) == ("Swifts", TitleSource.ARTICLE)

    def test_an_imports_title_is_better_than_a_browsers(self, session: Session, pen: Pen, blog: Blog) -> None:
        pen.write(title="From the browser")
        session.commit()
        wxr.load(session, pen.address.site, wxr.item(wxr.comment(), link=pen.address.url), blog=blog.origin)
        begin_write(session)
        assert named(pen) == ("Hello & welcome", TitleSource.IMPORT)
        refresh(pen, blog, NOON)
        assert named(pen) == ("Swifts", TitleSource.ARTICLE)
        session.commit()
        wxr.load(session, pen.address.site, wxr.item(wxr.comment(), link=pen.address.url), blog=blog.origin)
        begin_write(session)
        assert named(pen) == ("Swifts", TitleSource.ARTICLE)

    def test_an_import_of_many_articles_does_not_ask_for_each(
        self, session: Session, pen: Pen, blog: Blog
    ) -> None:
        site = pen.address.site
        wxr.load(session, site, wxr.item(wxr.comment(), link=f"{blog.origin}/b"), blog=blog.origin)
        assert article_titles.refresh(session, blog.read, at=NOON) == 0
        wxr.load(session, site, wxr.item(wxr.comment(), link=f"{blog.origin}/c", title=""), blog=blog.origin)
        assert article_titles.refresh(session, blog.read, at=NOON) == 1
        begin_write(session)

    def test_merging_takes_the_source_along_and_back(self, session: Session, site: Site) -> None:
        one, other = article(session, site, "/one"), article(session, site, "/other")
        one.write()
        other.write()
        thread_controls.rename_title(session, other.thread, "By hand", moderator_id=None, at=NOON)
        action = merging.merge(session, other.thread, one.thread, moderator_id=None, at=NOON)
        assert named(one) == ("By hand", TitleSource.MODERATOR)
        merging.unmerge(session, action, at=NOON)
        assert (named(one), named(other)) == ((None, None), ("By hand", TitleSource.MODERATOR))


@ENGINES
@pytest.mark.parametrize("source", [None, *TitleSource])
def test_a_mail_has_no_title_that_a_browser_gave(
    session: Session, site: Site, source: TitleSource | None
) -> None:
    pen = article(session, site)
    pen.write(title="Dear customer, call 555")
    thread = pen.thread
    thread.title_source = source
    row = Pressure(site_id=site.id, thread_id=thread.id, step=1, reason="25.", began_at=NOON, hot_at=NOON)
    session.add(row)
    session.flush()
    assert alerts.enqueue_alerts(session, site, ["anna@mail.example"], base_url="", at=NOON) == 1
    text = session.scalars(select(Delivery.text)).one() or ""
    is_trusted = source not in {None, TitleSource.BROWSER}
    assert ("Dear customer" in text) is is_trusted
    assert (f"“{BLOG}/article”" in text) is not is_trusted
    assert "Dear customer" in episodes.where(session, row)


class TestModerating:
    def test_a_moderator_gives_a_title_and_takes_it_back(self, app: Flask, queue_of_site: AdminQueue) -> None:
        queue_of_site.write("Hello", status=Status.APPROVED, title="Loading…")
        owner, session = queue_of_site.owner, queue_of_site.session
        thread_id = session.scalars(select(Thread.id)).one()
        page = owner.page(f"/admin/threads/{thread_id}")
        assert "comes from a reader" in page
        path = f"/admin/threads/{thread_id}/title"
        assert owner.post(path, {"title": "Swifts <b>"}).status_code == 303
        assert "Swifts &lt;b&gt;" in owner.page(f"/admin/threads/{thread_id}")
        assert "Swifts &lt;b&gt;" in GuestClient(app, f"{BLOG}/swifts").get("/thread").text
        assert owner.post(path, {"title": ""}).status_code == 303
        assert "Swifts" not in owner.page(f"/admin/threads/{thread_id}").replace(f"{BLOG}/swifts", "")

    def test_somebody_else_may_not(self, app: Flask, queue_of_site: AdminQueue) -> None:
        queue_of_site.write("Hello", status=Status.APPROVED)
        thread_id = queue_of_site.session.scalars(select(Thread.id)).one()
        path = f"/admin/threads/{thread_id}/title"
        assert queue_of_site.owner.post(path, {"title": "X"}, token=None).status_code == 400
        assert queue_of_site.owner.post("/admin/threads/4711/title", {"title": "X"}).status_code == 404
        session = queue_of_site.session
        session.rollback()
        assert session.scalars(select(Thread.title)).one() == "Counting swifts"


class TestRunning:
    @pytest.mark.parametrize("private", ["on", "off"])
    def test_the_command_reads_titles_at_private_addresses_only_where_the_owner_says_so(
        self, app: Flask, settings: Settings, blog: Blog, private: str
    ) -> None:
        blog.pages["/a"] = "<title>Swifts</title>"
        add_site(app, origin=blog.origin)
        GuestClient(app, f"{blog.origin}/a").posted("Hello", title="From the browser")
        variables = environment(settings.data_dir, COMMENTSVC_PRIVATE_ARTICLES=private)
        assert CliRunner().invoke(main, ["work", "--once"], env=variables).exit_code == 0
        shown = GuestClient(app, f"{blog.origin}/a").get("/thread").text
        assert ("<h1" in shown, "Swifts" in shown) == (True, private == "on")
        assert (blog.asked != []) is (private == "on")

    def test_no_title_is_asked_for_within_a_request(self, app: Flask, blog: Blog) -> None:
        add_site(app, origin=blog.origin)
        GuestClient(app, f"{blog.origin}/a").posted("Hello")
        with app.app_context(), Session(db.engine) as session:
            assert session.scalar(select(func.count()).select_from(Thread)) == 1
        assert blog.asked == []
