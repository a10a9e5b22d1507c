"""Below the form: links to the article's posts on Mastodon and Bluesky, where readers can answer, too."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.social import links
from commentsvc.domain.threads import threads
from commentsvc.models import FoundBy, Site, SocialOrigin, now
from tests.support.guest_client import ARTICLE, GuestClient, add_site

TOOT = "https://social.example/@ada/1"
POST = "https://bsky.app/profile/ada.example/post/3k"


def connect(app: Flask, site_id: int, **addresses: str) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        address = threads.address_on(session.get_one(Site, site_id), ARTICLE)
        thread = threads.find_or_create(session, address, title=None, at=now())
        for origin, post in addresses.items():
            links.connect(session, thread, SocialOrigin(origin), post, by=FoundBy.ARTICLE, at=now())
        session.commit()


def change(app: Flask, site_id: int, **settings: object) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        site = session.get_one(Site, site_id)
        site.version += 1
        for name, value in settings.items():
            setattr(site, name, value)
        session.commit()


def test_a_cached_page_gets_the_links_once_the_posts_are_known(app: Flask) -> None:
    site_id = add_site(app, mastodon=True, bluesky=True)
    reader = GuestClient(app)
    reader.posted("First")
    assert "Or answer on" not in reader.get().text
    connect(app, site_id, bluesky=POST)
    page = reader.get().text
    link = f'<a href="{POST}" target="_blank" rel="noopener">Bluesky</a>'
    assert f"Or answer on {link}.</p>" in page
    assert "own-server" not in page
    assert "answer_elsewhere.js" not in page
    connect(app, site_id, mastodon=TOOT)
    for path in ("/embed", "/thread"):
        page = reader.get(path).text
        toot = f'<a href="{TOOT}" target="_blank" rel="noopener" id="mastodon-post">Mastodon</a>'
        assert f"Or answer on {toot} or {link}." in page
        assert "answer_elsewhere.js" in page


def test_only_networks_that_are_on_and_threads_that_are_open_have_links(app: Flask) -> None:
    site_id = add_site(app, mastodon=False, bluesky=True)
    connect(app, site_id, mastodon=TOOT, bluesky=POST)
    reader = GuestClient(app)
    assert TOOT not in reader.get().text
    change(app, site_id, mastodon=True, bluesky=False)
    assert POST not in reader.get().text
    change(app, site_id, mastodon=False)
    assert "answer_elsewhere" not in reader.get().text
    change(app, site_id, mastodon=True, bluesky=True)
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        thread = threads.find(session, threads.address_on(session.get_one(Site, site_id), ARTICLE))
        assert thread
        thread.closed_at = now()
        threads.mark_changed(session, thread.id)
        session.commit()
    assert "Or answer on" not in reader.get().text
