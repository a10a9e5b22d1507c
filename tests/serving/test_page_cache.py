"""Pages kept as bytes: the same answers as without, from one rendering, gone the moment they are wrong."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import brotli
import pytest
from flask import Flask
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool
from werkzeug.test import TestResponse

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.moderation import decisions
from commentsvc.domain.sites import sites
from commentsvc.domain.thread_admin import merging
from commentsvc.domain.threads import threads, versions
from commentsvc.models import Comment, Commenter, Policy, Site, Status, Thread
from commentsvc.serving import compression
from commentsvc.serving.page_cache import cache as page_cache
from commentsvc.serving.page_cache.cache import PageCache
from commentsvc.serving.page_cache.change_signal import ChangeSignal
from commentsvc.serving.request_ids import RequestIds
from commentsvc.web.context import services_of
from commentsvc.web.thread import pages as thread_pages
from commentsvc.web.thread import rendering as thread_page
from tests.conftest import BASE_URL, BLOG, dispose, environment
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.guest_client import ARTICLE, Elements, GuestClient, add_site
from tests.support.member_client import enter, frame_session, person

DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    "zstd": lambda body: compression.decompressed(body, "zstd"),
}


@pytest.fixture
def here(app: Flask) -> int:
    """A site at BLOG; its id."""
    return add_site(app, valve=False)


@pytest.fixture
def reader(app: Flask, here: int) -> GuestClient:
    return GuestClient(app)


@pytest.fixture
def rendered(app: Flask) -> list[str]:
    """What went through to Flask, as it is asked for."""
    cache = cache_of(app)
    asked: list[str] = []
    inner = cache._app

    def watched(environ: dict[str, Any], start: Any) -> Any:
        asked.append(f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        return inner(environ, start)

    cache._app = watched
    return asked


@pytest.fixture
def neighbour(settings: Settings, app: Flask) -> Iterator[Flask]:
    """A second process of the same service on the same machine."""
    other = create_app(settings)
    yield other
    dispose(other)


@pytest.fixture
def abroad(settings: Settings, app: Flask, tmp_path: Path) -> Iterator[Flask]:
    """A process of the same service on another machine: the same database, no bell in common."""
    more = {"COMMENTSVC_DATABASE_URL": settings.database_url}
    other = create_app(Settings.from_env(environment(tmp_path / "abroad", **more)))
    yield other
    dispose(other)


@pytest.fixture
def queue_of_site(app: Flask) -> Iterator[AdminQueue]:
    with queue_in(app) as queue:
        yield queue


def cache_of(app: Flask) -> PageCache:
    cache = below_the_ids(app)
    assert isinstance(cache, PageCache)
    return cache


def below_the_ids(app: Flask) -> Any:
    """Return the layer below the one that gives requests their ids."""
    assert isinstance(app.wsgi_app, RequestIds)
    return app.wsgi_app._app


def get(app: Flask, path: str, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get(path, base_url=BASE_URL, headers=named, buffered=True)


def moderate(app: Flask, comment_id: int, status: Status) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        decisions.decide(session, session.get_one(Comment, comment_id), status)
        session.commit()


def soon(holds: Callable[[], bool], seconds: float = 2.0) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("path", ["/embed", "/thread"])
@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_a_page_is_rendered_once(reader: GuestClient, rendered: list[str], path: str) -> None:
    first, second = reader.get(path), reader.get(path)
    assert first.status_code == second.status_code == 200
    assert first.data == second.data
    assert len(rendered) == 1
    assert {*first.headers} == {*second.headers}
    assert "frame-ancestors" in second.headers["Content-Security-Policy"]


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_a_page_comes_in_the_coding_that_is_asked_for(reader: GuestClient, coding: str) -> None:
    reader.posted("Something to read, and to read again, and to read again")
    plain = reader.get()
    coded = reader.get(headers={"Accept-Encoding": coding})
    assert coded.headers["Content-Encoding"] == coding
    assert coded.headers["Vary"] == "Accept-Encoding"
    assert int(coded.headers["Content-Length"]) == len(coded.data) < len(plain.data)
    assert DECODERS[coding](coded.data) == plain.data
    assert coded.headers["ETag"] == plain.headers["ETag"]


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", "identity"),
        ("identity", "identity"),
        ("br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("GZIP", "gzip"),
        ("gzip;q=0.5, zstd;q=0.9", "zstd"),
        ("br;q=0, gzip;q=0.1", "gzip"),
        ("*", "br"),
        ("*;q=0", "identity"),
        ("br;q=0, *", "zstd"),
        ("br;q=nonsense, gzip", "gzip"),
        ("br;q=nan", "identity"),
        ("br;q=2", "identity"),
        ("deflate, compress", "identity"),
        ("br," * 1000, "identity"),
        (",;q=,;;=", "identity"),
    ],
)
def test_the_coding_follows_what_the_browser_accepts(accepted: str, coding: str) -> None:
    assert compression.chosen(accepted) == coding


def test_who_has_the_page_gets_none(reader: GuestClient, rendered: list[str]) -> None:
    first = reader.get()
    tag = first.headers["ETag"]
    for known in (tag, f'"else", {tag}', tag.removeprefix("W/"), "*"):
        answer = reader.get(headers={"If-None-Match": known})
        assert (answer.status_code, answer.data) == (304, b""), known
        assert answer.headers["ETag"] == tag
        assert answer.headers["Cache-Control"] == "public, no-cache"
        assert "Content-Encoding" not in answer.headers
    assert reader.get(headers={"If-None-Match": '"else"'}).status_code == 200
    assert len(rendered) == 1
    reader.posted()
    assert reader.get(headers={"If-None-Match": tag}).status_code == 200


def test_two_processes_give_a_page_the_same_tag(reader: GuestClient, neighbour: Flask) -> None:
    reader.posted()
    other = GuestClient(neighbour).get()
    time.sleep(1.1)  # a form's token has seconds in it
    assert reader.get().headers["ETag"] == other.headers["ETag"]


def test_head_has_everything_but_the_body(reader: GuestClient, rendered: list[str]) -> None:
    path = f"/embed?url={quote(ARTICLE)}"
    first = reader.client.head(path, base_url=BASE_URL)
    whole = reader.client.get(path, base_url=BASE_URL)
    again = reader.client.head(path, base_url=BASE_URL)
    assert first.data == again.data == b""
    assert dict(first.headers) == dict(whole.headers) == dict(again.headers)
    assert len(whole.data) == int(again.headers["Content-Length"])
    assert len(rendered) == 1


def test_what_no_view_reads_makes_no_page_of_its_own(app: Flask, here: int, rendered: list[str]) -> None:
    url = quote(ARTICLE)
    ways = [
        f"/embed?url={url}",
        f"/embed?utm_source=x&url={url}",
        f"/embed?url={url}&url=https://evil.example/",
        f"/embed?url={url}&{'a' * 3000}=b",
        f"/embed?url={ARTICLE}",
        *(f"/embed?url={url}&x={number}" for number in range(200)),
        f"/embed?url={url}&order=sideways",
        f"/embed?url={url}&canonical=https://blog.example/{'a' * 3000}",
    ]
    assert len({get(app, way).data for way in ways}) == 1
    assert len(rendered) == 1
    assert len(cache_of(app)._by_query) <= 8


def test_a_piece_is_the_same_whatever_its_parameter_says(app: Flask, here: int, rendered: list[str]) -> None:
    text = ("1", "", "x" * 5000)
    assert len({get(app, f"/embed?url={quote(ARTICLE)}&fragment={word}").data for word in text}) == 1
    assert len(rendered) == 1


def test_what_names_and_codings_take_is_bounded_too(app: Flask, here: int) -> None:
    cache = cache_of(app)
    cache.store.room = 500_000
    compression._best.cache_clear()
    for number in range(150):
        get(
            app,
            f"/embed?url={quote(ARTICLE)}&id={number:03}{'%E2%82%AC' * 90}",
            Accept_Encoding="br" + " " * number,
        )
        get(app, f"/embed?url={quote(ARTICLE)}", Accept_Encoding=f"br, x{number}{'y' * 1000}")
    names = [page.name for page in cache.store.all()]
    assert max(map(len, names)) > 700
    assert sum(map(len, names)) + sum(map(len, cache._by_query)) < cache.store.room
    assert compression._best.cache_info().currsize <= 150


@pytest.mark.parametrize(
    "query",
    [
        "url=%FF%FE",
        "url=%00",
        "url",
        "url=",
        "=",
        "&&&",
        "url=https://blog.example/%ZZ",
        "url=https://blog.example/article&after=nonsense",
        "url=https://blog.example/article&after=",
        "url=https://blog.example/article&comment=",
        "url=https://blog.example/article&comment=99999999999999999999",
        "url=https://blog.example/article&replies=7",
        "url=https://blog.example/article&order=sideways",
        "url=https://nobody.example/",
        "url=https://blog.example/" + "a" * 20_000,
        "url=https://blog.example/article;posted=1",
        "url=https://blog.example/article&comment=1&posted=1",
        "url=https://blog.example/ä%C3%A4",
    ],
)
def test_a_strange_query_is_answered_as_it_is_without_the_cache(
    app: Flask, here: int, settings: Settings, tmp_path: Path, query: str
) -> None:
    more = {"COMMENTSVC_DATABASE_URL": settings.database_url, "COMMENTSVC_CACHE_MB": "0"}
    bare = create_app(Settings.from_env(environment(tmp_path / "bare", **more)))
    try:
        for path in ("/embed", "/thread"):
            kept, plain = get(app, f"{path}?{query}"), get(bare, f"{path}?{query}")
            assert kept.status_code == plain.status_code
            assert len(kept.data) == len(plain.data)
    finally:
        dispose(bare)


def test_the_cache_stays_within_its_room_and_keeps_what_is_read(
    reader: GuestClient, app: Flask, rendered: list[str]
) -> None:
    cache = cache_of(app)
    cache.store.room = 200_000
    reader.get()
    for number in range(300):
        get(app, f"/embed?url={BLOG}/made-up-{number}", Accept_Encoding="br")
        reader.get()
        assert cache.store.taken <= cache.store.room
    assert rendered.count(f"/embed?{urlencode({'url': ARTICLE})}") == 1
    pages = cache.store.all()
    assert 1 < len(pages) < 200
    assert sum(page.size() for page in pages) == cache.store.taken
    assert len(cache._by_query) <= len(pages)
    assert not cache._locks


def test_of_many_who_ask_at_once_one_has_it_rendered(app: Flask, here: int, rendered: list[str]) -> None:
    start = threading.Barrier(16)
    answers: list[bytes] = []

    def ask() -> None:
        start.wait()
        answers.append(get(app, f"/embed?url={ARTICLE}").data)

    crowd = [threading.Thread(target=ask) for _ in range(16)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert len(answers) == 16
    assert len(set(answers)) == len(rendered) == 1


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
@pytest.mark.parametrize("path", ["/embed", "/thread"])
def test_a_comment_is_there_at_once(reader: GuestClient, neighbour: Flask, path: str) -> None:
    for app_reader in (reader, GuestClient(neighbour)):
        assert "No comments yet" in app_reader.get(path).text
    for number, text in enumerate(("The first of all", "The second")):
        reader.posted(text, name=f"Anna {number}")
        for app_reader in (reader, GuestClient(neighbour)):
            assert text in app_reader.get(path).text


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_a_removed_comment_is_gone_everywhere_within_two_seconds(
    reader: GuestClient, app: Flask, neighbour: Flask, abroad: Flask
) -> None:
    comment_id = reader.posted("Not for long")
    everywhere = [reader, GuestClient(neighbour), GuestClient(abroad)]
    assert all("Not for long" in one.get().text for one in everywhere)
    moderate(app, comment_id, Status.SPAM)
    assert "Not for long" not in reader.get().text
    assert "Not for long" not in GuestClient(neighbour).get().text
    assert soon(lambda: "Not for long" not in GuestClient(abroad).get().text)


def test_a_page_that_is_right_is_not_rendered_anew_after_a_second(
    reader: GuestClient, app: Flask, rendered: list[str]
) -> None:
    reader.posted()
    rendered.clear()
    for _ in range(3):
        assert reader.get().status_code == 200
        for page in cache_of(app).store.all():
            page.checked -= 5
    assert len(rendered) == 1


def test_a_page_that_is_still_read_after_a_second_is_compressed_better(
    reader: GuestClient, app: Flask
) -> None:
    for number in range(5):
        reader.posted(f"{number} words of a comment, " * 20)
    sizes = []
    for _ in range(3):
        answer = reader.get(headers={"Accept-Encoding": "br"})
        assert brotli.decompress(answer.data) == reader.get().data
        assert int(answer.headers["Content-Length"]) == len(answer.data)
        sizes.append(len(answer.data))
        for page in cache_of(app).store.all():
            page.checked -= 5
    assert sizes[0] > sizes[1] == sizes[2]
    assert cache_of(app).store.taken == sum(page.size() for page in cache_of(app).store.all())


def test_while_comments_pour_in_a_page_is_rendered_so_often_and_no_more(
    reader: GuestClient, app: Flask, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [time.monotonic()]
    monkeypatch.setattr(page_cache, "monotonic", lambda: clock[0])
    tokens = [reader.token() for _ in range(16)]
    rendered.clear()
    for number, token in enumerate(tokens):
        reader.posted(f"Number {number}", token=token)
        reader.get()
    pages = [path for path in rendered if path.startswith("/embed?")]
    assert len(pages) == page_cache.RENDERS
    assert "Number 9" in reader.get().text
    assert "Number 15" not in reader.get().text
    clock[0] += 1.01
    assert "Number 15" in reader.get().text
    reader.posted("And at once again")
    assert "And at once again" in reader.get().text


def test_a_comment_elsewhere_leaves_a_page_alone(
    reader: GuestClient, app: Flask, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = versions.unchanged
    monkeypatch.setattr(versions, "unchanged", lambda *args: asked.append(1) or real(*args))
    reader.get()
    elsewhere = GuestClient(app, f"{BLOG}/elsewhere")
    token = elsewhere.token()
    before = len(rendered)
    elsewhere.posted(token=token)
    reader.get()
    assert asked == []
    assert [path for path in rendered[before:] if path.startswith("/embed?")] == []


def change_heading(session: Session, site: Site) -> None:
    site.heading = "What do you think?"


def close(session: Session, site: Site) -> None:
    site.policy = Policy.CLOSED


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
@pytest.mark.parametrize("change", [change_heading, close])
def test_a_setting_shows_at_once(
    reader: GuestClient, app: Flask, here: int, change: Callable[[Session, Site], None]
) -> None:
    empty = GuestClient(app, f"{BLOG}/nobody-wrote-here")
    reader.posted()
    before = [one.get().data for one in (reader, empty)]
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        change(session, session.get_one(Site, here))
        session.commit()
    assert all(one.get().data != old for one, old in zip((reader, empty), before, strict=True))


def test_a_site_that_is_no_longer_registered_has_no_pages(reader: GuestClient, app: Flask, here: int) -> None:
    assert reader.get().status_code == 200
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        sites.set_origins(session, session.get_one(Site, here), ["https://elsewhere.example"])
        session.commit()
    assert reader.get().status_code == 404


def test_a_thread_closes_on_its_date_with_nobodys_doing(reader: GuestClient, app: Flask) -> None:
    reader.posted()
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        thread = session.query(Thread).one()
        thread.closed_at = datetime.now(UTC) + timedelta(seconds=1)
        threads.mark_changed(session, thread.id)
        session.commit()
    assert "Comments close on" in reader.get().text
    assert soon(lambda: "Comments were closed on" in reader.get().text)


def test_a_page_that_is_made_while_its_thread_closes_is_of_one_moment(
    reader: GuestClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.posted()
    closes = datetime.now(UTC) + timedelta(days=1)
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        thread = session.query(Thread).one()
        thread.closed_at = closes
        threads.mark_changed(session, thread.id)
        session.commit()
    moments = (closes + timedelta(minutes=number) for number in range(-1, 1000))
    monkeypatch.setattr(thread_pages, "now", lambda: next(moments))
    monkeypatch.setattr(
        thread_page, "now", thread_pages.now, raising=False
    )  # should it ask for the time again
    assert "Comments close on" in reader.get().text
    (page,) = cache_of(app).store.all()
    assert page.until - time.monotonic() <= 60


@pytest.mark.parametrize(
    ("closed_in_days", "changes_in_days"), [(30, 16), (14, 14), (3, 3), (0, None), (-3, None), (None, None)]
)
def test_when_a_threads_words_change_by_themselves(
    session: Session, site: Site, closed_in_days: int | None, changes_in_days: int | None
) -> None:
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    closed_at = at + timedelta(days=closed_in_days) if closed_in_days is not None else None
    thread = Thread(site_id=site.id, key="k", url=ARTICLE, closed_at=closed_at, created_at=at)
    expected = at + timedelta(days=changes_in_days) if changes_in_days else None
    assert threads.changes_at(site, thread, after=at) == expected
    if expected:

        def words(moment: datetime) -> tuple[str | None, str | None]:
            said = threads.announcement(site, thread, at=moment)
            return threads.closed_reason(site, thread, at=moment), said

        assert words(expected - timedelta(seconds=1)) == words(at)
        assert words(expected) != words(expected - timedelta(seconds=1))


def test_an_article_closes_after_a_number_of_days(session: Session, site: Site) -> None:
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    site.close_after_days = 10
    thread = Thread(site_id=site.id, key="k", url=ARTICLE, created_at=at - timedelta(days=4))
    assert threads.changes_at(site, thread, after=at) == at + timedelta(days=6)
    assert threads.changes_at(site, thread, after=at + timedelta(days=6)) is None
    assert threads.closed_reason(site, thread, at=at + timedelta(days=6)) == "Comments closed after 10 days."


def test_a_forms_token_is_renewed_twice_a_day(reader: GuestClient, app: Flask, rendered: list[str]) -> None:
    reader.get()
    (page,) = cache_of(app).store.all()
    assert 0 < page.until - time.monotonic() <= 12 * 3600
    page.until = time.monotonic()
    reader.get()
    assert len(rendered) == 2


def test_a_held_comment_is_on_nobody_elses_page(app: Flask) -> None:
    add_site(app, policy=Policy.HOLD_ALL)
    reader = GuestClient(app)
    answer = reader.post("Only for me", door="/thread", json=False)
    mine = answer.headers["Location"].partition("#")[0]
    for _ in range(2):
        own = get(app, mine)
        assert "Only for me" in own.text
        assert own.headers["Cache-Control"] == "no-store"
        for path in ("/embed", "/thread"):
            assert "Only for me" not in reader.get(path).text


def test_an_answers_form_is_not_kept(reader: GuestClient, rendered: list[str]) -> None:
    comment_id = reader.posted()
    before = len(rendered)
    for _ in range(2):
        assert reader.get(reply=comment_id).headers["Cache-Control"] == "no-store"
    assert len(rendered) == before + 2


@pytest.mark.parametrize("header", ["Cookie", "Authorization"])
def test_a_standing_page_asked_for_by_somebody_is_rendered_for_them(
    reader: GuestClient, rendered: list[str], header: str
) -> None:
    assert reader.get("/thread").headers["Vary"] == "Accept-Encoding, Cookie, Accept-Language"
    somebody = reader.client.application.test_client(use_cookies=False)
    for _ in range(2):
        path = f"/thread?url={quote(ARTICLE)}"
        assert somebody.get(path, base_url=BASE_URL, headers={header: "something=else"}).status_code == 200
    assert len(rendered) == 3


def test_while_the_database_is_away_pages_are_given_out(
    reader: GuestClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = create_engine("sqlite:////nowhere/at/all.sqlite", poolclass=NullPool)
    reader.posted("Still here")
    assert "Still here" in reader.get().text
    monkeypatch.setattr(cache_of(app), "_engine", gone)
    for page in cache_of(app).store.all():
        page.checked -= 5
    assert "Still here" in reader.get().text


def test_while_the_database_says_nothing_only_one_waits_for_it(reader: GuestClient, app: Flask) -> None:
    reader.posted("Still here")
    assert "Still here" in reader.get().text
    with cache_of(app)._asking:  # somebody has asked, and is not answered
        for page in cache_of(app).store.all():
            page.checked -= 5
        assert "Still here" in reader.get().text


def test_a_threads_number_that_is_given_out_again_is_another_thread(app: Flask, here: int) -> None:
    one, two, three = (f"{BLOG}/{name}" for name in ("one", "two", "three"))
    readers = {url: GuestClient(app, url=url) for url in (one, two, three)}
    for url in (one, two):
        readers[url].posted(f"Said at {url[-3:]}", name=url[-3:])
        readers[url].get()
    before = numbers(app)[two]
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        source, target = (
            session.scalars(select(Thread).where(Thread.url == url)).one() for url in (two, one)
        )
        merging.merge(session, source, target, moderator_id=None, at=datetime.now(UTC))
        session.commit()
    readers[three].posted("At three", name="Cleo")
    assert numbers(app)[three] == before
    assert "Said at one" in readers[two].get().text


def numbers(app: Flask) -> dict[str, tuple[int, int]]:
    """Threads' numbers and versions by their URLs."""
    with app.app_context(), Session(db.engine) as session:
        return {thread.url: (thread.id, thread.version) for thread in session.scalars(select(Thread))}


