"""The rules of the house that no linter knows: see CONTRIBUTING.md."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import fields
from itertools import chain
from pathlib import Path

import brotli
import pytest
from playwright.sync_api import Page, expect

from commentsvc.config import PREFIX, Settings
from tests.support import browser
from tests.support.browser import Blog, Service
from tests.support.each import check_each
from tests.support.frame_pages import LONG_READ, article, frame, write

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "commentsvc"
STATIC = PACKAGE / "static"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 320
KB = 1024


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def compressed(*paths: Path) -> int:
    """Return the bytes that a browser loads."""
    return sum(len(brotli.compress(path.read_bytes())) for path in paths)


def test_imports_point_one_way() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_module_says_what_it_is_for_and_is_short() -> None:
    def check(path: Path) -> None:
        source = path.read_text()
        assert ast.get_docstring(ast.parse(source)), "no docstring"
        assert len(source.splitlines()) <= LONGEST, "too long; split it"

    check_each(MODULES, check)


def test_every_module_is_named_by_what_it_holds() -> None:
    assert [
        name_of(path) for path in MODULES if re.fullmatch(r"(utils?|helpers?|common|misc|manager)", path.stem)
    ] == []


def test_no_two_classes_have_one_name() -> None:
    classes = Counter(
        node.name
        for path in MODULES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in classes.items() if count > 1] == []


def test_views_begin_and_commit_in_one_place() -> None:
    """`context.writing` takes the lock, commits once, and undoes what an error left half done."""
    views = sorted((PACKAGE / "web").rglob("*.py"))
    assert [
        name_of(path) for path in views if re.search(r"\bbegin_write\b|\.commit\(", path.read_text())
    ] == ["web/context.py"]


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(
        re.findall(
            rf"^\| `{PREFIX}([A-Z_]+)` \| (.+?) \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE
        )
    )
    documented = {item.name.upper(): item.metadata for item in fields(Settings) if "doc" in item.metadata}
    assert set(rows) == set(documented)
    for name, metadata in documented.items():
        default = (
            "required" if metadata["default"] is None else metadata["shown"] or f"`{metadata['default']}`"
        )
        assert rows[name] == default, name


def test_the_readme_names_only_files_and_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        if not target.endswith(".png"):  # pictures come with a release
            assert (ROOT / target).exists(), target
    commands = set(
        re.findall(r"\bcommentsvc ([a-z]+)\b(?! is)", " ".join(re.findall(r"`[^`]+`|^ +.*$", text, re.M)))
    )
    known = subprocess.run(
        [sys.executable, "-m", "commentsvc", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert all(f"\n  {command} " in known for command in commands), commands


def test_the_loader_is_small() -> None:
    assert compressed(STATIC / "embed.js") <= 5.3 * KB


def test_the_list_of_the_latest_comments_is_small() -> None:
    assert compressed(STATIC / "latest.js") <= 1.5 * KB


def test_what_shows_a_thread_is_small() -> None:
    modules = (STATIC / "frame" / name for name in ("core.js", "first_paint.js", "main.js"))
    assert compressed(STATIC / "embed.js", STATIC / "frame.css", *modules) <= 12.5 * KB


def test_what_a_frame_may_ever_load_is_small() -> None:
    assert compressed(STATIC / "embed.js", STATIC / "frame.css", *STATIC.glob("frame/*")) <= 34.4 * KB


IMPORTS = (
    r"""import\s*\{(?P<names>[^}]*)\}\s*from\s*"(?P<file>\./[\w./]+)\"""",
    r"""import\("(?P<file>\./[\w./]+)"\)\.then\(\(\{(?P<names>[^}]*)\}""",
    r"""await import\("(?P<file>\./[\w./]+)"\)\)\.(?P<names>\w+)""",
)
"""How a module names what it takes from another one."""


def exports(text: str) -> set[str]:
    """Return the names that a module exports, one by one or as `const { one, other } = …`."""
    declared = re.findall(r"^export (?:async )?(?:const|let|class|function) (\w+)", text, re.MULTILINE)
    parts = re.findall(r"^export const \{([^}]*)\}", text, re.MULTILINE)
    return {*declared, *(name.strip() for part in parts for name in part.split(","))}


