"""An author in links of the admin view: an account, or a guest by e-mail address or name."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, or_
from sqlalchemy.orm import InstrumentedAttribute

from commentsvc.domain.fields import ROW_PATTERN
from commentsvc.errors import BadAddressError
from commentsvc.host_names import one_address
from commentsvc.messages import gettext
from commentsvc.models import Comment

_FORM = re.compile(f"commenter:{ROW_PATTERN}|email:[^\ufffd]{{1,300}}|name:.{{1,300}}", re.DOTALL)


class AuthorKind(StrEnum):
    """What identifies an author, the most certain first."""

    COMMENTER = "commenter"
    EMAIL = "email"
    NAME = "name"

    @property
    def prefix(self) -> str:
        """What a reference of this kind begins with."""
        return f"{self}:"


@dataclass(frozen=True, slots=True)
class AuthorRef:
    """An author in a URL: `commenter:ID`, `email:ADDRESS` or `name:NAME` of a guest."""

    kind: AuthorKind
    value: str
    """The account's id, or the guest's e-mail address or name as stored."""

    @classmethod
    def parse(cls, text: str) -> AuthorRef:
        """Parse the text in a URL; raises BadAddressError."""
        if not _FORM.fullmatch(text) or "\0" in text:
            raise BadAddressError(gettext("author is not valid."))
        kind, _, value = text.partition(":")
        return cls.of_address(value) if kind == AuthorKind.EMAIL else cls(AuthorKind(kind), value)

    @classmethod
    def of_account(cls, commenter_id: int) -> AuthorRef:
        """Return the reference to an account."""
        return cls(AuthorKind.COMMENTER, str(commenter_id))

    @classmethod
    def of_address(cls, address: str) -> AuthorRef:
        """Return the reference to a guest by their e-mail address, in the form in which addresses are stored."""
        with suppress(ValueError):  # an import may have left something else
            address = one_address(address)
        return cls(AuthorKind.EMAIL, address)

    @classmethod
    def read(cls, commenter_id: int | None, email: str | None, name: str | None) -> AuthorRef | None:
        """Return the most certain reference to a comment's author; None if a guest gave no details."""
        if commenter_id is not None:
            return cls.of_account(commenter_id)
        if email:
            return cls(AuthorKind.EMAIL, email)
        return cls(AuthorKind.NAME, name) if name else None

    def __str__(self) -> str:
        return f"{self.kind.prefix}{self.value}"

    @property
    def is_account(self) -> bool:
        return self.kind is AuthorKind.COMMENTER

    @property
    def is_person(self) -> bool:
        """Whether it means one person, who has a page; several people may share a name."""
        return self.kind is not AuthorKind.NAME

    def condition(self) -> ColumnElement[bool]:
        """Return an SQL condition for this author's comments."""
        if self.kind is AuthorKind.COMMENTER:
            return Comment.commenter_id == int(self.value)
        return (Comment.guest_email if self.kind is AuthorKind.EMAIL else Comment.guest_name) == self.value


def has_address(column: InstrumentedAttribute[Any], address: str) -> ColumnElement[bool]:
    """Return an SQL condition: whether a column has this address, in any case.

    SQLite's `lower` changes ASCII only, and domains in a few scripts are stored in capital letters: `address` itself
    is compared too.
    """
    return or_(column == address, func.lower(column) == address.lower())
