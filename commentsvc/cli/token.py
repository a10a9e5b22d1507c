"""The `token` commands: tokens with which programs use the API."""

from __future__ import annotations

from collections.abc import Mapping

import click
from sqlalchemy import select

from commentsvc.cli import options, output, service
from commentsvc.domain.accounts import accounts, api_tokens
from commentsvc.domain.fields import LARGEST_ROW
from commentsvc.domain.sites import sites
from commentsvc.errors import NotFoundError
from commentsvc.models import ApiToken, Site, TokenScope, now


@click.group()
def token() -> None:
    """Create, list and revoke tokens with which programs use the API."""


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in TokenScope]),
    multiple=True,
    required=True,
    help="What it may be used for; may be given several times.",
)
@click.option(
    "--site",
    "site_names",
    multiple=True,
    metavar="NAME",
    help="Where; needed only if there are several sites.",
)
@click.option(
    "--days",
    type=click.IntRange(0, api_tokens.LONGEST_LIFE),
    default=90,
    show_default=True,
    help="How long it works; 0 for until it is revoked.",
)
def create(name: str, scopes: tuple[str, ...], site_names: tuple[str, ...], days: int) -> None:
    """Create a token for the program NAME and print it. It cannot be shown again.

    It acts in the name of the site's owner at this command line; the log of activity names the program.
    """
    with service.writing(service.settings()) as session:
        wanted = [sites.by_name(session, one) for one in site_names] or [sites.only(session)]
        _, text = api_tokens.create(
            session,
            name,
            [TokenScope(scope) for scope in scopes],
            [site.id for site in wanted],
            maker_id=accounts.operator(session).id,
            days=days or None,
            at=now(),
        )
    click.echo(text)


@token.command(name="list")
@options.site_option("Only this site.")
@options.json_option
def list_(site_name: str | None, as_json: bool) -> None:
    """List the tokens, the latest first, with the day on which each was last used."""
    with service.opened(service.settings()) as session:
        site_ids = (
            [sites.by_name(session, site_name).id] if site_name else session.scalars(select(Site.id)).all()
        )
        items = [
            {
                "id": one.id,
                "name": one.name,
                "scopes": one.scopes,
                "sites": [site.name for site in one.sites],
                "by": one.commenter.name,
                "expires_at": one.expires_at,
                "last_used_on": one.last_used_on,
            }
            for one in api_tokens.tokens_on(session, site_ids)
        ]
    if as_json:
        output.print_json(items)
    elif not items:
        click.echo("There is no token yet. `commentsvc token create NAME --scope read` creates one.")
    else:
        output.print_columns(_row(item) for item in items)


@token.command()
@click.argument("number", type=click.IntRange(1, LARGEST_ROW))
def revoke(number: int) -> None:
    """Revoke the token with this NUMBER, as `commentsvc token list` shows it: at once, and on all its sites."""
    with service.writing(service.settings()) as session:
        known = session.get(ApiToken, number)
        if known is None:
            raise NotFoundError(f"There is no token {number}.")
        name = known.name
        api_tokens.revoke(session, known, moderator_id=accounts.operator(session).id, at=now())
    click.echo(f"Revoked the token {output.plain(name)!r}.")


def _row(item: Mapping[str, object]) -> tuple[str, ...]:
    scopes, names = item["scopes"], item["sites"]
    expires_at, used = item["expires_at"], item["last_used_on"]
    return (
        str(item["id"]),
        str(item["name"]),
        " ".join(scopes) if isinstance(scopes, list) else "",
        f"until {str(expires_at)[:10]}" if expires_at else "no end",
        f"used {used}" if used else "not used",
        ", ".join(names) if isinstance(names, list) else "",
    )
