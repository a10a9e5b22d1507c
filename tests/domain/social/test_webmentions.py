"""Webmentions: received at once, verified later, updated, removed; the cases of webmention.rocks without a network."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.social import webmentions
from commentsvc.errors import InvalidFieldsError, TooManyError
from commentsvc.integrations import webmention_source
from commentsvc.models import Ban, BanKind, Comment, MentionKind, MentionState, Site, Status, Webmention
from tests.conftest import BLOG
from tests.support.comment_builders import NOON
from tests.support.strange_server import Internet, Server
from tests.support.time_limit import within
from tests.support.web_pages import WebPages, web_pages

TARGET = f"{BLOG}/post"

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture
def pages() -> Iterator[WebPages]:
    with web_pages() as pages:
        yield pages


@pytest.fixture(autouse=True)
def _switched_on(session: Session, site: Site) -> None:
    site.webmention = True
    session.commit()


def reply(text: str, *, verb: str = "in-reply-to", target: str = TARGET) -> str:
    return (
        '<article class="h-entry"><a class="p-author h-card" href="/me"><img class="u-photo" src="/me.png" alt="">'
        f'Ann</a> <a class="u-{verb}" href="{target}">the post</a>'
        f'<div class="e-content"><p>{text}</p></div></article>'
    )


def send(session: Session, pages: WebPages, path: str, target: str = TARGET, *, hours: int = 0) -> None:
    """Send a webmention of a page, and let it be verified."""
    at = NOON + timedelta(hours=hours)
    begin_write(session)
    webmentions.receive(session, pages.url(path), target, at=at)
    session.commit()
    work(session, hours=hours)


def work(session: Session, *, hours: float = 0) -> int:
    return webmentions.run_due(
        session,
        lambda source, target: webmention_source.read(source, target, allow_private=True),
        at=NOON + timedelta(hours=hours),
    )


def mentions(session: Session) -> list[Webmention]:
    return list(session.scalars(select(Webmention).order_by(Webmention.id)))


def comments(session: Session) -> list[Comment]:
    session.expire_all()
    return list(session.scalars(select(Comment).order_by(Comment.id)))


def test_what_can_never_be_valid_is_refused_at_once(session: Session, site: Site) -> None:
    page = "https://other.example/page"
    wrong = [
        (page, "https://not-ours.example/post"),
        (page, "mailto:a@blog.example"),
        ("ftp://other.example/", TARGET),
        ("javascript:alert(1)", TARGET),
        ("", TARGET),
        (page, ""),
        (f"{TARGET}#x", TARGET),
        (f"https://other.example/{'x' * 2000}", TARGET),
    ]
    begin_write(session)
    for source, target in wrong:
        with pytest.raises(InvalidFieldsError):
            webmentions.receive(session, source, target, at=NOON)
    site.webmention = False
    session.flush()
    with pytest.raises(InvalidFieldsError):
        webmentions.receive(session, page, TARGET, at=NOON)


@ENGINES
def test_a_reply_is_held_updated_and_removed(session: Session, pages: WebPages) -> None:
    pages.pages["/re"] = reply("First <b>words</b><script>alert(1)</script>")
    send(session, pages, "/re")
    (comment,) = comments(session)
    assert (comment.status, comment.guest_name) == (Status.HELD, "Ann")
    assert comment.html == "<p>First <strong>words</strong></p>\n"
    assert comment.guest_website == pages.url("/me")
    assert comment.origin_picture is None  # only https
    send(session, pages, "/re", hours=1)
    assert len(comments(session)) == 1
    pages.pages["/re"] = reply("Second words")
    send(session, pages, "/re", hours=2)
    (comment,) = comments(session)
    assert "Second words" in comment.html
    pages.pages["/re"] = "<p>The link is gone.</p>"
    send(session, pages, "/re", hours=3)
    (comment,) = comments(session)
    assert (comment.status, mentions(session)[0].state) == (Status.TRASH, MentionState.GONE)


def test_deletion_is_believed_of_the_source_only(session: Session, pages: WebPages) -> None:
    pages.pages |= {"/a": reply("Alice"), "/b": reply("Bob")}
    pages.redirects["/mallory"] = "/a"
    for path in ("/a", "/b", "/mallory"):
        send(session, pages, path)
    assert len(comments(session)) == 2
    # Somebody's page that led to Alice's is gone now; hers is not.
    del pages.redirects["/mallory"]
    pages.pages["/mallory"] = 410
    send(session, pages, "/mallory", hours=1)
    send(session, pages, "/a", hours=1)
    assert {comment.status for comment in comments(session)} == {Status.HELD}
    pages.pages["/b"] = 410
    send(session, pages, "/b", hours=2)
    assert [comment.status for comment in comments(session)] == [Status.HELD, Status.TRASH]


def test_a_source_without_the_exact_link_shows_nothing(session: Session, pages: WebPages) -> None:
    pages.pages |= {
        "/none": "<p>nothing</p>",
        "/comment": f'<!-- <a href="{TARGET}">x</a> -->',
        "/escaped": f"&lt;a href=&quot;{TARGET}&quot;&gt;",
        "/other": f'<a href="{TARGET}er">x</a>',
        "/text": f"<pre>{TARGET}</pre>",
        "/template": f"<textarea>{TARGET}</textarea>",
    }
    for path in pages.pages:
        send(session, pages, path)
    assert comments(session) == []
    assert {mention.state for mention in mentions(session)} == {MentionState.REFUSED}


@ENGINES
def test_likes_are_counted_and_mentions_are_short(session: Session, pages: WebPages) -> None:
    pages.pages |= {
        "/like": reply("", verb="like-of"),
        "/repost": reply("", verb="repost-of"),
        "/about": f'<title>About</title><p>See <img src="{TARGET}"></p>',
        "/long": reply("word " * 2000),
    }
    for path in pages.pages:
        send(session, pages, path)
    kinds = [mention.kind for mention in mentions(session)]
    assert kinds == [MentionKind.LIKE, MentionKind.REPOST, MentionKind.MENTION, MentionKind.REPLY]
    about, long = comments(session)
    assert about.html == "<p>About</p>\n"
    assert len(long.source) < 1100


def test_sources_are_read_again_on_later_days(session: Session, pages: WebPages) -> None:
    pages.pages["/re"] = reply("Words")
    send(session, pages, "/re")
    for day, reads in ((0.5, 1), (1, 2), (2, 2), (8, 3), (9, 3), (38, 4), (90, 4)):
        work(session, hours=24 * day)
        assert len(pages.requests) == reads, day
    # A server that is down for a day takes nothing away; one that says 404 each time does.
    pages.pages["/re"] = 503
    send(session, pages, "/re", hours=24 * 91)
    for hours in (1, 4, 20):
        work(session, hours=24 * 91 + hours)
    assert comments(session)[0].status is Status.HELD
    pages.pages["/re"] = 404
    send(session, pages, "/re", hours=24 * 100)
    for hours in (1, 4, 20):
        assert comments(session)[0].status is Status.HELD
        work(session, hours=24 * 100 + hours)
    assert comments(session)[0].status is Status.TRASH


def test_a_flood_meets_limits_and_a_ban_holds_a_host_off(
    session: Session, site: Site, pages: WebPages
) -> None:
    begin_write(session)
    session.add(Ban(site_id=site.id, kind=BanKind.DOMAIN, value="127.0.0.1", label="x", reason="x"))
    session.commit()
    pages.pages["/re"] = reply("Words")
    send(session, pages, "/re")
    assert comments(session) == []
    begin_write(session)
    for number in range(webmentions.PER_HOST):
        webmentions.receive(session, f"https://flood.example/{number}", TARGET, at=NOON)
    with pytest.raises(TooManyError):
        webmentions.receive(session, "https://flood.example/x", TARGET, at=NOON)
    webmentions.receive(session, "https://other.example/x", TARGET, at=NOON)


def test_sources_cannot_reach_inside_or_hold_the_worker() -> None:
    for url in ("http://127.0.0.1:80/", "http://[::1]/", "http://169.254.169.254/", "http://10.0.0.1/"):
        assert webmention_source.read(url, TARGET).state == "forbidden"
    endless = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    server = Server()
    server.play(server.drip(endless, b"x"), endless + b"x" * (webmention_source.LARGEST + 1))
    try:
        internet = Internet(server, __import__("ssl").create_default_context())
        with within(20):
            for _ in range(2):
                read = webmention_source.read("http://slow.example/", TARGET, network=internet.network)
                assert read.state == "unreadable"
    finally:
        server.close()


def test_every_page_is_read_in_time_that_grows_with_its_size() -> None:
    tricks = (
        "<b>",
        "<",
        "<a ",
        "<!--",
        "<![",
        "</b>",
        '<i class="h-entry p-x e-content">',
        "<a href='",
        "<?x",
    )
    with within(60):
        for trick in tricks:
            html = trick * (webmention_source.LARGEST // len(trick))
            assert webmention_source.source_of(html, "https://x.example/", TARGET).state == "no_link"
