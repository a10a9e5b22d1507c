"""`commentsvc doctor` as an operator meets it."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from commentsvc.cli.commands import main
from tests.conftest import environment
from tests.support import faults
from tests.support.mail_server import mail_server

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def invoke(*words: str, **more: str) -> Result:
        return CliRunner().invoke(main, words, env=environment(tmp_path, **more))

    assert invoke("upgrade").exit_code == 0
    return invoke


class TestDoctor:
    def test_says_what_to_do_where_there_is_no_site(self, run: Run) -> None:
        result = run("doctor")
        assert result.exit_code == 1
        assert "commentsvc site add" in result.output

    def test_says_when_the_service_does_not_answer(self, run: Run) -> None:
        result = run("doctor", COMMENTSVC_BASE_URL="http://127.0.0.1:9")
        assert "Is `commentsvc serve` running" in result.output

    def test_warns_of_http_under_pages_of_https(self, run: Run) -> None:
        run("site", "add", "Blog", "https://blog.example")
        assert "will not load comments" in run("doctor").output

    def test_refuses_a_site_with_the_services_own_origin(self, run: Run) -> None:
        run("site", "add", "Blog", "http://127.0.0.1:9")
        assert "act as the reader and as you" not in run("doctor").output
        result = run("doctor", COMMENTSVC_BASE_URL="http://127.0.0.1:9/comments")
        assert "act as the reader and as you" in result.output
        assert "COMMENTSVC_BASE_URL=http://127.0.0.1:8600" in result.output
        assert result.exit_code == 1

    def test_names_the_redirect_address_of_each_provider(self, run: Run) -> None:
        result = run("doctor", COMMENTSVC_GITHUB_CLIENT_ID="a", COMMENTSVC_GITHUB_CLIENT_SECRET="b")
        assert "redirect address: http://127.0.0.1:8600/login/callback/github" in result.output

    def test_names_where_meta_sends_its_notices(self, run: Run) -> None:
        result = run("doctor", COMMENTSVC_FACEBOOK_CLIENT_ID="a", COMMENTSVC_FACEBOOK_CLIENT_SECRET="b")
        for path in ("deletion", "deauthorize"):
            assert f" address: http://127.0.0.1:8600/login/facebook/{path}\n" in result.output

    def test_says_when_discovery_does_not_answer(self, run: Run) -> None:
        result = run(
            "doctor",
            COMMENTSVC_OIDC_HOME_ISSUER="http://127.0.0.1:9",
            COMMENTSVC_OIDC_HOME_CLIENT_ID="a",
            COMMENTSVC_OIDC_HOME_CLIENT_SECRET="b",
        )
        assert "discovery at http://127.0.0.1:9\n" in result.output
        assert "not available right now" in result.output

    def test_names_the_variables_of_providers_not_turned_on(self, run: Run) -> None:
        assert "COMMENTSVC_GOOGLE_CLIENT_ID, COMMENTSVC_GOOGLE_CLIENT_SECRET" in run("doctor").output

    def test_names_what_can_stand_in_for_apples_secret(self, run: Run) -> None:
        assert "COMMENTSVC_APPLE_CLIENT_SECRET or COMMENTSVC_APPLE_TEAM_ID" in run("doctor").output

    def test_asks_for_the_proxy_where_there_is_https(self, run: Run) -> None:
        address = {"COMMENTSVC_BASE_URL": "https://127.0.0.1:9"}
        without = run("doctor", **address).output
        assert "! Trusted proxies  none\n" in without
        assert "count as one network" in without
        trusted = run("doctor", COMMENTSVC_TRUSTED_PROXIES="127.0.0.1", **address).output
        assert "? Trusted proxies  127.0.0.1/32; not tried\n" in trusted

    def test_asks_for_no_proxy_where_there_is_no_https(self, run: Run) -> None:
        assert "proxies" not in run("doctor").output

    def test_says_that_the_file_is_sound_and_its_disk_has_room(self, run: Run) -> None:
        output = run("doctor").output
        assert "✓ Its pages        are sound\n" in output
        assert re.search(r"✓ Its disk         has [\d,]+ MB free\n", output)

    def test_says_whether_anybody_does_the_background_work(self, run: Run) -> None:
        output = run("doctor").output
        assert "! Background work  was never done\n" in output
        assert "run `commentsvc work`" in output
        assert run("work", "--once").exit_code == 0
        output = run("doctor").output
        assert re.search(r"✓ Background work  last done on [-\d]+ at [:\d]+ UTC\n", output)
        assert "`commentsvc work`" not in output

    def test_finds_a_damaged_page(self, run: Run, tmp_path: Path) -> None:
        file = tmp_path / "comments.sqlite"
        with sqlite3.connect(file) as database:
            (page,) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'comment'").fetchone()
            (size,) = database.execute("PRAGMA page_size").fetchone()
        database.close()
        with file.open("r+b") as bytes_:
            bytes_.seek((page - 1) * size)
            bytes_.write(b"\xff" * size)
        result = run("doctor")
        assert result.exit_code == 1
        assert "! Its pages" in result.output
        assert "restore a backup" in result.output

    def test_says_that_the_disk_is_full(self, run: Run, tmp_path: Path) -> None:
        with faults.small_disk(tmp_path / "disk") as disk:
            shutil.copy(tmp_path / "comments.sqlite", disk)
            faults.fill(disk)
            result = run("doctor", COMMENTSVC_DATABASE_URL=f"sqlite:///{disk}/comments.sqlite")
        assert result.exit_code == 1
        assert "disk" in result.output
        assert "Free some space" in result.output

    def test_says_that_the_database_is_gone(self, run: Run, tmp_path: Path) -> None:
        for file in tmp_path.glob("comments.sqlite*"):
            file.unlink()
        result = run("doctor")
        assert result.exit_code == 1
        assert "is missing, although the service ran here before" in result.output
        assert not (tmp_path / "comments.sqlite").exists()

    def test_says_nothing_of_redis_where_there_is_none(self, run: Run) -> None:
        assert "Redis" not in run("doctor").output

    def test_says_that_redis_answers(self, run: Run, redis_url: str) -> None:
        assert (
            f"✓ Redis            {redis_url} answers\n"
            in run("doctor", COMMENTSVC_REDIS_URL=redis_url).output
        )

    def test_says_when_redis_does_not_answer_and_what_that_means(self, run: Run) -> None:
        result = run("doctor", COMMENTSVC_REDIS_URL="redis://:secret@127.0.0.1:9/0")
        assert result.exit_code == 1
        assert "! Redis            redis://:…@127.0.0.1:9/0 does not answer" in result.output
        assert "nothing is limited" in result.output
        assert "secret" not in result.output

    def test_says_when_the_mail_server_refuses_the_login(self, run: Run) -> None:
        with mail_server(login=("ada", "right")) as box:
            good = run("doctor", COMMENTSVC_SMTP_URL=box.url)
            bad = run("doctor", COMMENTSVC_SMTP_URL=box.url.replace("right", "wrong"))
        assert (
            f"✓ Mail             from comments@127.0.0.1 by localhost:{box.port}: not encrypted, logged in\n"
            in (good.output)
        )
        assert "The mail server refused the login" in bad.output
        assert "Check COMMENTSVC_SMTP_URL." in bad.output
        assert "wrong" not in bad.output

    def test_sends_a_test_mail_and_says_what_it_cannot_see(self, run: Run) -> None:
        with mail_server() as box:
            result = run("doctor", "--mail-to", "You@Mail.example", COMMENTSVC_SMTP_URL=box.url)
        assert "not encrypted; it took a test mail for you@mail.example\n" in result.output
        assert "? Mail's way       SPF and DKIM of 127.0.0.1, and PTR" in result.output
        (mail,) = box.mails
        assert box.recipients == ["you@mail.example"]
        assert mail["Subject"] == "A test mail of commentsvc"
        assert "Authentication-Results" in str(mail.get_content())

    def test_sends_none_unasked_but_says_how(self, run: Run) -> None:
        with mail_server() as box:
            result = run("doctor", COMMENTSVC_SMTP_URL=box.url)
        assert box.raw == []
        assert "`doctor --mail-to YOU` sends a mail" in result.output

    def test_says_that_the_server_refuses_the_test_mail(self, run: Run) -> None:
        with mail_server(refusals={"RCPT": ["550 5.1.1 nobody here"]}) as box:
            result = run("doctor", "--mail-to", "you@mail.example", COMMENTSVC_SMTP_URL=box.url)
        assert result.exit_code == 1
        assert "The mail server said 550 5.1.1 nobody here Check the address." in result.output
        assert "It needs COMMENTSVC_SMTP_URL." in run("doctor", "--mail-to", "you@mail.example").output
        assert run("doctor", "--mail-to", "nobody").exit_code == 2

    def test_refuses_a_provider_it_does_not_know(self, run: Run) -> None:
        result = run("doctor", COMMENTSVC_MYSPACE_CLIENT_ID="a", COMMENTSVC_MYSPACE_CLIENT_SECRET="b")
        assert result.exit_code == 1
        assert "No provider is called 'myspace'" in result.output


def test_the_owner_says_how_to_sign_their_comments(run: Run, tmp_path: Path) -> None:
    assert run("admin", "link", "--name", "Mara").exit_code == 0
    with sqlite3.connect(tmp_path / "comments.sqlite") as database:
        assert database.execute("SELECT name FROM commenter").fetchall() == [("Mara",)]
    database.close()
