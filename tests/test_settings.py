"""Settings: read from a mapping, refused with every reason at once."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from conftest import SECRET

from commentsvc.adapters import settings_file
from commentsvc.config import Settings
from commentsvc.errors import SettingsError

BARE = {"COMMENTSVC_SECRET_KEY": SECRET, "COMMENTSVC_BASE_URL": "https://comments.example"}


def faults(**variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(BARE | {f"COMMENTSVC_{name}": value for name, value in variables.items()})
    return caught.value.faults


def test_a_secret_and_an_address_are_enough() -> None:
    settings = Settings.from_env(BARE)
    assert settings.database_url == f"sqlite:///{Path('instance').absolute() / 'comments.sqlite'}"
    assert settings.secure


def test_every_fault_is_named_at_once() -> None:
    found = faults(BASE_URL="nonsense", MAX_COMMENT_LENGTH="many", LOG_LEVEL="LOUD", PORT="80")
    assert len(found) == 4
    assert all(
        any(f"COMMENTSVC_{name}" in fault for fault in found)
        for name in ("BASE_URL", "MAX_COMMENT_LENGTH", "LOG_LEVEL", "PORT")
    )


def test_what_is_missing_is_named_with_what_it_is_for() -> None:
    with pytest.raises(SettingsError, match="COMMENTSVC_SECRET_KEY is not set") as caught:
        Settings.from_env({})
    assert "COMMENTSVC_BASE_URL is not set" in str(caught.value)


@pytest.mark.parametrize(
    "secret",
    ["short", "a" * 64, "abcabc" * 8, "change-me-change-me-change-me-change-me", "secret" + SECRET],
)
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    (fault,) = faults(SECRET_KEY=secret)
    assert fault.startswith("COMMENTSVC_SECRET_KEY")
    assert secret not in fault


def test_a_secret_of_digits_stays_text() -> None:
    digits = "80417293651029384756019283746501"
    assert Settings.from_env(BARE | {"COMMENTSVC_SECRET_KEY": digits}).secret_key == digits


@pytest.mark.parametrize(
    "url",
    [
        "comments.example",
        "ftp://comments.example",
        "https://",
        "https://comments.example/blog",
        "https://comments.example/?a=b",
        "https://user@comments.example",
    ],
)
def test_a_base_url_that_is_no_origin_is_refused(url: str) -> None:
    assert len(faults(BASE_URL=url)) == 1


@pytest.mark.parametrize(
    "url", ["https://comments.example:443", "https://Comments.example/", "https://comments.example"]
)
def test_a_base_url_is_kept_as_browsers_send_it(url: str) -> None:
    assert Settings.from_env(BARE | {"COMMENTSVC_BASE_URL": url}).base_url == "https://comments.example"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_through_its_driver(scheme: str) -> None:
    settings = Settings.from_env(BARE | {"COMMENTSVC_DATABASE_URL": f"{scheme}://user@db/comments"})
    assert settings.database_url == "postgresql+psycopg://user@db/comments"


def test_other_databases_are_refused() -> None:
    assert "mysql" in faults(DATABASE_URL="mysql://db/comments")[0]


def test_trusted_proxies_are_networks() -> None:
    settings = Settings.from_env(BARE | {"COMMENTSVC_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,::1"})
    assert settings.trusted_proxies == (
        ipaddress.ip_network("127.0.0.1/32"),
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )
    assert len(faults(TRUSTED_PROXIES="my-proxy")) == 1


def test_limits_and_lengths_have_bounds() -> None:
    assert len(faults(POST_LIMIT="often", PERSON_LIMIT="1", THREAD_LIMIT="x", MAX_COMMENT_LENGTH="5")) == 4


@pytest.mark.parametrize("url", ["localhost", "http://localhost", "redis://", "unix://"])
def test_a_redis_that_cannot_be_reached_by_its_url_is_refused(url: str) -> None:
    assert len(faults(REDIS_URL=url)) == 1


def test_the_environment_stands_above_the_settings_file(tmp_path: Path) -> None:
    settings_file.append(tmp_path / "settings.env", {"COMMENTSVC_A": "file", "COMMENTSVC_B": "file"})
    environ = {"COMMENTSVC_DATA_DIR": str(tmp_path), "COMMENTSVC_A": "environment"}
    assert settings_file.merged(environ) == environ | {"COMMENTSVC_B": "file"}


def test_a_value_in_the_settings_file_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("# mine\nCOMMENTSVC_A=a${HOME}b\nexport COMMENTSVC_B='c d'\n")
    found = settings_file.merged({"COMMENTSVC_DATA_DIR": str(tmp_path)})
    assert (found["COMMENTSVC_A"], found["COMMENTSVC_B"]) == ("a${HOME}b", "c d")


def test_the_settings_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "settings.env"
    settings_file.append(file, {"COMMENTSVC_SECRET_KEY": SECRET})
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", [b"COMMENTSVC_DATA_DIR=/elsewhere\n", b"COMMENTSVC_A=\xff\n"])
def test_a_settings_file_that_cannot_be_right_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "settings.env").write_bytes(content)
    with pytest.raises(SettingsError, match=r"settings\.env"):
        settings_file.merged({"COMMENTSVC_DATA_DIR": str(tmp_path)})
