"""The command line with all its commands; our errors end it with one line and no traceback."""

from __future__ import annotations

from typing import Any

import click

from commentsvc.cli import admin, doctor, erase, site, transfer
from commentsvc.cli import deliver as cli_deliver
from commentsvc.cli import demo as cli_demo
from commentsvc.cli import init as cli_init
from commentsvc.cli import serve as cli_serve
from commentsvc.errors import CommentsvcError

COMMANDS = (
    cli_init.init,
    cli_serve.serve,
    cli_serve.upgrade,
    cli_serve.settings,
    site.site,
    admin.admin,
    cli_deliver.deliver,
    doctor.doctor,
    transfer.import_,
    transfer.rerender,
    transfer.reindex,
    erase.erase,
    cli_demo.demo,
)


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
                "PostgreSQL needs its driver: pip install 'commentsvc[postgresql]'"
            ) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which an operator needs them."""
        return list(self.commands)


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
    """  # noqa: D301


for command in COMMANDS:
    main.add_command(command)
