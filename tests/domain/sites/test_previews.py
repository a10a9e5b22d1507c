"""Origins with a wildcard: which pages one stands for, exactly, and which cannot be entered."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.comments import insert_comment
from commentsvc.domain.sites import previews, sites
from commentsvc.domain.threads import embedding_pages, threads
from commentsvc.errors import BadAddressError, InvalidFieldsError, ThreadClosedError, UnknownOriginError
from commentsvc.models import PreviewOrigin, Site, now
from tests.conftest import BASE_URL, BLOG
from tests.support.guest_client import GuestClient, add_site
from tests.support.outside_session import outside_session

PREVIEWS = "https://*.preview.example"
ONE = "https://one.preview.example"
REFUSED_PATTERNS = (
    # below a public suffix, also of the private section and by a rule with a wildcard
    "https://*.com", "https://*.co.uk", "https://*.github.io", "https://*.netlify.app", "https://*.vercel.app",
    "https://*.pages.dev", "https://*.kawasaki.jp", "https://*.foo.kawasaki.jp", "https://*.example", "https://*.公司.cn",
    "https://*.localhost", "https://*.GitHub.io.",
    # the star is the whole first part, and the only one
    "https://*", "https://*.", "https://*preview.example", "https://pr-*.preview.example", "https://one.*.example",
    "https://*.*.preview.example", "https://**.preview.example", "https://%2A.preview.example", "*.preview.example",
    "*", "https://\uff0a.preview.example", "//*.preview.example", "javascript://*.preview.example", "null", "",
    # nothing but a scheme, a host and a port
    "https://*.preview.example/path", "https://*.preview.example?a", "https://*.preview.example#a",
    "https://user@*.preview.example", "https://*.user@preview.example", "https://*.preview.example:0",
    "https://*.preview.example:port", "https://*.preview.example\\.evil.example",
    "https://*.preview.example evil.example",
    "https://*.preview.example;evil", "https://*.preview.example'", "https://*.preview.example,https://evil.example",
    "https://*.127.0.0.1", "https://*.1", "https://*.[::1]", "https://*.preview.example\u200b",
)  # fmt: skip
OTHERS = (
    "https://preview.example/",
    "https://one.two.preview.example/",
    "http://one.preview.example/",
    "https://one.preview.example:8443/",
    "https://one.preview.example.attacker.com/",
    "https://evil.preview.example.attacker.com/",
    "https://onepreview.example/",
    "https://one-preview.example/",
    "https://one.preview.example@attacker.com/",
    "https://attacker.com/https://one.preview.example/",
    "https://attacker.com\\.preview.example/",
    "https://attacker.com#.preview.example/",
    "https://attacker.com?.preview.example/",
    "https://attacker.com%2f.preview.example/",
    "https://attacker.com%00.preview.example/",
    "https://*.preview.example/",
    "https://.preview.example/",
    "https://..preview.example/",
    "https://one.previеw.example/",  # noqa: RUF001 - a Cyrillic letter
    "https://one.preview.exаmple/",  # noqa: RUF001 - the same
    "https://one.xn--preview-.example/",
    "https://[one.preview.example]/",
    "//one.preview.example/",
    "null",
)


@pytest.fixture
def previewed(session: Session, site: Site) -> Site:
    """A site with previews, which are only for reading; nothing is locked."""
    enter(session, site, PREVIEWS)
    session.commit()
    return site


def enter(session: Session, site: Site, *typed: str, takes_comments: bool = False) -> None:
    previews.set_patterns(session, site, typed, takes_comments=takes_comments, base_url=BASE_URL)
    session.flush()


def add_previews(app: Flask, *, takes_comments: bool = False) -> None:
    """Give the service's one site previews, and make it first if there is none."""
    with outside_session(app) as session:
        is_new = session.query(Site).first() is None
    if is_new:
        add_site(app)
    with outside_session(app) as session:
        begin_write(session)
        enter(session, session.query(Site).one(), PREVIEWS, takes_comments=takes_comments)
        session.commit()


def patterns(session: Session) -> list[str]:
    return [item.pattern for item in session.query(PreviewOrigin).order_by(PreviewOrigin.id)]


def test_a_pattern_is_stored_in_one_form(session: Session, site: Site) -> None:
    enter(
        session,
        site,
        "HTTPS://*.Preview.Example:443/",
        PREVIEWS,
        "https://*.bücher.example",
        "http://*.preview.localhost:3000",
        "https://*.my-project.pages.dev",
    )
    stored = [
        PREVIEWS,
        "https://*.xn--bcher-kva.example",
        "http://*.preview.localhost:3000",
        "https://*.my-project.pages.dev",
    ]
    assert patterns(session) == stored


