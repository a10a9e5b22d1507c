"""The documents fit together: they are short, say the same, and make a site without a warning."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support import documents
from tests.support.documents import DOCUMENTS, ROOT

INDEX = ROOT / "docs" / "README.md"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 180


def test_the_readmes_commands_are_those_of_getting_started() -> None:
    steps = documents.commands(ROOT / "docs" / "getting-started.md")
    of_readme = documents.commands(ROOT / "README.md", "Put it on your blog")
    assert of_readme
    assert [line for line in steps if line in of_readme] == of_readme


def test_the_index_names_every_document_once() -> None:
    named = Counter(
        (INDEX.parent / target).resolve()
        for target in re.findall(r"^- \[[^]]+\]\(([^)]+)\): ", INDEX.read_text(), re.MULTILINE)
    )
    assert set(named) == set(DOCUMENTS) - {INDEX}
    assert set(named.values()) == {1}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `make docs` builds it: a link or an anchor that leads nowhere is an error."""
    if not find_spec("sphinx"):
        assert not os.environ.get("CI"), "the extra docs is missing"
        pytest.skip("Sphinx is missing: pip install '.[docs]'")
    site = tmp_path_factory.mktemp("site")
    (command,) = re.findall(
        r"^\t@\$\(BIN\)/sphinx-build (.*) docs/_build$", (ROOT / "Makefile").read_text(), re.M
    )
    build = [sys.executable, "-m", "sphinx", *command.split(), str(site)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return site


def test_the_site_has_every_document(built: Path) -> None:
    for document in DOCUMENTS:
        page = (built / document.relative_to(ROOT)).with_suffix(".html").read_text()
        assert re.search("<h1>.+</h1>", page.replace("\n", "")), document


def test_the_site_begins_with_the_readme_and_leads_to_every_document(built: Path) -> None:
    first = (built / "index.html").read_text()
    assert "<h1>commentsvc" in first
    for document in set(DOCUMENTS) - {ROOT / "README.md"}:
        assert f'href="{Path(documents.name_of(document)).with_suffix(".html")}"' in first


def test_the_site_requests_nothing_from_elsewhere(built: Path) -> None:
    for page in [*built.rglob("*.html"), *built.rglob("*.css")]:
        loaded = re.findall(
            r"""<(?:script|img|iframe)\b[^>]+src="((?:https?:)?//[^"]+)|<link\b[^>]+href="((?:https?:)?//[^"]+)|"""
            r"""url\(["']?((?:https?:)?//[^)"']+)""",
            page.read_text(),
        )
        assert loaded == [], page


def test_only_sources_are_in_the_repository() -> None:
    built_files = ["ls-files", "--", "docs/_build"]
    assert (
        subprocess.run(["git", *built_files], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        == ""
    )
    assert "docs/_build/" in (ROOT / ".gitignore").read_text()
