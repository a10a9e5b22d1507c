"""docs/privacy-policy.md: its names and periods are those of the code, and its sentences about cookies are true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.domain.accounts import accounts, login_sessions, login_tickets, single_sign_on
from commentsvc.domain.admin import edits
from commentsvc.domain.maintenance import backups, retention
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.domain.proofs import address_codes, address_proofs
from commentsvc.domain.subscriptions import confirming
from commentsvc.integrations.oauth import catalogue
from commentsvc.web.auth.cookies import READER_COOKIE, CookieSessions, SessionsByPath
from tests.conftest import dispose, environment
from tests.support.browser_client import BrowserClient
from tests.support.guest_client import GuestClient, add_site
from tests.support.member_client import Vouching

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "privacy-policy.md").read_text()
FLAT = re.sub(r"\s+", " ", TEXT.replace("\n>", "\n"))
SCRIPTS = "".join(
    path.read_text() for path in sorted((ROOT / "commentsvc" / "static" / "frame").glob("*.js"))
)
SECURE = "https://comments.example"


def rows(pattern: str) -> dict[str, list[str]]:
    """Return the cells of the table's rows whose first cell is a name of this form."""
    found = re.findall(rf"^\| `({pattern})` \| (.+) \|$", TEXT, re.MULTILINE)
    return {name: cells.split(" | ") for name, cells in found}


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Flask]:
    """The service with https, as readers meet it."""
    app = create_app(Settings.from_env(environment(tmp_path, COMMENTSVC_BASE_URL=SECURE)))
    yield app
    dispose(app)


def days(period: timedelta) -> str:
    return f"{period.days} days"


def test_the_cookies_are_those_of_the_code(secure: Flask) -> None:
    sessions = secure.session_interface
    assert isinstance(sessions, SessionsByPath)
    names = {READER_COOKIE.cookie.name}
    for path in ("/login", "/admin"):
        part = sessions._part(path)
        assert isinstance(part, CookieSessions)
        names.add(part.cookie.name)
    assert {part.cookie.name for _, part in sessions._parts} == names
    assert set(rows(r"__Host-\w+")) == names


def test_their_periods_are_those_of_the_code(secure: Flask) -> None:
    cookies = rows(r"__Host-\w+")
    lasting = secure.config["PERMANENT_SESSION_LIFETIME"]
    assert cookies["__Host-reader"][1] == days(lasting) == days(login_sessions.LIFE)
    assert cookies["__Host-admin"][1].startswith(f"{days(lasting)};")
    assert f"after {days(accounts.SESSION_LIFE)}" in cookies["__Host-admin"][1]
    assert f"{login_tickets.LIFE.seconds // 60} minutes" in cookies["__Host-login"][2]


def test_what_browsers_store_is_what_the_scripts_save() -> None:
    saved = set(re.findall(r'\bsave\("(?:local|session)Storage", "(\w+)"', SCRIPTS))
    assert re.search(r'\bsave\("localStorage", draftKey', SCRIPTS)
    stored = rows(r"commentsvc [\w …]+")
    assert set(stored) == {f"commentsvc {name}" for name in saved} | {"commentsvc draft …"}
    for name, (where, *_) in stored.items():
        key = name.removeprefix("commentsvc ")
        key = "draftKey" if key.startswith("draft") else f'"{key}"'
        for storage in ("local", "session"):
            used = f'save("{storage}Storage", {key}' in SCRIPTS
            assert (f"{storage} storage" in where) == used, (name, storage)


def test_the_scripts_store_nothing_in_another_way() -> None:
    assert not re.search(r"document\.cookie|indexedDB|cookieStore|caches\.", SCRIPTS)
    assert len(re.findall(r"\.setItem\(", SCRIPTS)) == 1
    loader = (ROOT / "commentsvc" / "static" / "embed.js").read_text()
    assert not re.search(r"Storage|cookie|indexedDB", loader)


def test_every_period_is_one_of_the_code(secure: Flask) -> None:
    usual = RetentionPeriods.read(Settings.from_env(environment(Path("/nonexistent"))))
    sentences = [
        f"delete it after {usual.networks} days",
        f"Spam is deleted {usual.spam} days after it was marked as such, and comments that we removed "
        f"{usual.trash} days after that",
        f"its former text is deleted after {days(edits.KEPT)}",
        f"We remember for {days(retention.NOTICES_KEPT)}",
        f"deleted after {days(confirming.LIFE)}",
        f"as a proof for {usual.consent} days",
        f"This login ends after {single_sign_on.LIFE.days} day without a visit",
        f"which is valid for {address_codes.LIFE.seconds // 60} minutes",
        f"go after at most {7 * backups.WEEKS} days",
        "offered for 1 day",
        "used for 7 days",
    ]
    assert usual.emails == 0
    assert timedelta(days=365) == address_proofs.UNUSED
    assert "until a year after your last comment with it" in FLAT
    assert "the e-mail address is never shown, and is kept as long as the comment" in FLAT
    for sentence in sentences:
        assert sentence in FLAT, sentence
    assert "const DAY = 86400000;" in SCRIPTS
    assert "draft.at < DAY" in SCRIPTS
    assert "last?.at < 7 * 86400000" in SCRIPTS
    tables = [cell for row in (rows(r"__Host-\w+") | rows(r"commentsvc [\w …]+")).values() for cell in row]
    covered = " ".join([*sentences, *tables])
    for period in set(re.findall(r"\d+ (?:days?|minutes|hours)", FLAT)):
        assert period in covered, period


def test_it_names_every_provider() -> None:
    for row in catalogue.ROWS:
        assert row.label in FLAT, row.label


def test_every_notice_it_speaks_of_has_an_address() -> None:
    assert {row.key for row in catalogue.ROWS if row.notices} == {"facebook", "apple"}


def test_a_guest_gets_no_cookie(app: Flask) -> None:
    """Neither by reading, nor by asking who they are, nor by commenting, with script or without."""
    add_site(app)
    guest = GuestClient(app)
    answers = [guest.get(path) for path in ("/embed", "/embed/own", "/thread", "/thread/own", "/counts")]
    answers += [guest.post("With script"), guest.post("Without script", door="/thread", json=False)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 200, 303]
    assert [answer.headers.get("Set-Cookie") for answer in answers] == [None] * len(answers)


def test_the_cookie_of_a_login_in_progress_ends_with_the_browser(app: Flask) -> None:
    vouching, visitor = Vouching.at(app), BrowserClient(app)
    answer = visitor.post("/login/start", {"provider": "github", "purpose": "person"}, token=None)
    assert vouching.begun
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert "_login=" in cookie
    assert "Max-Age" not in cookie
    assert "Expires" not in cookie
