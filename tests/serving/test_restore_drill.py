"""The drill: a service is killed, its data directory deleted, and a backup restored."""

from __future__ import annotations

import http.client
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url, select, text

from commentsvc.cli.commands import main
from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain import hash_keys
from commentsvc.domain.accounts import accounts
from commentsvc.domain.maintenance import backups
from commentsvc.domain.notifications import suppression
from commentsvc.domain.sites import sites
from commentsvc.models import EndReason, Policy, Site, Subscription, SubscriptionKind, SuppressionReason
from tests.conftest import BASE_URL, BLOG, environment
from tests.support import archives, processes, service_processes
from tests.support.service_processes import Answer, Guest

PAGE = f"{BLOG}/article"
LEAVES, STAYS = "leaves@mail.example", "stays@mail.example"


class Drill:
    """A service with a data directory and a directory of backups of its own."""

    def __init__(self, folder: Path, url: str | None) -> None:
        self.folder, self.data, self.backups = folder, folder / "data", folder / "backups"
        database = {"COMMENTSVC_DATABASE_URL": url} if url else {}
        self.variables = environment(self.data, COMMENTSVC_BACKUP_DIR=str(self.backups), **database)
        self.settings = Settings.from_env(self.variables)

    def command(self, *words: str) -> str:
        """Run a command as an operator does; return what it printed."""
        result = CliRunner().invoke(main, words, env=self.variables)
        assert result.exit_code == 0, result.output
        return result.output

    def add_site(self) -> None:
        """Add a site, and two people who get mail about new articles."""
        with archives.opened(self.settings) as session:
            begin_write(session)
            site = sites.add(session, "Blog", [BLOG], owner_id=accounts.operator(session).id)
            site.policy, site.valve = Policy.OPEN, False
            for address in (LEAVES, STAYS):
                row = archives.subscribe(session, site, None, address, None)
                row.kind, row.token = SubscriptionKind.POSTS, address.partition("@")[0]
                row.address_hash = suppression.hash_of_address(hash_keys.load_within(session), address)
            session.commit()

    def require_mail_as_before(self) -> None:
        """Check that who has left gets no mail, and who has stayed gets it."""
        with archives.opened(self.settings) as session:
            rows = {row.address: row.ended_by for row in session.scalars(select(Subscription))}
            assert rows == {LEAVES: EndReason.ONE_CLICK, STAYS: None}
            site_id = session.scalars(select(Site.id)).one()
            hashed = suppression.hash_of_address(hash_keys.read(session), LEAVES)
            assert suppression.effective(session, hashed, site_id) is SuppressionReason.ASKED

    def made(self) -> list[datetime]:
        """When backups were made, the newest first."""
        return [backup.at for backup in backups.in_directory(self.backups)] if self.backups.exists() else []


def guest_on(port: int, name: str, stack: ExitStack) -> Guest:
    """Return a guest whose connection is closed at the end."""
    guest = Guest(port, name)
    stack.callback(guest.connection.close)
    return guest


def press(port: int, path: str, **fields: str) -> None:
    """Press a button of one of our pages."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=processes.PATIENCE)
    headers = {"Origin": BASE_URL, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", path, urlencode(fields), headers)
    assert connection.getresponse().status == 200, path
    connection.close()


def receipt_of(answer: Answer) -> str:
    """Return the path of the private link to a guest's comment."""
    return urlsplit(str(answer.body["receipt"])).path


@pytest.fixture
def database_url(engine_name: str, request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The URL of an empty database of the drill's own; None for the file in the data directory."""
    if engine_name == "sqlite":
        yield None
        return
    server = request.getfixturevalue("postgresql_server")
    _recreate(server)
    yield make_url(server).set(database="drill").render_as_string(hide_password=False)
    _recreate(server, again=False)


def _recreate(server: str, *, again: bool = True) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS drill WITH (FORCE)"))
        if again:
            connection.execute(text("CREATE DATABASE drill"))
    engine.dispose()


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_a_lost_machine_comes_back_without_those_who_left(
    engine_name: str, database_url: str | None, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    drill = Drill(tmp_path, database_url)
    drill.command("upgrade")
    drill.add_site()
    with (
        service_processes.service(drill.settings, drill.data, environ=drill.variables) as running,
        ExitStack() as stack,
    ):
        processes.until(drill.made, "the scheduled backup")
        guests = [guest_on(running.port, name, stack) for name in ("anna", "ben", "carl")]
        posted = [
            guest.post(PAGE, f"{guest.name} writes {number}", key=f"{guest.name}-{number}")
            for number in range(3)
            for guest in guests
        ]
        assert {answer.status for answer in posted} == {200}
        made = Path(drill.command("backup").removeprefix("Written and proved: ").rpartition(", ")[0])
        lost = guests[0].post(PAGE, "Too late for the backup", key="late")
        press(running.port, f"{receipt_of(posted[0])}/delete")
        press(running.port, "/mail/stop-site/leaves", **{"List-Unsubscribe": "One-Click"})
        drill.command("user", "erase", "email:ben@mail.example", "--yes")
        running.kill()
    shutil.rmtree(drill.data)
    if engine_name == "postgresql":
        _recreate(request.getfixturevalue("postgresql_server"))
        drill.command("upgrade")
    printed = drill.command("restore", str(made))
    assert "Erased or ended again" in printed
    with (
        service_processes.service(drill.settings, drill.data, environ=drill.variables) as again,
        ExitStack() as stack,
    ):
        reader = guest_on(again.port, "dora", stack)
        status, shown = reader.read(PAGE)
        assert status == 200
        assert lost.id not in shown
        left = [answer.id for answer in posted[1:] if answer not in posted[1::3]]
        assert sorted(shown) == sorted(left)
        page = reader.get("/thread?" + urlencode({"url": PAGE}))
        assert "carl writes 2" in page
        assert "anna writes 1" in page
        assert "anna writes 0" not in page
        assert "ben" not in page
        assert reader.post(PAGE, "After the drill", key="dora").status == 200
    drill.require_mail_as_before()
