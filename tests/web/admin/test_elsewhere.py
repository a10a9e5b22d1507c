"""The admin view of answers from elsewhere: switches, an article's posts, its webmentions, hiding an author."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from commentsvc.db.session import begin_write
from commentsvc.domain.comments import erased_comments
from commentsvc.domain.social import links, posts, webmentions
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads import threads
from commentsvc.models import Action, Ban, Comment, Site, SocialLink, SocialOrigin, Status, Webmention, now
from tests.conftest import BLOG
from tests.domain.social.test_posts import answer
from tests.support.admin_queue import AdminQueue, queue_in

TOOT = "https://social.example/@me/112233445566778899"


@pytest.fixture
def it(app: Flask) -> Iterator[AdminQueue]:
    with queue_in(app) as queue:
        yield queue


def switch_on(it: AdminQueue) -> int:
    """Switch everything on, and return the id of a thread with an answer."""
    begin_write(it.session)
    site = it.session.get_one(Site, it.site_id)
    site.mastodon = site.bluesky = site.webmention = True
    thread = threads.find_or_create(
        it.session, threads.address_on(site, f"{BLOG}/post"), title="Post", at=now()
    )
    posts.store(it.session, thread, [answer(1)], now())
    it.session.commit()
    return thread.id


def test_the_switches_are_off_and_the_embed_code_follows_them(it: AdminQueue) -> None:
    path = f"/admin/sites/{it.site_id}"
    page = it.owner.page(path)
    for name in ("webmention", "mastodon", "bluesky", "count_foreign"):
        assert f'name="{name}"' in page
        assert getattr(it.session.get_one(Site, it.site_id), name) is False
    assert "rel=&#34;webmention&#34;" not in it.owner.page(f"{path}/embed-code")
    switch_on(it)
    assert "/webmention" in it.owner.page(f"{path}/embed-code")


def test_a_moderator_connects_a_post_and_has_it_asked_again(it: AdminQueue) -> None:
    thread_id = switch_on(it)
    path = f"/admin/threads/{thread_id}/elsewhere"
    mod = it.moderator("Mo")
    assert path in mod.page(f"/admin/threads/{thread_id}")
    for wrong in ("", "javascript:alert(1)", "https://social.example/", "not a post"):
        assert mod.post(path, {"post": wrong}).status_code == 422
    answer_to = mod.post(path, {"post": TOOT})
    assert (answer_to.status_code, answer_to.headers["Location"]) == (303, path)
    assert "Connected. It will be asked for answers soon." in mod.page(path)
    link = it.session.scalars(select(SocialLink)).one()
    assert (link.origin, link.address) == (SocialOrigin.MASTODON, TOOT)
    begin_write(it.session)
    link.stopped_at, link.error, link.wanted_at = now(), "It asks for a <b>token</b>.", None
    it.session.commit()
    page = mod.page(path)
    assert "It is not asked any more." in page
    assert "It asks for a &lt;b&gt;token&lt;/b&gt;." in page
    assert mod.post(f"{path}/{link.id}/again").status_code == 303
    it.session.rollback()
    it.session.refresh(link)
    assert (link.stopped_at, link.error) == (None, None)
    assert link.wanted_at is not None
    assert mod.post(f"{path}/{link.id}/disconnect").status_code == 303
    assert mod.post(f"{path}/{link.id}/again").status_code == 404
    it.session.rollback()
    kinds = it.session.scalars(select(Action.kind)).all()
    assert kinds.count("thread.elsewhere") == 3


def test_webmentions_are_listed_with_what_became_of_them(it: AdminQueue) -> None:
    thread_id = switch_on(it)
    begin_write(it.session)
    webmentions.receive(it.session, "https://other.example/?a=1&b=2", f"{BLOG}/post", at=now())
    it.session.commit()
    webmentions.run_due(it.session, lambda _source, _target: Reply(), at=now() + timedelta(seconds=1))
    page = it.owner.page(f"/admin/threads/{thread_id}/elsewhere")
    assert "https://other.example/?a=1&amp;b=2" in page
    assert "verified" in page
    assert "Where comments were written" in it.owner.page(f"/admin/sites/{it.site_id}/statistics")
    # An erased comment takes the address of its page along, and stays away.
    begin_write(it.session)
    comment = it.session.scalars(select(Comment).where(Comment.origin_url == Reply.url)).one()
    erased_comments.erase(it.session, comment.id, Verdict(CheckName.ERASED, Status.TRASH, "x"), at=now())
    it.session.commit()
    assert it.session.scalars(select(Webmention)).all() == []
    assert (comment.origin_url, comment.origin_key, comment.origin_author) == (None, None, None)
    begin_write(it.session)
    webmentions.receive(it.session, "https://other.example/again", f"{BLOG}/post", at=now())
    it.session.commit()
    webmentions.run_due(it.session, lambda _source, _target: Reply(), at=now() + timedelta(seconds=1))
    assert it.session.scalars(select(Comment.id).where(Comment.origin_key == Reply.url)).all() == []


class Reply:
    """A source that was read."""

    state, url, verb, name = "links", "https://other.example/page", "in-reply-to", "Ann"
    author_url = picture_url = title = ""
    html = "<p>Hello</p>"
    published_at = None


def test_all_from_one_author_or_server_is_hidden_by_a_ban(it: AdminQueue) -> None:
    thread_id = switch_on(it)
    comment = it.session.scalars(select(Comment)).one()
    path = f"/admin/comments/{comment.id}/ban"
    page = it.owner.page(path)
    assert "All that eve@social.example writes elsewhere" in page
    assert "Links to social.example" in page
    assert it.owner.post(path, {"targets": ["author"], "length": "7", "reason": "Spam"}).status_code == 303
    it.session.rollback()
    assert it.session.scalars(select(Ban.label)).all() == ["eve@social.example"]
    begin_write(it.session)
    thread = threads.find(
        it.session, threads.address_on(it.session.get_one(Site, it.site_id), f"{BLOG}/post")
    )
    assert thread is not None
    assert thread.id == thread_id
    stored = posts.store(
        it.session, thread, [answer(2), answer(3, author_handle="ann@social.example")], now()
    )
    it.session.commit()
    assert (stored.new, stored.refused) == (1, 1)


def test_nothing_is_asked_for_an_article_that_nobody_opens(it: AdminQueue) -> None:
    thread_id = switch_on(it)
    begin_write(it.session)
    thread = it.session.get_one(Site, it.site_id)
    thread = threads.find(it.session, threads.address_on(thread, f"{BLOG}/post"))
    assert thread is not None
    link = links.connect(it.session, thread, SocialOrigin.MASTODON, TOOT, by=links.FoundBy.ADMIN, at=now())
    assert link is not None
    later = now() - timedelta(minutes=1)
    link.wanted_at, link.due_at = None, later
    it.session.commit()
    assert links.run_due(it.session, {}, at=now()) == 0
    visitor = it.app.test_client()
    for _ in range(3):  # only the first visit writes
        answered = visitor.get("/embed/own", query_string={"url": f"{BLOG}/post"}, base_url=it.owner.base_url)
        assert answered.status_code == 200
    it.session.rollback()
    it.session.refresh(link)
    assert link.wanted_at is not None
    assert thread_id == link.thread_id
    assert it.statuses(it.session.scalars(select(Comment.id)).one()) == [Status.HELD]
