"""Every command is in docs/commands.md, and every example there does what the page says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from commentsvc.cli.commands import GROUPS, main
from tests.support import documents
from tests.support.cli_service import EXPORT, succeed, write_comments

PAGE = documents.ROOT / "docs" / "commands.md"
TEXT = PAGE.read_text()
ENDLESS = {"serve", "demo"}
EXIT_CODES = {"doctor": 1}
"""No service answers in this test. All other examples succeed."""


def leaves(group: click.Group, *names: str) -> Iterator[str]:
    """Yield every command as it is typed."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, *names, name)
        else:
            yield " ".join((*names, name))


def examples(document: Path) -> list[list[str]]:
    """Return the words of each of our commands in a document, without the program's name."""
    lines = [documents.words_of(line) for line in documents.commands(document)]
    return [words[1:] for words in lines if words[0] == "commentsvc"]


def test_every_command_has_an_example() -> None:
    lines = [" ".join(words) for words in examples(PAGE)]
    for command in leaves(main):
        assert any(line == command or line.startswith(f"{command} ") for line in lines), command


def test_every_command_is_under_a_heading() -> None:
    grouped = [command.name for commands in GROUPS.values() for command in commands]
    assert sorted(grouped) == sorted(main.commands)  # type: ignore[type-var]
    output = CliRunner().invoke(main, ["--help"], terminal_width=80).output
    assert all(f"\n{heading}:\n" in output for heading in GROUPS)
    listed = output[output.index(f"{next(iter(GROUPS))}:") :]
    assert "..." not in listed  # every summary fits


@pytest.mark.parametrize("document", documents.DOCUMENTS, ids=documents.name_of)
def test_every_documented_command_exists(document: Path) -> None:
    for words in examples(document):
        command: click.Command = main
        for word in words:
            if (
                not isinstance(command, click.Group)
                or word.startswith("-")
                or not re.fullmatch("[a-z-]+", word)
            ):
                break
            assert word in command.commands, words
            command = command.commands[word]


def test_the_examples_run(tmp_path: Path, bare_environment: None) -> None:
    Path("export.xml").write_text(EXPORT)
    every = examples(PAGE)
    before = [words for words in every if "--data-dir" in words]
    for words in [*(one for one in every if one not in before), *before]:
        words = [str(tmp_path / "instance") if word == "/srv/comments" else word for word in words]
        if words[0] in ENDLESS:
            words = [*words, "--help"]
        result = CliRunner().invoke(main, words)
        line = " ".join(words)
        expected = next((code for start, code in EXIT_CODES.items() if line.startswith(start)), 0)
        assert result.exit_code == expected, f"{line}: {result.output}"
        if line.startswith("site add My blog"):
            write_comments("My blog")
        if "--json" in words:
            assert set(json.loads(result.stdout)) == {"items", "more"}, line


def test_the_fields_of_each_list_are_as_documented(written: list[int]) -> None:
    rows = re.findall(r"^\| `(site list|admin list|comments list|user list|stats)` \| (.*) \|$", TEXT, re.M)
    assert len(rows) == 5
    for command, fields in rows:
        items = json.loads(succeed(*command.split(), "--json"))["items"]
        named = set(re.findall("`([a-z_]+)`", fields)) - {"date", "label", "count"}
        assert items
        assert all(set(item) == named for item in items), command
