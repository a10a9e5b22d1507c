"""Files with the defects that real exports have: each costs at most the character that has it, and is reported."""

from __future__ import annotations

import io
from collections import Counter

import pytest

from commentsvc.domain.transfer import wordpress, xml_events, xml_repair
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.errors import TransferError
from tests.support import wxr

PLAIN = wxr.export(wxr.item(wxr.comment("MARK", author="MARK")))


def read(data: bytes) -> tuple[list[ImportedComment], Counter[str]]:
    notes: Counter[str] = Counter()
    articles = wordpress.read(io.BytesIO(data), notes=notes)
    return [comment for article in articles for comment in article.comments], notes


def text_of(data: bytes) -> str:
    (comment,), notes = read(data)
    assert not notes
    return comment.text


def declared(name: str, text: str, encoding: str) -> bytes:
    head, _, rest = PLAIN.decode().replace("MARK", text).partition('encoding="UTF-8"')
    return f'{head}encoding="{name}"{rest}'.encode(encoding)


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        ("ISO-8859-1", "“café” €…", "cp1252"),
        ("latin1", "“café”", "cp1252"),
        ("us-ascii", "“café”", "utf-8"),
        ("windows-1251", "привет", "cp1251"),
        ("koi8-r", "привет", "koi8-r"),
        ("gb2312", "你好镕", "gbk"),
        ("Shift_JIS", "日本①", "cp932"),
        ("UTF-16", "“café”", "utf-8"),
    ],
)
def test_a_name_of_an_encoding_means_what_it_means_in_browsers(name: str, text: str, encoding: str) -> None:
    assert text_of(declared(name, text, encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_says_more_than_the_declaration(encoding: str) -> None:
    assert text_of(declared("ISO-8859-1", "“café”", encoding)) == "“café”"


def test_characters_of_windows_1252_that_were_stored_as_latin_1_are_mended() -> None:
    assert text_of(PLAIN.replace(b"MARK", "\x93caf\xe9\x94 \x85".encode())) == "“café” …"
    reference = PLAIN.replace(b"<![CDATA[MARK]]>", b"&#133;&#148;")
    assert text_of(reference) == "…”"


def test_what_is_not_in_the_encoding_that_the_file_names_is_counted() -> None:
    data = PLAIN.replace(b"MARK", "Größe".encode("latin-1"), 1) + b"\n" * 100_000
    (comment,), notes = read(data)
    assert comment.name == "Gr\ufffd\ufffde"
    ((note, number),) = notes.items()
    assert number == 2
    assert "not UTF-8, which the file says it is" in note


def test_a_file_that_has_the_replacement_character_itself_is_not_blamed() -> None:
    assert text_of(PLAIN.replace(b"MARK", "\ufffd".encode())) == "\ufffd"


@pytest.mark.parametrize(
    "before",
    [
        b"\nWarning: fopen(/x.php): failed to open stream in /x.php on line 6\n\n",
        b"<br />\n<b>Notice</b>:  Undefined variable $x in <b>/x.php</b> on line <b>12</b><br />\n",
        b"\xef\xbb\xbfDeprecated: x\n",
    ],
)
def test_messages_of_php_before_the_document_are_passed_over(before: bytes) -> None:
    (comment,), notes = read(before + PLAIN)
    assert comment.text == "MARK"
    assert set(notes) == {xml_events.BEFORE}


@pytest.mark.parametrize(
    "after",
    [
        b"<br />\n<b>Fatal error</b>:  Allowed memory size",
        b"\nWarning: a & b < c in /x.php",
        b"\n<b>Fatal error",
        b"-->",
        b"\x00\x00<",
    ],
)
@pytest.mark.parametrize("distance", [0, 100_000])
def test_messages_of_php_after_the_document_are_passed_over(after: bytes, distance: int) -> None:
    (comment,), notes = read(PLAIN + b" " * distance + after + b" " * distance)
    assert comment.text == "MARK"
    assert set(notes) == {xml_events.AFTER}


def test_a_second_export_in_the_same_file_is_not_passed_over() -> None:
    with pytest.raises(TransferError, match="second document"):
        read(PLAIN + PLAIN)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a & b", "a & b"),
        ("AT&T;", "AT&T;"),
        ("a&nbsp;b &ouml;&hellip;&lt;", "a\xa0b ö…<"),
        ("a&#x1F;b&#8;c&#0;", "abc"),
        ("&#xD800;&#99999999;&#xFFFE;x", "x"),
        ("&", "&"),
        ("&#12", "&#12"),
    ],
)
def test_a_bad_reference_costs_only_itself(written: str, text: str) -> None:
    assert text_of(PLAIN.replace(b"<![CDATA[MARK]]>", written.encode())) == text


def test_inside_cdata_nothing_is_a_reference() -> None:
    assert text_of(PLAIN.replace(b"MARK", b"a & b &nbsp; &#x1F; <x")) == "a & b &nbsp; &#x1F; <x"


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_parts_may_end_anywhere(size: int) -> None:
    text = "a&nbsp;b & c<![CDATA[ & ]] ]]>&amp;<![CDATA[]]>&x;&#31;< ![CDATA[ &"
    repair = xml_repair.XmlRepair()
    parts = [repair.feed(text[at : at + size]) for at in range(0, len(text), size)]
    whole = "".join(parts) + repair.feed("", final=True)
    assert whole == "a&#160;b &amp; c<![CDATA[ & ]] ]]>&amp;<![CDATA[]]>&amp;x;< ![CDATA[ &amp;"


def test_a_file_that_is_cut_off_yields_every_comment_that_is_complete() -> None:
    whole = wxr.export(wxr.item(*(wxr.comment(f"number {number}") for number in range(3))))
    part = whole[: whole.index(b"number 2")]
    articles: list[ImportedThread] = []
    with pytest.raises(TransferError, match="ends in the middle"):
        articles.extend(wordpress.read(io.BytesIO(part)))
    texts = [comment.text for article in articles for comment in article.comments]
    assert texts == ["number 0", "number 1"]
