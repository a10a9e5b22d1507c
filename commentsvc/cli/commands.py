"""The command line with all its commands; our errors end it with one line and no traceback."""

from __future__ import annotations

from itertools import chain
from typing import Any

import click

from commentsvc import extras
from commentsvc.cli import (
    admin,
    announce,
    archive,
    backup,
    comments,
    doctor,
    move,
    options,
    publish,
    restore,
    site,
    stats,
    token,
    transfer,
    user,
)
from commentsvc.cli import demo as cli_demo
from commentsvc.cli import init as cli_init
from commentsvc.cli import serve as cli_serve
from commentsvc.cli import work as cli_work
from commentsvc.errors import CommentsvcError

GROUPS: dict[str, tuple[click.Command, ...]] = {
    "Run the service": (
        cli_demo.demo,
        cli_init.init,
        cli_serve.serve,
        cli_serve.settings,
        doctor.doctor,
    ),
    "Sites, people and comments": (
        site.site,
        admin.admin,
        token.token,
        comments.comments,
        user.user,
        announce.announce,
        stats.stats,
        transfer.import_,
    ),
    "Leave, move and come back": (
        archive.export,
        archive.archive,
        backup.backup,
        restore.restore,
        move.move,
        publish.publish,
        publish.fragment,
    ),
    "After an update, and beside another server": (
        cli_serve.upgrade,
        transfer.rerender,
        transfer.reindex,
        cli_work.work,
    ),
}
"""All commands, under the headings of `commentsvc --help`."""


class Commands(click.Group):
    """A group of commands that shows our errors as a sentence and exits with code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except CommentsvcError as error:
            raise click.ClickException(str(error)) from None
        except UnicodeEncodeError as error:
            raise click.ClickException(f"{error.object[:80]!r} is not text in UTF-8.") from None
        except OSError as error:
            if error.filename is None:
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}") from None
        except ModuleNotFoundError as error:
            if error.name != "psycopg":
                raise
            raise click.ClickException(
                f"PostgreSQL needs its driver: {extras.install_command('postgresql')}"
            ) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which an operator needs them."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings, all in columns of the same width."""
        width = max(map(len, self.commands))
        room = formatter.width - width - 4
        for heading, commands in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [(str(each.name).ljust(width), each.get_short_help_str(room)) for each in commands]
                )


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="commentsvc", prog_name="commentsvc", message="%(prog)s %(version)s")
def main() -> None:
    """Self-hosted comments for your blog.

    \b
    To try it:         commentsvc demo
    To start:          commentsvc init
                       commentsvc serve
    To check it:       commentsvc doctor

    Settings are COMMENTSVC_* environment variables, or lines of settings.env in the data directory.
    The exit code is 0 if it is done, 1 if it was refused or failed, 2 if the command was not understood.
    """  # noqa: D301


for command in chain.from_iterable(GROUPS.values()):
    main.add_command(command)
options.add_data_dir(main)
