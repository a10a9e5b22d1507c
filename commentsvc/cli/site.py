"""The `site` commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any, TypeVar

import click
from sqlalchemy import func, select

from commentsvc.cli import options, output, service
from commentsvc.domain.accounts import accounts, single_sign_on
from commentsvc.domain.maintenance import site_removal
from commentsvc.domain.sites import separate_origins, site_settings, sites
from commentsvc.domain.sites.site_settings import SiteSettings
from commentsvc.languages import LANGUAGES
from commentsvc.models import EditWindow, FieldRule, Likes, Order, Policy, Site, Thread

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def _choice(name: str, kind: type[StrEnum], help: str) -> Callable[[Decorated], Decorated]:
    """Return an option for a choice, written as the word that the database stores."""
    return click.option(
        name,
        type=click.Choice([item.value for item in kind]),
        callback=lambda _context, _option, word: None if word is None else kind(word),
        help=help,
    )


@click.group()
def site() -> None:
    """Add, change, list and remove the websites that show comments."""


@site.command()
@click.argument("name")
@click.argument("origins", nargs=-1, required=True, metavar="ORIGIN...")
def add(name: str, origins: tuple[str, ...]) -> None:
    """Add a website called NAME with its pages at ORIGIN.

    An origin is the beginning of your pages' addresses, such as https://blog.example. If the website has
    several, give them all: `commentsvc site add Blog https://blog.example https://www.blog.example`
    """
    settings = service.settings()
    with service.writing(settings) as session:
        new = sites.add(session, name, origins, owner_id=accounts.operator(session).id)
        separate_origins.require_separate([item.origin for item in new.origins], settings.base_url)
        click.echo(f"Added {new.name!r} for {', '.join(origin.origin for origin in new.origins)}.")
        origin = new.origins[0].origin
    service.show_snippet(settings)
    service.show_feed_lines(settings, origin)


@site.command(name="list")
@options.json_option
def list_(as_json: bool) -> None:
    """List the websites with their numbers of comments and their origins."""
    total = func.coalesce(func.sum(Thread.approved_count), 0)
    query = select(Site, total).outerjoin(Thread).group_by(Site.id).order_by(Site.name)
    with service.opened(service.settings()) as session:
        rows = [
            (one.name, int(count), [origin.origin for origin in one.origins])
            for one, count in session.execute(query)
        ]
    if as_json:
        output.print_json(
            [{"site": name, "comments": count, "origins": origins} for name, count, origins in rows]
        )
    elif not rows:
        click.echo("There is no site yet. `commentsvc site add NAME ORIGIN` adds one.")
    else:
        output.print_columns(
            (name, output.counted(count, "comment"), ", ".join(origins)) for name, count, origins in rows
        )


@site.command()
@click.argument("name")
@click.option("--name", "new_name", metavar="NAME", help="The new name.")
@click.option(
    "--origin", "origins", multiple=True, metavar="ORIGIN", help="An origin, in place of all former ones."
)
@click.option(
    "--preview",
    "previews",
    multiple=True,
    metavar="PATTERN",
    help="Where previews are, such as https://*.preview.example; replaces all former ones, '' removes them.",
)
@click.option(
    "--preview-comments/--no-preview-comments", default=None, help="Whether readers may comment on previews."
)
@click.option("--heading", metavar="TEXT", help="The heading above the form.")
@click.option(
    "--language",
    type=click.Choice(list(LANGUAGES)),
    metavar="CODE",
    help="The language of pages that name none, such as de or pt-BR.",
)
@_choice("--policy", Policy, "Whose comments appear without your approval.")
@click.option("--guests/--no-guests", default=None, help="Whether people may comment without logging in.")
@click.option(
    "--comment-mail/--no-comment-mail",
    default=None,
    help="Whether readers may ask for mail about new comments.",
)
@click.option(
    "--post-mail/--no-post-mail",
    default=None,
    help="Whether readers may ask for mail about new articles.",
)
@click.option("--feed-url", metavar="URL", help="The site's feed, in which new articles are looked for.")
@click.option(
    "--moderator-mail/--no-moderator-mail",
    default=None,
    help="Whether moderators may get mail about held comments.",
)
@click.option(
    "--comment-feeds/--no-comment-feeds",
    default=None,
    help="Whether there are feeds of the comments.",
)
@_choice("--order", Order, "Which comments come first.")
@_choice("--likes", Likes, "Whether readers may like comments, or vote them up and down.")
@_choice("--edit-window", EditWindow, "How long people may edit their own comments.")
@_choice("--name-field", FieldRule, "Whether guests give a name.")
@_choice("--email-field", FieldRule, "Whether guests give an e-mail address.")
@_choice("--website-field", FieldRule, "Whether guests give a website.")
@click.option(
    "--close-after-days",
    type=click.IntRange(0, 36500),
    metavar="DAYS",
    help="When an article closes for comments; 0 keeps it open.",
)
@click.option(
    "--ignored-parameters", metavar="NAMES", help="Parameters of addresses that tell no articles apart."
)
def edit(
    name: str, new_name: str | None, origins: tuple[str, ...], previews: tuple[str, ...], **given: Any
) -> None:
    """Change the settings of the website NAME; what you do not mention stays as it is.

    They are the settings of the admin view, with the same rules.
    """
    changes = {key: value for key, value in given.items() if value is not None}
    if changes.get("close_after_days") == 0:
        changes["close_after_days"] = None
    changes |= {"name": new_name} if new_name is not None else {}
    changes |= {"origins": origins} if origins else {}
    changes |= {"previews": [pattern for pattern in previews if pattern]} if previews else {}
    if not changes:
        raise click.UsageError("Nothing to change: say what, such as --origin https://blog.example.")
    settings = service.settings()
    with service.writing(settings) as session:
        website = sites.by_name(session, name)
        wanted = replace(SiteSettings.read(website), **changes)
        site_settings.change(session, website, wanted, base_url=settings.base_url)
        click.echo(f"Saved {website.name!r} for {', '.join(item.origin for item in website.origins)}.")


@site.command()
@click.argument("name")
@options.yes_option
def remove(name: str, yes: bool) -> None:
    """Remove the website NAME with all its comments, roles, bans and notes. It cannot be undone.

    People's accounts stay, because they may comment elsewhere: `commentsvc user erase` erases them.
    """
    with service.opened(service.settings()) as session:
        website = sites.by_name(session, name)
        what = site_removal.contents(session, website.id)
        session.rollback()
        goes = f"{output.counted(what.threads, 'article')} and {output.counted(what.comments, 'comment')}"
        options.confirm(f"Remove {name!r} with {goes} for good?", yes=yes)
        with output.bar(what.comments, "Removing") as bar:
            site_removal.remove(session, website.id, progress=bar.update)
    click.echo(f"Removed {name!r} with {goes}.")


@site.command(name="sso-secret")
@click.argument("name")
@click.option("--off", is_flag=True, help="Remove the current secret instead.")
def sso_secret(name: str, off: bool) -> None:
    """Create a secret with which the website NAME signs its own users in (docs/sso.md).

    It is printed once and cannot be shown again. An earlier secret of the website stops working.
    """
    settings = service.settings()
    with service.writing(settings) as session:
        website = sites.by_name(session, name)
        secret = None if off else single_sign_on.new_secret(session, website)
        if secret is None:
            single_sign_on.switch_off(session, website)
    click.echo(secret or f"Single sign-on of {name!r} is switched off.")
    if secret:
        click.echo(f"The audience (aud) of its tokens must be {settings.base_url}.", err=True)
