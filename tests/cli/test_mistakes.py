"""The mistakes that owners make, and that they are told what to do: the table in docs/troubleshooting.md."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.cli.commands import main
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.models import now
from commentsvc.serving import service_lock
from tests.conftest import SECRET, dispose, environment, missing
from tests.support import comment_builders, front, nginx, processes, provider_fakes
from tests.support.certificates import Authority
from tests.support.processes import Process

DOCS = Path(__file__).resolve().parents[2] / "docs"
LOCAL = "http://127.0.0.1"
SAME = "✓ Running service  is this one\n"


@dataclass
class Owner:
    """Somebody with a data directory, in which `settings.env` may be changed."""

    folder: Path

    def doctor(self, **variables: str) -> str:
        """Return what `commentsvc doctor` says."""
        result = CliRunner().invoke(main, ["doctor"], env=self._environ(variables))
        assert result.exit_code == self._expected_code(result.stdout), result.output
        return result.stdout

    def doctor_apart(self, **variables: str) -> str:
        """Return what a process of its own says, which reads PYTHONPATH and certificates anew."""
        command = [sys.executable, "-m", "commentsvc", "doctor"]
        environ = os.environ | self._environ(variables)
        done = subprocess.run(
            command, env=environ, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == self._expected_code(done.stdout), done.stderr
        return done.stdout

    def add_site(self, name: str, origin: str) -> None:
        """Run `commentsvc site add`."""
        result = CliRunner().invoke(main, ["site", "add", name, origin], env=self._environ({}))
        assert result.exit_code == 0, result.output

    def _environ(self, variables: Mapping[str, str]) -> dict[str, str]:
        return environment(self.folder, **{"COMMENTSVC_LOG_LEVEL": "WARNING", **variables})

    def _expected_code(self, output: str) -> int:
        return int(re.search(r"^! ", output, re.MULTILINE) is not None)

    @contextmanager
    def serving(self, port: int, **variables: str) -> Iterator[Process]:
        """Run the service at a port."""
        environ = self._environ(variables)
        arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
        with processes.running(self.folder / f"output-{port}", environ, *arguments) as process:
            processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
            yield process


@pytest.fixture
def owner(tmp_path: Path, migrated_sqlite: Path) -> Owner:
    shutil.copy(migrated_sqlite, tmp_path / "comments.sqlite")
    app = create_app(Settings.from_env(environment(tmp_path)))
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        sites.add(session, "Blog", ["http://127.0.0.1:9"], owner_id=accounts.operator(session).id)
        session.commit()
    dispose(app)
    return Owner(tmp_path)


@pytest.fixture
def port() -> int:
    return processes.free_port()


def local(port: int) -> dict[str, str]:
    return {"COMMENTSVC_BASE_URL": f"{LOCAL}:{port}"}


def test_nothing_is_wrong_where_nothing_is(owner: Owner, port: int) -> None:
    with owner.serving(port, **local(port)):
        text = owner.doctor(**local(port))
    assert "! " not in text
    assert SAME in text
    assert "✓ Its settings     are as this command reads them\n" in text
    assert re.search(r"✓ Clock +agrees with the service\n", text)


def test_the_table_quotes_what_is_really_said() -> None:
    package = DOCS.parent / "commentsvc"
    said = [file.read_text() for file in package.rglob("*.html")]
    for file in package.rglob("*.py"):
        tree = ast.parse(file.read_text())
        said += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
    quoted = re.findall(r"“([^”]+)”", (DOCS / "troubleshooting.md").read_text())
    assert len(quoted) > 25
    assert [words for words in quoted if not any(words in text for text in said)] == []


class TestBaseUrl:
    def test_a_name_that_does_not_exist(self, owner: Owner) -> None:
        text = owner.doctor(COMMENTSVC_BASE_URL="https://comments.invalid")
        assert "There is no server with this name. Is COMMENTSVC_BASE_URL right?" in text

    def test_http_where_the_proxy_redirects_to_https(self, owner: Owner) -> None:
        with front.answering(301, headers={"Location": "https://comments.example{path}"}) as port:
            text = owner.doctor(**local(port))
        assert "set COMMENTSVC_BASE_URL=https://comments.example and restart" in text

    def test_https_where_there_is_only_http(self, owner: Owner, port: int) -> None:
        with owner.serving(port, **local(port)):
            text = owner.doctor(COMMENTSVC_BASE_URL=f"https://127.0.0.1:{port}")
        assert "The server does not speak https" in text
        assert f"The service itself listens at 127.0.0.1:{port}." in text

    def test_http_under_pages_of_https(self, owner: Owner) -> None:
        owner.add_site("Other", "https://blog.example")
        assert "Its pages use https; browsers will not load comments into them" in owner.doctor()

    def test_www(self, owner: Owner) -> None:
        with front.answering(302, headers={"Location": "https://www.comments.example{path}"}) as port:
            text = owner.doctor(**local(port))
        assert "set COMMENTSVC_BASE_URL=https://www.comments.example and restart" in text

    def test_www_of_the_site(self, owner: Owner) -> None:
        with front.answering(301, headers={"Location": "https://www.blog.example{path}"}) as port:
            owner.add_site("Www", f"{LOCAL}:{port}")
            text = owner.doctor()
        assert f"{LOCAL}:{port} redirects to https://www.blog.example\n" in text
        assert "Readers end up at https://www.blog.example, which is no address of 'Www'" in text

    def test_a_path_that_the_proxy_does_not_pass_on(self, owner: Owner) -> None:
        with front.answering(404) as port:
            text = owner.doctor(**local(port))
        assert "! Answers there    with 404\n" in text
        assert "it must pass on the whole path" in text

    def test_a_page_of_something_else(self, owner: Owner) -> None:
        with front.answering(200) as port:
            text = owner.doctor(**local(port))
        assert "Something else answers there. Is COMMENTSVC_BASE_URL right, with its port?" in text

    def test_another_port(self, owner: Owner, port: int) -> None:
        with owner.serving(port, **local(port)):
            text = owner.doctor(**local(processes.free_port()))
        assert "The server could not be reached." in text
        assert f"The service itself listens at 127.0.0.1:{port}. Is COMMENTSVC_BASE_URL right?" in text

    def test_a_service_that_does_not_run(self, owner: Owner, port: int) -> None:
        assert "Is `commentsvc serve` running" in owner.doctor(**local(port))


class TestProxy:
    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (401, "asks for a password"),
            (403, "refuses the request"),
            (429, "answers that there were too many requests"),
            (502, "gets no valid answer from the service behind it"),
            (503, "has no service to pass requests to"),
            (504, "waits in vain for the service behind it"),
        ],
    )
    def test_its_errors_are_said_in_words(self, owner: Owner, status: int, words: str) -> None:
        with front.answering(status) as port:
            text = owner.doctor(**local(port))
        assert f"! Answers there    with {status}\n" in text
        assert f"Something in front of the service, such as a proxy, {words}." in text
        if status > 500:
            assert "start `commentsvc serve`" in text

    def test_it_passes_requests_to_another_port(self, owner: Owner, port: int) -> None:
        with owner.serving(port, **local(port)), front.answering(502) as proxy:
            text = owner.doctor(**local(proxy))
        assert f"The service listens at 127.0.0.1:{port}: the proxy must pass requests there." in text

    @pytest.mark.parametrize(
        ("trusted", "header", "told"),
        [
            ("127.0.0.1", True, "✓ Trusted proxies  the request came by one\n"),
            ("", True, "! Trusted proxies  the request came by another one than none\n"),
            ("10.0.0.1", True, "! Trusted proxies  the request came by another one than 10.0.0.1/32\n"),
            ("127.0.0.1", False, "The proxy sends no X-Forwarded-For, so all readers count as one network"),
            ("", False, "Let it (docs/serving.md), and set COMMENTSVC_TRUSTED_PROXIES"),
        ],
    )
    def test_it_is_not_trusted_or_says_nothing_of_its_readers(
        self, owner: Owner, port: int, trusted: str, header: bool, told: str
    ) -> None:
        program = nginx.find()
        if program is None:
            missing("nginx", "`python -m tests.support.nginx` brings one where it can")
        public, authority = processes.free_port(), Authority()
        authority.server("localhost", owner.folder)
        changes = {
            "listen 443 ssl": f"listen 127.0.0.1:{public} ssl",
            "/etc/ssl/comments.example.pem": f"{owner.folder}/localhost.pem",
            "/etc/ssl/comments.example.key": f"{owner.folder}/localhost.pem",
            "http://127.0.0.1:8600": f"http://127.0.0.1:{port}",
        }
        if not header:
            changes["proxy_set_header X-Forwarded-For $remote_addr;"] = ""
        config = nginx.example(DOCS / "serving.md", "location / {", changes)
        variables = {
            "COMMENTSVC_BASE_URL": f"https://localhost:{public}",
            "COMMENTSVC_TRUSTED_PROXIES": trusted,
        }
        (owner.folder / "authority.pem").write_text(authority.pem())
        with (
            owner.serving(port, **variables) as process,
            nginx.serving(str(program), owner.folder / "nginx", config, public),
        ):
            text = owner.doctor_apart(SSL_CERT_FILE=str(owner.folder / "authority.pem"), **variables)
            log = process.said()
        assert told in text
        assert SAME in text
        assert re.search(r"✓ Certificate +valid until 20", text)
        warned = "X-Forwarded-For from 127.0.0.1 is not believed" in log
        assert warned is (header and trusted != "127.0.0.1")
        assert log.count("is not believed") <= 1

    def test_a_certificate_that_nobody_believes(self, owner: Owner, port: int) -> None:
        program = nginx.find()
        if program is None:
            missing("nginx", "`python -m tests.support.nginx` brings one where it can")
        Authority().server("localhost", owner.folder)
        config = (
            f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {owner.folder}/localhost.pem; "
            f"ssl_certificate_key {owner.folder}/localhost.pem; }}"
        )
        with nginx.serving(str(program), owner.folder / "nginx", config, port):
            text = owner.doctor(COMMENTSVC_BASE_URL=f"https://localhost:{port}")
        assert "The server's certificate cannot be verified: " in text


class TestRestart:
    def test_a_setting_that_was_changed_since(self, owner: Owner, port: int) -> None:
        file = owner.folder / "settings.env"
        file.write_text("COMMENTSVC_MAX_COMMENT_LENGTH=5000\n")
        with owner.serving(port, **local(port)):
            assert SAME in owner.doctor(**local(port))
            file.write_text("COMMENTSVC_MAX_COMMENT_LENGTH=6000\nCOMMENTSVC_KEEP_SPAM_DAYS=7\n")
            text = owner.doctor(**local(port))
        assert "! Its settings     differ: COMMENTSVC_KEEP_SPAM_DAYS, COMMENTSVC_MAX_COMMENT_LENGTH\n" in text
        assert "A change counts only after a restart. Restart it" in text
        assert "5000" not in text

    def test_a_secret_key_that_was_changed_since(self, owner: Owner, port: int) -> None:
        with owner.serving(port, **local(port)):
            text = owner.doctor(COMMENTSVC_SECRET_KEY=SECRET[::-1], **local(port))
        assert "! Running service  is another one\n" in text
        assert "It has another secret key, or an older version. Restart it" in text

    def test_code_that_was_updated_since(self, owner: Owner, port: int, tmp_path: Path) -> None:
        copy = tmp_path / "code"
        root = Path(__file__).resolve().parents[2]
        for name in ("commentsvc", "migrations"):
            shutil.copytree(root / name, copy / name)
        (copy / "commentsvc" / "of_tomorrow.py").write_text('"""New."""')
        with owner.serving(port, **local(port)):
            text = owner.doctor_apart(PYTHONPATH=str(copy), **local(port))
        assert "! Its version      is another one than this command's\n" in text
        assert "It was updated, but not restarted" in text

    def test_a_database_that_was_replaced_by_a_copy_of_itself(self, owner: Owner, port: int) -> None:
        copy = owner.folder / "copy.sqlite"
        shutil.copy(owner.folder / "comments.sqlite", copy)
        url = {"COMMENTSVC_DATABASE_URL": f"sqlite:///{copy}"}
        with owner.serving(port, **local(port)):
            text = owner.doctor(**url, **local(port))
        assert "! Its database     is another one\n" in text
        assert "differ: COMMENTSVC_DATABASE_URL\n" in text


class TestTwoServices:
    def test_another_one_answers(
        self, owner: Owner, port: int, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        other = Owner(tmp_path_factory.mktemp("other"))
        shutil.copy(owner.folder / "comments.sqlite", other.folder)
        with other.serving(port, COMMENTSVC_SECRET_KEY=SECRET[::-1], **local(port)):
            text = owner.doctor(**local(port))
        assert "! Running service  is another one\n" in text
        assert "If it is a second service, stop it" in text

    def test_two_take_turns(self, owner: Owner, port: int, tmp_path_factory: pytest.TempPathFactory) -> None:
        program = nginx.find()
        if program is None:
            missing("nginx", "`python -m tests.support.nginx` brings one where it can")
        other = Owner(tmp_path_factory.mktemp("other"))
        shutil.copy(owner.folder / "comments.sqlite", other.folder)
        second, both = processes.free_port(), processes.free_port()
        config = (
            f"upstream two {{ server 127.0.0.1:{port}; server 127.0.0.1:{second}; }}\n"
            f"server {{ listen 127.0.0.1:{both}; location / {{ proxy_pass http://two; }} }}"
        )
        with (
            owner.serving(port, **local(both)),
            other.serving(second, COMMENTSVC_SECRET_KEY=SECRET[::-1], **local(both)),
            nginx.serving(str(program), owner.folder / "nginx", config, both),
        ):
            text = owner.doctor(**local(both))
        assert "! Running service  takes turns with another one\n" in text
        assert "Find the other (`ss -ltnp`" in text

    def test_two_on_one_database(self, owner: Owner, port: int) -> None:
        second = processes.free_port()
        with owner.serving(second, **local(port)), owner.serving(port, **local(port)) as process:
            text = owner.doctor(**local(port))
            log = process.said()
        assert "! Running service  is one of two on this database\n" in text
        assert f"another listens at 127.0.0.1:{second}. Stop the one" in text
        assert f"another service with this data directory listens at 127.0.0.1:{second}" in log

    def test_two_at_one_port(self, owner: Owner, port: int) -> None:
        with owner.serving(port, **local(port)):
            done = subprocess.run(
                [sys.executable, "-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}"],
                env={**os.environ, **environment(owner.folder)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert service_lock.address_of_service(owner.folder) == f"127.0.0.1:{port}"
        assert done.returncode == 1
        assert f"Cannot listen at 127.0.0.1:{port}" in done.stderr


class TestLogin:
    def test_a_wrong_client_secret_and_redirect_address(self, owner: Owner) -> None:
        with provider_fakes.running() as vendors:
            vendor = vendors["oidc_test"]
            given = {
                "COMMENTSVC_OIDC_TEST_ISSUER": vendor.base,
                "COMMENTSVC_OIDC_TEST_CLIENT_ID": vendor.client_id,
                "COMMENTSVC_OIDC_TEST_CLIENT_SECRET": "wrong",
            }
            wrong = owner.doctor(**given)
            vendor.answer = {"error": "login_required", "code": None}
            right = owner.doctor(**given | {"COMMENTSVC_OIDC_TEST_CLIENT_SECRET": vendor.client_secret})
            vendor.redirect_uri = "https://elsewhere.example/"
            elsewhere = owner.doctor(**given)
        assert "refuses the client id or secret (invalid_client)" in wrong
        assert "COMMENTSVC_OIDC_TEST_CLIENT_SECRET again from the provider's page" in wrong
        assert "✓                  accepts the client id and secret\n" in right
        assert "✓                  knows the redirect address\n" in right
        assert "Enter http://127.0.0.1:8600/login/callback/oidc_test at Test, exactly" in elsewhere


class TestClock:
    def test_it_is_behind_the_newest_comment(self, owner: Owner) -> None:
        app = create_app(Settings.from_env(environment(owner.folder)))
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            pen = comment_builders.article(session, sites.by_name(session, "Blog"))
            pen.at = now() + timedelta(minutes=59)
            pen.write()
            session.commit()
        dispose(app)
        text = owner.doctor()
        assert re.search(r"! Clock +is (59|60) minutes behind of the newest comment\n", text)
        assert "timedatectl set-ntp true" in text
