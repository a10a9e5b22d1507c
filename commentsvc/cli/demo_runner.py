"""Runs the demonstration: a blog, a login provider and the real service, without setup and without traces."""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from commentsvc.cli import service
from commentsvc.config import PREFIX, Settings
from commentsvc.demo import blog, provider, seed
from commentsvc.demo.demo_id import LABEL
from commentsvc.demo.stand_ins import STAND_INS, Client
from commentsvc.domain.accounts import accounts
from commentsvc.errors import BadAddressError, CommentsvcError
from commentsvc.models import now
from commentsvc.serving.server import Bind

PATIENCE = 30
"""Seconds for the service to start, even on a busy machine."""

_TRIED = 100
"""Ports that are tried, from the wanted one on."""


class DemoError(CommentsvcError):
    """The demonstration's service did not start, or stopped unexpectedly."""


def run(port: int, blog_port: int, login_port: int) -> None:
    """Run all three until Ctrl+C, on other ports if these are taken; raises DemoError."""
    try:
        with (
            _stoppable(),
            tempfile.TemporaryDirectory(prefix="commentsvc-demo-", ignore_cleanup_errors=True) as folder,
        ):
            _run(Path(folder), *_free_binds(port, blog_port, login_port))
    except KeyboardInterrupt:
        click.echo("\nStopped; the demonstration's data is deleted.")


def _free_binds(*ports: int) -> list[Bind]:
    """Return an address for each port: the wanted one, or the next free one; raises DemoError if there is none."""
    binds: list[Bind] = []
    for wanted in ports:
        used = {bind.port for bind in binds} | (set(ports) - {wanted})
        candidates = (Bind(blog.HOST, port) for port in range(wanted, min(wanted + _TRIED, 65_536)))
        free = next((bind for bind in candidates if bind.port not in used and _is_free(bind)), None)
        if free is None:
            raise DemoError(
                f"No port from {wanted} on is free. Name another with --port, --blog-port, --login-port."
            )
        if free.port != wanted:
            click.echo(f"Port {wanted} is taken, so this uses {free.port}.")
        binds.append(free)
    return binds


def _is_free(bind: Bind) -> bool:
    """Whether a port is free, also on IPv6, which browsers may try first for localhost."""
    try:
        bind.require_free()
    except BadAddressError:
        return False
    try:
        with socket.socket(socket.AF_INET6) as probe:
            return probe.connect_ex(("::1", bind.port)) != 0
    except OSError:  # no IPv6 here
        return True


def _run(folder: Path, bind: Bind, blog_bind: Bind, login_bind: Bind) -> None:
    clients = _clients(bind)
    variables = _variables(folder, bind) | _login_variables(clients, login_bind)
    settings = Settings.from_env(variables)
    with (
        blog.running(blog_bind.port, service=settings.base_url) as origin,
        provider.running(login_bind, clients),
    ):
        link = _prepare(settings, origin)
        with _service(variables, bind) as child:
            _announce(origin, settings, link)
            exit_code = child.wait()
    raise DemoError(f"The comment service stopped unexpectedly, with exit code {exit_code}.")


def _variables(folder: Path, bind: Bind) -> dict[str, str]:
    """Return the demonstration's environment, without the settings of a real service on this machine."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return inherited | {
        f"{PREFIX}DATA_DIR": str(folder),
        f"{PREFIX}SECRET_KEY": secrets.token_urlsafe(48),
        f"{PREFIX}BASE_URL": f"http://{bind}",
        **{f"{PREFIX}{who}_LIMIT": "600/minute" for who in ("POST", "PERSON", "THREAD")},
        f"{PREFIX}LOG_LEVEL": "WARNING",
    }


def _clients(bind: Bind) -> dict[str, Client]:
    """Return the service's registration at each stand-in, by the provider's key."""
    return {
        one.key: Client(
            "commentsvc-demo", secrets.token_urlsafe(32), f"http://{bind}/login/callback/{one.key}"
        )
        for one in STAND_INS
    }


def _login_variables(clients: dict[str, Client], bind: Bind) -> dict[str, str]:
    """Return the settings of all login providers, with the addresses of their stand-ins."""
    origin = provider.origin_at(bind)
    variables = {f"{PREFIX}PROVIDERS_ORDER": ",".join(one.key for one in STAND_INS)}
    for one in STAND_INS:
        variables |= one.variables(f"{origin}/{one.key}", clients[one.key])
    return variables


def _prepare(settings: Settings, origin: str) -> str:
    """Create and fill the database; return a sign-in link for the admin view."""
    service.bring_up_to_date(settings)
    with service.writing(settings) as session:
        seed.fill(session, origin, at=now())
        token = accounts.issue_link(session, accounts.operator(session), at=now())
    return f"{settings.base_url}/admin/sign-in/{token}"


def _announce(origin: str, settings: Settings, link: str) -> None:
    click.secho(f"\n  The blog     {origin}/comment-section/", bold=True)
    click.echo(f"               {origin}/  every page, with comment counts")
    click.secho(f"  Admin view   {link}", bold=True)
    click.echo("               signs in once, within 30 minutes")
    click.echo(f"  Logging in   by an icon in the comment box: “{LABEL}” stands in for the real providers,")
    click.echo("               with four made-up people and no password; nothing leaves this machine")
    click.echo(f"  The service  {settings.base_url}")
    click.echo(f"  Data         {settings.data_dir}")
    click.echo("\n  Ctrl+C stops everything and deletes the data.\n")


@contextmanager
def _service(variables: dict[str, str], bind: Bind) -> Iterator[subprocess.Popen[bytes]]:
    """Run the real server as a child process; yield it once it is ready."""
    command = [sys.executable, "-m", "commentsvc", "serve", "--bind", str(bind), "--no-access-log"]
    # In a session of its own, so that Ctrl+C reaches only this process, which then stops the service properly.
    child = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    try:
        _wait_until_ready(child, bind)
        yield child
    finally:
        child.terminate()
        child.wait()


def _wait_until_ready(child: subprocess.Popen[bytes], bind: Bind) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise DemoError(f"The comment service did not start (exit code {child.returncode}).")
        if _answers(bind):
            return
        time.sleep(0.05)
    raise DemoError(f"The comment service did not answer within {PATIENCE} seconds.")


def _answers(bind: Bind) -> bool:
    connection = http.client.HTTPConnection(bind.host, bind.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def _stoppable() -> Iterator[None]:
    """Make SIGTERM and a closed terminal act like Ctrl+C.

    SIGINT too, because Python leaves it ignored if it was when we started: in the background of a script, or under
    some CI runners.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
