"""How Sphinx makes a site of README.md and docs/: `make docs`.

The documents are Markdown that reads well on a forge, and have nothing for Sphinx in them. The headings and links of
docs/README.md are the contents of the site.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]

project = "commentsvc"
extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "docs/recipes/*.md"]
exclude_patterns = [
    ".*",
    "bench",
    "build",
    "commentsvc",
    "dist",
    "docs/_build",
    "instance",
    "migrations",
    "tests",
]
myst_heading_anchors = 4
myst_enable_extensions = ["tasklist"]

html_theme = "furo"
html_title = "commentsvc"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_last_updated_fmt = None
pygments_style = "default"
pygments_dark_style = "github-dark"


def contents(index: str) -> str:
    """Return the site's contents: what each heading of docs/README.md links to."""
    result = "```{toctree}\n:hidden:\n\ndocs/README\n```\n"
    for part in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        targets = re.findall(r"^- \[[^]]+\]\(([^)#]+)\.md\)", text, re.MULTILINE)
        documents = [os.path.normpath(f"docs/{target}") for target in targets]
        listed = "\n".join(document for document in documents if document != root_doc)
        result += f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n{listed}\n```\n"
    return result


def add_contents(_app: Sphinx, document: str, source: list[str]) -> None:
    """Append the contents to the site's first page."""
    if document == root_doc:
        source[0] += "\n" + contents((ROOT / "docs" / "README.md").read_text())


def write_index(app: Sphinx, error: Exception | None) -> None:
    """Let the site's address show the first page."""
    if error is None and app.builder.format == "html":
        shutil.copy(Path(app.outdir) / f"{root_doc}.html", Path(app.outdir) / "index.html")


def setup(app: Sphinx) -> None:
    """Register the two steps above."""
    app.connect("source-read", add_contents)
    app.connect("build-finished", write_index)
