"""The texts that the frame's scripts show, in the current language: the page has them as one block of JSON."""

from __future__ import annotations

from commentsvc import messages
from commentsvc.messages import gettext_noop, plural_forms

_TEXTS = {
    "loading": gettext_noop("Loading…"),
    # translators: a link such as “Show more comments”, after its click has failed
    "retry": gettext_noop("%(label)s (that did not work; try again)"),
    "none": gettext_noop("No comments yet"),
    "waiting": gettext_noop("Awaiting moderation"),
    # translators: beside the date of a comment that is new since the reader's last visit
    "fresh": gettext_noop("new"),
    "linkCopied": gettext_noop("Link copied"),
    "copied": gettext_noop("Copied"),
    "edit": gettext_noop("Edit"),
    "delete": gettext_noop("Delete"),
    # translators: the link by which a guest edits or deletes their comment later
    "receipt": gettext_noop("Private link"),
    "changeWaits": gettext_noop("Your change is awaiting moderation."),
    "unreachable": gettext_noop("The service cannot be reached. Please try again."),
    "unsent": gettext_noop("The service cannot be reached. Your text is kept; please try again."),
    "unclear": gettext_noop("The service did not answer as it should. Your text is kept; please try again."),
    "text": gettext_noop("Please enter a comment"),
    "email": gettext_noop("Please enter your email address here"),
    "name": gettext_noop("Please enter your name here"),
    "website": gettext_noop("Please enter your website here"),
    "held": gettext_noop("Your comment is awaiting moderation."),
    "posted": gettext_noop("Your comment is posted."),
    "nobody": gettext_noop("You are no longer logged in."),
    "another": gettext_noop("You are now logged in as %(name)s."),
    "formatting": gettext_noop("Formatting"),
    "bold": gettext_noop("Bold (Ctrl+B)"),
    "italic": gettext_noop("Italic (Ctrl+I)"),
    "link": gettext_noop("Link (Ctrl+K)"),
    # translators: a button that makes the selected lines a quote
    "quote": gettext_noop("Quote"),
    "code": gettext_noop("Code"),
    "list": gettext_noop("List"),
    "left": gettext_noop("Characters left: %(count)s"),
    "quoting": gettext_noop("Quoting the article."),
    "unquote": gettext_noop("Remove the quote"),
    # translators: the first line of a comment that quotes the article; [ ]( ) stay as they are
    "quoted": gettext_noop("Quoting [the article](%(link)s):"),
}
_LOGIN_TEXTS = {
    "loggingIn": gettext_noop("Logging in with %(label)s"),
    "loggedIn": gettext_noop("You are logged in as %(name)s."),
    "loggedOut": gettext_noop("You are logged out."),
    "cancelled": gettext_noop("The login is cancelled."),
    "tooLong": gettext_noop("This login took too long. Please try again."),
    "notOpened": gettext_noop("The login window did not open, or the login could not begin."),
    "notKept": gettext_noop("Your browser did not keep the login. You can comment as a guest."),
    # translators: %(label)s is the name of the service with which this reader logged in before
    "lastUsed": gettext_noop("%(label)s (used last time)"),
}
_DEFAULT_HEADING = "Leave a Reply"


def frame_words(heading: str, *, logins: object) -> dict[str, str | dict[str, str]]:
    """Return texts, and forms of a text by CLDR plural category, by their keys.

    `heading` is what the site has. Where `logins` is false, nobody can log in.
    """
    # translators: %(heading)s is what the website's owner wrote instead of “Leave a Reply”
    own_heading = gettext_noop("%(heading)s to <bdi>%(name)s</bdi>")
    reply = (
        gettext_noop("Leave a Reply to <bdi>%(name)s</bdi>") if heading == _DEFAULT_HEADING else own_heading
    )
    return {
        **{key: _shown(text) for key, text in (_TEXTS | _LOGIN_TEXTS if logins else _TEXTS).items()},
        "replyTo": _shown(reply),
        "count": plural_forms("%(count)s Comment", "%(count)s Comments"),
        "added": plural_forms("%(count)s new comment", "%(count)s new comments"),
        # translators: a button that hides the replies to a comment
        "hide": plural_forms("Hide %(count)s reply", "Hide %(count)s replies"),
        "hidden": plural_forms("%(count)s reply hidden", "%(count)s replies hidden"),
    }


def _shown(text: str) -> str:
    return messages.own_words(text).replace("%%", "%") or messages.gettext(text)
