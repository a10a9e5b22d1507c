"""An author in links of the admin view: an account, or a guest by e-mail address or name."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement

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
        if kind == AuthorKind.EMAIL:
            with suppress(ValueError):  # an import may have left something else
                value = one_address(value)
        return cls(AuthorKind(kind), value)

    @classmethod
    def read(cls, commenter_id: int | None, email: str | None, name: str | None) -> AuthorRef | None:
        """Return the most certain reference to a comment's author; None if a guest gave no details."""
        if commenter_id is not None:
            return cls(AuthorKind.COMMENTER, str(commenter_id))
        if email:
            return cls(AuthorKind.EMAIL, email)
        return cls(AuthorKind.NAME, name) if name else None

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"

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
