"""Finds words for people that are in no catalogue: in templates, in the messages of errors, in scripts.

`python -m tests.support.words [part of a path …]` prints them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parent.parent.parent / "commentsvc"
TEMPLATES = ROOT / "templates"
SHOWN_ATTRIBUTES = frozenset({"title", "aria-label", "placeholder", "alt", "label", "aria-description"})
CALLS = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext", "gettext_noop", "N_", "plural_forms"})
NAMES = frozenset(
    [
        "Akismet",
        "API",
        "Apple",
        "Atom",
        "Bluesky",
        "commentsvc",
        "CSV",
        "Discord",
        "Disqus",
        "Facebook",
        "GitHub",
        "GitLab",
        "Google",
        "HTML",
        "HTTP",
        "HTTPS",
        "Isso",
        "JSON",
        "LinkedIn",
        "Markdown",
        "Mastodon",
        "Matrix",
        "Microsoft",
        "ntfy",
        "OIDC",
        "Re",
        "RSS",
        "Slack",
        "SMTP",
        "SSO",
        "Telegram",
        "UTC",
        "Webmention",
        "WordPress",
        "WXR",
        "XML",
    ]
)
"""Names, which no language changes."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE = re.compile(r"[A-Z][a-z]+|[a-z]{2,} [a-z]{2,}")
_PYTHON_ERRORS = frozenset(
    {"ValueError", "TypeError", "RuntimeError", "KeyError", "AssertionError", "OSError"}
)
_HOST = re.compile(r"\b\w+(?:\.\w+)+\b")
ENGLISH_ERRORS = frozenset(
    {
        "BackupRunningError",
        "InvalidNoticeError",
        "KeyReusedError",
        "NewerDatabaseError",
        "RedirectedError",
    }
)
"""Errors of `errors.py` that only operators and programs see."""
_SILENT = frozenset({"code", "kbd", "samp", "script", "style"})
_HOLE = "\ufffc"  # a character that may stand in the name of a tag, as in `<details{{ … }}>`
_SCRIPT_TEXT = re.compile(r"""(?<![=!]== )(["'`])((?:[A-Z][a-z]+\b|[a-z]+ [a-z]+ )[^"'`]*)\1""")
_HEADER = re.compile(r"[A-Z][a-z]+(-[A-Z][a-z]+)+|Bearer \$\{\w+\}")
"""A header of HTTP, or the value of one."""


def in_template(path: Path) -> Iterator[str]:
    """Yield texts of a template that no call translates."""
    environment = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)
    tree = environment.parse(path.read_text())
    if path.suffix == ".html":
        page = _Page()
        page.feed("".join(_data(tree)))
        page.close()
        yield from page.texts
    else:
        yield from (text for text in "".join(_data(tree)).split(_HOLE) if has_words(text))
    for output in tree.find_all((nodes.Output, nodes.Assign, nodes.Call)):
        if isinstance(output, nodes.Call) and getattr(output.node, "name", "") in CALLS:
            continue
        for text in _constants(output):
            if _SENTENCE.search(text) and has_words(text):
                yield f"{{{{ {text!r} }}}}"


def _data(node: nodes.Node) -> Iterator[str]:
    """Yield the template's own text in its order, with a hole for everything else."""
    if isinstance(node, nodes.TemplateData):
        yield node.data
    elif isinstance(node, nodes.Expr):
        yield _HOLE
    else:
        for child in node.iter_child_nodes():
            yield from _data(child)


def _constants(node: nodes.Node) -> Iterator[str]:
    """Yield the texts in expressions that are shown, but for those in calls that translate."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Const) and isinstance(child.value, str):
            yield child.value
        elif isinstance(
            child, (nodes.CondExpr, nodes.Concat, nodes.Add, nodes.Or, nodes.Keyword, nodes.Filter)
        ):
            yield from _constants(child)


class _Page(HTMLParser):
    """Collects what a reader sees of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        for name, value in attrs:
            if name in SHOWN_ATTRIBUTES and value and has_words(value):
                self.texts.append(f'{name}="{value}"'.replace(_HOLE, "…"))

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts += [part.strip() for part in data.split(_HOLE) if has_words(part)]


def has_words(text: str) -> bool:
    text = _HOST.sub(" ", text.replace("&nbsp;", " ").replace("&hellip;", ""))
    return any(word not in NAMES for word in _WORD.findall(text))


def in_python(path: Path) -> Iterator[str]:
    """Yield messages of our errors that no call translates."""
    tree = ast.parse(path.read_text())
    english = {node for kind in ast.walk(tree) if _is_english(kind) for node in ast.walk(kind)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_error(node.func) and node not in english:
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                yield from _sentences(argument)


def _is_english(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and node.name in ENGLISH_ERRORS


def _is_error(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute) and function.attr == "__init__":
        return isinstance(function.value, ast.Call)
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name.endswith("Error") and name not in _PYTHON_ERRORS | ENGLISH_ERRORS


def _sentences(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if " " in node.value.strip():
            yield node.value
        return
    for child in ast.iter_child_nodes(node):
        yield from _sentences(child)


def in_script(path: Path) -> Iterator[str]:
    """Yield texts of a script that look like words for people."""
    for line in path.read_text().splitlines():
        code = re.sub(r"(^|\s)(//|\*|/\*).*", "", line)
        texts = (match[2] for match in _SCRIPT_TEXT.finditer(code))
        yield from (text for text in texts if not _HEADER.fullmatch(text))


def everywhere(*parts: str) -> Iterator[tuple[str, str]]:
    """Yield (path below commentsvc/, text), for the paths that contain one of `parts`."""
    readers = {".html": in_template, ".txt": in_template, ".py": in_python, ".js": in_script}
    for path in sorted(ROOT.rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        is_ours = path.suffix in readers and (path.suffix in {".py", ".js"} or path.is_relative_to(TEMPLATES))
        if is_ours and (not parts or any(part in name for part in parts)):
            for text in readers[path.suffix](path):
                yield name, " ".join(text.split())


if __name__ == "__main__":
    for name, text in everywhere(*sys.argv[1:]):
        print(f"{name}: {text}")  # noqa: T201
