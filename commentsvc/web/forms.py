"""The forms as they arrive; domain/fields.py validates their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, StringField
from wtforms.validators import InputRequired

from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext

DELETIONS: Any = {
    "remove": "Remove my texts",
    "keep": "Keep my texts, without my name",
}


_TYPED = ("text", "name", "email", "website", "title", "author_key")
_ABOUT_MAIL = ("notify", "notify_what", "notify_posts", "notify_email")


@dataclass(frozen=True, slots=True)
class CommentForm:
    """A reader's comment, as it arrived; of a repeated field the first.

    A guest has no privileges that another site could exploit: a signed token of the form takes the place of a member's
    CSRF token. `subject` is the honeypot, which people do not see; `identity` is `member` for a logged-in reader; the
    page's script fills in `script`.
    """

    given: Mapping[str, str]

    def value(self, name: str) -> str:
        """Return a field as text, empty if it is missing."""
        return self.given.get(name, "")

    def values(self) -> dict[str, str]:
        """Return what was typed, and the browser's key, to show the form again."""
        return {name: self.value(name) for name in (*_TYPED, *_ABOUT_MAIL)}


class ActionForm(FlaskForm):
    """A button, with nothing but the CSRF token."""


class NameForm(FlaskForm):
    """A person's name."""

    name = StringField("Display name")


class DeletionForm(FlaskForm):
    """Deleting an account."""

    texts = RadioField(
        "What should happen to what you wrote?",
        [InputRequired("Please choose what should happen to what you wrote")],
        choices=DELETIONS,
    )
    sure = BooleanField(
        "I understand that this cannot be undone.",
        [InputRequired("Please confirm that you understand this cannot be undone")],
    )


def require_valid(form: FlaskForm) -> None:
    """Raise InvalidFieldsError, with the first message of each field, if a value is not valid."""
    if not form.validate():
        raise InvalidFieldsError(
            {name: gettext(str(texts[0])) for name, texts in form.errors.items() if name}
        )
