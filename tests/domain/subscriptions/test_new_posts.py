"""New articles, from a real feed over HTTP, and by command: what is announced, to whom, and how often."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.subscriptions import feeds
from commentsvc.models import Announcement, FeedItem, FeedState, Site, Subscription, SubscriptionKind, now
from tests.conftest import BLOG
from tests.support.guest_client import GuestClient, add_site
from tests.support.subscribers import Postman, link, links, part, postman, press

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
ADA = "ada@mail.example"


class Feed:
    """A feed on a web server of the test."""

    def __init__(self) -> None:
        self.items: list[tuple[str, str, datetime]] = []
        self.requests: list[dict[str, str]] = []
        self.status = 200
        self.url = ""

    def add(self, name: str, *, title: str = "", at: datetime | None = None, base: str = BLOG) -> None:
        self.items.insert(0, (f"{base}/{name}/", title or name.title(), at or now()))

    def body(self) -> bytes:
        items = "".join(
            f"<item><title>{title}</title><link>{url}</link><guid>{url}</guid>"
            f"<pubDate>{format_datetime(at)}</pubDate></item>"
            for url, title, at in self.items
        )
        return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Blog</title>{items}</channel></rss>'.encode()


@pytest.fixture
def feed() -> Iterator[Feed]:
    feed = Feed()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            feed.requests.append(dict(self.headers))
            body = feed.body()
            etag = f'"{hash(body)}"'
            is_known = self.headers.get("If-None-Match") == etag
            self.send_response(304 if is_known else feed.status)
            self.send_header("ETag", etag)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", "0" if is_known else str(len(body)))
            self.end_headers()
            if not is_known:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        feed.url = f"http://127.0.0.1:{server.server_port}/feed.xml"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield feed
        server.shutdown()
        thread.join()


@pytest.fixture
def post(app: Flask) -> Iterator[Postman]:
    with postman(app, COMMENTSVC_PRIVATE_ARTICLES="1") as one:
        yield one


@pytest.fixture
def site_id(app: Flask, post: Postman, feed: Feed) -> int:
    return add_site(app, valve=False, post_mail=True, feed_url=feed.url)


def later(minutes: float) -> datetime:
    return now() + timedelta(minutes=minutes)


def subscribe(app: Flask, post: Postman, address: str = ADA) -> None:
    """Comment with the second box ticked, and confirm."""
    GuestClient(app).posted(f"I am {address}", email=address, notify_posts="1")
    (mail,) = [one for one in post.work() if one["To"] == address]
    assert "new articles" in part(mail)
    assert press(app, link(mail, "confirm"), shown="999999").status_code == 200


def test_a_new_item_of_a_feed_is_mailed_once(app: Flask, post: Postman, site_id: int, feed: Feed) -> None:
    feed.add("first")
    subscribe(app, post)
    assert [row.kind for row in post.rows()] == [SubscriptionKind.POSTS]
    assert post.work(later(20)) == []  # the first request announces nothing
    feed.add("second", title="Swifts &amp;amp; &lt;b&gt;swallows&lt;/b&gt;")
    (mail,) = post.work(later(40))
    assert (mail["To"], mail["Subject"]) == (ADA, "Swifts & swallows")
    assert f"{BLOG}/second/" in part(mail)
    assert "first" not in part(mail)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    feed.items[0] = (feed.items[0][0], "A corrected title", now())
    assert post.work(later(60)) == []
    assert post.work(later(60 * 24 * 31)) == []
    with app.app_context(), Session(db.engine) as session:
        assert session.scalar(select(Announcement)) is None


def test_an_unchanged_feed_is_not_sent_again(app: Flask, post: Postman, site_id: int, feed: Feed) -> None:
    feed.add("first")
    subscribe(app, post)
    post.work(later(1))
    asked = len(feed.requests)
    post.work(later(5))
    assert len(feed.requests) == asked
    post.work(later(20))
    assert len(feed.requests) == asked + 1
    assert feed.requests[-1]["If-None-Match"]
    feed.status = 500
    feed.add("second")
    assert post.work(later(40)) == []
    with app.app_context(), Session(db.engine) as session:
        state = session.scalars(select(FeedState)).one()
        assert state.error == "The server answered with status 500."
        assert feeds.error_of(session, session.get_one(Site, site_id)) == state.error
    feed.status = 200
    assert len(post.work(later(60))) == 1


def test_several_items_come_in_one_mail_and_old_or_foreign_ones_in_none(
    app: Flask, post: Postman, site_id: int, feed: Feed
) -> None:
    subscribe(app, post)
    post.work(later(1))
    feed.add("ancient", at=now() - timedelta(days=8))
    feed.add("foreign", base="https://elsewhere.example")
    for number in range(5):
        feed.add(f"new-{number}")
    (mail,) = post.work(later(20))
    assert mail["Subject"] == "5 new articles on Blog"
    assert "ancient" not in part(mail)
    assert "elsewhere" not in part(mail)
    assert part(mail).index("new-0") < part(mail).index("new-4")


def test_daily_mail_has_everything_of_the_day(app: Flask, post: Postman, site_id: int, feed: Feed) -> None:
    subscribe(app, post)
    post.change(frequency="daily")
    post.work(later(1))
    feed.add("one")
    assert post.work(later(20)) == []
    feed.add("two")
    assert post.work(later(40)) == []
    (mail,) = post.work(later(24 * 60))
    assert mail["Subject"] == "2 new articles on Blog"


def test_nobody_hears_of_it_who_stopped_or_whose_site_switched_it_off(
    app: Flask, post: Postman, site_id: int, feed: Feed
) -> None:
    subscribe(app, post)
    subscribe(app, post, "ben@mail.example")
    post.work(later(1))
    feed.add("one")
    mails = post.work(later(20))
    assert len(mails) == 2
    (bens,) = [mail for mail in mails if mail["To"] != ADA]
    assert any("/mail/stop/" in one for one in links(bens))
    assert press(app, link(bens, "stop"), scope="one").status_code == 200
    feed.add("two")
    (mail,) = post.work(later(40))
    assert mail["To"] == ADA
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.get_one(Site, site_id).post_mail = False
        session.commit()
    feed.add("three")
    asked = len(feed.requests)
    assert post.work(later(60)) == []
    assert len(feed.requests) == asked


def test_a_feed_is_read_only_while_somebody_wants_it(
    app: Flask, post: Postman, site_id: int, feed: Feed
) -> None:
    feed.add("first")
    assert post.work() == []
    assert feed.requests == []


def test_another_address_of_the_feed_begins_anew(app: Flask, post: Postman, site_id: int, feed: Feed) -> None:
    subscribe(app, post)
    post.work(later(1))
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.get_one(Site, site_id).feed_url = f"{feed.url}?new"
        session.commit()
    feed.add("one")
    assert post.work(later(20)) == []
    feed.add("two")
    (mail,) = post.work(later(40))
    assert mail["Subject"] == "Two"


def test_without_the_switch_the_box_is_not_there_and_its_value_not_taken(app: Flask, post: Postman) -> None:
    add_site(app, valve=False)
    assert "notify_posts" not in GuestClient(app).get().text
    GuestClient(app).posted("Hello", email=ADA, notify_posts="1")
    assert post.work() == []
    with app.app_context(), Session(db.engine) as session:
        assert session.scalar(select(Subscription)) is None


def test_both_boxes_are_confirmed_by_one_mail(app: Flask, post: Postman, site_id: int, feed: Feed) -> None:
    assert "notify_posts" in GuestClient(app).get().text
    GuestClient(app).posted("Hello", email=ADA, notify="1", notify_posts="1")
    (mail,) = post.work()
    assert press(app, link(mail, "confirm"), shown="999999").status_code == 200
    assert {row.kind for row in post.rows()} == {SubscriptionKind.THREAD, SubscriptionKind.POSTS}
    assert all(row.confirmed_at for row in post.rows())


def test_two_workers_at_once_announce_an_item_once(
    app: Flask, post: Postman, site_id: int, feed: Feed
) -> None:
    subscribe(app, post)
    post.work(later(1))
    feed.add("one")
    at = later(20)
    before = len(post.box.raw)
    workers = [threading.Thread(target=post.work, args=(at,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    post.work(later(40))  # what each left to the other
    assert len(post.box.raw) - before == 1
    with app.app_context(), Session(db.engine) as session:
        assert len(session.scalars(select(Announcement)).all()) == 1
        assert len(session.scalars(select(FeedItem)).all()) == 1
