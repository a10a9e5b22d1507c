"""The forms as they arrive; domain/fields.py validates their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, StringField
from wtforms.validators import InputRequired

from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext, gettext_noop

DELETIONS: Any = {
    "remove": gettext_noop("Remove my texts"),
    "keep": gettext_noop("Keep my texts, without my name"),
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


class NameForm(FlaskForm):
    """A person's name."""

    name = StringField(gettext_noop("Display name"))


class DeletionForm(FlaskForm):
    """Deleting an account."""

    texts = RadioField(
        gettext_noop("What should happen to what you wrote?"),
        [InputRequired(gettext_noop("Please choose what should happen to what you wrote"))],
        choices=DELETIONS,
    )
    sure = BooleanField(
        gettext_noop("I understand that this cannot be undone."),
        [InputRequired(gettext_noop("Please confirm that you understand this cannot be undone"))],
    )


def require_valid(form: FlaskForm) -> None:
    """Raise InvalidFieldsError, with the first message of each field, if a value is not valid."""
    if not form.validate():
        first = {name: str(messages[0]) for name, messages in form.errors.items() if name}
        raise InvalidFieldsError({name: gettext(message) for name, message in first.items()})
