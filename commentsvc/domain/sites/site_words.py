"""What an owner says in other words than ours: single sentences, by language.

A page takes them instead of ours, as plain text. They are stored as messages are, with each % doubled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from commentsvc import messages
from commentsvc.domain import actions
from commentsvc.errors import InvalidFieldsError
from commentsvc.languages import LANGUAGES
from commentsvc.messages import gettext
from commentsvc.models import Site
from commentsvc.text.characters import without_undrawn

LONGEST = 300


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text of the pages for readers, exactly as the templates have it; none has placeholders or markup."""

    text: str
    context: str = ""

    @property
    def key(self) -> str:
        return messages.key(self.text, self.context)

    def spoken(self) -> str:
        """Return our text in the current language."""
        return messages.pgettext(self.context, self.text) if self.context else gettext(self.text)


SENTENCES: Mapping[str, Sentence] = {
    "text": Sentence("Enter your comment here…"),
    "details_or_icons": Sentence("Fill in your details below or click an icon to log in:"),
    "details_or_login": Sentence("Fill in your details below or log in:"),
    "details": Sentence("Fill in your details below"),
    "icons": Sentence("Click an icon to log in:"),
    "login": Sentence("Log in to comment:"),
    "email": Sentence("Email"),
    "email_note": Sentence("Address never made public"),
    "name": Sentence("Name", "of a person"),
    "website": Sentence("Website"),
    "required": Sentence("(required)"),
    "add_website": Sentence("Add website"),
    "remember": Sentence("Save my name, email, and website in this browser for the next time I comment."),
    "notify": Sentence("Notify me of new comments via email."),
    "notify_posts": Sentence("Notify me of new posts via email."),
    "post": Sentence("Post Comment"),
    "cancel": Sentence("Cancel reply"),
    "reply": Sentence("Reply", "button"),
    "report": Sentence("Report", "button"),
    "more": Sentence("Show more comments"),
    "none": Sentence("No comments yet"),
    "held": Sentence("Your comment is awaiting moderation."),
    "removed": Sentence("This comment was removed."),
    "author": Sentence("Author", "badge"),
    "moderator": Sentence("Moderator", "badge"),
    "pinned": Sentence("Pinned", "badge"),
    "featured": Sentence("Featured", "badge"),
}
"""By the name of the field in which an owner enters their own text."""


@dataclass(frozen=True, slots=True)
class WordingField:
    """A sentence as the page of an owner shows it."""

    name: str
    label: str
    """Our text in the owner's language."""
    default: str
    """Our text in the chosen language."""
    own: str
    """The owner's text; empty for ours."""


def of(site: Site, language: str) -> Mapping[str, str]:
    """Return the owner's sentences in this language by the names of ours."""
    return _stored(site).get(language, {})


def languages_of(site: Site) -> list[str]:
    """Return the languages in which the owner has sentences of their own."""
    return [code for code in LANGUAGES if _stored(site).get(code)]


def wording(site: Site, language: str) -> list[WordingField]:
    """Return all sentences in this language."""
    with messages.using(language):
        defaults = {name: sentence.spoken() for name, sentence in SENTENCES.items()}
    own = of(site, language)
    return [
        WordingField(name, sentence.spoken(), defaults[name], own.get(sentence.key, "").replace("%%", "%"))
        for name, sentence in SENTENCES.items()
    ]


def change(
    session: Session, site: Site, language: str, typed: Mapping[str, str], *, moderator_id: int, at: datetime
) -> bool:
    """Set the owner's sentences in a language; empty ones are ours again. Return whether any changed.

    Needs `begin_write`; raises InvalidFieldsError on the names of `SENTENCES`.
    """
    own: dict[str, str] = {}
    errors: dict[str, str] = {}
    for name, sentence in SENTENCES.items():
        text = " ".join(without_undrawn(typed.get(name, "").replace("\0", "")).split())
        if len(text) > LONGEST:
            errors[name] = gettext("Please use at most %(number)s characters") % {"number": LONGEST}
        elif text:
            own[sentence.key] = text.replace("%", "%%")
    if errors:
        raise InvalidFieldsError(errors)
    before = of(site, language)
    if own == before:
        return False
    words = {**_stored(site), language: own}
    site.words = json.dumps({code: texts for code, texts in words.items() if texts}, ensure_ascii=False)
    actions.record(
        session,
        site_id=site.id,
        moderator_id=moderator_id,
        kind="site.words",
        summary=f"Changed the wording in the language {language}.",
        at=at,
        facts={"language": language, "before": dict(before)},
    )
    return True


def _stored(site: Site) -> dict[str, dict[str, str]]:
    return json.loads(site.words) if site.words else {}
