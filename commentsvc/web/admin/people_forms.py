"""The forms about people: bans, notes, invitations."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Optional

from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import BanKind, Role, TokenScope
from commentsvc.web.admin_forms import AdminForm, at_most, translated

FOR_GOOD = "good"
UNTIL = "until"
LENGTHS: Any = {
    "1": "A day",
    "7": "A week",
    "30": "30 days",
    "365": "A year",
    FOR_GOOD: gettext_noop("Permanently"),
    UNTIL: gettext_noop("Until a certain day"),
}
TYPED: Any = {
    BanKind.EMAIL.value: gettext_noop("E-mail address"),
    BanKind.NETWORK.value: gettext_noop("Network: an address or a range"),
    BanKind.DOMAIN.value: gettext_noop("Domain of a website or link"),
}
ROLES: Any = {
    Role.MODERATOR.value: gettext_noop("Moderator: decides on comments"),
    Role.OWNER.value: gettext_noop("Owner: settings and team too"),
}


SCOPES: Any = {
    TokenScope.READ.value: gettext_noop(
        "Read: all comments and articles, with their status and guests' e-mail addresses; the log"
    ),
    TokenScope.MODERATE.value: gettext_noop(
        "Moderate: approve, hold, spam, trash and undo; close articles; bans"
    ),
    TokenScope.WRITE.value: gettext_noop("Write: reply in your name, edit comments, delete them for good"),
    TokenScope.EXPORT.value: gettext_noop("Export: download everything"),
}
NO_EXPIRY = "never"
TOKEN_LIVES: Any = {
    "30": "30 days",
    "90": "90 days",
    "365": "A year",
    NO_EXPIRY: gettext_noop("Until it is revoked"),
}
MODERATOR_MAIL: Any = {
    "nothing": gettext_noop("Nothing"),
    "digest": gettext_noop("One mail a day, if comments wait"),
    "each": gettext_noop("Each held comment at once; several within 15 minutes come in one mail"),
}


class LengthForm(AdminForm):
    """How long, and why."""

    length = SelectField(gettext_noop("How long"), choices=partial(translated, LENGTHS), default="7")
    until = DateField(gettext_noop("Last day (UTC)"), [Optional()])
    reason = StringField(gettext_noop("Reason"), [at_most(300)])

    def ending(self, *, at: datetime) -> datetime | None:
        """Return the end of the ban, None for never; raises InvalidFieldsError on `until`."""
        if self.length.data == FOR_GOOD:
            return None
        if self.length.data != UNTIL:
            return at + timedelta(days=int(self.length.data))
        if self.until.data is None:
            raise InvalidFieldsError({"until": gettext("Please enter the last day of the ban")})
        try:
            return datetime.combine(self.until.data, time(), UTC) + timedelta(days=1)
        except OverflowError:
            raise InvalidFieldsError({"until": gettext("Please enter an earlier day")}) from None


class BanForm(LengthForm):
    """A ban of a value that a moderator types."""

    kind = SelectField(gettext_noop("What"), choices=partial(translated, TYPED))
    value = StringField(gettext_noop("Address, range or domain"), [at_most(300)])


class AuthorBanForm(LengthForm):
    """A ban of a comment's author; the view sets the choices of `targets`."""

    targets = SelectMultipleField(
        gettext_noop("Ban by"), [InputRequired(gettext_noop("Please choose at least one"))]
    )


class NoteForm(AdminForm):
    """A note about a person."""

    text = TextAreaField(gettext_noop("New note"))


class ErasureForm(AdminForm):
    """Confirms that a guest is to be erased."""

    sure = BooleanField(
        gettext_noop("I understand that this cannot be undone."),
        [InputRequired(gettext_noop("Please confirm that you understand this cannot be undone"))],
    )


class InvitationForm(AdminForm):
    """An invitation's role."""

    role = RadioField(gettext_noop("Role"), choices=ROLES, default=Role.MODERATOR.value)


class ApiTokenForm(AdminForm):
    """A new API token."""

    name = StringField(
        gettext_noop("Name"),
        [InputRequired(gettext_noop("Please enter a name, such as what will use the token"))],
    )
    scopes = SelectMultipleField(
        gettext_noop("What it may do"), choices=SCOPES, default=[TokenScope.READ.value]
    )
    sites = SelectMultipleField(gettext_noop("Sites"))
    days = SelectField(gettext_noop("How long"), choices=partial(translated, TOKEN_LIVES), default="90")


class ModeratorMailForm(AdminForm):
    """What mail a moderator wants about held comments."""

    wanted = RadioField(gettext_noop("Send me"), choices=MODERATOR_MAIL, default="nothing")
    address = StringField(gettext_noop("Your address"), [at_most(254)])


class AddressForm(AdminForm):
    """An e-mail address to look up."""

    email = StringField(gettext_noop("E-mail address"), [at_most(254)])
