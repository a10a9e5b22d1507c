"""The `demo` command."""

from __future__ import annotations

import click

Port = click.IntRange(1, 65535)


@click.command()
@click.option("--port", type=Port, default=8600, show_default=True, help="Port of the comment service.")
@click.option("--blog-port", type=Port, default=8601, show_default=True, help="Port of the blog.")
@click.option("--login-port", type=Port, default=8602, show_default=True, help="Port of the login provider.")
def demo(port: int, blog_port: int, login_port: int) -> None:
    """Try everything on this machine: a blog with comments and logins.

    It needs no setup, and takes other ports if these are taken. The data is in a temporary directory, which Ctrl+C
    deletes.
    """
    from commentsvc.cli import demo_runner  # here, because no other command needs it

    demo_runner.run(port, blog_port, login_port)