def test_counts_are_at_most_a_second_old(reader: GuestClient, app: Flask, rendered: list[str]) -> None:
    path = f"/counts?url={quote(ARTICLE)}"
    assert (get(app, path).json, get(app, path).json) == ({ARTICLE: 0},) * 2
    assert rendered == [f"/counts?{urlencode({'url': ARTICLE})}"]
    reader.posted()
    assert soon(lambda: get(app, path).json == {ARTICLE: 1})


def test_counts_of_the_same_articles_are_one_answer(app: Flask, here: int, rendered: list[str]) -> None:
    one, two = quote(f"{BLOG}/one"), quote(f"{BLOG}/two")
    get(app, f"/counts?url={one}&url={two}")
    assert get(app, f"/counts?url={two}&url={one}&url={two}&x=1").json == {f"{BLOG}/one": 0, f"{BLOG}/two": 0}
    assert len(rendered) == 1


def test_scripts_and_styles_are_compressed_as_well_as_can_be(reader: GuestClient, app: Flask) -> None:
    html = reader.get("/thread").text
    path = html.partition('rel="stylesheet" href="')[2].partition('"')[0]
    for wanted in (path, "/embed.js"):
        plain, coded = get(app, wanted), get(app, wanted, Accept_Encoding="gzip, deflate, br, zstd")
        assert coded.headers["Content-Encoding"] == "br"
        assert coded.data == brotli.compress(plain.data)  # its own best
        assert coded.headers["Access-Control-Allow-Origin"] == "*"
        assert get(app, wanted, If_None_Match=coded.headers["ETag"]).status_code == 304
    assert "immutable" in get(app, path).headers["Cache-Control"]


