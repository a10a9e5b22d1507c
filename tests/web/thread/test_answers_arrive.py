"""An article names its post, a reader comes, the background work asks, and the page shows the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.cli.background_work import BackgroundWork
from commentsvc.config import Settings
from commentsvc.db.session import db
from commentsvc.models import SocialLink
from tests.conftest import environment
from tests.support.appview import StandInAppView, appview
from tests.support.guest_client import GuestClient, add_site
from tests.support.web_pages import WebPages, web_pages


@pytest.fixture
def network() -> Iterator[StandInAppView]:
    with appview() as view:
        yield view


@pytest.fixture
def blog() -> Iterator[WebPages]:
    with web_pages() as pages:
        yield pages


@pytest.fixture
def settings(tmp_path: Path, migrated_sqlite: Path, network: StandInAppView) -> Settings:
    (tmp_path / "comments.sqlite").write_bytes(migrated_sqlite.read_bytes())
    variables = {"COMMENTSVC_BLUESKY_URL": network.origin, "COMMENTSVC_PRIVATE_ARTICLES": "on"}
    return Settings.from_env(environment(tmp_path, **variables))


def work(app: Flask, settings: Settings) -> None:
    with app.app_context(), Session(db.engine) as session:
        BackgroundWork(db.engine, settings).once(session)


def test_an_answer_on_bluesky_comes_to_the_article(
    app: Flask, settings: Settings, network: StandInAppView, blog: WebPages
) -> None:
    top = network.post("Ada", "My article")
    network.post("Bob", "An answer from elsewhere", top)
    key = top.rpartition("/")[2]
    post = f"https://bsky.app/profile/ada.bsky.example/post/{key}"
    blog.pages["/article"] = f'<!doctype html><div id="comments" data-bluesky="{post}"></div>'
    add_site(app, origin=blog.origin, bluesky=True)
    # What a browser says of a post means nothing.
    liar = GuestClient(app, blog.url("/other"), bluesky=post, syndication=post)
    blog.pages["/other"] = "<!doctype html><p>No post here.</p>"
    work(app, settings)
    assert (network.asked, blog.requests) == ([], [])  # nobody reads
    reader = GuestClient(app, blog.url("/article"))
    for guest in (reader, liar):
        assert "An answer from elsewhere" not in guest.get().text
    work(app, settings)
    assert network.asked == ["resolveHandle", "getPostThread"]
    page = reader.get().text
    assert "An answer from elsewhere" in page
    assert f'Or answer on <a href="{post}" target="_blank" rel="noopener">Bluesky</a>.' in page
    assert "bsky.app" not in liar.get().text
    with app.app_context(), Session(db.engine) as session:
        assert session.scalars(select(SocialLink.address)).all() == [post]
    work(app, settings)
    assert network.asked == ["resolveHandle", "getPostThread"]  # not due yet
