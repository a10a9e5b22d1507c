"""A damaged or hostile archive is refused with a sentence, before anything is written."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from commentsvc.domain.archive import reading
from commentsvc.domain.archive.parts import SCHEMA
from commentsvc.domain.archive.reading import ArchiveFile
from commentsvc.errors import ArchiveError
from tests.support import archives


@pytest.fixture
def path(session: Session, tmp_path: Path) -> Path:
    """An archive that is whole."""
    archives.fill(session)
    return archives.write(session, tmp_path / "a.zip")


def refusal(path: Path) -> str:
    """Return why an archive is refused."""
    with pytest.raises(ArchiveError) as refused, ArchiveFile(path) as archive:
        archive.verify()
    return str(refused.value)


def test_a_whole_archive_is_accepted(path: Path) -> None:
    with ArchiveFile(path) as archive:
        archive.verify()
        assert archive.manifest.schema == SCHEMA
        assert archive.manifest.site is None


def manifest(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    """Return what changes a manifest, with a checksum that fits."""

    def changed(content: bytes) -> bytes:
        values = json.loads(content)
        change(values)
        return archives.signed(values)

    return changed


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"comment": lambda data: data.replace(b"approved", b"unspamed", 1)}, "comment.ndjson"),
        ({"comment": lambda data: data[: len(data) // 2]}, "size is not what the manifest says"),
        ({"manifest": lambda data: data.replace(b'"records": 1', b'"records": 7', 1)}, "checksum over all"),
        ({"manifest": lambda _: b"{"}, "manifest is damaged"),
        ({"manifest": lambda _: b"[" * 100_000}, "manifest is damaged"),
        ({"manifest": lambda _: b"{}"}, "no archive of this service"),
        ({"manifest": manifest(lambda values: values.update(schema=99))}, "update the service"),
        ({"manifest": manifest(lambda values: values["parts"].pop())}, "not whole"),
    ],
)
def test_damage_is_named(path: Path, tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    assert sentence in refusal(archives.rewritten(path, tmp_path / "b.zip", **changes))


def test_every_truncation_is_noticed(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    for length in (0, 1, 100, len(data) // 2, len(data) - 1):
        (tmp_path / "cut.zip").write_bytes(data[:length])
        assert refusal(tmp_path / "cut.zip")


def test_a_flipped_bit_is_noticed(path: Path, tmp_path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    (tmp_path / "flipped.zip").write_bytes(data)
    assert "damaged" in refusal(tmp_path / "flipped.zip")


@pytest.mark.parametrize(
    "records", [[{"id": 1}, 5], [{"a": 1}], [{"id": "x"}], [{"id": 10**40}], [{"id": True}]]
)
def test_records_that_no_column_can_have_are_refused(path: Path, tmp_path: Path, records: list[Any]) -> None:
    assert "site.ndjson" in refusal(
        archives.with_records(path, tmp_path / "b.zip", "site", lambda _: records)
    )


def test_a_part_that_unpacks_to_far_too_much_is_refused(path: Path, tmp_path: Path) -> None:
    bomb = archives.with_records(path, tmp_path / "b.zip", "note", lambda _: ["0" * 50_000_000])
    assert bomb.stat().st_size < 1_000_000
    assert "far more than an archive has" in refusal(bomb)


def test_an_endless_line_is_refused(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_LINE", 1000)
    long = archives.with_records(path, tmp_path / "b.zip", "note", lambda _: ["0" * 5000])
    assert "endless line" in refusal(long)


def test_files_that_do_not_belong_to_it_are_refused(path: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../evil.py", b"")
    assert "do not belong" in refusal(path)
