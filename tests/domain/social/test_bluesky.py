"""Answers on Bluesky become comments, and what its network hides or deletes is not shown here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.social import bluesky, links
from commentsvc.domain.threads import threads
from commentsvc.integrations.article_links import links_in
from commentsvc.integrations.bluesky_posts import AppView
from commentsvc.models import Comment, FoundBy, Policy, Site, SocialLink, SocialOrigin, Status, Thread, now
from commentsvc.text import markup
from tests.conftest import BASE_URL, BLOG
from tests.support.appview import StandInAppView, appview, did_of
from tests.support.attacks import ATTACKS
from tests.support.outside_session import outside_session
from tests.support.receiver import Reply

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
LABEL = {"labels": [{"val": "!no-unauthenticated"}]}


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app, expire_on_commit=False) as session:
        begin_write(session)
        yield session


@pytest.fixture
def network() -> Iterator[StandInAppView]:
    with appview() as view:
        yield view


@pytest.fixture
def thread(session: Session, site: Site) -> Thread:
    begin_write(session)
    session.get_one(Site, site.id).policy = Policy.OPEN
    session.get_one(Site, site.id).bluesky = True
    address = threads.address_on(session.get_one(Site, site.id), f"{BLOG}/post")
    thread = threads.find_or_create(session, address, title=None, at=now())
    session.commit()
    return thread


def connect(session: Session, thread: Thread, address: str) -> None:
    normal = bluesky.normal(address)
    assert normal
    begin_write(session)
    links.connect(session, thread, SocialOrigin.BLUESKY, normal, by=FoundBy.ARTICLE, at=now())
    session.commit()


def ask(session: Session, network: StandInAppView) -> SocialLink:
    """Ask for the answers, as if a reader had come after they were due."""
    begin_write(session)
    for link in session.scalars(select(SocialLink)):
        link.due_at = link.wanted_at = now() - timedelta(minutes=1)
    session.commit()
    known = {SocialOrigin.BLUESKY: bluesky.network(AppView("https://us.example", network.origin))}
    links.run_due(session, known, at=now())
    return session.scalars(select(SocialLink)).one()


def comments(session: Session) -> dict[str, Comment]:
    """Return the comments that readers see, by their texts."""
    query = select(Comment).where(Comment.status == Status.APPROVED).order_by(Comment.id)
    return {markup.plain(comment.html): comment for comment in session.scalars(query)}


@both_engines
def test_answers_become_comments_below_what_they_answer(
    session: Session, thread: Thread, network: StandInAppView
) -> None:
    top = network.post("Ada", "My article", likeCount=3, repostCount=2)
    feature = {"$type": "app.bsky.richtext.facet#link", "uri": "https://a.example/?x=1&y=2"}
    facet = {"index": {"byteStart": 4, "byteEnd": 13}, "features": [feature]}
    images = {"$type": "app.bsky.embed.images", "images": [{"alt": "A <b>swift</b>"}]}
    first = network.post(
        "Bob",
        "See ä <b> ä\n\nBye",
        top,
        record={"facets": [facet], "embed": images},
        labels=[{"val": "gore"}],
    )
    network.post("Cy", "Deeper", first)
    handle_page = f"https://bsky.app/profile/ada.bsky.example/post/{top.rpartition('/')[2]}"
    connect(session, thread, handle_page)
    link = ask(session, network)
    assert (link.error, link.likes, link.boosts, link.etag) == (None, 3, 2, top)
    bob, cy = comments(session).values()
    assert (bob.origin, bob.origin_key, bob.origin_author) == (SocialOrigin.BLUESKY, first, did_of("Bob"))
    assert bob.origin_url == f"https://bsky.app/profile/{did_of('Bob')}/post/{first.rpartition('/')[2]}"
    assert (bob.guest_name, bob.content_warning, cy.parent_id) == ("Bob", "Graphic media", bob.id)
    assert 'See <a href="https://a.example/?x=1&amp;y=2"' in bob.html
    assert ">ä &lt;b&gt; ä</a></p>\n<p>Bye</p>" in bob.html
    assert "[Picture: A &lt;b&gt;swift&lt;/b&gt;]" in bob.html
    # Their author's handle may change: the post is asked for by what does not.
    network.handles.clear()
    assert ask(session, network).error is None
    assert network.asked.count("resolveHandle") == 1
    assert len(comments(session)) == 2


@both_engines
def test_what_is_deleted_or_hidden_there_goes_here_and_what_is_only_missing_stays(
    session: Session, thread: Thread, network: StandInAppView
) -> None:
    top = network.post("Ada", "My article")
    uris = {
        text: network.post("Bob", text, top)
        for text in (
            "Stays",
            "Missing",
            "Deleted",
            "Missing, deleted",
            "Blocked",
            "Hidden",
            "Private",
            "Late",
        )
    }
    connect(session, thread, top)
    ask(session, network)
    assert comments(session).keys() == uris.keys()
    network.deleted = {uris["Deleted"], uris["Missing, deleted"]}
    network.left_out = {uris["Missing"], uris["Missing, deleted"], uris["Late"]}
    network.blocked = {uris["Blocked"]}
    network.hidden_by_author = [uris["Hidden"]]
    for text in ("Private", "Late"):
        network.posts[uris[text]]["author"].update(LABEL)
    network.replies = [Reply(502, {}, b"")]
    assert ask(session, network).error == "Bluesky answered with status 502."
    assert comments(session).keys() == uris.keys()
    ask(session, network)
    assert comments(session).keys() == {"Stays", "Missing"}
    # A server that leaves out everything, and proves nothing, deletes nothing.
    network.left_out = set(uris.values())
    for status in (429, 500):
        thread_answer = network.answer(f"/xrpc/app.bsky.feed.getPostThread?uri={top}&depth=1&parentHeight=0")
        network.replies = [json_reply(thread_answer), Reply(status, {"Retry-After": "7200"}, b"")]
        link = ask(session, network)
        assert comments(session).keys() == {"Stays", "Missing"}
        assert (link.due_at - now() > timedelta(minutes=110)) == (status == 429)


def json_reply(answer: tuple[int, dict[str, object]]) -> Reply:
    status, body = answer
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(body).encode())


def test_what_is_not_for_everybody_is_never_stored(
    session: Session, thread: Thread, network: StandInAppView
) -> None:
    top = network.post("Ada", "My article")
    private = network.post("Bob", "Only for members", top, author=LABEL)
    network.post("Cy", "Below it", private)
    connect(session, thread, top)
    ask(session, network)
    (only,) = session.scalars(select(Comment))
    assert (only.source.strip(), only.parent_id) == ("<p>Below it</p>", None)


URL, ORIGIN = {"url": f"{BLOG}/post"}, {"origin": BLOG}
OF_THREAD = {
    **dict.fromkeys(("/embed", "/thread", "/fragment", "/feeds/thread.atom", "/feeds/thread.json"), URL),
    "/comments.ndjson": {"site": "Blog"},
}
OF_SITE = dict.fromkeys(("/latest", "/feeds/site.atom", "/feeds/site.json"), ORIGIN)
"""What may be a second old, and so is requested once in a test."""


def public_outputs(app: Flask, requests: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return what anybody can read, by path."""
    outputs = {}
    for path, query in requests.items():
        answer = app.test_client().get(path, query_string=query, base_url=BASE_URL, buffered=True)
        assert answer.status_code == 200, (path, answer.text)
        outputs[path] = answer.text
    return outputs


