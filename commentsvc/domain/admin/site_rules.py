"""A site's rules for new comments: validated as a whole and logged when changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.domain.spam import training, wordlists
from commentsvc.domain.spam.checks import Rules
from commentsvc.domain.surge import episodes
from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext
from commentsvc.models import Policy, Site
from commentsvc.text import numbers

MOST_LINKS = 1_000
MOST_REPORTS = 1_000
LEAST_SURE = 0.5
KEY_LONGEST = 80


@dataclass(frozen=True)
class RuleChange:
    """A policy and the other rules."""

    policy: Policy
    rules: Rules
    reports_to_hold: int | None
    """0: never."""


def check(wanted: RuleChange) -> RuleChange:
    """Return the rules in their stored form; raises InvalidFieldsError with all errors at once."""
    errors: dict[str, str] = {}
    lists: dict[str, str] = {}
    for field in ("moderation_words", "disallowed_words"):
        try:
            lists[field] = wordlists.check(getattr(wanted.rules, field), field=field)
        except InvalidFieldsError as error:
            errors |= error.fields
    links = wanted.rules.most_links
    if links is None or not 0 <= links <= MOST_LINKS:
        errors["most_links"] = gettext("Please enter a number from 0 to %(number)s") % {
            "number": numbers.number(MOST_LINKS)
        }
    if not LEAST_SURE <= wanted.rules.filter_threshold <= 1:
        errors["filter_threshold"] = gettext("Please enter a number from 50 to 100")
    enough = wanted.reports_to_hold
    if enough is None or not 0 <= enough <= MOST_REPORTS:
        errors["reports_to_hold"] = gettext("Please enter a number from 0 to %(number)s") % {
            "number": numbers.number(MOST_REPORTS)
        }
    if errors:
        raise InvalidFieldsError(errors)
    return RuleChange(
        wanted.policy,
        Rules(**lists, most_links=links, filter_threshold=wanted.rules.filter_threshold),
        enough,
    )


def save(session: Session, site: Site, wanted: RuleChange, *, moderator_id: int, at: datetime) -> bool:
    """Set a site's rules; return whether any changed. Needs `begin_write`; the caller commits."""
    wanted = check(wanted)
    new = {
        "policy": wanted.policy,
        "moderation_words": wanted.rules.moderation_words,
        "disallowed_words": wanted.rules.disallowed_words,
        "most_links": wanted.rules.most_links,
        "filter_threshold": wanted.rules.filter_threshold,
        "reports_to_hold": wanted.reports_to_hold,
    }
    before = {name: getattr(site, name) for name in new if getattr(site, name) != new[name]}
    if not before:
        return False
    for name in before:
        setattr(site, name, new[name])
    names = ", ".join(name.replace("_", " ") for name in before)
    actions.record(
        session,
        site_id=site.id,
        moderator_id=moderator_id,
        kind="rules.saved",
        summary=f"Changed the rules: {names}.",
        at=at,
        facts={"before": before},
    )
    return True


def akismet_key(typed: str) -> str:
    """Return a key in its stored form, empty for none; raises InvalidFieldsError on `key`."""
    key = typed.strip()
    if len(key) > KEY_LONGEST or not (key == "" or (key.isascii() and key.isalnum())):
        raise InvalidFieldsError(
            {"key": gettext("Please enter the key as Akismet shows it: letters and digits")}
        )
    return key


def set_akismet(session: Session, site: Site, key: str, *, moderator_id: int, at: datetime) -> None:
    """Turn Akismet on with this key, or off with an empty one. Needs `begin_write`."""
    key = akismet_key(key)
    site.akismet_key = key or None
    summary = "Turned Akismet on." if key else "Turned Akismet off."
    actions.record(
        session, site_id=site.id, moderator_id=moderator_id, kind="rules.akismet", summary=summary, at=at
    )


def set_surge_protection(session: Session, site: Site, on: bool, *, moderator_id: int, at: datetime) -> None:
    """Turn surge protection on or off; off ends all current surges. Needs `begin_write`."""
    if site.valve == on:
        return
    site.valve = on
    if not on:
        episodes.end_all(session, site.id, at=at)
    summary = f"Turned surge protection {'on' if on else 'off'}."
    actions.record(
        session, site_id=site.id, moderator_id=moderator_id, kind="rules.valve", summary=summary, at=at
    )


def forget(session: Session, site: Site, *, moderator_id: int, at: datetime) -> None:
    """Empty the local filter. Needs `begin_write`; the caller commits."""
    learned = training.learned_counts(session, site.id)
    training.forget(session, site.id)
    actions.record(
        session,
        site_id=site.id,
        moderator_id=moderator_id,
        kind="filter.forgotten",
        summary=f"Emptied the local filter, which had learned {learned.spam + learned.ham} comments.",
        at=at,
    )