def test_made_up_versions_of_files_are_not_kept(app: Flask, here: int) -> None:
    for number in range(50):
        assert get(app, f"/static/{number}/frame.css").headers["Cache-Control"] == "public, max-age=60"
        assert get(app, f"/static/{number}/nothing.css").status_code == 404
    assert cache_of(app).store.all() == []


def test_a_cdn_keeps_pages_only_where_it_is_set(
    settings: Settings, reader: GuestClient, tmp_path: Path
) -> None:
    assert reader.get().headers["Cache-Control"] == "public, no-cache"
    more = {"COMMENTSVC_DATABASE_URL": settings.database_url, "COMMENTSVC_CDN_SECONDS": "30"}
    behind = create_app(Settings.from_env(environment(tmp_path / "behind", **more)))
    try:
        for path in ("/embed", "/thread"):
            answer = GuestClient(behind).get(path)
            wanted = "public, max-age=0, s-maxage=30, stale-while-revalidate=30"
            assert answer.headers["Cache-Control"] == wanted
        assert GuestClient(behind).get("/embed/own").headers["Cache-Control"] == "no-store"
        comment_id = GuestClient(behind).posted("Seen by me at once", author_key="k" * 40)
        (mine,) = GuestClient(behind).own(key="k" * 40)["held"]
        assert mine["id"] == comment_id
        assert GuestClient(behind).own(key="j" * 40)["held"] == []
    finally:
        dispose(behind)


