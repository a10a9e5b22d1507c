"""The `erase` command: forgets a guest or a member, at their request."""

from __future__ import annotations

import click
from sqlalchemy import func, select

from commentsvc.cli import service
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.maintenance import erasure
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.sites import sites
from commentsvc.errors import NotFoundError
from commentsvc.models import Commenter


@click.command()
@click.argument("who")
@click.option("--site", "site_name", metavar="NAME", help="Only a guest's comments on this site.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(who: str, site_name: str | None, yes: bool) -> None:
    """Erase everything of the person WHO: texts, name, addresses, notes and bans. It cannot be undone.

    \b
    email:ada@mail.example   all guests with this e-mail address
    name:Ada                 all guests with this name, whoever they are
    commenter:12             the account with this number: it is in the address of the person's page

    Backups still have it; docs/privacy.md says what else does, and for how long.
    """  # noqa: D301
    person = AuthorRef.parse(who)
    if person.is_account and site_name:
        raise click.UsageError("An account is erased on all sites.")
    with service.opened(service.settings()) as session:
        site_id = sites.by_name(session, site_name).id if site_name else None
        if not yes:
            click.confirm(f"Erase {who} for good?", abort=True)
        if person.is_account:
            commenter_id = int(person.value)
            if not session.scalar(select(func.count()).where(Commenter.id == commenter_id)):
                raise NotFoundError("There is no such account.")
            erasure.erase(session, commenter_id, Texts.REMOVE)
            click.echo(f"Erased {who}.")
        else:
            number = erasure.erase_guest(session, person, site_id=site_id)
            click.echo(f"Erased {who}: {number} {'comment' if number == 1 else 'comments'}.")
