"""What a request may hold, for all routes at once: text that can be stored and compared, and numbers of rows.

Databases refuse NUL and halves of characters, each in its own way. So a path with either names nothing. In query
arguments and cookies each becomes U+FFFD, as bytes do that are no UTF-8: it matches nothing that we gave out. From form
fields, which people type, they are left out, as other control characters are: a field of nothing else is empty.
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
    """A request whose arguments, fields and cookies hold nothing that a database would refuse."""

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The arguments of the query."""
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
    """A row's number in ASCII digits, no larger than databases take them."""

    regex = "[0-9]{1,19}"
    largest = LARGEST_ROW

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=self.largest)


class _Site(_Row):
    """A site's number."""

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
    """Have all routes that are added from now on, and all requests, keep to it."""
    app.request_class = FitRequest
    app.url_map.converters.update(default=_Text, string=_Text, path=_Path, int=_Row, site=_Site)


def query_number(name: str, largest: int = LARGEST_ROW) -> int | None:
    """Return a row's number from the query, None where it has none; raises BadAddressError for what is no number."""
    return fields.row_argument(request.args, name, largest)


def form_number(name: str, largest: int = LARGEST_ROW) -> int | None:
    """Return a number from the form; None where it has none."""
    return fields.whole_number(request.form.get(name, ""), largest)


def _fit(given: _Given, instead: str) -> _Given:
    pairs = list(given.items(multi=True))
    if not any(_UNFIT.search(part) for pair in pairs for part in pair):
        return given
    return type(given)((_UNFIT.sub(instead, name), _UNFIT.sub(instead, value)) for name, value in pairs)