def test_what_would_let_strangers_in_or_has_another_form_is_refused(session: Session, site: Site) -> None:
    for typed in REFUSED_PATTERNS:
        with pytest.raises(InvalidFieldsError) as caught:
            enter(session, site, typed)
        assert set(caught.value.fields) == {"previews"}, typed
    assert patterns(session) == []


def test_the_service_itself_is_nobodys_preview(session: Session, site: Site) -> None:
    with pytest.raises(InvalidFieldsError, match="would include the comment service itself"):
        previews.set_patterns(
            session, site, [PREVIEWS], takes_comments=False, base_url="https://comments.preview.example/path"
        )


def test_a_pattern_belongs_to_one_site(session: Session, previewed: Site) -> None:
    begin_write(session)
    other = sites.add(session, "Other", ["https://other.example"], owner_id=accounts.operator(session).id)
    with pytest.raises(InvalidFieldsError, match="already belongs to the site 'Blog'"):
        enter(session, other, PREVIEWS)
    enter(session, previewed)
    enter(session, other, PREVIEWS)
    assert threads.locate(session, url=f"{ONE}/article").site.id == other.id


def test_a_star_stands_for_exactly_one_part_of_the_host(session: Session, previewed: Site) -> None:
    for url in (
        f"{ONE}/article",
        "https://ONE.preview.example:443/",
        "https://xn--bcher-kva.preview.example/a",
        "https://bücher.preview.example/a",
    ):
        address = threads.locate(session, url=url)
        assert address.site.id == previewed.id, url
        assert address.preview_origin.endswith(".preview.example")
        assert address.is_read_only
    for url in OTHERS:
        with pytest.raises((UnknownOriginError, BadAddressError)):
            threads.locate(session, url=url)


def test_an_origin_of_a_site_is_no_preview_of_another(session: Session, previewed: Site) -> None:
    begin_write(session)
    own = sites.add(session, "Own", [ONE], owner_id=accounts.operator(session).id)
    address = threads.locate(session, url=f"{ONE}/article")
    assert (address.site.id, address.preview_origin, address.is_read_only) == (own.id, "", False)


def test_a_preview_shows_the_published_articles_thread_by_its_canonical_link(
    session: Session, previewed: Site
) -> None:
    published = threads.locate(session, url=f"{BLOG}/article")
    preview = threads.locate(session, url=f"{ONE}/article", canonical=f"{BLOG}/article")
    assert preview.key == published.key
    assert threads.locate(session, url=f"{ONE}/article").key == "one.preview.example/article"
    # What a published page declares is believed only of the site's own origins.
    assert threads.locate(session, url=f"{BLOG}/article", canonical=f"{ONE}/other").key == published.key


def test_everything_that_is_sent_to_the_browser_names_the_one_preview(app: Flask) -> None:
    add_previews(app)
    asked = {"canonical": f"{BLOG}/article"}
    shown = GuestClient(app, f"{ONE}/article", **asked).get()
    assert shown.status_code == 200
    assert shown.headers["Content-Security-Policy"].endswith(f"frame-ancestors {BLOG} {ONE}")
    assert f'data-origins="{BLOG} {ONE}"' in shown.text
    assert embedding_pages.ON_PREVIEW in shown.text
    assert "<textarea" not in shown.text
    published = GuestClient(app, f"{BLOG}/article").get()
    assert published.headers["Content-Security-Policy"].endswith(f"frame-ancestors {BLOG}")
    assert "preview.example" not in published.text
    assert "<textarea" in published.text
    for url in OTHERS:
        answer = GuestClient(app, url).get()
        assert answer.status_code in (400, 404), url
        assert "preview.example " not in answer.headers["Content-Security-Policy"] + " ", url


def test_nobody_comments_on_a_preview_unless_the_owner_says_so(app: Flask) -> None:
    add_previews(app)
    guest = GuestClient(app, f"{ONE}/article", canonical=f"{BLOG}/article")
    token = GuestClient(app, f"{BLOG}/article").token()
    for door in ("/embed", "/thread"):
        refused = guest.post("Hello", token=token, name="Ada", door=door)
        assert refused.status_code == 403
        assert embedding_pages.ON_PREVIEW in refused.text
    with outside_session(app) as session:
        begin_write(session)
        address = threads.locate(session, url=f"{ONE}/article")
        with pytest.raises(ThreadClosedError):
            insert_comment.target_thread(session, address, title=None, at=now())
    add_previews(app, takes_comments=True)
    allowed = guest.post("Hello", token=token, name="Ada")
    assert allowed.status_code == 200, allowed.text
    assert "Hello" in GuestClient(app, f"{BLOG}/article").get().text