def test_what_was_withdrawn_is_in_no_public_output(
    app: Flask, session: Session, thread: Thread, network: StandInAppView
) -> None:
    top = network.post("Ada", "My article")
    uri = network.post("Withdrawer", "Not-for-all", top)
    network.post("Cy", "Stays-here", top)
    connect(session, thread, top)
    ask(session, network)
    for path, text in public_outputs(app, OF_THREAD).items():
        assert "Not-for-all" in text, path
    network.posts[uri]["author"].update(LABEL)
    ask(session, network)
    for path, text in public_outputs(app, OF_THREAD | OF_SITE).items():
        assert "Stays-here" in text, path
        for word in ("Not-for-all", "Withdrawer", did_of("Withdrawer")):
            assert word not in text, path


def test_a_post_that_is_gone_is_asked_for_no_more_and_its_deleted_answers_go(
    session: Session, thread: Thread, network: StandInAppView
) -> None:
    top = network.post("Ada", "My article")
    network.post("Bob", "Stays", top)
    deleted = network.post("Cy", "Deleted", top)
    connect(session, thread, top)
    ask(session, network)
    network.deleted = {top, deleted}
    link = ask(session, network)
    assert (link.error, link.stopped_at is not None) == ("Bluesky has no such post.", True)
    assert comments(session).keys() == {"Stays"}
    asked = len(network.asked)
    ask(session, network)
    assert len(network.asked) == asked


