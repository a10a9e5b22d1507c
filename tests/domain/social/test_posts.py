"""Posts from elsewhere become comments: once, below what they answer, through the same checks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.admin import undoing
from commentsvc.domain.social import posts, social_post
from commentsvc.domain.social.posts import Stored
from commentsvc.domain.social.social_post import SocialPost
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.models import (
    Action,
    Ban,
    BanKind,
    Comment,
    Commenter,
    DeletedImport,
    FoundBy,
    Policy,
    Site,
    SocialLink,
    SocialOrigin,
    Status,
    TextFormat,
    Thread,
)
from tests.conftest import BLOG
from tests.support.comment_builders import NOON

TOOT = SocialPost(
    origin=SocialOrigin.MASTODON,
    key="https://social.example/users/eve/statuses/1",
    url="https://social.example/@eve/1",
    parent_key=None,
    author_name="Eve",
    author_handle="eve@social.example",
    author_url="https://social.example/@eve",
    picture_url="https://social.example/eve.png",
    html="<p>A fine <strong>article</strong>.</p>",
    text=None,
    published_at=NOON - timedelta(hours=1),
)

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def answer(number: int, *, to: int | None = None, **changes: object) -> SocialPost:
    """A post of its own; `to` is the number of the post that it answers."""
    key = "https://social.example/users/eve/statuses/"
    return replace(
        TOOT,
        key=f"{key}{number}",
        url=f"https://social.example/@eve/{number}",
        parent_key=f"{key}{to}" if to is not None else None,
        html=f"<p>Answer {number}</p>",
        **changes,
    )


@pytest.fixture
def address(session: Session, site: Site) -> ThreadAddress:
    return threads.address_on(site, f"{BLOG}/post")


def thread_on(session: Session, address: ThreadAddress, policy: Policy = Policy.OPEN) -> Thread:
    begin_write(session)
    session.get_one(Site, address.site.id).policy = policy
    thread = threads.find_or_create(session, address, title=None, at=NOON)
    session.commit()
    return thread


def store(session: Session, thread: Thread, *those: SocialPost, at: object = None, **more: object) -> Stored:
    begin_write(session)
    stored = posts.store(session, thread, those, at or NOON, **more)
    session.commit()
    return stored


def comments(session: Session) -> list[Comment]:
    return list(session.scalars(select(Comment).order_by(Comment.id)))


@ENGINES
def test_posts_are_a_tree_of_comments_and_come_once(session: Session, address: ThreadAddress) -> None:
    thread = thread_on(session, address)
    those = [answer(3, to=2), answer(2, to=1), answer(1), answer(4, to=99)]
    assert (store(session, thread, *those).new, store(session, thread, *those).new) == (4, 0)
    by_key = {comment.origin_key[-1]: comment for comment in comments(session) if comment.origin_key}
    assert by_key["3"].parent_id == by_key["2"].id
    assert by_key["3"].root_id == by_key["1"].id
    assert by_key["3"].depth == 2
    assert by_key["4"].parent_id is None
    assert by_key["1"].reply_count == 2
    assert all(comment.shown for comment in by_key.values())
    first = by_key["1"]
    assert (first.origin, first.guest_name, first.guest_website) == (
        SocialOrigin.MASTODON,
        "Eve",
        "https://social.example/@eve",
    )
    assert first.format is TextFormat.HTML
    assert first.html == "<p>Answer 1</p>\n"
    session.refresh(thread)
    assert thread.approved_count == 4
    # The same answer by another way, with its page as its key.
    mention = replace(answer(1), origin=SocialOrigin.WEBMENTION, key=answer(1).url)
    assert store(session, thread, mention).new == 0


def test_a_policy_holds_and_a_reply_waits_below_a_held_one(session: Session, address: ThreadAddress) -> None:
    thread = thread_on(session, address, Policy.HOLD_FIRST)
    store(session, thread, answer(1), answer(2, to=1))
    assert {comment.status for comment in comments(session)} == {Status.HELD}
    begin_write(session)
    thread.site.policy = Policy.OPEN
    session.commit()
    store(session, thread, answer(3, to=2))
    assert [(comment.status, comment.shown) for comment in comments(session)] == [
        (Status.HELD, True),
        (Status.HELD, True),
        (Status.APPROVED, True),
    ]
    assert store(session, thread, answer(4), holds=True).new == 1
    assert comments(session)[-1].status is Status.HELD


def test_what_is_ours_banned_empty_or_not_for_everybody_is_left_out(
    session: Session, address: ThreadAddress
) -> None:
    thread = thread_on(session, address)
    begin_write(session)
    own = answer(7)
    session.add(
        SocialLink(
            thread_id=thread.id,
            origin=SocialOrigin.MASTODON,
            address=own.url,
            found_by=FoundBy.ADMIN,
        )
    )
    eve = social_post.author_hash(SocialOrigin.MASTODON, "mallory@bad.example")
    for kind, value in ((BanKind.AUTHOR, eve), (BanKind.DOMAIN, "spam.example")):
        session.add(Ban(site_id=thread.site_id, kind=kind, value=value, label="x", reason="x"))
    session.commit()
    left_out = [
        own,
        replace(answer(8), url=thread.url),  # the blog itself
        replace(answer(9), url="https://comments.example/comment/1"),  # our own comment comes back
        answer(10, author_handle="Mallory@bad.example"),
        answer(11, author_url="https://a.spam.example/@x"),
        replace(answer(12), html="<img src=x onerror=alert(1)>​"),
        replace(answer(13), url="javascript:alert(1)"),
        replace(answer(14), key="x" * 1001),
        answer(15, noindex=True),
    ]
    stored = store(session, thread, *left_out, own_hosts=["comments.example"])
    assert (stored.new, stored.refused) == (0, len(left_out))
    # An answer to what is left out takes its place.
    store(session, thread, answer(1), answer(2, to=1, noindex=True), answer(3, to=2))
    assert [comment.depth for comment in comments(session)] == [0, 1]


def test_an_edit_is_checked_and_can_be_undone(session: Session, address: ThreadAddress) -> None:
    thread = thread_on(session, address)
    store(session, thread, answer(1))
    edited = replace(answer(1), html="<p>Another <a href='https://x.example'>text</a></p>", edited_at=NOON)
    assert store(session, thread, edited, at=NOON + timedelta(hours=1)).edited == 1
    assert store(session, thread, edited, at=NOON + timedelta(hours=2)).edited == 0
    (comment,) = comments(session)
    assert "Another" in comment.html
    assert comment.edited_at == NOON
    assert comment.status is Status.APPROVED
    begin_write(session)
    thread.site.disallowed_words = "casino"
    session.commit()
    store(session, thread, replace(edited, html="<p>casino</p>"), at=NOON + timedelta(hours=3))
    session.refresh(comment)
    assert comment.status is Status.SPAM
    assert not comment.shown


@ENGINES
def test_a_removal_can_be_undone_and_a_deleted_post_stays_away(
    session: Session, address: ThreadAddress
) -> None:
    thread = thread_on(session, address)
    store(session, thread, answer(1), answer(2, to=1))
    begin_write(session)
    owner = Commenter(name="Olga")
    session.add(owner)
    session.commit()
    for still in (Status.TRASH, Status.APPROVED):  # what a moderator restored stays
        begin_write(session)
        posts.remove(session, thread, [answer(1).key, "https://unknown.example/"], NOON)
        session.commit()
        first = session.scalars(select(Comment).order_by(Comment.id)).first()
        assert first is not None
        assert first.status is still
        action = session.scalar(select(Action).where(Action.kind == posts.GONE))
        if action is not None and action.undone_at is None:
            begin_write(session)
            undoing.undo(session, action.id, moderator_id=owner.id, at=NOON)
            session.commit()
            session.expire_all()
    # It is not for everybody any more.
    assert store(session, thread, answer(2, noindex=True)).removed == 1
    begin_write(session)
    transfer_key = social_post.transfer_key(SocialOrigin.MASTODON, answer(2).key)
    session.execute(delete(Comment).where(Comment.transfer_key == transfer_key))
    session.add(DeletedImport(site_id=thread.site_id, transfer_key=transfer_key))
    session.commit()
    assert store(session, thread, answer(2)).new == 0


def test_a_flood_is_bounded_and_long_texts_are_cut(session: Session, address: ThreadAddress) -> None:
    thread = thread_on(session, address)
    long = social_post.text_of(replace(TOOT, html="<b>" + "word " * 5000))
    assert long is not None
    assert len(long.source) < 5100
    assert long.source.endswith("…")
    deep = [answer(number, to=number - 1) for number in range(1, 10_001)]
    assert len(posts._in_order(deep)) == posts.MOST_READ
    assert store(session, thread, *deep[:40]).new == 40
    plain = social_post.text_of(replace(TOOT, html=None, text="1 < 2 *no* <script>alert(1)</script>"))
    assert plain is not None
    assert "<script" not in plain.rendered.html
    assert "*no*" in plain.rendered.html
