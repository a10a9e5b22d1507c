"""What the panel on a page may ask, which every reader could find out; and where an owner adds an origin."""

from __future__ import annotations

from typing import Any

from flask import Flask

from commentsvc.db.session import begin_write
from commentsvc.domain.sites import near_origins, previews
from commentsvc.models import Site
from tests.conftest import BASE_URL, BLOG
from tests.support.guest_client import ARTICLE, GuestClient, add_site
from tests.support.outside_session import outside_session


def facts(app: Flask, url: str, **more: str) -> dict[str, Any]:
    answer = GuestClient(app, url, **more).get("/embed/doctor")
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    return dict(answer.json or {})


def test_a_registered_page_learns_whose_thread_it_has(app: Flask) -> None:
    site_id = add_site(app)
    with outside_session(app) as session:
        begin_write(session)
        patterns = ["https://*.preview.example"]
        site = session.get_one(Site, site_id)
        previews.set_patterns(session, site, patterns, takes_comments=False, base_url=BASE_URL)
        session.commit()
    page = facts(app, f"{ARTICLE}?commentsvc-doctor&utm_source=x")
    assert (page["registered"], page["preview"], page["reading"], page["article"]) == (
        True,
        False,
        False,
        ARTICLE,
    )
    page = facts(app, "https://one.preview.example/a", canonical=ARTICLE)
    assert (page["registered"], page["preview"], page["reading"], page["article"]) == (
        True,
        True,
        True,
        ARTICLE,
    )


def test_another_page_learns_which_registered_origins_are_near_and_nothing_else(app: Flask) -> None:
    add_site(app, "Secret name")
    add_site(app, "Far", "https://far.example")
    near = (
        "http://blog.example",
        "https://www.blog.example",
        "https://blog.example:8443",
        "https://branch.blog.example",
    )
    for origin in near:
        page = facts(app, f"{origin}/article")
        assert (page["registered"], page["origin"], page["near"]) == (False, origin, [BLOG])
        assert page["add"] == f"{BASE_URL}/admin/origins?origin={origin}"
        assert "Secret" not in str(page)
        assert "far" not in str(page)
    for origin in (
        "https://blog.example.evil.example",
        "https://evil-blog.example",
        "https://a.b.blog.example",
    ):
        assert facts(app, f"{origin}/article")["near"] == []
    for url in ("null", "javascript:alert(1)", "https://user@blog.example/", "x" * 20_000):
        page = facts(app, url)
        assert (page["registered"], page["origin"], page["near"], page["add"]) == (False, "", [], "")


def test_near_origins_are_few_whatever_the_host() -> None:
    for origin in (
        "https://blog.example",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "http://localhost",
        "https://www.a.b:1",
    ):
        near = near_origins.variants(origin)
        assert origin not in near
        assert len(near) <= 16
    assert near_origins.variants("http://[::1]")[0] == "https://[::1]"


def test_the_frame_of_the_panel_may_stand_anywhere_and_has_nothing_in_it(app: Flask) -> None:
    answer = app.test_client().get("/embed/doctor/frame", base_url=BASE_URL)
    assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors *")
    assert "Set-Cookie" not in answer.headers
    assert "<form" not in answer.text
    assert "<body></body>" in answer.text