def test_without_room_there_is_no_cache(settings: Settings, app: Flask, here: int, tmp_path: Path) -> None:
    more = {"COMMENTSVC_DATABASE_URL": settings.database_url, "COMMENTSVC_CACHE_MB": "0"}
    bare = create_app(Settings.from_env(environment(tmp_path / "bare", **more)))
    try:
        assert not isinstance(below_the_ids(bare), PageCache)
        assert GuestClient(bare).get().status_code == 200
    finally:
        dispose(bare)


def test_a_fault_is_never_kept(app: Flask, here: int, rendered: list[str]) -> None:
    for _ in range(2):
        assert get(app, "/embed?url=https://nobody.example/").status_code == 404
    assert len(rendered) == 2
    assert cache_of(app).store.all() == []


def test_a_bell_is_heard_by_whoever_has_the_same_file(tmp_path: Path) -> None:
    one, two, other = ChangeSignal(tmp_path / "a"), ChangeSignal(tmp_path / "a"), ChangeSignal(tmp_path / "b")
    before = two.snapshot()
    one.send((1, "blog.example/article"))
    changed = [cell for cell, value in enumerate(two.snapshot()) if value != before[cell]]
    assert len(changed) == 1
    assert changed != [0]
    one.send()
    assert two.snapshot()[0] != before[0]
    assert not any(other.snapshot())