def test_the_server_finds_the_post_in_the_article() -> None:
    page, uri = (
        f"https://bsky.app/profile/{did_of('ada')}/post/3k",
        f"at://{did_of('ada')}/app.bsky.feed.post/3k",
    )
    for html in (
        f'<link rel="syndication" href="https://social.example/@ada/1"><link rel="syndication" href="{page}">',
        f'<a class="u-syndication" href="{uri}">Bluesky</a>',
        f'<comment-thread data-bluesky="{page}?ref=1"></comment-thread>',
        f'<div id="comments" data-bluesky=" {page} "></div><link rel="syndication" href="{page}other">',
    ):
        assert bluesky.find(links_in(html)) == page, html
    for html in (
        f'<a href="{page}">A post</a>',
        f'<p data-bluesky="{page}">',
        '<link rel="syndication" href="https://bsky.app/profile/ada.example">',
        '<comment-thread data-bluesky="javascript:alert(1)"></comment-thread>',
    ):
        assert bluesky.find(links_in(html)) is None, html


class _Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def test_hostile_strings_stay_text_through_every_field(
    session: Session, thread: Thread, network: StandInAppView
) -> None:
    top = network.post("Ada", "My article")
    for attack in ATTACKS:
        text = f"{attack.text[:2000]} end"
        feature = {"$type": "app.bsky.richtext.facet#link", "uri": attack.text}
        tag = {"$type": "app.bsky.richtext.facet#tag", "tag": attack.text}
        end = len(text.encode("utf-8", "replace"))
        facets = [
            {"index": {"byteStart": end - 3, "byteEnd": end}, "features": [feature]},
            {"index": {"byteStart": 0, "byteEnd": end - 4}, "features": [tag]},
        ]
        external = {"$type": "app.bsky.embed.external", "external": {"uri": attack.text}}
        network.post(
            "Bob",
            text,
            top,
            record={"facets": facets, "embed": external, "langs": [attack.text]},
            author={"displayName": attack.text, "handle": attack.text, "avatar": attack.text},
        )
    answer = bluesky.fetch(
        AppView("https://us.example", network.origin),
        links.AskedLink(bluesky.normal(top) or "", None, frozenset()),
    )
    assert (answer.error, len(answer.posts)) == ("", len(ATTACKS))
    for post in answer.posts:
        assert re.fullmatch(r"[a-z0-9.-]*", post.author_handle)
        assert post.author_url == f"https://bsky.app/profile/{did_of('Bob')}"
        rendered = markup.render_html(post.html or "")
        assert rendered.agreed
        for name, attributes in _Elements(rendered.html).elements:
            assert name in {"p", "br", "a"}, rendered.html
            assert attributes.keys() <= {"href", "rel", "target"}, rendered.html
            assert (attributes.get("href") or "https://").startswith(("https://", "http://")), rendered.html


def test_many_missing_answers_are_proved_a_few_at_a_time(network: StandInAppView) -> None:
    top = network.post("Ada", "My article")
    missing = frozenset(f"at://{did_of('Bob')}/app.bsky.feed.post/3k{number}" for number in range(150))
    server = AppView("https://us.example", network.origin)
    answer = bluesky.fetch(server, links.AskedLink(bluesky.normal(top) or "", None, missing))
    assert (len(answer.gone), network.asked.count("getPosts")) == (bluesky.MOST_PROVED, 10)
    rest = missing - answer.gone
    answer = bluesky.fetch(server, links.AskedLink(bluesky.normal(top) or "", None, rest))
    assert answer.gone == rest
