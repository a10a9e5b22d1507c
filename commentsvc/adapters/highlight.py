"""Code blocks, coloured by class names; the only importer of Pygments."""

from __future__ import annotations

from pygments import highlight as _highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# Lexers backtrack on hostile input; what is longer is shown plain.
LONGEST = 8_000
_FORMATTER: HtmlFormatter[str] = HtmlFormatter(nowrap=True, classprefix="hl-")


def highlight(code: str, language: str) -> str:
    """Return HTML spans for `code`, or an empty string where the language is unknown or the code too long."""
    if not language or len(code) > LONGEST or any(len(line) > 500 for line in code.splitlines()):
        return ""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return ""
    return _highlight(code, lexer, _FORMATTER)
