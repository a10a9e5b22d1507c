"""Options that several commands share, and the question before a change that is large or cannot be undone."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from typing import Any, TypeVar

import click
from sqlalchemy.orm import Session

from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.admin.queue_filters import Filters
from commentsvc.domain.sites import sites
from commentsvc.errors import BadAddressError, CommentsvcError
from commentsvc.integrations.settings_file import DATA_DIR
from commentsvc.models import Site

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class NotConfirmedError(CommentsvcError):
    """Nobody agreed to a change, so nothing was changed."""


def read_person(context: click.Context, option: click.Parameter, value: str | None) -> AuthorRef | None:
    """Read `email:ADDRESS`, `name:NAME` or `commenter:NUMBER`; raises a usage error."""
    if value is None:
        return None
    try:
        # Names are stored in this form; what is copied from a file name on macOS has another one.
        return AuthorRef.parse(unicodedata.normalize("NFC", value))
    except BadAddressError:
        raise click.BadParameter(
            f"{value!r} is not email:ADDRESS, name:NAME or commenter:NUMBER, such as email:ada@mail.example.",
            context,
            option,
        ) from None


def read_day(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Check that a text is a day, as in `2026-11-23`; raises a usage error."""
    try:
        Filters.read({option.name or "": value or ""})
    except BadAddressError as error:
        raise click.BadParameter(str(error), context, option) from None
    return value


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON: see docs/commands.md.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def site_option(help: str) -> Callable[[Decorated], Decorated]:
    """Return an option that names a site."""
    return click.option("--site", "site_name", metavar="NAME", help=help)


def chosen_site(session: Session, name: str | None) -> Site:
    """Return the site of this name, or the only one; raises NotFoundError."""
    return sites.only(session) if name is None else sites.by_name(session, name)


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless `yes` is the answer already; raises NotConfirmedError if the answer is not yes, or nobody answers."""
    if yes:
        return
    try:
        agreed = click.confirm(question)
    except click.Abort:
        click.echo(err=True)
        raise NotConfirmedError(
            "Nothing was changed, because nobody answered. With --yes, it does not ask."
        ) from None
    if not agreed:
        raise NotConfirmedError("Nothing was changed.")


def add_data_dir(command: click.Command) -> None:
    """Give a command and its subcommands the option `--data-dir`; the demonstration has its own directory."""
    if command.name == "demo":
        return
    command.params.append(
        click.Option(
            ["--data-dir"],
            metavar="DIR",
            expose_value=False,
            is_eager=True,
            callback=_use_data_dir,
            help=f"The data directory, instead of that in {DATA_DIR}.",
        )
    )
    if isinstance(command, click.Group):
        for each in command.commands.values():
            add_data_dir(each)


def _use_data_dir(context: click.Context, _option: click.Parameter, directory: str | None) -> None:
    """Set the variable while the command runs, so that the processes that it starts get it too."""
    if directory is None:
        return
    if not directory.strip():
        raise click.UsageError("--data-dir needs a directory.", context)
    before = os.environ.get(DATA_DIR)
    os.environ[DATA_DIR] = directory

    def restore() -> None:
        if before is None:
            os.environ.pop(DATA_DIR, None)
        else:
            os.environ[DATA_DIR] = before

    context.call_on_close(restore)
