"""The forms as they arrive; domain/fields.py validates their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import EditWindow, FieldRule, Likes, Order, Policy

POLICIES: Any = {
    Policy.OPEN.value: "Everybody's comments appear at once",
    Policy.HOLD_FIRST.value: "Somebody's first comment is held for approval",
    Policy.HOLD_ALL.value: "Every comment is held for approval",
    Policy.CLOSED.value: "Nobody may comment",
}
FIELD_RULES: Any = {
    FieldRule.REQUIRED.value: "Required",
    FieldRule.OPTIONAL.value: "Optional",
    FieldRule.OFF.value: "Not asked for",
}
DELETIONS: Any = {
    "remove": gettext_noop("Remove my texts"),
    "keep": gettext_noop("Keep my texts, without my name"),
}
EDIT_WINDOWS: Any = {
    EditWindow.OFF.value: "Not at all",
    EditWindow.MINUTES_5.value: "For 5 minutes",
    EditWindow.MINUTES_15.value: "For 15 minutes",
    EditWindow.HOUR.value: "For an hour",
    EditWindow.DAY.value: "For a day",
    EditWindow.ALWAYS.value: "Always",
}
ORDERS: Any = {
    Order.OLDEST.value: "Oldest first",
    Order.NEWEST.value: "Newest first",
    Order.BEST.value: "Best first",
}
LIKES: Any = {
    Likes.OFF.value: "Not at all",
    Likes.LIKES.value: "Like them",
    Likes.VOTES.value: "Vote them up and down",
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


class EditForm(FlaskForm):
    """A moderator's edit of a comment."""

    text = TextAreaField("Comment", [InputRequired("Please enter a comment")])
    name = StringField("Name")
    email = StringField("Email")
    website = StringField("Website")


class ReplyForm(FlaskForm):
    """A moderator's reply."""

    text = TextAreaField("Your reply", [InputRequired("Please enter a comment")])
    approve = BooleanField("Approve the comment too")


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


class SiteForm(FlaskForm):
    """A site's settings."""

    name = StringField("Name", [InputRequired("Please enter a name"), Length(max=80)])
    heading = StringField("Heading above the form", [InputRequired("Please enter a heading"), Length(max=80)])
    origins = TextAreaField("Origins", [InputRequired("Please enter at least one origin")])
    previews = TextAreaField("Previews")
    preview_comments = BooleanField("Readers may comment on previews")
    order = SelectField("Order", choices=ORDERS)
    likes = SelectField("Readers may like comments", choices=LIKES)
    edit_window = SelectField("People may edit their own comments", choices=EDIT_WINDOWS)
    email_field = SelectField("Email", choices=FIELD_RULES)
    name_field = SelectField("Name", choices=FIELD_RULES)
    website_field = SelectField("Website", choices=FIELD_RULES)
    guests = BooleanField("Guests may comment, without logging in")
    close_after_days = IntegerField(
        "Close after", [Optional(), NumberRange(min=1, max=36500, message="Between 1 and 36500 days")]
    )
    comment_mail = BooleanField("Readers may ask for mail about new comments")
    post_mail = BooleanField("Readers may ask for mail about new articles")
    feed_url = StringField("Your feed", [Length(max=2000)])
    moderator_mail = BooleanField("Moderators may get mail about held comments")
    comment_feeds = BooleanField("Feeds of the comments, and lists of the latest ones")
    ignored_parameters = TextAreaField("URL parameters to ignore")
    webmention = BooleanField("Webmentions: other websites may tell that they mention an article")
    mastodon = BooleanField("Answers on Mastodon")
    bluesky = BooleanField("Answers on Bluesky")
    count_foreign = BooleanField("Numbers of comments include answers from elsewhere")


class EndpointForm(FlaskForm):
    """A webhook, a chat or a build hook; which fields are shown depends on its kind."""

    name = StringField("Name")
    url = StringField("Address")
    target = StringField("Target")
    token = StringField("Token")
    has_links = BooleanField("Messages about held comments have links that approve them or mark them as spam")


class RulesForm(FlaskForm):
    """A site's rules for new comments."""

    policy = SelectField("When new comments appear", choices=POLICIES)
    most_links = IntegerField("Most links", [InputRequired("Please enter a number from 0 to 1,000")])
    filter_threshold = IntegerField(
        "Hold what the site's own filter considers spam with",
        [InputRequired("Please enter a number from 50 to 100")],
    )
    reports_to_hold = IntegerField(
        "Reports that hold a comment", [InputRequired("Please enter a number from 0 to 1,000")]
    )
    moderation_words = TextAreaField("Words that hold a comment")
    disallowed_words = TextAreaField("Words that make a comment spam")


def require_valid(form: FlaskForm) -> None:
    """Raise InvalidFieldsError, with the first message of each field, if a value is not valid."""
    if not form.validate():
        first = {name: str(messages[0]) for name, messages in form.errors.items() if name}
        raise InvalidFieldsError({name: gettext(message) for name, message in first.items()})
