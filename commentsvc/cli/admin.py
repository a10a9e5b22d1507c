"""admin: the way into the admin view."""

from __future__ import annotations

import click

from commentsvc.cli import service
from commentsvc.domain import accounts
from commentsvc.models import now


@click.group()
def admin() -> None:
    """Sign in to the admin view."""


@admin.command()
def link() -> None:
    """Print a link that signs its first visitor in to the admin view, within 30 minutes."""
    settings = service.settings()
    with service.writing(settings) as session:
        token = accounts.issue_link(session, accounts.operator(session), at=now())
    click.echo(f"{settings.base_url}/admin/sign-in/{token}")
