"""The commands of all documents, read out of them and run in a fresh directory, and their settings."""

from __future__ import annotations

import gzip
import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from commentsvc.cli.commands import main
from commentsvc.config import Settings
from tests.conftest import environment
from tests.support import documents
from tests.support.cli_service import EXPORT, succeed
from tests.support.documents import DOCUMENTS, ROOT

NOT_RUN = {
    r"^(useradd|systemctl|journalctl|sudo -u commentsvc COMM)": "needs root and systemd",
    r"/backup|pg_dump|dropdb|createdb -O commentsvc commentsvc$|comments\.sqlite-": "test_upgrading_page.py runs it "
    "with paths, servers and users of its own",
    r"^docker ": "needs Docker; tests/repository/test_deploy.py checks its files",
    r"/opt/commentsvc( |/bin/pip)|^install .* /var/lib/commentsvc$|^cp deploy/": "writes where only root may",
    r"^(pip|pipx) install|^python3 -m venv \.venv|^\. \.venv|^cd commentsvc": "asks an index for packages; "
    "tests/support/installation.py installs the wheel without one, and test_getting_started.py uses that",
    r"^git clone": "test_getting_started.py runs it",
    r"^sudo caddy": "needs root, a public name and Caddy",
    r"^curl |^TAG=": "needs a service; test_api_document.py and tests/browser/test_consent.py do the same",
    r"^gunicorn ": "is not among our packages",
    r"^createuser |^sqlite3 ": "needs a running PostgreSQL of the machine, or a damaged file",
    r"^make |^\.venv/bin/": "runs the tests or a benchmark; make docs and the demo have tests",
}
"""Commands that no test runs, by a pattern, and why."""

RUN_ELSEWHERE = {
    "docs/commands.md": "tests/cli/test_commands.py",
    "docs/getting-started.md": "tests/repository/test_getting_started.py",
}
ENDLESS = {"serve", "demo", "work"}
NOBODY = {"user erase commenter:12"}
"""Examples of people who do not exist in this test; the command must fail."""


def why_not(command: str) -> str | None:
    """Return why a command is not run; None if it is."""
    return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, command)), None)


def to_run(document: Path) -> list[str]:
    return [line for line in documents.commands(document) if not why_not(line)]


def run(line: str) -> None:
    """Run a line: our own commands here, which is quicker, and others by a shell."""
    program, *words = documents.words_of(line)
    if program != "commentsvc":
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
        assert done.returncode == 0, line + done.stderr
        return
    if words[0] in ENDLESS:
        words.append("--help")
    result = CliRunner().invoke(main, words, input="y\n")
    assert result.exit_code == (1 if " ".join(words) in NOBODY else 0), f"{line}: {result.output}"


def write_exports() -> None:
    """Write the files that docs/moving.md imports: what is in them does not depend on their names."""
    for name in ("export.xml", "comments.db", "export-folder/export.xml"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(EXPORT)
    Path("disqus.xml.gz").write_bytes(gzip.compress(EXPORT.encode()))
    with zipfile.ZipFile("takeout.zip", "w") as archive:
        archive.writestr("export.xml", EXPORT)
    Path("addresses.csv").write_text("/2019/hello.html,/hello/\n")
    sitemap = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>{}</loc></url></urlset>"
    Path("sitemap.xml").write_text(sitemap.format("https://blog.example/hello/"))


@pytest.mark.parametrize(
    "document",
    [one for one in DOCUMENTS if to_run(one) and documents.name_of(one) not in RUN_ELSEWHERE],
    ids=documents.name_of,
)
def test_its_commands_work(document: Path, request: pytest.FixtureRequest) -> None:
    lines = to_run(document)
    begins = any(line.startswith("commentsvc init") for line in lines)
    request.getfixturevalue("bare_environment" if begins else "written")
    if not begins:
        succeed("site", "edit", "Blog", "--name", "My blog")
        write_exports()
    for line in lines:
        run(line)


def test_each_reason_for_not_running_a_command_is_needed() -> None:
    lines = [line for document in DOCUMENTS for line in documents.commands(document)]
    assert [pattern for pattern in NOT_RUN if not any(re.search(pattern, line) for line in lines)] == []
    assert not any(why_not(line) for line in lines if line.startswith("commentsvc "))
    assert all((ROOT / test).exists() for test in RUN_ELSEWHERE.values())


@pytest.mark.parametrize(
    "document", [one for one in DOCUMENTS if documents.settings(one)], ids=documents.name_of
)
def test_its_settings_are_accepted(document: Path, tmp_path: Path) -> None:
    variables = environment(tmp_path)
    for name, value in documents.settings(document):
        variables[name] = value
    Settings.from_env(variables)
