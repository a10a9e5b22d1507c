"""Changes a site's settings, validated as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from commentsvc.domain import fields
from commentsvc.domain.sites import previews, separate_origins, sites
from commentsvc.errors import InvalidFieldsError
from commentsvc.ignored_parameters import checked
from commentsvc.languages import ENGLISH, LANGUAGES
from commentsvc.match_keys import match_key
from commentsvc.messages import gettext
from commentsvc.models import EditWindow, FieldRule, Likes, Order, Policy, Site, Thread, ThreadAlias


@dataclass(frozen=True, kw_only=True)
class SiteSettings:
    """The owner's values for all fields of the settings form."""

    name: str
    heading: str
    language: str = ENGLISH
    """Of pages that name none: one of ours."""
    origins: Sequence[str]
    previews: Sequence[str] = ()
    """Patterns of the origins of previews, such as https://*.preview.example."""
    preview_comments: bool = False
    """Whether readers may comment on previews."""
    policy: Policy
    guests: bool
    order: Order
    edit_window: EditWindow
    name_field: FieldRule
    email_field: FieldRule
    website_field: FieldRule
    close_after_days: int | None
    likes: Likes = Likes.OFF
    """Whether readers may vote on comments."""
    comment_mail: bool = True
    """Whether readers may ask for mail about new comments."""
    post_mail: bool = False
    """Whether readers may ask for mail about new articles."""
    feed_url: str = ""
    """The address of the site's feed; empty: new articles are announced by command only."""
    moderator_mail: bool = True
    """Whether moderators may get mail about held comments."""
    comment_feeds: bool = True
    """Whether there are feeds of the site's comments."""
    webmention: bool = False
    mastodon: bool = False
    bluesky: bool = False
    """Whether answers from there are shown."""
    count_foreign: bool = False
    """Whether numbers of comments include them."""
    ignored_parameters: str = ""
    """Names, separated by spaces, commas or lines; `*` at the end is a wildcard, `!` marks a parameter that counts."""

    @classmethod
    def read(cls, site: Site) -> SiteSettings:
        """Return a site's current settings."""
        return cls(
            name=site.name,
            heading=site.heading,
            language=site.language,
            origins=[item.origin for item in site.origins],
            previews=[item.pattern for item in site.previews],
            preview_comments=previews.takes_comments(site),
            policy=site.policy,
            guests=site.guests,
            comment_mail=site.comment_mail,
            post_mail=site.post_mail,
            feed_url=site.feed_url or "",
            moderator_mail=site.moderator_mail,
            comment_feeds=site.comment_feeds,
            webmention=site.webmention,
            mastodon=site.mastodon,
            bluesky=site.bluesky,
            count_foreign=site.count_foreign,
            order=site.order,
            likes=site.likes,
            edit_window=site.edit_window,
            name_field=site.name_field,
            email_field=site.email_field,
            website_field=site.website_field,
            close_after_days=site.close_after_days,
            ignored_parameters=site.ignored_parameters,
        )


def change(session: Session, site: Site, wanted: SiteSettings, *, base_url: str) -> None:
    """Change a site's settings to `wanted`, on the service at `base_url`. Needs `begin_write`; the caller commits.

    Raises InvalidFieldsError with all errors at once.
    """
    errors: dict[str, str] = {}
    if wanted.order is Order.BEST and wanted.likes is Likes.OFF:
        errors["order"] = gettext("Best first needs likes: choose below how readers may like comments.")
    if wanted.ignored_parameters != site.ignored_parameters:
        # Threads before the site: the lock order of renaming a thread.
        _lock_compared(session, site)
    if wanted.language not in LANGUAGES:
        errors["language"] = gettext("Please choose a language")
    name = _line(wanted.name, "name", gettext("Please enter a name"), errors)
    heading = _line(wanted.heading, "heading", gettext("Please enter a heading"), errors)
    if name and session.scalar(select(Site.id).where(Site.name == name, Site.id != site.id)):
        errors |= sites.name_taken(name).fields
    try:
        sites.set_origins(session, site, wanted.origins)
        separate_origins.require_separate([item.origin for item in site.origins], base_url)
    except InvalidFieldsError as error:
        errors |= error.fields
    try:
        previews.set_patterns(
            session, site, wanted.previews, takes_comments=wanted.preview_comments, base_url=base_url
        )
    except InvalidFieldsError as error:
        errors |= error.fields
    try:
        ignored = checked(wanted.ignored_parameters)
    except ValueError as error:
        errors["ignored_parameters"] = str(error)
    feed_url = _feed_url(wanted.feed_url, errors)
    if errors:
        raise InvalidFieldsError(errors)
    if ignored != site.ignored_parameters:
        _compare_anew(session, site, ignored)
    site.name, site.heading, site.language = name, heading, wanted.language
    site.guests, site.edit_window = wanted.guests, wanted.edit_window
    site.post_mail, site.feed_url = wanted.post_mail, feed_url
    site.comment_mail, site.moderator_mail = wanted.comment_mail, wanted.moderator_mail
    site.comment_feeds = wanted.comment_feeds
    site.webmention, site.mastodon, site.bluesky = wanted.webmention, wanted.mastodon, wanted.bluesky
    site.count_foreign = wanted.count_foreign
    site.policy, site.order, site.close_after_days = wanted.policy, wanted.order, wanted.close_after_days
    site.likes = wanted.likes
    site.name_field, site.email_field = wanted.name_field, wanted.email_field
    site.website_field = wanted.website_field
    session.flush()


def _lock_compared(session: Session, site: Site) -> None:
    query = select(Thread.id).where(Thread.site_id == site.id, Thread.key.contains("?"))
    session.execute(query.order_by(Thread.id).with_for_update())


def _compare_anew(session: Session, site: Site, ignored: str) -> None:
    """Compare the site's threads by another list of ignored parameters; the keys they are stored under stay."""
    site.ignored_parameters = ignored
    for table in (Thread, ThreadAlias):
        rows = session.execute(
            select(table.id, table.key, table.match_key)
            .where(table.site_id == site.id, table.key.contains("?"))
            .order_by(table.id)
        ).all()
        changed = [
            {"id": row.id, "match_key": form}
            for row in rows
            if (form := match_key(row.key, ignored)) != row.match_key
        ]
        if changed:
            session.execute(update(table), changed)


def _line(value: str, field: str, missing: str, errors: dict[str, str]) -> str:
    try:
        return fields.name(value, missing=missing)
    except InvalidFieldsError as error:
        errors[field] = error.fields["name"]
        return ""


def _feed_url(value: str, errors: dict[str, str]) -> str | None:
    if not value.strip():
        return None
    try:
        return fields.website(value)
    except InvalidFieldsError as error:
        errors["feed_url"] = error.fields["website"]
        return None
