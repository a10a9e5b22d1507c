"""The operator's commands, run as the operator runs them."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, text

from commentsvc.cli.commands import main
from tests.conftest import SECRET
from tests.support.cli_service import EXPORT, fail, succeed

pytestmark = pytest.mark.usefixtures("bare_environment")


def own_process(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a process, whose output is read as UTF-8."""
    command = [sys.executable, "-m", "commentsvc", *arguments]
    environ = os.environ | variables
    return subprocess.run(
        command, capture_output=True, env=environ, encoding="utf-8", errors="surrogateescape", check=False
    )


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_init_makes_settings_and_a_database() -> None:
    output = succeed("init", "--base-url", "https://comments.example")
    assert "commentsvc site add" in output
    file = Path("instance/settings.env")
    assert file.stat().st_mode & 0o777 == 0o600
    assert "COMMENTSVC_BASE_URL=https://comments.example\n" in file.read_text()
    assert re.search(r"COMMENTSVC_SECRET_KEY=\S{60,}\n", file.read_text())
    assert Path("instance/comments.sqlite").exists()


def test_a_new_site_is_told_its_lines() -> None:
    succeed("init", "--base-url", "https://comments.example")
    output = succeed("site", "add", "Blog", "https://blog.example", "https://www.blog.example")
    assert '<script async src="https://comments.example/embed.js"></script>' in output
    for kind, ending in (("application/atom+xml", "atom"), ("application/feed+json", "json")):
        line = f'type="{kind}" title="Comments" href="https://comments.example/feeds/site.{ending}?origin=https%3A'
        assert line in output
    succeed("site", "edit", "Blog", "--no-comment-feeds")


def test_init_again_changes_nothing() -> None:
    succeed("init")
    before = Path("instance/settings.env").read_text()
    succeed("init")
    assert Path("instance/settings.env").read_text() == before


def test_init_leaves_to_the_environment_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMENTSVC_SECRET_KEY", SECRET)
    succeed("init")
    assert Path("instance/settings.env").read_text() == "COMMENTSVC_BASE_URL=http://127.0.0.1:8600\n"


def test_init_does_not_overrule_the_address_that_is_set() -> None:
    succeed("init", "--base-url", "https://one.example")
    assert "already https://one.example" in fail("init", "--base-url", "https://two.example")


def test_init_knows_an_address_that_is_written_in_another_way() -> None:
    succeed("init", "--base-url", "https://Comments.Example:443/")
    succeed("init", "--base-url", "https://comments.example")


def test_init_adds_to_settings_whose_last_line_has_no_end() -> None:
    Path("instance").mkdir()
    Path("instance/settings.env").write_text("COMMENTSVC_BASE_URL=https://comments.example")
    assert "Open its page:        https://comments.example/\n" in succeed("init")


