"""Answers on Mastodon come into the article's thread, follow their changes, and leave when they are deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.social import links, mastodon
from commentsvc.domain.social.networks import NetworkAnswer, SocialNetwork
from commentsvc.domain.threads import threads
from commentsvc.integrations import article_links
from commentsvc.integrations.mastodon_posts import MastodonReader
from commentsvc.models import Comment, FoundBy, Site, SocialLink, SocialOrigin, Status
from commentsvc.text import markup
from tests.conftest import BLOG
from tests.support.attacks import ATTACKS
from tests.support.comment_builders import NOON
from tests.support.mastodon_server import HOST, OTHER_HOST, POST, MastodonServer, RawAnswer, mastodon_server

CONTEXT = "/api/v1/statuses/1/context"
both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MastodonServer]:
    with mastodon_server(tmp_path) as server:
        yield server


def unexpected_in(html: str) -> list[str]:
    """Return the tags and attributes that no comment has."""

    class Reader(HTMLParser):
        unexpected: list[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            allowed = {*markup.ATTRIBUTES.get(tag, ()), *(("rel", "target") if tag == "a" else ())}
            self.unexpected += [tag] if tag not in markup.TAGS else []
            self.unexpected += [name for name, _ in attrs if name not in allowed]
            address = dict(attrs).get("href") or "https:"
            self.unexpected += [address] if address.partition(":")[0].lower() not in markup.PROTOCOLS else []

    reader = Reader()
    reader.unexpected = []
    reader.feed(html)
    return reader.unexpected


class Clock:
    """The time of a test."""

    at = NOON + timedelta(days=1)

    def __call__(self) -> datetime:
        return self.at


class Article:
    """An article that is connected with the stand-in's first post."""

    def __init__(self, session: Session, site: Site, server: MastodonServer) -> None:
        self.session, self.clock = session, Clock()
        self.reader = MastodonReader("https://comments.example", network=server.network)
        self.network = mastodon.network(self.reader, self.clock)
        begin_write(session)
        session.get_one(Site, site.id).mastodon = True
        address = threads.address_on(site, f"{BLOG}/post")
        self.thread = threads.find_or_create(session, address, title=None, at=self.clock.at)
        links.connect(session, self.thread, SocialOrigin.MASTODON, POST, by=FoundBy.ARTICLE, at=self.clock.at)
        session.commit()

    def read(self, network: SocialNetwork | None = None) -> int:
        """Let a reader open the article, and do what is due; return how many posts were asked."""
        begin_write(self.session)
        due = links.due_on_visit(self.session, self.thread.id, at=self.clock.at)
        links.want(self.session, due, at=self.clock.at)
        self.session.commit()
        return self.work(network)

    def work(self, network: SocialNetwork | None = None) -> int:
        known = {SocialOrigin.MASTODON: network or self.network}
        return links.run_due(self.session, known, at=self.clock.at)

    def later(self) -> None:
        """Go to when the post is due next, and read."""
        self.clock.at = self.link.due_at
        assert self.read() == 1

    @property
    def link(self) -> SocialLink:
        (link,) = links.of_thread(self.session, self.thread.id)
        self.session.rollback()
        return link

    @property
    def comments(self) -> dict[str, Comment]:
        """The comments by the numbers of their posts."""
        self.session.rollback()
        rows = self.session.scalars(
            select(Comment).order_by(Comment.id).execution_options(populate_existing=True)
        )
        return {row.origin_key.rpartition("/")[2]: row for row in rows if row.origin_key}


@pytest.fixture
def article(session: Session, site: Site, server: MastodonServer) -> Article:
    session.commit()
    return Article(session, site, server)


def test_the_articles_own_html_names_its_post() -> None:
    for html, address in (
        ('<link rel="syndication" href="https://social.example/@anna/1">', "https://social.example/@anna/1"),
        (
            '<a rel=syndication href="https://bsky.app/profile/a.example/post/1"></a>'
            '<a class="u-syndication" href="https://social.example/@anna/2/">Mastodon</a>',
            "https://social.example/@anna/2",
        ),
        (
            '<link rel=syndication href="https://social.example/@anna/1">'
            '<div id="comments" data-mastodon="https://other.example/@ben/3?x"></div>',
            "https://other.example/@ben/3",
        ),
        ('<div id="comments" data-mastodon="http://10.0.0.7/@ben/3"></div>', None),
        ('<a href="https://social.example/@anna/1">Mastodon</a>', None),
    ):
        assert mastodon.find(article_links.links_in(html)) == address, html
    assert mastodon.normal(" https://Social.example/@anna/1#x ") == "https://social.example/@anna/1"
    assert mastodon.normal("https://social.example/@anna") is None


@both_engines
def test_answers_are_a_tree_follow_edits_and_leave_when_deleted(
    article: Article, server: MastodonServer
) -> None:
    server.write("2", to="1", author="ben", host=OTHER_HOST)
    server.write("3", to="2", spoiler_text="Birds")
    server.write("4", to="1")
    assert article.work() == 1
    comments = article.comments
    assert comments["3"].parent_id == comments["2"].id
    assert comments["2"].parent_id is None
    assert (comments["2"].guest_name, comments["2"].origin_author) == ("Ben", f"ben@{OTHER_HOST}")
    assert comments["3"].content_warning == "Birds"
    assert comments["2"].created_at == NOON + timedelta(seconds=2)
    assert (article.link.likes, article.link.boosts, article.link.error) == (12, 3, None)
    server.statuses["2"].update(content="<p>Better words</p>", edited_at="2026-06-02T12:01:00Z")
    article.later()
    edited = article.comments["2"]
    assert (edited.html, edited.edited_at is not None) == ("<p>Better words</p>\n", True)
    # Two are missing from the next list, but only one of them is gone.
    del server.statuses["4"]
    server.statuses["2"]["in_reply_to_id"] = server.statuses["3"]["in_reply_to_id"] = "hidden"
    article.later()
    assert [article.comments[number].status for number in "234"] == [
        Status.APPROVED,
        Status.APPROVED,
        Status.TRASH,
    ]
    del server.statuses["2"]
    server.raw["/users/ben/statuses/2"] = RawAnswer(503)
    article.later()
    assert article.comments["2"].status is Status.APPROVED
    server.raw.clear()
    article.later()
    assert article.comments["2"].status is Status.TRASH


