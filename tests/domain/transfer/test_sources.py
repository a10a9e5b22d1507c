"""Every system's export: what readers saw there arrives once, with its parent, time, name and text."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.comments import comment_text
from commentsvc.domain.reading import old_anchors
from commentsvc.domain.transfer import input_files, record_fields, sources
from commentsvc.domain.transfer.input_files import ImportFile
from commentsvc.domain.votes.scores import score
from commentsvc.models import Comment, Role, Site, Status, TextFormat, Thread
from tests.support import exports
from tests.support.time_limit import within

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
Row = tuple[str, str | None, str, str, str]
VISIBLE: dict[str, list[Row]] = {
    "disqus.xml": [
        ("101", None, "2019-01-02T09:30:15", "Ann", "First! Second line & x < y"),
        ("103", "101", "2019-01-03T10:00:00", "Olga", "A reply before its parent, with a link."),
        (
            "104",
            "103",
            "2019-01-04T10:00:00",
            "Ben",
            "@olga thank you https://uploads.disquscdn.com/images/1.png",
        ),
        ("107", "106", "2019-01-07T10:00:00", "Ann", "But I had answered"),
        ("109", None, "2019-02-02T10:00:00", "", "Elsewhere"),
    ],
    "isso.sql": [
        ("1", None, "2019-01-02T09:30:15.250000", "Ann", "First! and bold x < y"),
        ("2", "1", "2019-01-02T09:31:00", "", "A reply"),
        ("5", "4", "2019-01-02T09:31:30", "Ann", "I had answered"),
        ("6", None, "2019-01-02T09:31:35", "Cid", "My parent is gone"),
        ("7", None, "2019-01-02T09:31:50", "Dan", "From Disqus once"),
        ("8", None, "2019-01-02T09:32:00", "Eve", "On a page with an id"),
    ],
    "remark42.jsonl": [
        ("a1", None, "2019-01-02T09:30:15", "Ann", "First! link x < y"),
        ("b2", "a1", "2019-01-02T10:30:15.123456", "Olga", "A reply before its parent"),
        ("d4", "c3", "2019-01-04T09:30:15", "Ann", "I had answered"),
        ("f6", None, "2019-01-05T15:30:15", "Ben", "Only typed"),
    ],
    "commento.json": [
        ("a1", None, "2019-01-02T09:30:15", "", "First!"),
        ("b2", "a1", "2019-01-02T11:30:15.123456", "Olga", "A reply before its parent"),
        ("d4", "c3", "2019-01-04T09:30:15", "Ann", "I had answered"),
    ],
    "comentario.json": [
        ("a1", None, "2019-01-02T09:30:15", "Ann", "First!"),
        ("b2", "a1", "2019-01-02T11:30:15", "Olga", "A reply before its parent"),
        ("d4", "c3", "2019-01-04T09:30:15", "Ben", "I had answered"),
    ],
    "blogger-classic.xml": [
        ("200", None, "2019-01-02T09:30:15.500000", "Ann", "First! Second line bold"),
        ("201", "200", "2019-01-03T09:30:15", "Olga", "A reply"),
        ("203", None, "2019-02-02T09:30:15", "Anonymous", "On a page"),
    ],
    "blogger-takeout.atom": [
        ("200", None, "2019-01-02T09:30:15", "", "First! Second line"),
        ("201", "200", "2019-01-03T09:30:15", "Olga", "A reply"),
    ],
    "artalk.artrans": [
        ("1", None, "2019-01-02T09:30:15", "Ann", "First! bold"),
        ("2", "1", "2019-01-02T11:30:15", "Olga", "A reply before its parent"),
        ("3", "2", "2019-01-03T09:30:15", "Ben", "Third level, as a converter wrote it"),
    ],
    "waline.json": [
        ("1", None, "2019-01-02T09:30:15", "Ann", "First!"),
        ("2", "1", "2019-01-02T11:30:15", "Olga", "A reply before its parent"),
        ("3", "2", "2019-01-03T09:30:15", "", "Third level"),
    ],
    "comments.json": [
        ("1", None, "2019-01-02T09:30:15", "Ann", "First! bold"),
        ("1", None, "2019-01-09T09:30:15", "Eve", "On a page with an id"),
        ("2", "1", "2019-01-02T11:30:15", "Olga", "A reply"),
        ("3", None, "2019-01-04T09:30:15", "Ben", "Plain <b>, *not* bold second line"),
        ("7", "6", "2019-01-08T09:30:15", "Ann", "I had answered"),
    ],
    "comments.csv": [
        ("1", None, "2019-01-02T09:30:15", "Ann", 'First! Second "line"'),
        ("2", "1", "2019-01-02T11:30:15", "Olga", "A reply"),
    ],
}
OTHERS = {
    "disqus.xml": {Status.SPAM: 1, Status.TRASH: 1},
    "isso.sql": {Status.HELD: 1, Status.TRASH: 1},
    "remark42.jsonl": {Status.TRASH: 1},
    "commento.json": {Status.HELD: 2, Status.TRASH: 1},
    "comentario.json": {Status.HELD: 1, Status.TRASH: 2},
    "blogger-classic.xml": {Status.HELD: 1},
    "blogger-takeout.atom": {Status.SPAM: 1, Status.HELD: 1},
    "artalk.artrans": {Status.HELD: 1},
    "waline.json": {Status.HELD: 1, Status.SPAM: 1},
    "comments.json": {Status.HELD: 1, Status.SPAM: 1, Status.TRASH: 1},
    "comments.csv": {Status.HELD: 1},
}
"""Comments that readers do not see, without the deleted ones that nothing hangs on."""
OWNERS = {
    "disqus.xml": {"103": Role.OWNER},
    "remark42.jsonl": {"b2": Role.OWNER},
    "commento.json": {"b2": Role.MODERATOR},
    "comentario.json": {"b2": Role.MODERATOR},
    "blogger-classic.xml": {"201": Role.OWNER},
    "artalk.artrans": {"2": Role.OWNER},
    "waline.json": {"2": Role.OWNER},
    "comments.json": {"2": Role.OWNER},
}
PINNED = {
    "remark42.jsonl": {"a1"},
    "comentario.json": {"a1"},
    "artalk.artrans": {"1"},
    "waline.json": {"1"},
    "comments.json": {"1"},
}
EDITED = {
    "isso.sql": {"1": "2019-01-02T09:31:40+00:00"},
    "remark42.jsonl": {"a1": "2019-01-02T09:35:00+00:00"},
    "comentario.json": {"b2": "2019-01-02T11:31:00+00:00"},
    "comments.json": {"2": "2019-01-02T13:00:00+00:00"},
}
VOTES = {
    "isso.sql": {"1": (2, 0)},
    "remark42.jsonl": {"b2": (2, 0)},
    "commento.json": {"b2": (1, 0)},
    "comentario.json": {"b2": (1, 0)},
    "waline.json": {"2": (3, 0)},
}
EACH = pytest.mark.parametrize("name", VISIBLE)


@pytest.fixture
def path(name: str, tmp_path: Path) -> Path:
    return exports.isso_database(tmp_path) if name == "isso.sql" else exports.FOLDER / name


def input_files_of(path: Path) -> list[ImportFile]:
    with input_files.opened([str(path)], io.BytesIO()) as files:
        return files


def stored(session: Session) -> list[tuple[str, Comment]]:
    """Return every comment with its old number, which is the end of its transfer key."""
    comments = session.scalars(select(Comment)).all()
    return [
        ((comment.transfer_key or "").rpartition(":")[2].partition("~")[0], comment) for comment in comments
    ]


@ENGINES
@EACH
def test_every_visible_comment_arrives_once_as_it_was(
    session: Session, site: Site, name: str, path: Path
) -> None:
    exports.load(session, site, path)
    assert exports.visible(session) == VISIBLE[name]
    others = Counter(
        one.status for one in session.scalars(select(Comment)) if one.status is not Status.APPROVED
    )
    assert others == OTHERS[name]


@EACH
def test_a_second_run_adds_nothing(session: Session, site: Site, name: str, path: Path) -> None:
    exports.load(session, site, path)
    report = exports.load(session, site, path)
    assert report.count() == 0
    assert exports.visible(session) == VISIBLE[name]


@EACH
def test_a_dry_run_says_what_a_run_does(session: Session, site: Site, name: str, path: Path) -> None:
    dry = exports.load(session, site, path, dry_run=True)
    assert session.scalars(select(Comment)).all() == []
    real = exports.load(session, site, path)
    assert (dry.new, dry.skipped, dry.notes, dry.threads_new) == (
        real.new,
        real.skipped,
        real.notes,
        real.threads_new,
    )


@EACH
def test_owners_pins_and_edits_come_along(session: Session, site: Site, name: str, path: Path) -> None:
    exports.load(session, site, path)
    comments = stored(session)
    assert {key: one.role for key, one in comments if one.role} == OWNERS.get(name, {})
    assert {key for key, one in comments if one.pinned} == PINNED.get(name, set())
    edited = {key: one.edited_at.isoformat() for key, one in comments if one.edited_at}
    assert edited == EDITED.get(name, {})
    voted = {key: (one.ups, one.downs) for key, one in comments if one.ups or one.downs}
    assert voted == VOTES.get(name, {})
    assert all(one.score == score(one.ups, one.downs) for _, one in comments)


@EACH
def test_nothing_of_a_deleted_comment_is_stored(session: Session, site: Site, name: str, path: Path) -> None:
    exports.load(session, site, path)
    for _, comment in stored(session):
        assert "ecret" not in f"{comment.guest_name} {comment.guest_email} {comment.source}"
        if comment.source == comment_text.DELETED:
            assert (comment.guest_name, comment.status, comment.shown) == (None, Status.TRASH, True)


@EACH
def test_each_file_is_recognised_by_its_beginning(name: str, path: Path) -> None:
    (file,) = input_files_of(path)
    recognised = sources.recognised(file)
    kind = name.partition(".")[0].partition("-")[0]
    kind = {"comentario": "commento", "comments": path.suffix.removeprefix(".")}.get(kind, kind)
    assert recognised is not None
    assert recognised.name == kind


@pytest.mark.parametrize(
    ("name", "urls"),
    [
        (
            "disqus.xml",
            {"https://blog.example/first/": "First & foremost", "https://blog.example/second/": "Second"},
        ),
        (
            "isso.sql",
            {
                "https://blog.example/first/": "First & foremost",
                "https://blog.example/second/?page=2": "",
                "https://blog.example/": "Own id",
            },
        ),
        (
            "remark42.jsonl",
            {"https://blog.example/first/": "First & foremost", "https://blog.example/second": ""},
        ),
        (
            "comentario.json",
            {"https://blog.example/first/": "First & foremost", "https://blog.example/second/": ""},
        ),
        (
            "blogger-classic.xml",
            {
                "https://blog.example/2019/01/first.html": "First & foremost",
                "https://blog.example/p/page.html": "A page",
                "https://blog.example/2019/03/draft.html": "",
            },
        ),
        ("blogger-takeout.atom", {"https://blog.example/2019/01/first.html": "First & foremost"}),
        (
            "artalk.artrans",
            {"https://blog.example/first/": "First & foremost", "https://blog.example/second/": ""},
        ),
        ("waline.json", {"https://blog.example/first/": "", "https://blog.example/second": ""}),
    ],
)
def test_articles_lie_on_the_site_with_their_titles(
    session: Session, site: Site, path: Path, urls: dict[str, str]
) -> None:
    exports.load(session, site, path)
    assert {thread.url: thread.title or "" for thread in session.scalars(select(Thread))} == urls


def test_disqus_can_find_threads_by_the_ids_that_pages_gave_them(session: Session, site: Site) -> None:
    exports.import_records(session, site, exports.articles(exports.FOLDER / "disqus.xml", page_ids=True))
    keys = set(session.scalars(select(Thread.key)))
    assert keys == {"id:/first/", "blog.example/first", "id:second"}


def test_isso_finds_a_thread_by_the_id_of_its_page(session: Session, site: Site, tmp_path: Path) -> None:
    exports.load(session, site, exports.isso_database(tmp_path))
    assert "id:my-own-id" in set(session.scalars(select(Thread.key)))


def test_no_picture_of_an_old_service_is_loaded(session: Session, site: Site) -> None:
    exports.load(session, site, exports.FOLDER / "disqus.xml")
    assert all("<img" not in comment.html for comment in session.scalars(select(Comment)))
    (link,) = (one.html for one in session.scalars(select(Comment)) if "other.example" in one.html)
    assert 'href="https://other.example/a?b=1"' in link


@pytest.mark.parametrize(
    ("name", "anchor", "number"),
    [
        ("disqus.xml", "#comment-103", "103"),
        ("isso.sql", "#isso-2", "2"),
        ("remark42.jsonl", "#remark42__comment-b2", "b2"),
        ("commento.json", "#commento-b2", "b2"),
        ("comentario.json", "#comentario-b2", "b2"),
        ("blogger-classic.xml", "#c201", "201"),
        ("artalk.artrans", "#atk-comment-2", "2"),
    ],
)
def test_an_old_link_leads_to_its_comment(
    session: Session, site: Site, path: Path, anchor: str, number: str
) -> None:
    exports.load(session, site, path)
    (comment,) = (comment for old_number, comment in stored(session) if old_number == number)
    assert old_anchors.comment_id(session, comment.thread_id, anchor) == comment.id


@pytest.mark.parametrize(
    ("text", "text_format"),
    [
        ("*hello* <b>x</b>\n\n    code", TextFormat.MARKDOWN),
        ("Write `<br>` for a line end", TextFormat.MARKDOWN),
        ("<p>From Disqus</p>", TextFormat.HTML),
        ("one<br />two", TextFormat.HTML),
        ("1 < 2", TextFormat.MARKDOWN),
    ],
)
def test_markdown_and_html_in_one_column_are_told_apart(text: str, text_format: TextFormat) -> None:
    assert record_fields.text_format(text) is text_format


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2019-01-02T09:30:15Z", "2019-01-02T09:30:15+00:00"),
        ("2019-01-02T09:30:15.123456789+01:00", "2019-01-02T08:30:15.123456+00:00"),
        ("2019-01-02 17:30:15 +0800", "2019-01-02T09:30:15+00:00"),
        ("2019-01-02 09:30:15", "2019-01-02T09:30:15+00:00"),
        (1546421415.25, "2019-01-02T09:30:15.250000+00:00"),
        (1546421415250, "2019-01-02T09:30:15.250000+00:00"),
        ("1546421415", "2019-01-02T09:30:15+00:00"),
        ({"__type": "Date", "iso": "2019-01-02T09:30:15.000Z"}, "2019-01-02T09:30:15+00:00"),
        ("0001-01-01T00:00:00Z", None),
        ("yesterday", None),
        (1e300, None),
        (True, None),
        (None, None),
    ],
)
def test_times_are_read_in_every_form(value: object, at: str | None) -> None:
    time = record_fields.time(value)
    assert (time.isoformat() if time else None) == at


def test_hostile_text_is_read_in_time() -> None:
    with within(seconds=5):
        record_fields.text_format("<br>x" * 20_000 + "`")
        record_fields.text_format(" " * 100_000)
        record_fields.time(f"2019{' ' * 100_000}x")


def test_a_word_such_as_null_is_a_text_like_any_other() -> None:
    assert record_fields.text({"text": "null"}, "text") == "null"


def test_a_comment_that_was_deleted_there_since_can_go_here_too(
    session: Session, site: Site, tmp_path: Path
) -> None:
    exports.load(session, site, exports.FOLDER / "disqus.xml")
    head, elsewhere, tail = (exports.FOLDER / "disqus.xml").read_text().partition('<post dsq:id="109">')
    later = tmp_path / "later.xml"
    later.write_text(head + elsewhere + tail.replace("<isDeleted>false", "<isDeleted>true", 1))
    exports.load(session, site, later)
    assert "Elsewhere" in [text for *_, text in exports.visible(session)]
    exports.load(session, site, later, update=True)
    assert [row for row in VISIBLE["disqus.xml"] if row[0] != "109"] == exports.visible(session)


def test_numbers_from_elsewhere_are_read_as_they_are_meant() -> None:
    cases: dict[object, int] = {"12": 12, "-3": -3, "2.0": 2, 7: 7, 4.0: 4, True: 0, "x": 0, "1e9": 0}
    assert {value: record_fields.count({"score": value}, "score") for value in cases} == cases
    assert record_fields.count({"score": 10**11}, "score") == record_fields.COUNT_MOST
    assert record_fields.difference(-4) == (0, 4)
