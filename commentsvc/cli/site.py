"""The `site` commands."""

from __future__ import annotations

import click
from sqlalchemy import func, select

from commentsvc.cli import service
from commentsvc.domain.accounts import accounts, single_sign_on
from commentsvc.domain.sites import separate_origins, sites
from commentsvc.models import Site, Thread


@click.group()
def site() -> None:
    """Add and list the websites that show comments."""


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
    click.echo(
        "\nPaste this into your pages where the comments should appear:\n\n"
        '  <div id="comments"></div>\n'
        f'  <script async src="{settings.base_url}/embed.js"></script>'
    )


@site.command(name="list")
def list_() -> None:
    """List the websites and the number of comments that each shows."""
    total = func.coalesce(func.sum(Thread.approved_count), 0)
    query = select(Site, total).outerjoin(Thread).group_by(Site.id).order_by(Site.name)
    with service.opened(service.settings()) as session:
        rows = [
            (
                one.name,
                f"{count:,} comment{'s' * (count != 1)}",
                ", ".join(origin.origin for origin in one.origins),
            )
            for one, count in session.execute(query)
        ]
    if not rows:
        click.echo("There is no site yet. `commentsvc site add NAME ORIGIN` adds one.")
    widths = [max(len(row[column]) for row in rows) for column in range(2)] if rows else []
    for name, count, origins in rows:
        click.echo(f"{name:<{widths[0]}}  {count:>{widths[1]}}  {origins}")


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
