"""The shapes of values: each reads a value of a call, and is a JSON schema (2020-12) in the OpenAPI document.

A shape says only what kind of value is accepted; whether its contents are, the domain decides. An unknown member of an
object is ignored, as a client may be newer than this service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from commentsvc.domain.fields import whole_number
from commentsvc.web.problems import Fault

Schema = dict[str, Any]
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class ShapeError(Exception):
    """A value has another shape; `faults` say what is wrong where."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.detail for fault in faults))


@dataclass(frozen=True)
class Shape:
    """A value of any kind."""

    about: str = field(default="", kw_only=True)
    """A sentence for the document."""

    def schema(self) -> Schema:
        """Return the JSON schema."""
        return self._kind() | ({"description": self.about} if self.about else {})

    def read(self, value: Any, pointer: str) -> Any:
        """Return a JSON value as our code uses it; raises ShapeError."""
        raise NotImplementedError

    def read_text(self, text: str, pointer: str) -> Any:
        """Return a parameter's text as our code uses it; raises ShapeError."""
        return self.read(text, pointer)

    def _kind(self) -> Schema:
        return {}


@dataclass(frozen=True)
class Text(Shape):
    """A text of some length, in characters."""

    longest: int = 100_000
    shortest: int = 0
    pattern: str = ""

    def read(self, value: Any, pointer: str) -> str:
        if not isinstance(value, str):
            raise ShapeError(Fault(pointer, "must be a text"))
        if not self.shortest <= len(value) <= self.longest:
            raise ShapeError(Fault(pointer, f"must have {self.shortest} to {self.longest} characters"))
        if self.pattern and not re.fullmatch(self.pattern, value, re.ASCII):
            raise ShapeError(Fault(pointer, f"must match {self.pattern}"))
        return value

    def _kind(self) -> Schema:
        kind: Schema = {"type": "string", "maxLength": self.longest}
        if self.shortest:
            kind["minLength"] = self.shortest
        return kind | ({"pattern": f"^{self.pattern}$"} if self.pattern else {})


@dataclass(frozen=True)
class RowNumber(Shape):
    """The id of a comment, thread and so on: a text, because numbers above 2^53 are not exact in all languages."""

    _text = Text(pattern="[1-9][0-9]{0,17}", longest=18)

    def read(self, value: Any, pointer: str) -> int:
        try:
            return int(self._text.read(value, pointer))
        except ShapeError:
            raise ShapeError(Fault(pointer, "must be an id: a text of digits")) from None

    def _kind(self) -> Schema:
        return self._text.schema()


@dataclass(frozen=True)
class Whole(Shape):
    """A whole number."""

    least: int
    most: int | None = None
    default: int | None = None

    def read(self, value: Any, pointer: str) -> int:
        is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
        if not is_whole or value < self.least or (self.most is not None and value > self.most):
            up_to = "" if self.most is None else f" to {self.most}"
            raise ShapeError(Fault(pointer, f"must be a whole number from {self.least}{up_to}"))
        return int(value)

    def read_text(self, text: str, pointer: str) -> int:
        return self.read(whole_number(text), pointer)

    def _kind(self) -> Schema:
        kind: Schema = {"type": "integer", "minimum": self.least}
        kind |= {} if self.most is None else {"maximum": self.most}
        return kind | ({} if self.default is None else {"default": self.default})


@dataclass(frozen=True)
class Flag(Shape):
    """True or false."""

    def read(self, value: Any, pointer: str) -> bool:
        if not isinstance(value, bool):
            raise ShapeError(Fault(pointer, "must be true or false"))
        return value

    def _kind(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class OneOf(Shape):
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, value: Any, pointer: str) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ShapeError(Fault(pointer, f"must be one of {', '.join(self.words)}"))
        return value

    def _kind(self) -> Schema:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True)
