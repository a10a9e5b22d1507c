"""Whom a link of the admin view means is read strictly, and written as it was read."""

from __future__ import annotations

import pytest

from commentsvc.domain.admin.author_ref import AuthorKind, AuthorRef
from commentsvc.errors import BadAddressError


@pytest.mark.parametrize("text", ["commenter:12", "email:ada@mail.example", "name:Ada: the first", "name:12"])
def test_what_was_read_is_written_as_it_was(text: str) -> None:
    assert str(AuthorRef.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "ada", "commenter:", "commenter:+1", "commenter:\u0663", "commenter:" + "9" * 19, "person:1", "name:",
     "email:a\ufffdb", "name:a\0b", "name:" + "x" * 301],
)  # fmt: skip
def test_nothing_else_means_anybody(text: str) -> None:
    with pytest.raises(BadAddressError):
        AuthorRef.parse(text)


def test_the_surest_thing_known_names_an_author() -> None:
    assert AuthorRef.read(7, "ada@mail.example", "Ada") == AuthorRef(AuthorKind.COMMENTER, "7")
    assert AuthorRef.read(None, "ada@mail.example", "Ada") == AuthorRef(AuthorKind.EMAIL, "ada@mail.example")
    assert AuthorRef.read(None, None, "Ada") == AuthorRef(AuthorKind.NAME, "Ada")
    assert AuthorRef.read(None, None, None) is None


def test_an_address_means_one_person_however_it_is_typed() -> None:
    for typed in ("Ada@Mail.Example", "ADA@mail.example", "\uff41da@mail.example"):
        assert str(AuthorRef.parse(f"email:{typed}")) == "email:ada@mail.example"
    assert str(AuthorRef.parse("email:not an Address")) == "email:not an Address"


def test_a_name_alone_is_no_person() -> None:
    kinds = {text: AuthorRef.parse(text) for text in ("commenter:7", "email:ada@mail.example", "name:Ada")}
    assert [one.is_person for one in kinds.values()] == [True, True, False]
    assert [one.is_account for one in kinds.values()] == [True, False, False]