def test_a_bells_file_has_its_room_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "bell"
    ChangeSignal(path)
    assert path.stat().st_blocks * 512 >= path.stat().st_size > 0


def test_a_bell_whose_file_cannot_be_made_rings_for_its_own_process(tmp_path: Path) -> None:
    bell = ChangeSignal(tmp_path / "no" / "such" / "folder")
    bell.send()
    assert bell.snapshot()[0] != 0


def test_a_transaction_that_is_given_up_rings_nothing(app: Flask, session: Session, site: Site) -> None:
    bell = cache_of(app)._signal
    before = bell.snapshot()
    site.heading = "Other"
    session.flush()
    with session.begin_nested():
        site.heading = "Another"
    session.rollback()
    assert bell.snapshot() == before
    begin_write(session)
    site.heading = "Third"
    session.commit()
    assert bell.snapshot() != before


def test_renaming_an_article_leaves_no_page_of_the_old_title(reader: GuestClient, app: Flask) -> None:
    reader.posted()
    reader.get("/thread")
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        thread = session.query(Thread).one()
        thread.title = "Another title"
        threads.mark_changed(session, thread.id)
        session.commit()
    assert "Another title" in reader.get("/thread").text


@pytest.fixture
def wired(settings: Settings, app: Flask, redis_url: str, tmp_path: Path) -> Iterator[list[Flask]]:
    """Two machines: one database, one Redis, a bell for each."""
    machines = [
        create_app(
            Settings.from_env(
                environment(
                    tmp_path / name,
                    COMMENTSVC_DATABASE_URL=settings.database_url,
                    COMMENTSVC_REDIS_URL=redis_url,
                )
            )
        )
        for name in ("one", "two")
    ]
    yield machines
    for one in machines:
        services_of(one).broadcast.close()
        dispose(one)


