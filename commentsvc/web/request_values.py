"""Cleans what requests contain, for all routes: only text that can be stored and compared, and valid row ids.

Databases refuse NUL and lone surrogates, each in its own way. A path with either matches no route. In URL parameters
and cookies they become U+FFFD, like bytes that are not UTF-8, which matches nothing that we issued. In form fields,
which people type, they are removed like other control characters, so a field of nothing else is empty.
"""

from __future__ import annotations

import re
from typing import TypeVar

from flask import Flask, Request, request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.routing import IntegerConverter, Map, PathConverter, UnicodeConverter
from werkzeug.utils import cached_property

from commentsvc.domain import fields
from commentsvc.domain.fields import LARGEST_ROW, LARGEST_SITE

_UNFIT = re.compile("[\x00\ud800-\udfff]")
_REPLACED = "\ufffd"
_Given = TypeVar("_Given", bound="MultiDict[str, str]")


class FitRequest(Request):
    """A request whose parameters, fields and cookies contain nothing that a database would refuse."""

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The URL parameters."""
        return _fit(super().args, _REPLACED)

    @cached_property
    def form(self) -> ImmutableMultiDict[str, str]:
        """The fields of a form."""
        return _fit(super().form, "")

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """The cookies."""
        return _fit(super().cookies, _REPLACED)


class _Row(IntegerConverter):
    """A row id in ASCII digits, within the databases' limit."""

    regex = "[0-9]{1,19}"
    largest = LARGEST_ROW

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=self.largest)


class _Site(_Row):
    """A site's id."""

    largest = LARGEST_SITE


class _Text(UnicodeConverter):
    """One part of a path."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map)
        self.regex = "[^/\x00\ufffd]+"


class _Path(PathConverter):
    """The rest of a path."""

    part_isolating = False
    regex = "[^/\x00\ufffd][^\x00\ufffd]*?"


def init_app(app: Flask) -> None:
    """Apply this to all requests, and to all routes added from now on."""
    app.request_class = FitRequest
    app.url_map.converters.update(default=_Text, string=_Text, path=_Path, int=_Row, site=_Site)


def query_number(name: str, largest: int = LARGEST_ROW) -> int | None:
    """Return a row id from the URL's query, None if it is missing; raises BadAddressError if it is not a number."""
    return fields.row_argument(request.args, name, largest)


def form_number(name: str, largest: int = LARGEST_ROW) -> int | None:
    """Return a number from the form; None if it is missing or not a number."""
    return fields.whole_number(request.form.get(name, ""), largest)


def _fit(given: _Given, instead: str) -> _Given:
    pairs = list(given.items(multi=True))
    if not any(_UNFIT.search(part) for pair in pairs for part in pair):
        return given
    return type(given)((_UNFIT.sub(instead, name), _UNFIT.sub(instead, value)) for name, value in pairs)
