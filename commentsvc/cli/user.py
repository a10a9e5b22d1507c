"""The `user` commands: list the people who comment, and erase one at their request."""

from __future__ import annotations

import click
from sqlalchemy import func, select

from commentsvc.cli import options, output, service
from commentsvc.domain.admin import people, people_search
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.maintenance import erasure
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.sites import sites
from commentsvc.errors import NotFoundError
from commentsvc.models import Commenter


@click.group()
def user() -> None:
    """List the people who comment, and erase one at their request."""


@user.command(name="list")
@click.argument("words", nargs=-1)
@options.site_option("The site; needed only if there are several.")
@options.json_option
def list_(words: tuple[str, ...], site_name: str | None, as_json: bool) -> None:
    """List who commented last or, with WORDS, the people with these words in their name or e-mail address.

    The first column is how other commands name a person.
    """
    with service.opened(service.settings()) as session:
        site = options.chosen_site(session, site_name)
        found = (
            people_search.find(session, site.id, " ".join(words))
            if words
            else people.recent_writers(session, site.id)
        )
    if as_json:
        items = [
            {
                "by": str(one.who),
                "name": one.name,
                "email": one.email,
                "role": one.role,
                "latest_at": one.latest_at,
            }
            for one in found
        ]
        output.print_json(items)
    elif not found:
        click.echo("There is nobody like that." if words else "Nobody has commented yet.")
    else:
        output.print_columns(
            (str(one.who), output.minute(one.latest_at), one.name, one.role.value if one.role else "")
            for one in found
        )


@user.command()
@click.argument("who", callback=options.read_person)
@click.option("--site", "site_name", metavar="NAME", help="Only a guest's comments on this site.")
@options.yes_option
def erase(who: AuthorRef, site_name: str | None, yes: bool) -> None:
    """Erase everything of the person WHO: texts, name, addresses, notes and bans. It cannot be undone.

    \b
    email:ada@mail.example   all guests with this e-mail address
    name:Ada                 all guests with this name, whoever they are
    commenter:12             the account with this number, as `commentsvc user list` shows it

    Backups still have it; docs/privacy.md says what else does, and for how long.
    """  # noqa: D301
    if who.is_account and site_name:
        raise click.UsageError("An account is erased on all sites.")
    with service.opened(service.settings()) as session:
        site_id = sites.by_name(session, site_name).id if site_name else None
        if who.is_account and not session.scalar(select(func.count()).where(Commenter.id == int(who.value))):
            raise NotFoundError("There is no such account.")
        number = erasure.count(session, who, site_id=site_id)
        session.rollback()
        options.confirm(f"Erase {who} with {output.counted(number, 'comment')} for good?", yes=yes)
        with output.bar(number, "Erasing") as bar:
            if who.is_account:
                erasure.erase(session, int(who.value), Texts.REMOVE, progress=bar.update)
            else:
                number = erasure.erase_guest(session, who, site_id=site_id, progress=bar.update)
    click.echo(f"Erased {who}: {output.counted(number, 'comment')}.")
