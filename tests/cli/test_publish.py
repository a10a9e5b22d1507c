"""Comments in the files of a static website: `commentsvc publish` and `commentsvc fragment`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from commentsvc.cli import published_folder
from commentsvc.cli.published_folder import PublishedFolder, name_of
from tests.support.cli_service import fail, succeed

OUT = Path("out")
PUBLIC = {
    *("id", "parent", "kind", "url", "name", "website", "role", "html"),
    *("created_at", "edited_at", "pinned", "featured", "origin", "origin_url", "content_warning"),
}


def index() -> dict[str, Any]:
    return dict(json.loads((OUT / "index.json").read_text()))


def texts() -> str:
    """Everything in the folder."""
    return "\n".join(path.read_text() for path in OUT.iterdir())


def times() -> dict[str, tuple[int, int]]:
    """Which files there are, and when each was last written."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in OUT.iterdir()}


def test_public_comments_are_written_and_nothing_else(written: list[int]) -> None:
    assert succeed("publish", "out") == "1 thread; 2 files changed.\n"
    (thread,) = index()["threads"]
    assert sorted(index()["files"]) == sorted([thread["json"], *thread["html"]])
    assert sorted(times()) == sorted([*index()["files"], "index.json"])
    record = json.loads((OUT / thread["json"]).read_text())
    assert [each["name"] for each in record["comments"]] == ["Ada", "Bob"]
    assert all(set(each) == PUBLIC for each in record["comments"])
    assert (record["url"], record["count"]) == ("https://blog.example/article/", 2)
    assert "Wait for me" not in texts()
    assert "Buy this" not in texts()
    assert "@mail.example" not in texts()
    assert (OUT / thread["html"][0]).read_text() == succeed("fragment", thread["url"])


def test_a_second_run_touches_only_what_has_changed(written: list[int]) -> None:
    succeed("comments", "approve", str(written[3]), "--yes")
    succeed("publish", "out")
    before = times()
    assert succeed("publish", "out") == "2 threads; 0 files changed.\n"
    assert times() == before
    succeed("comments", "approve", str(written[2]), "--yes")
    assert succeed("publish", "out") == "2 threads; 2 files changed.\n"
    changed = {name for name, facts in times().items() if before[name] != facts}
    assert {name.rpartition("-")[0] for name in changed - {"index.json"}} == {"article"}
    other = Path("elsewhere")
    succeed("publish", str(other))
    assert {path.name: path.read_bytes() for path in other.iterdir()} == {
        path.name: path.read_bytes() for path in OUT.iterdir()
    }


def test_what_is_erased_or_removed_leaves_the_folder(written: list[int]) -> None:
    succeed("publish", "out")
    (OUT / "mine.html").write_text("the owner's own")
    succeed("user", "erase", "email:ada@mail.example", "--yes")
    succeed("publish", "out")
    assert "What do you think?" not in texts()
    assert "Ada" not in texts()
    assert "This comment was removed." in texts()
    assert "I agree." in texts()
    succeed("comments", "trash", "--by", "name:Bob", "--yes")
    succeed("publish", "out")
    assert sorted(times()) == ["index.json", "mine.html"]
    assert index()["threads"] == []


def test_a_run_that_was_interrupted_leaves_no_file_for_ever(
    written: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_folder: PublishedFolder) -> None:
        raise OSError(28, "No space left on device", "out/index.json")

    with monkeypatch.context() as patch:
        patch.setattr(PublishedFolder, "finish", stop)
        assert "No space left" in fail("publish", "out")
    (OUT / f"{published_folder._TEMPORARY}x").write_text("half a fi")
    assert "What do you think?" in texts()
    succeed("comments", "trash", "--by", "name:Ada", "--yes")
    succeed("comments", "trash", "--by", "name:Bob", "--yes")
    succeed("publish", "out")
    assert sorted(times()) == ["index.json"]


def test_only_files_that_it_wrote_are_removed(written: list[int], tmp_path: Path) -> None:
    """The index may have been changed by whoever can write to the repository."""
    succeed("publish", "out")
    outside = tmp_path / "precious.json"
    outside.write_text("{}")
    listed = index()
    listed["files"] += ["../precious.json", str(outside), "index.json", "x/../../precious.json", 5, None]
    (OUT / "index.json").write_text(json.dumps(listed))
    succeed("publish", "out")
    assert outside.read_text() == "{}"
    (OUT / "index.json").write_text('{"name": "something else"}')
    assert "was not written by" in fail("publish", "out")


def test_file_names_stay_in_the_folder_on_any_file_system() -> None:
    urls = [
        "https://blog.example/../../etc/passwd",
        "https://blog.example/A?b=../c",
        "https://blog.example/a?b=../c",
        "https://blog.example/CON",
        "https://blog.example/" + "long/" * 400,
        "https://blog.example/",
        "https://blog.example/日本語",
        "https://blog.example/%2e%2e%2fx\\y",
    ]
    names = [name_of(url, url) for url in urls]
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{15,90}", name) for name in names), names
    assert len(set(names)) == len(urls)
    assert names == [name_of(url, url) for url in urls]
    assert all(published_folder._NAME.fullmatch(f"{name}.12.html") for name in names)


def test_a_fragment_that_fails_leaves_the_last_file(written: list[int]) -> None:
    file = Path("comments.html")
    succeed("fragment", "https://blog.example/article/", "--output", "comments.html")
    before = file.read_text()
    assert "I agree." in before
    assert "not set up for" in fail("fragment", "https://elsewhere.example/", "--output", "comments.html")
    assert file.read_text() == before
    assert sorted(Path().glob(".commentsvc*")) == []
