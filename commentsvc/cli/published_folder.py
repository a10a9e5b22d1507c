"""A folder of published comments: which files in it are ours, and how they are written.

Every name is made here from letters, digits, `-` and `.`, in lower case, so that it names a file of this folder on any
file system. Only names that the folder's own index lists, and that have this form, are ever removed.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from commentsvc import durable_files
from commentsvc.errors import CommentsvcError

INDEX = "index.json"
_BEGUN = ".commentsvc-begun"
"""Names of files that are not in the index yet, so that an interrupted run leaves none that nobody knows."""
_TEMPORARY = ".commentsvc-tmp-"
VERSION = 1
"""Of the files' form."""
_SLUG_LONGEST = 60
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,90}(\.[0-9]{1,6})?\.(json|html)")


class ForeignFolderError(CommentsvcError):
    """The folder has an index that this command has not written."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was not written by `commentsvc publish`. Use another folder, or delete that file."
        )


def name_of(url: str, key: str) -> str:
    """Return the name of a thread's files, without an ending: words of its URL, and a hash of its key."""
    parts = urlsplit(url)
    words = re.sub(r"[^a-z0-9]+", "-", f"{parts.path} {parts.query}".lower()).strip("-")
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return f"{words[:_SLUG_LONGEST].strip('-')}-{digest}".lstrip("-")


class PublishedFolder:
    """The folder during one run."""

    def __init__(self, directory: Path, site_name: str) -> None:
        """Create the folder if it is missing; raises ForeignFolderError, also for the folder of another site."""
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._site_name = site_name
        self._earlier = self._listed() | self._begun()
        for left in directory.glob(f"{_TEMPORARY}*"):
            left.unlink()
        self._threads: list[dict[str, Any]] = []
        self._written: set[str] = set()
        self.changed = 0
        """Files written or removed, because they differ from what was there."""

    def add(self, name: str, ending: str, content: str) -> str:
        """Write a file unless it has this content already; return its name."""
        file_name = f"{name}{ending}"
        self._written.add(file_name)
        if file_name not in self._earlier:
            with (self._directory / _BEGUN).open("a", encoding="ascii") as begun:
                begun.write(f"{file_name}\n")
        self.changed += write_file(self._directory / file_name, content)
        return file_name

    def list_thread(self, entry: dict[str, Any]) -> None:
        """Add a thread to the index."""
        self._threads.append(entry)

    def finish(self) -> None:
        """Remove our files of threads that are not public any more, and write the index."""
        for name in sorted(self._earlier - self._written):
            with suppress(FileNotFoundError):
                (self._directory / name).unlink()
                self.changed += 1
        files = sorted(self._written)
        index = {"version": VERSION, "site": self._site_name, "threads": self._threads, "files": files}
        write_file(self._directory / INDEX, as_json(index))
        (self._directory / _BEGUN).unlink(missing_ok=True)

    def _listed(self) -> set[str]:
        """Return the names of the files that an earlier run has written."""
        path = self._directory / INDEX
        try:
            index = json.loads(path.read_bytes())
        except FileNotFoundError:
            return set()
        except ValueError:
            raise ForeignFolderError(path) from None
        if not isinstance(index, dict) or index.get("site") != self._site_name or "files" not in index:
            raise ForeignFolderError(path)
        return _ours(index["files"])

    def _begun(self) -> set[str]:
        """Return the names of files that a run has written without coming to its end."""
        try:
            return _ours((self._directory / _BEGUN).read_text(encoding="ascii", errors="replace").split())
        except FileNotFoundError:
            return set()


def _ours(names: Any) -> set[str]:
    """Return those names that this module can have made."""
    return {name for name in names if isinstance(name, str) and _NAME.fullmatch(name)} - {INDEX}


def write_file(path: Path, content: str) -> bool:
    """Write a public file as a whole, unless it has this content already; return whether it was written."""
    data = content.encode()
    with suppress(FileNotFoundError):
        if not path.is_symlink() and path.read_bytes() == data:
            return False
    with durable_files.replacing(path, mode=0o644, prefix=_TEMPORARY) as file:
        file.write(data)
    return True


def as_json(value: object) -> str:
    """Return JSON for people and for git: sorted, in lines."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
