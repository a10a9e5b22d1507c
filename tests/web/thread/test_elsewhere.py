"""Comments from elsewhere on pages and in everything public: where they come from, warnings, counts."""

from __future__ import annotations

import re
from dataclasses import replace

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.reading import public_records, thread_pages
from commentsvc.domain.social import links, posts
from commentsvc.domain.threads import comment_counts, threads
from commentsvc.models import Comment, FoundBy, Order, Site, SocialLink, SocialOrigin, Thread, now
from tests.conftest import BLOG
from tests.domain.social.test_posts import answer
from tests.support.attacks import ATTACKS
from tests.web.test_attacks import objections

ARTICLE = f"{BLOG}/post"


def thread_with_answers(session: Session, site: Site) -> Thread:
    begin_write(session)
    site.mastodon = site.webmention = site.comment_feeds = True
    thread = threads.find_or_create(session, threads.address_on(site, ARTICLE), title="Post", at=now())
    links.connect(
        session,
        thread,
        SocialOrigin.MASTODON,
        "https://social.example/@me/9",
        by=FoundBy.ADMIN,
        at=now(),
    )
    those = [answer(1), answer(2, to=1, content_warning="<b>Spoilers</b>")]
    posts.store(session, thread, those, now())
    session.commit()
    return thread


def test_pages_say_where_comments_come_from(client: FlaskClient, session: Session, site: Site) -> None:
    thread = thread_with_answers(session, site)
    begin_write(session)
    link = session.query(SocialLink).one()
    link.likes, link.boosts = 12, 1
    threads.mark_changed(session, thread.id)
    session.commit()
    page = client.get("/embed", query_string={"url": ARTICLE}).get_data(as_text=True)
    assert 'href="https://social.example/@eve/1"' in page
    assert page.count(">via Mastodon</a>") == 2
    assert "<summary>&lt;b&gt;Spoilers&lt;/b&gt;</summary>" in page
    assert "2 Comments, 2 from elsewhere" in page
    assert '12 likes and 1 boost on <a href="https://social.example/@me/9"' in page
    assert ".elsewhere {" in page
    # No address of elsewhere is one that the reader's browser requests by itself.
    assert 'src="https://social.example' not in page


def test_everything_public_names_the_origin_and_folds_warnings(
    client: FlaskClient, session: Session, site: Site
) -> None:
    thread_with_answers(session, site)
    for path in ("/feeds/thread.atom", "/feeds/thread.json", "/fragment"):
        text = client.get(path, query_string={"url": ARTICLE}).get_data(as_text=True)
        assert "https://social.example/@eve/2" in text, path
        assert "Spoilers" in text, path
        assert (">Answer 2<" in text) == (path == "/fragment"), path
    views = thread_pages.page(session, threads.address_on(site, ARTICLE), order=Order.OLDEST)
    record = public_records.comment(views.conversations[0].replies[0], url=ARTICLE)
    assert record["origin"] == "mastodon"
    assert record["origin_url"] == "https://social.example/@eve/2"
    assert record["content_warning"] == "<b>Spoilers</b>"
    counts = client.get("/counts", query_string={"url": ARTICLE}).get_json()
    assert counts == {ARTICLE: 0}
    begin_write(session)
    site.count_foreign = True
    session.commit()
    numbers = comment_counts.counts(session, [threads.address_on(site, ARTICLE)])
    assert numbers == [2]


def test_what_is_not_for_everybody_is_nowhere(client: FlaskClient, session: Session, site: Site) -> None:
    thread = thread_with_answers(session, site)
    begin_write(session)
    posts.store(session, thread, [answer(2, noindex=True), answer(3, noindex=True)], now())
    session.commit()
    for path in ("/embed", "/thread", "/feeds/thread.atom", "/fragment"):
        text = client.get(path, query_string={"url": ARTICLE}).get_data(as_text=True)
        assert "Answer 1" in text, path
        assert "Answer 2" not in text, path
        assert "Answer 3" not in text, path


def test_strangers_html_meets_the_sanitisers(client: FlaskClient, session: Session, site: Site) -> None:
    """The whole corpus through text, names, warnings and pictures."""
    thread = thread_with_answers(session, site)
    begin_write(session)
    site.most_links = 1000
    those = [
        replace(
            answer(
                10 + number, author_name=attack.text, content_warning=attack.text, picture_url=attack.text
            ),
            html=f"<p>{number}</p>{attack.text}",
            parent_key=answer(1).key,
        )
        for number, attack in enumerate(ATTACKS)
    ]
    stored = posts.store(session, thread, those, now())
    session.commit()
    assert stored.new > len(ATTACKS) * 0.9
    root = session.query(Comment).order_by(Comment.id).first()
    after = 0
    while root is not None:
        query = {"url": ARTICLE, "replies": root.id, "after": after}
        page = client.get("/thread", query_string=query).get_data(as_text=True)
        assert objections(page) == []
        following = re.search(rf"replies={root.id}&amp;after=([0-9]+)", page)
        if following is None:
            break
        after = int(following[1])
    assert after > 0
