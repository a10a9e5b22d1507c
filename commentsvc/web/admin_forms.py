"""The forms of the admin view as they arrive; domain/ validates their values.

Labels, choices and messages are marked for the catalogues here, and translated where they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from flask_wtf import FlaskForm
from wtforms import (  # type: ignore[attr-defined]  # the stubs are of an older release
    BooleanField,
    Field,
    Form,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from commentsvc.languages import LANGUAGES
from commentsvc.messages import gettext, gettext_noop, ngettext
from commentsvc.models import EditWindow, FieldRule, Likes, Order, Policy

POLICIES: Mapping[str, str] = {
    Policy.OPEN.value: gettext_noop("Everybody's comments appear at once"),
    Policy.HOLD_FIRST.value: gettext_noop("Somebody's first comment is held for approval"),
    Policy.HOLD_ALL.value: gettext_noop("Every comment is held for approval"),
    Policy.CLOSED.value: gettext_noop("Nobody may comment"),
}
FIELD_RULES: Mapping[str, str] = {
    FieldRule.REQUIRED.value: gettext_noop("Required"),
    FieldRule.OPTIONAL.value: gettext_noop("Optional"),
    FieldRule.OFF.value: gettext_noop("Not asked for"),
}
EDIT_WINDOWS: Mapping[str, str] = {
    EditWindow.OFF.value: gettext_noop("Not at all"),
    EditWindow.MINUTES_5.value: gettext_noop("For 5 minutes"),
    EditWindow.MINUTES_15.value: gettext_noop("For 15 minutes"),
    EditWindow.HOUR.value: gettext_noop("For an hour"),
    EditWindow.DAY.value: gettext_noop("For a day"),
    EditWindow.ALWAYS.value: gettext_noop("Always"),
}
ORDERS: Mapping[str, str] = {
    Order.OLDEST.value: gettext_noop("Oldest first"),
    Order.NEWEST.value: gettext_noop("Newest first"),
    Order.BEST.value: gettext_noop("Best first"),
}
LIKES: Mapping[str, str] = {
    Likes.OFF.value: gettext_noop("Not at all"),
    Likes.LIKES.value: gettext_noop("Like them"),
    Likes.VOTES.value: gettext_noop("Vote them up and down"),
}

OWN_NAMES = [SelectChoice(code, language.name, {"lang": code}) for code, language in LANGUAGES.items()]
"""All languages, each by its own name."""
ADMIN_NAMES = {code: language.name for code, language in LANGUAGES.items() if language.admin}
"""Those of the admin view by code."""
_OF_WTFORMS = (
    gettext_noop("Not a valid choice."),
    gettext_noop("Not a valid date value."),
    gettext_noop("Not a valid integer value."),
)
"""Messages of the library's own."""


class _Translations:
    """Gives the library's own messages in the current language."""

    gettext = staticmethod(gettext)
    ngettext = staticmethod(ngettext)


class AdminForm(FlaskForm):
    """A form of the admin view."""

    class Meta(FlaskForm.Meta):
        def get_translations(self, form: Form) -> _Translations:
            """Return what translates the library's messages."""
            return _Translations()


def translated(choices: Mapping[str, str]) -> dict[str, str]:
    """Return the choices of a select with their labels in the current language."""
    return {value: gettext(label) for value, label in choices.items()}


def at_most(longest: int) -> Callable[[Form, Field], None]:
    """Return a validator that refuses a text longer than so many characters."""

    def check(form: Form, field: Field) -> None:
        if len(field.data or "") > longest:
            raise ValidationError(gettext("Please use at most %(number)s characters") % {"number": longest})

    return check


class LanguageForm(AdminForm):
    """A person's choice of the admin view's language; empty leaves it to their browser."""

    language = RadioField(choices={"": "", **ADMIN_NAMES})


class EditForm(AdminForm):
    """A moderator's edit of a comment."""

    text = TextAreaField(gettext_noop("Comment"), [InputRequired(gettext_noop("Please enter a comment"))])
    name = StringField(gettext_noop("Name"))
    email = StringField(gettext_noop("Email"))
    website = StringField(gettext_noop("Website"))


