"""Highlights code blocks with CSS classes; the only importer of Pygments."""

from __future__ import annotations

from pygments import highlight as _highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# Lexers backtrack, some for hours, so long code and rare languages are not highlighted.
LONGEST = 4_000
MOST_LINES = 300
LANGUAGES = frozenset(
    """
    asm awk bash c c# c++ clojure cmake cpp cs csharp css d dart delphi diff docker dockerfile
    elixir elm erlang fortran fsharp go golang graphql haskell hcl hs html http ini java javascript
    jinja js json jsx julia kotlin latex less lisp lua make makefile markdown matlab md mysql nginx
    nim nix objc objective-c ocaml perl php pl postgresql powershell prolog properties protobuf ps1
    py pycon python python3 r rb rs rst ruby rust sass scala scheme scss sh shell sql swift tcl
    terraform tex toml ts tsx typescript vb.net verilog vhdl vim vue xml yaml yml zig zsh
    """.split()  # noqa: SIM905 - a list that people read
)
_FORMATTER: HtmlFormatter[str] = HtmlFormatter(nowrap=True, classprefix="hl-")


def highlight(code: str, language: str) -> str:
    """Return HTML spans for `code`; an empty string if it is too long or the language is not in LANGUAGES."""
    if language.lower() not in LANGUAGES or len(code) > LONGEST:
        return ""
    lines = code.splitlines()
    if len(lines) > MOST_LINES or any(len(line) > 500 for line in lines):
        return ""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return ""
    return _highlight(code, lexer, _FORMATTER)
