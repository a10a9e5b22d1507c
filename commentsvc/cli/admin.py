"""The `admin` commands, which give people access to the admin view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.cli import options, output, service
from commentsvc.config import Settings
from commentsvc.domain import fields
from commentsvc.domain.accounts import accounts, invitations
from commentsvc.domain.admin import team
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.sites import sites
from commentsvc.errors import BadAddressError
from commentsvc.integrations.oauth import catalogue
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.models import Role, Site, now

NUMBERED = {"discord", "facebook", "github", "wordpress_legacy", "x"}
"""Providers whose ids of people are numbers; a name in place of an id would never match."""
ROLES = click.Choice([role.value for role in Role])

site_option = click.option(
    "--site", "site_name", required=True, metavar="NAME", help="As `commentsvc site list` shows it."
)
role_option = click.option(
    "--role",
    type=ROLES,
    default=Role.MODERATOR.value,
    show_default=True,
    help="An owner also changes the site's settings.",
)
provider_option = click.option(
    "--provider", required=True, metavar="KEY", help="Where the person logs in, such as github."
)
subject_option = click.option(
    "--subject", required=True, metavar="ID", help="The provider's own id of the person, never a name."
)
issuer_option = click.option(
    "--issuer", metavar="URL", help="Which of several: a Mastodon server, a Microsoft tenant."
)


@click.group()
def admin() -> None:
    """Give people access to the admin view, and list who has it."""


@admin.command()
@click.option("--name", metavar="NAME", help="The name shown with your own comments from now on.")
def link(name: str | None) -> None:
    """Print a link that signs you in to the admin view, once and within 30 minutes."""
    settings = service.settings()
    with service.writing(settings) as session:
        operator = accounts.operator(session)
        if name is not None:
            operator.name = fields.name(name)
        token = accounts.issue_link(session, operator, at=now())
    click.echo(f"{settings.base_url}/admin/sign-in/{token}")


@admin.command(name="list")
@options.site_option("Only this site.")
@options.json_option
def list_(site_name: str | None, as_json: bool) -> None:
    """List who has a role on which site, and the invitations that nobody has accepted yet."""
    with service.opened(service.settings()) as session:
        rows = [row for site in _sites(session, site_name) for row in _team(session, site)]
    if as_json:
        output.print_json(rows)
    elif not rows:
        click.echo("There is no site yet. `commentsvc site add NAME ORIGIN` adds one.")
    else:
        output.print_columns(
            (row["site"], row["role"], row["name"] or "(invited)", row["by"] or "", _login(row))
            for row in rows
        )


@admin.command()
@site_option
@role_option
def invite(site_name: str, role: str) -> None:
    """Print a link that gives a role to the first person who logs in with it, within 7 days."""
    settings = service.settings()
    with service.writing(settings) as session:
        token = invitations.invite(session, sites.by_name(session, site_name), Role(role), at=now())
    click.echo(f"{settings.base_url}/admin/invite/{token}")
    if not catalogue.offered(settings):
        click.echo("Nobody can log in with this link yet: no login provider is set up.", err=True)


@admin.command()
@site_option
@provider_option
@subject_option
@role_option
@issuer_option
def grant(site_name: str, provider: str, subject: str, role: str, issuer: str | None) -> None:
    """Give a role to an account at a login provider, before or after its first visit.

    People who log in at /admin without a role are shown their subject. For GitHub it is the number that
    https://api.github.com/users/NAME gives as `id`.
    """
    settings = service.settings()
    row, issuer = _proof(settings, provider, subject, issuer)
    with service.writing(settings) as session:
        site = sites.by_name(session, site_name)
        invitations.grant(session, site, Role(role), row.key, issuer, subject, at=now())
        click.echo(f"{row.label} account {subject} is now {role} of {site.name!r}.")
    if row.key not in {one.key for one in catalogue.offered(settings)}:
        click.echo(f"Nobody can log in with {row.label} yet: it is not set up.", err=True)


@admin.command()
@site_option
@provider_option
@subject_option
@issuer_option
def revoke(site_name: str, provider: str, subject: str, issuer: str | None) -> None:
    """Remove the role of an account on a site."""
    settings = service.settings()
    row, issuer = _proof(settings, provider, subject, issuer)
    with service.writing(settings) as session:
        site = sites.by_name(session, site_name)
        invitations.revoke(session, site, row.key, issuer, subject)
        click.echo(f"{row.label} account {subject} no longer has a role on {site.name!r}.")


def _sites(session: Session, name: str | None) -> Sequence[Site]:
    return [sites.by_name(session, name)] if name else session.scalars(select(Site).order_by(Site.name)).all()


def _team(session: Session, site: Site) -> list[dict[str, Any]]:
    """Return the people with a role on a site, then its open invitations."""
    rows: list[dict[str, Any]] = [
        {
            "site": site.name,
            "role": member.role,
            "name": member.name,
            "by": str(AuthorRef.of_account(member.commenter_id)),
            "providers": member.providers,
            "invited_until": None,
        }
        for member in team.members(session, site.id)
    ]
    return rows + [
        {
            "site": site.name,
            "role": ticket.role or Role.MODERATOR,
            "name": None,
            "by": None,
            "providers": [],
            "invited_until": ticket.expires_at,
        }
        for ticket in team.open_invitations(session, site.id, at=now())
    ]


def _login(row: dict[str, Any]) -> str:
    """Return how somebody logs in, in words."""
    if row["invited_until"]:
        return f"until {output.minute(row['invited_until'])}"
    ways = ["this command line" if key == "local" else catalogue.label_of(key) for key in row["providers"]]
    return ", ".join(ways)


def _proof(settings: Settings, key: str, subject: str, issuer: str | None) -> tuple[Provider, str]:
    """Return the provider and the issuer of the account's logins; raises BadAddressError."""
    known = {row.key: row for row in (*catalogue.ROWS, *catalogue.offered(settings))}
    row = known.get(key)
    if row is None:
        raise BadAddressError(f"There is no provider {key!r}. There are: {', '.join(known)}.")
    if key in NUMBERED and not subject.strip().isdecimal():
        raise BadAddressError(f"{row.label} identifies people by number; {subject!r} is not a number.")
    if issuer:
        return row, issuer.strip()
    if row.any_tenant or not row.issuer:
        raise BadAddressError(f"{row.label} has many issuers: name one with --issuer https://…")
    # An operator's own provider may write its issuer in another form than the settings; discovery says in which.
    from commentsvc.integrations.oauth.flow import Flow  # here, because few commands need it

    return row, Flow().endpoints(row).issuer if key.startswith("oidc") else row.issuer
