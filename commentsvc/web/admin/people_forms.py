"""The forms about people: bans, notes, invitations."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from commentsvc.errors import InvalidFieldsError
from commentsvc.models import BanKind, Role, TokenScope

FOR_GOOD = "good"
UNTIL = "until"
LENGTHS: Any = {
    "1": "A day",
    "7": "A week",
    "30": "30 days",
    "365": "A year",
    FOR_GOOD: "Permanently",
    UNTIL: "Until a certain day",
}
TYPED: Any = {
    BanKind.EMAIL.value: "E-mail address",
    BanKind.NETWORK.value: "Network: an address or a range",
    BanKind.DOMAIN.value: "Domain of a website or link",
}
ROLES: Any = {
    Role.MODERATOR.value: "Moderator: decides on comments",
    Role.OWNER.value: "Owner: settings and team too",
}


SCOPES: Any = {
    TokenScope.READ.value: "Read: all comments and articles, with their status and guests' e-mail addresses; the log",
    TokenScope.MODERATE.value: "Moderate: approve, hold, spam, trash and undo; close articles; bans",
    TokenScope.WRITE.value: "Write: reply in your name, edit comments, delete them for good",
    TokenScope.EXPORT.value: "Export: download everything",
}
NO_EXPIRY = "never"
TOKEN_LIVES: Any = {"30": "30 days", "90": "90 days", "365": "A year", NO_EXPIRY: "Until it is revoked"}
MODERATOR_MAIL: Any = {
    "nothing": "Nothing",
    "digest": "One mail a day, if comments wait",
    "each": "Each held comment at once; several within 15 minutes come in one mail",
}


class LengthForm(FlaskForm):
    """How long, and why."""

    length = SelectField("How long", choices=LENGTHS, default="7")
    until = DateField("Last day (UTC)", [Optional()])
    reason = StringField("Reason", [Length(max=300)])

    def ending(self, *, at: datetime) -> datetime | None:
        """Return the end of the ban, None for never; raises InvalidFieldsError on `until`."""
        if self.length.data == FOR_GOOD:
            return None
        if self.length.data != UNTIL:
            return at + timedelta(days=int(self.length.data))
        if self.until.data is None:
            raise InvalidFieldsError({"until": "Please enter the last day of the ban"})
        try:
            return datetime.combine(self.until.data, time(), UTC) + timedelta(days=1)
        except OverflowError:
            raise InvalidFieldsError({"until": "Please enter an earlier day"}) from None


class BanForm(LengthForm):
    """A ban of a value that a moderator types."""

    kind = SelectField("What", choices=TYPED)
    value = StringField("Address, range or domain", [Length(max=300)])


class AuthorBanForm(LengthForm):
    """A ban of a comment's author; the view sets the choices of `targets`."""

    targets = SelectMultipleField("Ban by", [InputRequired("Please choose at least one")])


class NoteForm(FlaskForm):
    """A note about a person."""

    text = TextAreaField("New note")


class ErasureForm(FlaskForm):
    """Confirms that a guest is to be erased."""

    sure = BooleanField(
        "I understand that this cannot be undone.",
        [InputRequired("Please confirm that you understand this cannot be undone")],
    )


class InvitationForm(FlaskForm):
    """An invitation's role."""

    role = RadioField("Role", choices=ROLES, default=Role.MODERATOR.value)


class ApiTokenForm(FlaskForm):
    """A new API token."""

    name = StringField("Name", [InputRequired("Please enter a name, such as what will use the token")])
    scopes = SelectMultipleField("What it may do", choices=SCOPES, default=[TokenScope.READ.value])
    sites = SelectMultipleField("Sites")
    days = SelectField("How long", choices=TOKEN_LIVES, default="90")


class ModeratorMailForm(FlaskForm):
    """What mail a moderator wants about held comments."""

    wanted = RadioField("Send me", choices=MODERATOR_MAIL, default="nothing")
    address = StringField("Your address", [Length(max=254)])


class AddressForm(FlaskForm):
    """An e-mail address to look up."""

    email = StringField("E-mail address", [Length(max=254)])