def test_init_asks_for_the_proxy_where_there_is_https(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "COMMENTSVC_TRUSTED_PROXIES" in succeed("init", "--base-url", "https://comments.example")
    monkeypatch.setenv("COMMENTSVC_TRUSTED_PROXIES", "127.0.0.1")
    assert "COMMENTSVC_TRUSTED_PROXIES" not in succeed("init")


def test_what_init_makes_is_its_users_alone() -> None:
    assert own_process("init").returncode == 0
    made = [Path("instance"), *Path("instance").iterdir()]
    assert {file.name for file in made} >= {"instance", "comments.sqlite", "settings.env"}
    assert not [file for file in made if file.stat().st_mode & 0o077]


def test_init_says_nothing_of_how_migrations_run() -> None:
    assert own_process("init", COMMENTSVC_LOG_LEVEL="INFO").stderr == ""


def test_init_writes_nothing_where_a_setting_is_wrong() -> None:
    assert "COMMENTSVC_BASE_URL" in fail("init", "--base-url", "nonsense")
    assert not Path("instance").exists()


def test_commands_before_init_say_what_is_missing() -> None:
    output = fail("site", "list")
    assert "COMMENTSVC_SECRET_KEY is not set" in output
    assert "commentsvc init" in output
    assert f"There is no {Path.cwd()}/instance/settings.env" in output


def test_commands_on_an_empty_database_name_the_command_that_fills_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    succeed("init")
    monkeypatch.setenv("COMMENTSVC_DATABASE_URL", f"sqlite:///{tmp_path}/other.sqlite")
    assert "commentsvc upgrade" in fail("admin", "link")
    assert "was brought up to date" in succeed("upgrade")
    assert "is up to date" in succeed("upgrade")
    succeed("admin", "link")


def test_a_site_is_added_and_listed() -> None:
    succeed("init", "--base-url", "https://comments.example")
    output = succeed("site", "add", "My blog", "https://blog.example/", "https://www.blog.example")
    assert '<script async src="https://comments.example/embed.js"></script>' in output
    listed = succeed("site", "list")
    assert "My blog" in listed
    assert "https://blog.example, https://www.blog.example" in listed


def test_a_site_that_cannot_be_is_refused_in_one_line() -> None:
    succeed("init")
    assert "https://blog.example" in fail("site", "add", "Blog", "blog")
    succeed("site", "add", "Blog", "https://blog.example")
    assert "already" in fail("site", "add", "Blog", "https://other.example")
    assert "already" in fail("site", "add", "Other", "https://blog.example")
    assert "the website's name" in fail("site", "add", "", "https://third.example")


def test_a_site_with_the_services_own_origin_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMENTSVC_BASE_URL", "https://www.blog.example/comments")
    succeed("init")
    assert "COMMENTSVC_BASE_URL=https://comments.blog.example" in fail(
        "site", "add", "Blog", "https://blog.example", "https://www.blog.example/start"
    )
    assert "There is no site yet" in succeed("site", "list")
    assert "https://www.blog.example/comments/embed.js" in succeed(
        "site", "add", "Blog", "https://blog.example"
    )
    monkeypatch.setenv("COMMENTSVC_BASE_URL", "https://blog.example/comments")
    assert "act as the reader and as you" in fail("init")


def test_a_link_to_the_admin_view_signs_in() -> None:
    succeed("init", "--base-url", "https://comments.example")
    link = succeed("admin", "link").strip()
    assert re.fullmatch(r"https://comments\.example/admin/sign-in/[\w-]{40,}", link)


def test_an_export_is_imported_after_a_dry_run_that_changes_nothing() -> None:
    succeed("init")
    succeed("site", "add", "Blog", "https://blog.example")
    Path("export.xml").write_text(EXPORT)
    assert "nothing was changed" in succeed(
        "import", "wordpress", "export.xml", "--site", "Blog", "--dry-run"
    )
    assert "0 comments" in succeed("site", "list")
    assert re.search(r"Comments: +1 new", succeed("import", "wordpress", "export.xml", "--site", "Blog"))
    assert "1 comment " in succeed("site", "list")
    assert "Nothing new" in succeed("import", "wordpress", "export.xml", "--site", "Blog")


def test_an_import_that_cannot_be_says_so() -> None:
    succeed("init")
    Path("export.xml").write_text(EXPORT)
    Path("other.xml").write_text("<a/>")
    assert "There are no sites yet" in fail("import", "wordpress", "export.xml", "--site", "Blog")
    succeed("site", "add", "Blog", "https://blog.example")
    assert "not a WordPress export" in fail("import", "wordpress", "other.xml", "--site", "Blog")


def test_a_file_that_is_cut_off_is_reported_before_the_error() -> None:
    succeed("init")
    succeed("site", "add", "Blog", "https://blog.example")
    Path("export.xml").write_text(EXPORT[: EXPORT.index("</item>")])
    output = run("import", "wordpress", "export.xml", "--site", "Blog").output
    assert re.search(r"Comments: +1 new.*the file ends in the middle", output, re.DOTALL)
    assert "1 comment " in succeed("site", "list")


def test_a_wrong_encoding_is_counted_before_anything_is_written() -> None:
    succeed("init")
    succeed("site", "add", "Blog", "https://blog.example")
    Path("export.xml").write_bytes(EXPORT.replace("Good.", "Größe").encode("latin-1"))
    command = ("import", "wordpress", "export.xml", "--site", "Blog")
    counted = r"characters that are not UTF-8, which the file says it is[^:]*: 2\n"
    assert re.search(rf"Before anything is written: {counted}", output := succeed(*command))
    assert re.search(rf"Note: {counted}", output)
    assert re.search(rf"Note: {counted}", succeed(*command, "--dry-run"))


@pytest.mark.parametrize(
    ("pair", "said"),
    [("anna", "is not like"), ("=1", "is not like"), ("anna=Anna", "is not like"), ("anna=99", "no role")],
)
def test_an_author_needs_an_account_with_a_role(pair: str, said: str) -> None:
    succeed("init")
    succeed("site", "add", "Blog", "https://blog.example")
    Path("export.xml").write_text(EXPORT)
    command = ("import", "wordpress", "export.xml", "--site", "Blog", "--author")
    assert said in " ".join(run(*command, pair).output.split())
    assert re.search("written by “anna”, whose account here was given: 0", succeed(*command, "anna=owner"))


def test_an_import_follows_articles_whose_addresses_have_changed() -> None:
    succeed("init")
    succeed("site", "add", "Blog", "https://blog.example")
    Path("export.xml").write_text(EXPORT.replace("/hello/", "/?p=1"))
    succeed("import", "wordpress", "export.xml", "--site", "Blog")
    Path("export.xml").write_text(EXPORT)
    command = ("import", "wordpress", "export.xml", "--site", "Blog")
    changed = "https://blog.example/?p=1 is now https://blog.example/hello/: 1"
    assert changed in succeed(*command)
    assert changed in succeed(*command, "--follow", "--dry-run")
    assert "Moved 1 thread" in succeed(*command, "--follow")
    assert "Elsewhere" not in succeed(*command)


def test_comments_are_rendered_anew_where_that_is_due() -> None:
    succeed("init")
    succeed("site", "add", "Blog", "https://blog.example")
    Path("export.xml").write_text(EXPORT)
    succeed("import", "wordpress", "export.xml", "--site", "Blog")
    assert "is up to date" in succeed("rerender")
    assert "Rendered again: 1 of 1" in succeed("rerender", "--all")
    assert "is up to date" in succeed("reindex")


def test_settings_are_shown_without_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    succeed("init")
    monkeypatch.setenv("COMMENTSVC_DATABASE_URL", "postgresql://me:hunter2@db.example/comments")
    output = succeed("settings")
    assert "COMMENTSVC_MAX_COMMENT_LENGTH = 10000" in output
    assert "hunter2" not in output
    assert Path("instance/settings.env").read_text().split("=")[1].split()[0] not in output


def test_settings_that_are_shown_are_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    succeed("init", "--base-url", "https://comments.example")
    monkeypatch.setenv("COMMENTSVC_MASTODON", "on")
    output = succeed("settings")
    assert "COMMENTSVC_MAIL_FROM = comments@comments.example\n" in output
    assert output.endswith("Login providers: mastodon\n")
    for part in ("CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"COMMENTSVC_GITHBU_{part}", "x")
        monkeypatch.setenv(f"COMMENTSVC_OIDC_{part}", "x")
    complaint = fail("settings")
    assert "No provider is called 'githbu'" in complaint
    assert "COMMENTSVC_OIDC_ISSUER is not set" in complaint


def test_a_data_directory_that_is_a_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    monkeypatch.setenv("COMMENTSVC_DATA_DIR", str(tmp_path / "taken"))
    assert str(tmp_path / "taken") in fail("init")


def test_a_database_that_cannot_be_opened_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    succeed("init")
    monkeypatch.setenv("COMMENTSVC_DATABASE_URL", "sqlite:////nowhere/comments.sqlite")
    assert re.search("/nowhere/comments.sqlite cannot be used: unable to open", fail("upgrade"))


@pytest.mark.parametrize("left", [b"no database at all " * 500, None], ids=["another file", "half of it"])
@pytest.mark.parametrize("command", [["upgrade"], ["serve"], ["site", "list"], ["doctor"], ["admin", "link"]])
def test_a_broken_database_is_a_sentence_that_names_the_backup(
    command: list[str], left: bytes | None
) -> None:
    succeed("init")
    file = Path("instance/comments.sqlite")
    file.write_bytes(left or file.read_bytes()[:20_000])
    complaint = fail(*command)
    assert str(file) in complaint
    assert "from a backup" in complaint


@pytest.mark.parametrize("command", ["upgrade", "serve", "doctor"])
def test_a_database_of_a_newer_release_is_left_alone(command: str) -> None:
    succeed("init")
    with closing(sqlite3.connect("instance/comments.sqlite")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "made by a newer release" in fail(command)


def test_a_postgresql_that_allows_no_tables_is_a_sentence_that_says_what_to_grant(
    monkeypatch: pytest.MonkeyPatch, postgresql_server: str
) -> None:
    engine = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE ROLE nobody_much LOGIN"))
        connection.execute(text("CREATE DATABASE closed"))
    url = engine.url.set(database="closed", username="nobody_much").render_as_string(hide_password=False)
    monkeypatch.setenv("COMMENTSVC_DATABASE_URL", url)
    assert re.search(r"permission denied for schema public\. .*createdb -O", fail("init"))
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE closed WITH (FORCE)"))
        connection.execute(text("DROP ROLE nobody_much"))
    engine.dispose()


def test_settings_that_are_a_directory_are_a_sentence() -> None:
    Path("instance/settings.env").mkdir(parents=True)
    assert "instance/settings.env cannot be read: Is a directory" in fail("init")


def test_a_working_directory_that_is_gone_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "COMMENTSVC_DATA_DIR: the current directory no longer exists" in fail("init")
    monkeypatch.setenv("COMMENTSVC_DATA_DIR", str(tmp_path / "data"))
    succeed("init")


def test_a_name_that_is_no_text_is_a_sentence() -> None:
    succeed("init")
    assert "is not text in UTF-8" in fail("admin", "invite", "--site", os.fsdecode(b"B\xff"))


def test_a_terminal_that_lacks_a_character_shows_another() -> None:
    succeed("init")
    url = "redis://:secret@127.0.0.1:9/0"
    for command in ("doctor", "settings"):
        done = own_process(command, PYTHONIOENCODING="latin-1", COMMENTSVC_REDIS_URL=url)
        assert "Traceback" not in done.stderr
        assert "redis://:?@127.0.0.1:9/0" in done.stdout


@pytest.mark.parametrize("bind", ["8600", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "::1:8600", "a b:1"])
def test_serve_refuses_an_address_it_cannot_read(bind: str) -> None:
    succeed("init")
    assert "is not HOST:PORT" in fail("serve", "--bind", bind)


def test_every_command_explains_itself() -> None:
    overview = succeed("--help")
    for command in (
        "init",
        "serve",
        "site",
        "admin",
        "import",
        "rerender",
        "reindex",
        "demo",
        "upgrade",
        "settings",
        "work",
    ):
        assert f"\n  {command} " in overview
        assert len(succeed(command, "--help").splitlines()) > 4


def test_python_m_commentsvc_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "commentsvc", "--version"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"commentsvc \d+\.\d+\.\d+\S*\n", done.stdout)


def test_a_released_migration_is_what_init_runs(tmp_path: Path) -> None:
    succeed("init")
    engine = create_engine(f"sqlite:///{tmp_path}/instance/comments.sqlite")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()
