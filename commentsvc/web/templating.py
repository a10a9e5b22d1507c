"""What templates may call."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flask import Flask
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Expr
from markupsafe import escape

from commentsvc.adapters import initials
from commentsvc.adapters.markup import SafeHtml
from commentsvc.web import assets

INDENTS = 4
_REMEMBERED = 4096
"""Names and days, which come again and again on a page."""


class Writer(CodeGenerator):
    """Compiles templates so that what is a number, or safe already, is written without a detour.

    markupsafe makes a safe text of every value first, which took a third of the time of a page. Should Jinja know this
    method no more, it does so again.
    """

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.written(")
        else:
            super()._output_child_pre(node, frame, finalize)


def written(value: Any) -> str:
    """Return a value as templates write it: escaped, unless it is safe."""
    kind = type(value)
    if kind is SafeHtml:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if kind is str and not ("&" in value or "<" in value or ">" in value or '"' in value or "'" in value):
        return value  # type: ignore[no-any-return]
    return escape(value)


def init_app(app: Flask) -> None:
    app.jinja_env.code_generator_class = Writer
    app.jinja_env.extend(written=written)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        date=date,
        exact=exact,
        stamp=stamp,
        initial=initial,
        named=named,
        hue=lru_cache(_REMEMBERED)(initials.hue),
        indent_of=indent_of,
    )
    app.jinja_env.globals.update(asset=assets.url)


def date(at: datetime) -> str:
    """23 November 2026."""
    return _day(_utc(at).toordinal())


def exact(at: datetime) -> str:
    """23 November 2026, 03:14 UTC."""
    at = _utc(at)
    return f"{_day(at.toordinal())}, {at.hour:02}:{at.minute:02} UTC"


def stamp(at: datetime) -> str:
    """2026-11-23T03:14:15Z, for programs."""
    return f"{_utc(at).isoformat('T', 'seconds')[:19]}Z"


@lru_cache(_REMEMBERED)
def named(name: str) -> str:
    """A name, escaped once however often a page says it."""
    return escape(name)


@lru_cache(_REMEMBERED)
def initial(name: str) -> str:
    """What stands for a name without a picture."""
    return escape(initials.initial(name))


def indent_of(depth: int) -> int:
    """How far a reply is set in; deeper ones stay there."""
    return min(depth, INDENTS)


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo is UTC else at.astimezone(UTC)


@lru_cache(_REMEMBERED)
def _day(ordinal: int) -> str:
    day = datetime.fromordinal(ordinal)
    return f"{day:%-d %B} {day.year}"
