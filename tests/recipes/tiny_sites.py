"""Fills the tiny sites in with what docs/recipes/ says, so that the checks try the lines of the documents.

A fenced block below a paragraph that begins with a path in code is that file of the site. In the own files of a site,
a line `@@HEADING@@` stands for the first block below this heading, and `@@HEADING 2@@` for the second.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from markdown_it import MarkdownIt

from tests.recipes.programs import SITES
from tests.support.documents import ROOT

RECIPES = ROOT / "docs" / "recipes"
_MARK = re.compile(r"^(?:# )?@@(.+)@@$", re.M)


def fill_in(name: str, folder: Path, *, service: str, blog: str) -> None:
    """Write a tiny site to a folder whose earlier site is removed; `service` and `blog` are URLs without a slash."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SITES / name, folder)
    files, blocks = _read(RECIPES / f"{name}.md")
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    for file in folder.rglob("*.*"):
        if file.is_file():
            text = _MARK.sub(lambda mark: blocks[mark[1]], file.read_text())
            file.write_text(
                text.replace("https://comments.example", service).replace("https://blog.example", blog)
            )


def _read(page: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the files of a recipe by their path, and its blocks by heading."""
    files: dict[str, str] = {}
    blocks: dict[str, str] = {}
    heading, path = "", None
    tokens = MarkdownIt().parse(page.read_text())
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[index + 1].content
        elif token.type == "inline":
            named = re.match(r"`([^`]+\.\w+)`.*:$", token.content, re.S)
            path = named[1] if named else None
        elif token.type == "fence":
            number = sum(key.rstrip(" 0123456789") == heading for key in blocks) + 1
            blocks[heading if number == 1 else f"{heading} {number}"] = token.content
            if path:
                files[path] = token.content
            path = None
    return files, blocks