def test_with_redis_another_machine_sees_a_removal_at_once(wired: list[Flask], here: int) -> None:
    one, two = wired
    comment_id = GuestClient(one).posted("Not for long")
    bell = cache_of(two)._signal
    assert soon(lambda: "Not for long" in GuestClient(two).get().text and bell.snapshot()[0] != 0)
    for page in cache_of(two).store.all():
        page.checked += 1000  # it would not ask by itself
    before = bell.snapshot()
    moderate(one, comment_id, Status.SPAM)
    assert soon(lambda: bell.snapshot() != before)
    assert "Not for long" not in GuestClient(two).get().text


def test_redis_that_is_away_holds_nobody_up(
    settings: Settings, app: Flask, here: int, tmp_path: Path
) -> None:
    more = {
        "COMMENTSVC_DATABASE_URL": settings.database_url,
        "COMMENTSVC_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    alone = create_app(Settings.from_env(environment(tmp_path / "alone", **more)))
    try:
        began = time.monotonic()
        GuestClient(alone).posted("Said all the same")
        assert "Said all the same" in GuestClient(alone).get().text
        assert time.monotonic() - began < 5
    finally:
        services_of(alone).broadcast.close()
        dispose(alone)


def addresses_of(app: Flask) -> list[str]:
    """Every address of the service that a link or the URL map leads to, from a thread's pages on."""
    article = urlencode({"url": ARTICLE})
    bare = [
        rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    ]
    waiting = [f"{path}?{article}" for path in bare]
    results: list[str] = []
    while waiting:
        path = waiting.pop().partition("#")[0]
        if path in results or not path.startswith("/") or len(results) > 300:
            continue
        results.append(path)
        answer = get(app, path)
        if answer.mimetype == "text/html":
            for name, tags in (("href", ("a", "link")), ("src", ("script", "img"))):
                for tag in tags:
                    waiting += [str(one[name]) for one in Elements(answer.text).all(tag) if one.get(name)]
    return results


def test_what_may_be_kept_holds_nothing_of_whoever_asks(queue_of_site: AdminQueue, app: Flask) -> None:
    session = queue_of_site.session
    site = session.get_one(Site, queue_of_site.site_id)
    identity = person(session, name="Ada of the secret name")
    token = frame_session(session, identity, site)[1]
    queue_of_site.write("Said to all", status=Status.APPROVED, path="/article")
    queue_of_site.write("For moderators' eyes", path="/article")
    queue_of_site.write("For Ada's eyes", path="/article", by=identity.commenter_id)
    browser = enter(app, session, identity, site).visitor
    browser.sign_in(session, session.get_one(Commenter, accounts.operator(session).id))
    assert "Ada of the secret name" in browser.page(f"/thread?url={ARTICLE}")  # who is really signed in
    assert browser.get("/admin").status_code in {200, 302, 303}
    mine_alone = ("Ada of the secret name", "Ada's eyes", "moderators' eyes", token)
    kept = 0
    for path in addresses_of(app):
        cache_of(app).store.clear()
        mine = browser.get(path, **{"Authorization": f"Bearer {token}", "X-Author-Key": "k" * 64})
        if "no-store" in mine.headers["Cache-Control"]:
            continue
        kept += 1
        anybodys = get(app, path)
        assert mine.data == anybodys.data, path
        for answer in (mine, anybodys):
            assert "Set-Cookie" not in answer.headers, path
            assert not [secret for secret in mine_alone if secret in answer.text], path
    assert kept >= 8
