"""`commentsvc init` as a new owner meets it: asked on a terminal, by options elsewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from commentsvc.cli.commands import main
from commentsvc.config import PREFIX
from tests.support.terminal import Conversation, converse

FILE = Path("instance/settings.env")
ANSWERS = (
    ("Address of the service", "https://comments.example"),
    ("Mail server", "none"),
    ("Its name", "Ada writes"),
    ("Its address", "https://ada.example/articles/"),
)
SITE = ("--site-name", "Ada writes", "--site-url", "https://ada.example")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A directory of its own and none of this machine's settings."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COMMENTSVC_LOG_LEVEL", "ERROR")
    monkeypatch.chdir(tmp_path)


def run(*options: str) -> Result:
    return CliRunner().invoke(main, ["init", *options])


def sites() -> str:
    return CliRunner().invoke(main, ["site", "list"]).output


def test_on_a_terminal_it_asks_and_makes_everything(tmp_path: Path) -> None:
    code, text = converse(tmp_path, ["init"], ANSWERS)
    assert code == 0, text
    assert "COMMENTSVC_BASE_URL=https://comments.example\n" in FILE.read_text()
    assert "COMMENTSVC_SMTP_URL" not in FILE.read_text()
    assert "Added the site 'Ada writes' for https://ada.example\n" in text
    assert '<script async src="https://comments.example/embed.js"></script>' in text
    assert re.search(r"https://comments\.example/admin/sign-in/[\w-]{40,}\n", text)
    assert "commentsvc serve\n" in text
    assert "Open its page:        https://comments.example/\n" in text


def test_a_wrong_answer_is_explained_and_asked_for_again(tmp_path: Path) -> None:
    answers = (
        ("Address of the service", "comments.example/path?x"),
        ("Address of the service", "comments.example"),
        ("Mail server", "http://mail.example"),
        ("Mail server", "mail.example:587"),
        ("User name there", "ada@mail.example"),
        ("Password", "p@ss/w#rd"),
        ("Its name", " "),
        ("Its name", "Blog"),
        ("Its address", "https://two words.example"),
        ("Its address", "blog.example"),
    )
    code, text = converse(tmp_path, ["init"], answers)
    assert code == 0, text
    assert "COMMENTSVC_BASE_URL=https://comments.example\n" in FILE.read_text()
    assert (
        "COMMENTSVC_SMTP_URL=smtp://ada%40mail.example:p%40ss%2Fw%23rd@mail.example:587\n" in FILE.read_text()
    )
    assert "https://blog.example" in sites()
    assert "must be smtp://" in text
    assert "p@ss" not in text


def test_what_options_say_is_not_asked(tmp_path: Path) -> None:
    code, text = converse(
        tmp_path, ["init", "--base-url", "https://c.example", "--smtp-url", "none", *SITE], ()
    )
    assert code == 0, text
    assert "?" not in text
    assert "/admin/sign-in/" in text


def test_leaving_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    conversation = Conversation(tmp_path, "init")
    for question, answer in ANSWERS[:3]:
        conversation.answer(question, f"{answer}\n")
    conversation.answer("Its address", "\x04")
    assert conversation.end()[0] == 1
    assert not Path("instance").exists()


def test_on_a_terminal_an_existing_instance_is_shown_and_left_as_it_is(tmp_path: Path) -> None:
    assert run("--base-url", "https://comments.example", *SITE).exit_code == 0
    before = FILE.read_text()
    code, text = converse(tmp_path, ["init"], ())
    assert code == 0, text
    assert FILE.read_text() == before
    assert "Left as they are: COMMENTSVC_SECRET_KEY, COMMENTSVC_BASE_URL\n" in text
    assert "There is the site 'Ada writes' for https://ada.example\n" in text
    assert "/admin/sign-in/" in text


def test_on_a_terminal_the_origin_of_the_service_is_refused_as_a_site_and_asked_for_again(
    tmp_path: Path,
) -> None:
    url = ANSWERS[-1][1]
    answers = [*ANSWERS[:-1], (ANSWERS[-1][0], "https://comments.example"), (ANSWERS[-1][0], url)]
    code, text = converse(tmp_path, ["init"], answers)
    assert code == 0, text
    assert "COMMENTSVC_BASE_URL=https://discussion.comments.example" in text
    assert "https://comments.example" not in sites()


def test_on_a_terminal_a_missing_site_is_asked_for_later(tmp_path: Path) -> None:
    assert run("--base-url", "https://comments.example").exit_code == 0
    code, text = converse(tmp_path, ["init"], ANSWERS[2:])
    assert code == 0, text
    assert "https://ada.example" in sites()


def test_elsewhere_options_make_everything_and_nothing_is_asked() -> None:
    smtp = "smtp://u:p@mail.example:587"
    result = run(
        "--base-url", "https://comments.example", "--smtp-url", smtp, *SITE, "--site-url", "https://b.example"
    )
    assert result.exit_code == 0, result.output
    assert f"COMMENTSVC_SMTP_URL={smtp}\n" in FILE.read_text()
    assert "Added the site 'Ada writes' for https://ada.example, https://b.example\n" in result.output
    assert "/admin/sign-in/" in result.output


def test_elsewhere_it_says_what_is_missing() -> None:
    result = run()
    assert result.exit_code == 0
    assert "commentsvc site add" in result.output
    assert "Readers need https" in result.output


def test_repeated_elsewhere_it_makes_no_secrets_and_no_second_site() -> None:
    options = ("--base-url", "https://comments.example", *SITE)
    run(*options)
    result = run(*options)
    assert result.exit_code == 0, result.output
    assert "/admin/sign-in/" not in result.output
    assert "commentsvc admin link" in result.output
    assert sites().count("Ada writes") == 1


def test_a_mail_server_can_be_added_later_but_not_exchanged() -> None:
    run()
    assert run("--smtp-url", "smtp://mail.example").exit_code == 0
    result = run("--smtp-url", "smtp://other.example")
    assert result.exit_code == 1
    assert "COMMENTSVC_SMTP_URL is already set" in result.stderr
    assert run("--smtp-url", "none").exit_code == 0
    assert "COMMENTSVC_SMTP_URL=smtp://mail.example\n" in FILE.read_text()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--site-name", "Blog"], "needs both --site-name and --site-url"),
        (["--site-url", "https://blog.example"], "needs both --site-name and --site-url"),
        (["--site-name", "Blog", "--site-url", "blog"], "An origin looks like https://blog.example"),
        (["--site-name", " ", "--site-url", "https://blog.example"], "name"),
        (["--smtp-url", "mail.example"], "COMMENTSVC_SMTP_URL: must be smtp://"),
        (["--base-url", "https://ada.example/comments", *SITE], "would be one origin for browsers"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_written(options: list[str], told: str) -> None:
    result = run(*options)
    assert result.exit_code in {1, 2}
    assert told in result.stderr
    assert not Path("instance").exists()


def test_another_site_of_the_same_name_is_refused() -> None:
    run(*SITE)
    result = run("--site-name", "Ada writes", "--site-url", "https://other.example")
    assert result.exit_code == 1
    assert "already a site named" in result.stderr


@pytest.mark.parametrize(
    ("base_url", "command"),
    [
        ("http://127.0.0.1:8600", "commentsvc serve"),
        ("http://localhost:8700", "commentsvc serve --bind localhost:8700"),
        ("http://[::1]", "commentsvc serve --bind [::1]:80"),
        ("https://comments.example", "commentsvc serve"),
    ],
)
def test_the_command_that_is_named_listens_at_the_address(base_url: str, command: str) -> None:
    assert f"Start the service:    {command}\n" in run("--base-url", base_url).output
