"""`commentsvc import`: it recognises files, shows what would happen, and puts articles where a person says."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner

from commentsvc.cli.commands import main
from tests.support.cli_service import fail, succeed
from tests.support.exports import FOLDER

DISQUS = FOLDER / "disqus.xml"


@pytest.fixture(autouse=True)
def _site(bare_environment: None) -> None:
    succeed("init")
    succeed("site", "add", "Blog", "https://blog.example")


def test_a_file_is_recognised_and_shown_before_it_is_written() -> None:
    output = succeed("import", str(DISQUS), "--site", "Blog", "--dry-run")
    assert "Recognised:   disqus.xml is from Disqus" in output
    assert "Dry run: nothing was changed." in output
    assert "  localhost:4000: 1 article, 1 comment, not of this site" in output
    assert (
        "  Ann, 2019-01-02 09:30 UTC, https://blog.example/first/\n    First! Second line & x < y" in output
    )
    assert "0 comments" in succeed("site", "list")


def test_several_files_and_standard_input_are_imported() -> None:
    packed = gzip.compress(DISQUS.read_bytes())
    command = ["import", "-", str(FOLDER / "waline.json"), "--site", "Blog"]
    output = CliRunner().invoke(main, command, input=packed).output
    assert "standard input is from Disqus" in output
    assert "waline.json is from Waline" in output
    assert "Comments:     12 new (8 approved, 1 held, 2 spam, 1 trash)" in output


def test_articles_go_where_the_map_says_and_hosts_can_be_left_out() -> None:
    Path("map.csv").write_text("old,new\n/first/,/moved/\n")
    output = succeed("import", str(DISQUS), "--site", "Blog", "--map", "map.csv", "--host", "blog.example")
    assert "on articles of other hosts than --host names: 1" in output
    assert "Threads:      1 new" in output


def test_addresses_that_the_site_does_not_have_are_listed() -> None:
    Path("sitemap.txt").write_text("https://blog.example/first/\n")
    command = ("import", str(DISQUS), "--site", "Blog", "--dry-run", "--sitemap", "sitemap.txt")
    assert "Not in the sitemap: 1 of 3; --map says" in succeed(*command)
    assert "  https://blog.example/second/" in succeed(*command)


def test_a_file_that_is_not_recognised_can_be_named() -> None:
    Path("export").write_text(
        '{"id": "1", "locator": {"url": "https://blog.example/a/"}, "orig": "Hi", "time": 1546421415}'
    )
    assert "no export that can be read" in fail("import", "export", "--site", "Blog")
    assert "Comments:     1 new" in succeed("import", "export", "--site", "Blog", "--from", "remark42")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nothing.xml",), "'nothing.xml' does not exist"),
        ((str(DISQUS), "--from", "blogspot"), "'blogspot' is not one of wordpress, disqus"),
    ],
)
def test_a_wrong_command_is_explained(words: tuple[str, ...], sentence: str) -> None:
    result = CliRunner().invoke(main, ["import", *words, "--site", "Blog"])
    assert result.exit_code == 2
    assert sentence in result.output