def test_modules_export_what_others_import() -> None:
    """A browser refuses the whole module otherwise, and nothing but its console says so."""
    missing, number = set(), 0
    for path in STATIC.rglob("*.js"):
        text = path.read_text()
        for match in chain.from_iterable(re.finditer(pattern, text) for pattern in IMPORTS):
            exported = exports((path.parent / match["file"]).read_text())
            names = {re.split(r"\s+as\s+|:", name)[0].strip() for name in match["names"].split(",")} - {""}
            number += len(names)
            missing |= {f"{path.name}: {name} of {match['file']}" for name in names - exported}
    assert not missing
    assert number > 50, "the patterns find the imports"


FROM_THE_ROOT = {
    "*.html": r"""(?:href|src|action)=["']/|url=/""",
    "*.js": r"""(?:fetch|open|request|post|assign|import|URL)\(\s*["'`]/|(?:href|src|action)\s*[=:]\s*["'`]/""",
    "*.css": r"""url\(["']?/""",
    "*.py": r"""(?:redirect(?:_to)?\(|base_url\b.* \+ url_for|onward=)f?["']?/|redirect\((?:cookies\.)?[A-Z]+[,)]""",
}
"""Addresses from the root of the host, which are wrong where the service is below a path."""


def test_no_address_begins_at_the_root_of_the_host() -> None:
    """Templates write `base_path` before it, frame/core.js has `base`, and `url_for` does it by itself."""
    for pattern, wrong in FROM_THE_ROOT.items():
        paths = [path for path in PACKAGE.rglob(pattern) if "demo" not in path.parts]
        assert paths
        for path in paths:
            assert re.findall(f".*(?:{wrong}).*", path.read_text()) == [], name_of(path)


def test_no_script_or_style_comes_from_elsewhere() -> None:
    for path in [*PACKAGE.rglob("*.html"), *STATIC.rglob("*.js"), *STATIC.rglob("*.css")]:
        result = re.findall(
            r"""(?:src|href|url|import)\s*[=(]?\s*["'(](?:https?:)?//[^"')]+""", path.read_text()
        )
        assert result == [], path


@pytest.mark.parametrize("path", ["constraints.txt", "Makefile", ".ci/run", "pyproject.toml"])
def test_what_builds_it_names_no_machine_and_no_download(path: str) -> None:
    text = (ROOT / path).read_text()
    assert not re.search(r"https?://|file:|/home/|/root/|/Users/|/work/", text)


def test_every_dependency_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines == sorted(lines, key=str.upper)
    pinned = {re.fullmatch(r"([\w.-]+)==\S+", line)[1].lower().replace("_", "-") for line in lines}  # type: ignore[index]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    names = {re.match(r"[\w.-]+", one)[0].lower().replace("_", "-") for one in wanted}  # type: ignore[index]
    assert names
    assert names <= pinned


def test_the_browser_of_the_tests_keeps_sites_apart_as_a_visitors_does(page: Page, blog: Blog) -> None:
    """Playwright turns this off by default, and would show a frame what no visitor's frame gets."""
    assert "ThirdPartyStoragePartitioning" not in "".join(browser.SWITCHES)
    inside = f"http://127.0.0.1:{blog.port}/inside"
    blog.pages.update({"/inside": "<!doctype html>", "/": f"<!doctype html><iframe src='{inside}'></iframe>"})
    page.goto(inside)
    page.evaluate("localStorage.setItem('seen', 'outside')")
    page.goto(blog.url())
    assert page.frames[1].url == inside
    assert page.frames[1].evaluate("localStorage.getItem('seen')") is None


def test_a_click_waits_for_a_frame_that_is_slow_to_appear(page: Page, service: Service, blog: Blog) -> None:
    (one,) = write(service, blog, "One")
    shadows = ", ".join(f"0 0 {size}px gray" for size in (20, 40, 60))
    slow = f"<style>p {{ text-shadow: {shadows} }} comment-thread {{ filter: blur(0.1px) }}</style>"
    blog.pages["/"] = article(service, before=LONG_READ, head=slow)
    page.goto(blog.url())
    page.locator("comment-thread").scroll_into_view_if_needed()
    frame(page).locator(f"#comment-{one} .reply-link").click()
    expect(frame(page).get_by_role("heading", name="Leave a Reply to Ada")).to_be_visible()