class ReplyForm(AdminForm):
    """A moderator's reply."""

    text = TextAreaField(gettext_noop("Your reply"), [InputRequired(gettext_noop("Please enter a comment"))])
    approve = BooleanField(gettext_noop("Approve the comment too"))


class SiteForm(AdminForm):
    """A site's settings."""

    name = StringField(
        gettext_noop("Name"), [InputRequired(gettext_noop("Please enter a name")), at_most(80)]
    )
    heading = StringField(
        gettext_noop("Heading above the form"),
        [InputRequired(gettext_noop("Please enter a heading")), at_most(80)],
    )
    language = SelectField(gettext_noop("Language"), choices=OWN_NAMES)
    origins = TextAreaField(
        gettext_noop("Origins"), [InputRequired(gettext_noop("Please enter at least one origin"))]
    )
    previews = TextAreaField(gettext_noop("Previews"))
    preview_comments = BooleanField(gettext_noop("Readers may comment on previews"))
    order = SelectField(gettext_noop("Order"), choices=partial(translated, ORDERS))
    likes = SelectField(gettext_noop("Readers may like comments"), choices=partial(translated, LIKES))
    edit_window = SelectField(
        gettext_noop("People may edit their own comments"), choices=partial(translated, EDIT_WINDOWS)
    )
    email_field = SelectField(gettext_noop("Email"), choices=partial(translated, FIELD_RULES))
    name_field = SelectField(gettext_noop("Name"), choices=partial(translated, FIELD_RULES))
    website_field = SelectField(gettext_noop("Website"), choices=partial(translated, FIELD_RULES))
    guests = BooleanField(gettext_noop("Guests may comment, without logging in"))
    close_after_days = IntegerField(
        gettext_noop("Close after"),
        [Optional(), NumberRange(min=1, max=36500, message=gettext_noop("Between 1 and 36500 days"))],
    )
    comment_mail = BooleanField(gettext_noop("Readers may ask for mail about new comments"))
    post_mail = BooleanField(gettext_noop("Readers may ask for mail about new articles"))
    feed_url = StringField(gettext_noop("Your feed"), [at_most(2000)])
    moderator_mail = BooleanField(gettext_noop("Moderators may get mail about held comments"))
    comment_feeds = BooleanField(gettext_noop("Feeds of the comments, and lists of the latest ones"))
    ignored_parameters = TextAreaField(gettext_noop("URL parameters to ignore"))
    webmention = BooleanField(
        gettext_noop("Webmentions: other websites may tell that they mention an article")
    )
    mastodon = BooleanField(gettext_noop("Answers on Mastodon"))
    bluesky = BooleanField(gettext_noop("Answers on Bluesky"))
    count_foreign = BooleanField(gettext_noop("Numbers of comments include answers from elsewhere"))


class EndpointForm(AdminForm):
    """A webhook, a chat or a build hook; which fields are shown depends on its kind."""

    name = StringField(gettext_noop("Name"))
    url = StringField(gettext_noop("Address"))
    target = StringField(gettext_noop("Target"))
    token = StringField(gettext_noop("Token"))
    has_links = BooleanField(
        gettext_noop("Messages about held comments have links that approve them or mark them as spam")
    )


class RulesForm(AdminForm):
    """A site's rules for new comments."""

    policy = SelectField(gettext_noop("When new comments appear"), choices=partial(translated, POLICIES))
    most_links = IntegerField(
        gettext_noop("Most links"), [InputRequired(gettext_noop("Please enter a number from 0 to 1,000"))]
    )
    filter_threshold = IntegerField(
        gettext_noop("Hold what the site's own filter considers spam with"),
        [InputRequired(gettext_noop("Please enter a number from 50 to 100"))],
    )
    reports_to_hold = IntegerField(
        gettext_noop("Reports that hold a comment"),
        [InputRequired(gettext_noop("Please enter a number from 0 to 1,000"))],
    )
    moderation_words = TextAreaField(gettext_noop("Words that hold a comment"))
    disallowed_words = TextAreaField(gettext_noop("Words that make a comment spam"))
