"""The systems whose exports can be imported, each with its reader, and how their files begin."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from commentsvc.domain.transfer import (
    artalk,
    blogger,
    commento,
    disqus,
    isso,
    plain_records,
    remark42,
    waline,
    wordpress,
)
from commentsvc.domain.transfer.input_files import ImportFile, ReadLog
from commentsvc.domain.transfer.records import ImportedThread
from commentsvc.errors import TransferError

Reader = Callable[[ImportFile, ReadLog], Iterator[ImportedThread]]


@dataclass(frozen=True, slots=True)
class ImportSource:
    """A system, or a format of files."""

    name: str
    """For `--from`."""
    label: str
    """For people."""
    recognises: Callable[[bytes], bool]
    """Whether a file with this beginning is one of its exports."""
    read: Reader
    read_by_page_id: Reader | None = None
    """Reads an export in which pages may have given their threads ids, and identifies these threads by them."""


def _is_wordpress(head: bytes) -> bool:
    return re.search(rb"<rss[\s>]", head) is not None


def _read_wordpress(file: ImportFile, log: ReadLog) -> Iterator[ImportedThread]:
    with file.open(log.on_read) as stream:
        yield from wordpress.read(stream, notes=log.notes)


SOURCES: Sequence[ImportSource] = (
    ImportSource("wordpress", "WordPress", _is_wordpress, _read_wordpress),
    ImportSource("disqus", "Disqus", disqus.recognises, disqus.read, partial(disqus.read, page_ids=True)),
    ImportSource("isso", "Isso", isso.recognises, isso.read),
    ImportSource("remark42", "Remark42", remark42.recognises, remark42.read),
    ImportSource("waline", "Waline", waline.recognises, waline.read),
    ImportSource("artalk", "Artalk", artalk.recognises, artalk.read),
    ImportSource("commento", "Commento or Comentario", commento.recognises, commento.read),
    ImportSource("blogger", "Blogger", blogger.recognises, blogger.read),
    ImportSource("json", "JSON", plain_records.recognises_json, plain_records.read_json),
    ImportSource("csv", "CSV", plain_records.recognises_csv, plain_records.read_csv),
)
"""In the order in which they are tried: the formats that recognise least come last."""
NAMES = tuple(source.name for source in SOURCES)


def named(name: str) -> ImportSource:
    """Return the source with this name, one of `NAMES`."""
    return next(source for source in SOURCES if source.name == name)


def recognised(file: ImportFile) -> ImportSource | None:
    """Return the source of a file by its beginning; None if it is no export that can be read."""
    head = file.head()
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = head.decode("utf-16", "replace").encode()
    return next((source for source in SOURCES if source.recognises(head)), None)


def required(
    files: Sequence[ImportFile], *, advice: str = "--from NAME says which one it is."
) -> list[tuple[ImportFile, ImportSource]]:
    """Return the files that are exports, each with its source; raises TransferError if there is none.

    A folder or an archive may have other files, too; a single file must be an export.
    """
    pairs = [(file, source) for file in files if (source := recognised(file)) is not None]
    if not pairs:
        names = ", ".join(file.name for file in files[:3]) or "the folder"
        raise TransferError(
            f"{names}: this is no export that can be read. Known are {', '.join(one.label for one in SOURCES)}; "
            f"{advice}"
        )
    return pairs