def test_an_answer_beyond_a_cut_list_stays(article: Article, server: MastodonServer) -> None:
    for number in range(2, 72):
        server.write(str(number), to="1")
    server.token = "a-token"
    article.reader.tokens = {HOST: "a-token"}
    article.work()
    assert len(article.comments) == 70
    article.reader.tokens, server.token = {}, ""
    server.requests.clear()
    article.later()
    assert len(server.requests) == 2 + mastodon.MOST_PROOFS
    assert {comment.status for comment in article.comments.values()} == {Status.APPROVED}
    del server.statuses["71"]
    article.later()
    assert article.comments["71"].status is Status.TRASH


def test_what_is_not_public_is_not_stored_and_leaves(article: Article, server: MastodonServer) -> None:
    for number, hidden in enumerate(
        (
            {"visibility": "unlisted"},
            {"visibility": "private"},
            {"visibility": "direct"},
            {"visibility": ""},
            {"local_only": True},
            {"account": {"noindex": True}},
            {"account": {"limited": True}},
        ),
        start=10,
    ):
        server.write(str(number), to="1", **hidden)
    server.write("2", to="1", account={"bot": True})
    server.write("3", to="13")
    article.work()
    assert set(article.comments) == {"2", "3"}
    assert article.comments["2"].guest_name == "Anna (bot)"
    assert article.comments["3"].parent_id is None
    server.statuses["2"]["account"]["noindex"] = True
    article.later()
    assert article.comments["2"].status is Status.TRASH


def test_own_posts_do_not_come_back(article: Article, server: MastodonServer) -> None:
    server.write("2", to="1", uri=POST, url=POST)
    server.write("3", to="1", uri=f"{BLOG}/comment/1", url=f"{BLOG}/post#comment-1")
    server.write("4", to="1")
    article.work()
    article.later()
    assert set(article.comments) == {"4"}


def test_what_a_server_refuses_is_said_in_words(article: Article, server: MastodonServer) -> None:
    server.token = "a-token"
    article.work()
    assert (
        article.link.error == "The server shows this post only to those who are logged in. It needs a token."
    )
    server.raw["/api/v1/statuses/1"] = RawAnswer(429, headers={"Retry-After": "7200"})
    article.later()
    assert article.link.due_at >= article.clock.at + timedelta(hours=2)
    server.raw["/api/v1/statuses/1"] = RawAnswer(410)
    article.later()
    assert article.link.stopped_at == article.clock.at
    assert article.link.error == "The post does not exist, or is not public."


def test_attacks_in_every_part_of_a_post_stay_texts(article: Article, server: MastodonServer) -> None:
    """The sanitisers have tests of their own; this shows that nothing goes past them."""
    attacks = [attack for attack in ATTACKS[::3] if len(attack.text) < 1000]
    for number, attack in enumerate(attacks, start=2):
        hostile = {"display_name": attack.text, "avatar_static": attack.text, "url": attack.text}
        server.write(
            str(number),
            to="1",
            author=f"user{number}",
            content=f"{attack.text}<p>:{attack.text}:</p>",
            spoiler_text=attack.text,
            language=attack.text,
            emojis=[{"shortcode": attack.text, "url": attack.text}],
            media_attachments=[{"type": attack.text, "url": attack.text, "description": attack.text}],
            account=hostile,
        )
    server.token = "a-token"
    article.reader.tokens = {HOST: "a-token"}
    article.work()
    assert article.link.error is None
    comments = article.comments.values()
    assert len(comments) > 0.9 * len(attacks) > 100
    for comment in comments:
        assert unexpected_in(comment.html) == [], comment.origin_key
        assert comment.guest_website is None or comment.guest_website.startswith(("http://", "https://"))
        assert comment.origin_picture is None or comment.origin_picture.startswith("https://")


def test_polls_slow_down_stop_and_need_a_reader(article: Article) -> None:
    asked: list[datetime] = []

    def fetch(_asked: object) -> NetworkAnswer:
        asked.append(article.clock.at)
        return NetworkAnswer()

    silent = SocialNetwork(SocialOrigin.MASTODON, fetch=fetch)  # type: ignore[arg-type]
    begun = article.clock.at
    while article.link.stopped_at is None:
        article.clock.at = article.link.due_at
        assert article.read(silent) == 1
        assert article.read(silent) == 0
    assert asked[-1] - begun >= links.STOP
    article.clock.at += timedelta(days=400)
    assert article.read(silent) == 0
    assert article.work(silent) == 0
    # A thousand articles, one a day, all read all the time.
    days = [(time - begun) // timedelta(days=1) for time in asked]
    polls = [0] * 1000
    for published in range(1000):
        for day in days:
            if published + day < 1000:
                polls[published + day] += 1
    assert max(polls) == len(asked) == 54  # as docs/social.md says
    assert days.count(0) == 9