class Moment(Shape):
    """A time with its offset, RFC 3339."""

    def read(self, value: Any, pointer: str) -> datetime:
        try:
            if not isinstance(value, str) or not _MOMENT.fullmatch(value):
                raise ValueError
            moment = datetime.fromisoformat(value.upper())
            if (
                not 1970 <= moment.year < 9999
            ):  # in another time zone it might be out of the range of a database
                raise ValueError
        except ValueError:
            raise ShapeError(Fault(pointer, "must be a time such as 2026-11-23T14:05:00Z")) from None
        return moment

    def _kind(self) -> Schema:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True)
class CalendarDay(Shape):
    """A day in UTC."""

    def read(self, value: Any, pointer: str) -> date:
        try:
            if not isinstance(value, str) or not _DAY.fullmatch(value):
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            raise ShapeError(Fault(pointer, "must be a day such as 2026-11-23")) from None

    def _kind(self) -> Schema:
        return {"type": "string", "format": "date"}


@dataclass(frozen=True)
class OrNull(Shape):
    """A value that may be null."""

    shape: Shape

    def read(self, value: Any, pointer: str) -> Any:
        return None if value is None else self.shape.read(value, pointer)

    def _kind(self) -> Schema:
        kind = self.shape.schema()
        if "$ref" in kind:
            return {"anyOf": [kind, {"type": "null"}]}
        kind["type"] = [kind["type"], "null"]
        return kind | ({"enum": [*kind["enum"], None]} if "enum" in kind else {})


@dataclass(frozen=True)
class ListOf(Shape):
    """A list of values of one shape."""

    shape: Shape
    least: int = 0
    most: int | None = None

    def read(self, value: Any, pointer: str) -> list[Any]:
        if not isinstance(value, list):
            raise ShapeError(Fault(pointer, "must be a list"))
        if len(value) < self.least or (self.most is not None and len(value) > self.most):
            raise ShapeError(Fault(pointer, f"must have {self.least} to {self.most} items"))
        return [self.shape.read(one, f"{pointer}/{number}") for number, one in enumerate(value)]

    def _kind(self) -> Schema:
        kind: Schema = {"type": "array", "items": self.shape.schema()}
        kind |= {"minItems": self.least} if self.least else {}
        return kind | ({} if self.most is None else {"maxItems": self.most})


@dataclass(frozen=True)
class MapOf(Shape):
    """An object with any names, of an answer."""

    shape: Shape

    def _kind(self) -> Schema:
        return {"type": "object", "additionalProperties": self.shape.schema()}


@dataclass(frozen=True)
class Record(Shape):
    """An object with named members."""

    name: str
    members: Mapping[str, Shape]
    optional: frozenset[str] = frozenset()

    def read(self, value: Any, pointer: str) -> dict[str, Any]:
        """Return the members that were sent."""
        if not isinstance(value, dict):
            raise ShapeError(Fault(pointer, "must be an object"))
        faults: list[Fault] = []
        members: dict[str, Any] = {}
        for name, shape in self.members.items():
            try:
                if name in value:
                    members[name] = shape.read(value[name], f"{pointer}/{name}")
                elif name not in self.optional:
                    faults.append(Fault(f"{pointer}/{name}", "is missing"))
            except ShapeError as error:
                faults += error.faults
        if faults:
            raise ShapeError(*faults)
        return members

    def definition(self) -> Schema:
        """Return the schema itself, to which `schema` refers by name."""
        required = [name for name in self.members if name not in self.optional]
        return {
            "type": "object",
            "properties": {name: shape.schema() for name, shape in self.members.items()},
            **({"required": required} if required else {}),
            **({"description": self.about} if self.about else {}),
        }

    def schema(self) -> Schema:
        return {"$ref": f"#/components/schemas/{self.name}"}


def records_in(shape: Shape | None) -> dict[str, Record]:
    """Return all records in a shape, by name."""
    if isinstance(shape, Record):
        records = {shape.name: shape}
        for member in shape.members.values():
            records |= records_in(member)
        return records
    return records_in(shape.shape) if isinstance(shape, OrNull | ListOf | MapOf) else {}
