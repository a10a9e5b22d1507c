"""`commentsvc work`, as it runs beside another WSGI server."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from click.testing import CliRunner

from commentsvc.cli.commands import main
from tests.conftest import environment
from tests.support import processes
from tests.support.mail_server import mail_server
from tests.support.processes import Process

WORK = ("-m", "commentsvc", "work")
READY = "doing the background work of"


@contextmanager
def connected(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "comments.sqlite")) as database, database:
        yield database


def migrate(folder: Path) -> None:
    assert CliRunner().invoke(main, ["upgrade"], env=environment(folder)).exit_code == 0


def enqueue(folder: Path, many: int) -> list[str]:
    """Store mails that are due; return their recipients."""
    recipients = [f"{number}@mail.example" for number in range(many)]
    with connected(folder) as database:
        database.executemany(
            "INSERT INTO delivery (recipient, subject, text, state, attempts, next_attempt_at, created_at)"
            " VALUES (?, 'Hello', 'Good day.', 'waiting', 0, '2026-06-01', '2026-06-01')",
            [(one,) for one in recipients],
        )
    return sorted(recipients)


def test_two_at_once_send_each_mail_once_and_stop_when_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    migrate(data)
    with mail_server() as box, ExitStack() as stack:
        variables = environment(data, COMMENTSVC_SMTP_URL=box.url, COMMENTSVC_LOG_LEVEL="INFO")
        running: list[Process] = [
            stack.enter_context(processes.running(tmp_path / f"output{number}", variables, *WORK))
            for number in range(2)
        ]
        for process in running:
            process.until_said(READY)
        recipients = enqueue(data, 20)
        processes.until(lambda: len(box.raw) >= 20, "twenty mails")
        for process, how in zip(running, (signal.SIGTERM, signal.SIGINT), strict=True):
            process.send(how)
            assert process.child.wait(10) == 0
    assert sorted(box.recipients) == recipients
    assert not any("Traceback" in process.said() for process in running)


def test_it_goes_on_when_its_terminal_is_closed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    migrate(data)
    with mail_server() as box:
        variables = environment(data, COMMENTSVC_SMTP_URL=box.url, COMMENTSVC_LOG_LEVEL="INFO")
        with processes.running(tmp_path / "output", variables, *WORK) as process:
            process.until_said(READY)
            process.send(signal.SIGHUP)
            enqueue(data, 1)
            processes.until(lambda: box.raw, "the mail")
            assert process.child.poll() is None


def test_it_refuses_a_database_that_is_not_migrated(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["work"], env=environment(tmp_path))
    assert result.exit_code == 1
    assert "`commentsvc upgrade` migrates an older one" in result.stderr


def test_it_deletes_what_has_expired_and_lets_pages_show_votes(tmp_path: Path) -> None:
    migrate(tmp_path)
    with connected(tmp_path) as database:
        database.execute(
            "INSERT INTO delivery (state, attempts, created_at) VALUES ('sent', 1, '2026-01-01 00:00:00')"
        )
        database.execute(
            'INSERT INTO site (id, name, heading, policy, "order", email_field, name_field, website_field, created_at)'
            " VALUES (1, 'Blog', 'Reply', 'open', 'best', 'off', 'off', 'off', '2026-01-01 00:00:00')"
        )
        database.execute(
            "INSERT INTO thread (site_id, key, url, version, approved_count, votes_since, created_at)"
            " VALUES (1, 'k', 'https://blog.example/', 6, 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
        )
    result = CliRunner().invoke(main, ["work", "--once"], env=environment(tmp_path))
    assert result.output == "Tried to send 0; 0 waiting.\n"
    with connected(tmp_path) as database:
        assert database.execute("SELECT count(*) FROM delivery").fetchone() == (0,)
        assert database.execute("SELECT version, votes_since FROM thread").fetchone() == (7, None)
